// Adds SPLITS partial results in a fixed order: the second pass of every split reduction.
//
//   out[i] = sum over s of partials[s][i]   (+ bias[i mod VECS])
//
// Several partial sums are kept apart and added at the end, which shortens the chain of dependent
// additions; the order depends on SPLITS alone, so that the result is the same run after run.

#import wgrad::epilogue::finish

const LENGTH: u32 = #{LENGTH}; // vectors in one partial result
const SPLITS: u32 = #{SPLITS};
const VECS: u32 = #{VECS}; // vectors after which a bias repeats
const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
#ifdef BIAS
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
    let b = bias[i % VECS];
#else
    let b = vec4f();
#endif
    out[i] = finish(even + odd + b, i, i % VECS);
}
