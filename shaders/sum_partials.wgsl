// Adds partial sums in a fixed order: the second pass of reductions over positions.
//
//   out[s][v] = scale * sum over k of partials[s][k][v]      k < SPLITS, v < VECS
//
// One workgroup for each result. Invocation l adds the terms l, l + WORKGROUP, ...; then the
// WORKGROUP sums are added in pairs. With LANES the four lanes are added too, into the first.

const SPLITS: u32 = #{SPLITS};
const VECS: u32 = #{VECS};
const RESULTS: u32 = #{RESULTS}; // samples * VECS
const WORKGROUP: u32 = #{WORKGROUP}; // a power of two

override scale: f32;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;

var<workgroup> sums: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let result = group.y * groups.x + group.x;
    if result >= RESULTS {
        return;
    }
    let first = result / VECS * SPLITS * VECS + result % VECS;
    var sum = vec4f();
    for (var k = lane; k < SPLITS; k += WORKGROUP) {
        sum += partials[first + k * VECS];
    }
    sums[lane] = sum;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            sums[lane] += sums[lane + half];
        }
    }
    if lane == 0u {
        let total = sums[0] * scale;
#ifdef LANES
        out[result] = vec4f((total.x + total.y) + (total.z + total.w), 0.0, 0.0, 0.0);
#else
        out[result] = total;
#endif
    }
}
