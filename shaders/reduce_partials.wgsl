// Adds SPLITS partial results in a fixed order: the second pass of every split reduction.
//
//   out[i] = sum over s of partials[s][i]   (+ bias[i mod BIAS_VECS])
//
// Several partial sums are kept apart and added at the end, which shortens the chain of dependent
// additions; the order depends on SPLITS alone, so that the result is the same run after run.

const LENGTH: u32 = #{LENGTH}; // vectors in one partial result
const SPLITS: u32 = #{SPLITS};
const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
#ifdef BIAS
const BIAS_VECS: u32 = #{BIAS_VECS};
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = gid.y * groups.x * WORKGROUP + gid.x;
    if i >= LENGTH {
        return;
    }
    var even = vec4f();
    var odd = vec4f();
    for (var s = 0u; s + 1 < SPLITS; s += 2u) {
        even += partials[s * LENGTH + i];
        odd += partials[(s + 1) * LENGTH + i];
    }
    if SPLITS % 2 == 1 {
        even += partials[(SPLITS - 1) * LENGTH + i];
    }
#ifdef BIAS
    out[i] = even + odd + bias[i % BIAS_VECS];
#else
    out[i] = even + odd;
#endif
}
