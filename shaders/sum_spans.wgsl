// Sums of neighbours: y[s] = factor * sum of x[s * SPAN ...], the last span ending with x; with
// DIVISOR divided by divisor[0].
//
// One workgroup a span. Invocation k adds x[k], x[k + 64], ...; then the 64 sums are halved,
// pair by pair. The order depends on SPAN and LENGTH alone.

const LENGTH: u32 = #{LENGTH}; // numbers in x
const SPAN: u32 = #{SPAN};
const WORKGROUP: u32 = 64;
override factor: f32;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
#ifdef DIVISOR
@group(0) @binding(2) var<storage, read> divisor: array<f32>;
#endif

var<workgroup> sums: array<f32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let span = group.y * groups.x + group.x;
    let first = span * SPAN;
    if first >= LENGTH {
        return; // the whole workgroup
    }
    var sum = 0.0;
    let end = min(first + SPAN, LENGTH);
    for (var i = first + lane; i < end; i += WORKGROUP) {
        sum += x[i];
    }
    sums[lane] = sum;
    for (var width = WORKGROUP / 2; width > 0; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            sums[lane] += sums[lane + width];
        }
    }
    if lane == 0 {
        var total = factor * sums[0];
#ifdef DIVISOR
        total /= divisor[0];
#endif
        y[span] = total;
    }
}
