// Adds partial sums in a fixed order: the second pass of reductions over positions.
//
//   out[s][v] = scale * sum over k of partials[s][k][v]      k < splits, v < vecs
//
// One workgroup for each result. Invocation l adds the terms l, l + WORKGROUP, ...; then the
// WORKGROUP sums are added in pairs. With LANES the four lanes are added too, into the first. With
// PAIR a second array of the same sizes is added up as well, by workgroups of its own.
//
// Sizes are data, so that sums of all sizes share one compiled kernel.

const WORKGROUP: u32 = #{WORKGROUP}; // a power of two

override scale: f32;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
@group(0) @binding(2) var<uniform> sizes: array<vec4u, 1>; // splits, vecs, results of an array
#ifdef PAIR
@group(0) @binding(3) var<storage, read> second_partials: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> second_out: array<vec4f>;
#endif

var<workgroup> sums: array<vec4f, WORKGROUP>;

fn term(at: u32, second: bool) -> vec4f {
#ifdef PAIR
    if second {
        return second_partials[at];
    }
#endif
    return partials[at];
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let splits = sizes[0].x;
    let vecs = sizes[0].y;
    let results = sizes[0].z;
    let number = group.y * groups.x + group.x;
#ifdef PAIR
    let second = number >= results;
    let result = select(number, number - results, second);
#else
    let second = false;
    let result = number;
#endif
    if result >= results {
        return; // the whole workgroup
    }
    let first = result / vecs * splits * vecs + result % vecs;
    var sum = vec4f();
    for (var k = lane; k < splits; k += WORKGROUP) {
        sum += term(first + k * vecs, second);
    }
    sums[lane] = sum;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            sums[lane] += sums[lane + half];
        }
    }
    if lane == 0u {
        var total = sums[0] * scale;
#ifdef LANES
        total = vec4f((total.x + total.y) + (total.z + total.w), 0.0, 0.0, 0.0);
#endif
#ifdef PAIR
        if second {
            second_out[result] = total;
            return;
        }
#endif
        out[result] = total;
    }
}
