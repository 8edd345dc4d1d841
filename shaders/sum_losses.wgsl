// The losses of a batch of an evaluation, added up by one workgroup in a fixed order:
//
//   sums[batch number] = (sum of losses[n], sum of weights[n])    n < real samples of the batch
//
// The last batch of a data set may hold fewer samples than the others. Without WEIGHTS every
// sample counts 1.

const SAMPLES: u32 = #{SAMPLES};
const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<storage, read> batch: array<u32>; // real samples, number of the batch
@group(0) @binding(2) var<storage, read_write> sums: array<vec2f>;
#ifdef WEIGHTS
@group(0) @binding(3) var<storage, read> weights: array<f32>;
#endif

var<workgroup> partial: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    var sum = vec2f();
    for (var n = lane; n < min(SAMPLES, batch[0]); n += WORKGROUP) {
#ifdef WEIGHTS
        sum += vec2f(losses[n], weights[n]);
#else
        sum += vec2f(losses[n], 1.0);
#endif
    }
    partial[lane] = sum;
    for (var width = WORKGROUP / 2; width > 0; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            partial[lane] += partial[lane + width];
        }
    }
    if lane == 0 {
        sums[batch[1]] = partial[0];
    }
}
