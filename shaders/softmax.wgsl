// Softmax over the channels of a position: y[k] = exp(x[k] - m) / sum over j of exp(x[j] - m),
// where m is the largest x[j], so that nothing overflows. With LOG its logarithm:
// y[k] = (x[k] - m) - log(sum over j of exp(x[j] - m)). NaN makes the whole row NaN.

#import wgrad::common::linear_index
#import wgrad::functions::{exponential, log_of_1_plus}
#import wgrad::rows::{STRIDE, exist, max_of_row, sum_of_row}

const ROWS: u32 = #{ROWS}; // positions of the batch
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3u) / 4u; // vec4s of a row

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) invocation: u32,
) {
#ifdef WIDE
    let position = group.y * groups.x + group.x;
    let lane = invocation;
#else
    let position = linear_index(id, groups);
    let lane = 0u;
#endif
    if position >= ROWS {
        return;
    }
    let row = position * VECS;
    var largest = x[row].x;
    for (var v = lane; v < VECS; v += STRIDE) {
        let z = select(vec4f(largest), x[row + v], exist(v, CHANNELS));
        largest = max(largest, max(max(z.x, z.y), max(z.z, z.w)));
    }
    largest = max_of_row(largest, lane);
    var sum = 0.0;
    for (var v = lane; v < VECS; v += STRIDE) {
        let e = select(vec4f(), exponential(x[row + v] - largest), exist(v, CHANNELS));
        sum += (e.x + e.y) + (e.z + e.w);
    }
    sum = sum_of_row(sum, lane);

    // The sum is at least 1, the largest one's own term.
    let log_sum = log_of_1_plus(vec4f(sum - 1.0)).x;
    for (var v = lane; v < VECS; v += STRIDE) {
        let z = x[row + v] - largest;
#ifdef LOG
        let value = z - log_sum;
#else
        let value = exponential(z) / sum;
#endif
        y[row + v] = select(vec4f(), value, exist(v, CHANNELS));
    }
}
