// Adds partial results in a fixed order: the second pass of every split reduction.
//
//   out[i] = sum over s of partials[s][i]   (+ bias[i mod channels])
//
// Several partial sums are kept apart and added at the end, which shortens the chain of dependent
// additions; the order depends on their number alone, so that the result is the same run after run.
// Sizes are data, so that layers share one compiled kernel.

#import wgrad::epilogue::finish

const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;
// Partial results; vectors after which a bias or a slope repeats.
@group(0) @binding(3) var<uniform> sizes: array<vec4u, 1>;
#ifdef BIAS
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = gid.y * groups.x * WORKGROUP + gid.x;
    let length = arrayLength(&out);
    if i >= length {
        return;
    }
    let splits = sizes[0].x;
    let channel = i % sizes[0].y;
    var even = vec4f();
    var odd = vec4f();
    for (var s = 0u; s + 1 < splits; s += 2u) {
        even += partials[s * length + i];
        odd += partials[(s + 1) * length + i];
    }
    if splits % 2 == 1 {
        even += partials[(splits - 1) * length + i];
    }
#ifdef BIAS
    let b = bias[channel];
#else
    let b = vec4f();
#endif
    out[i] = finish(even + odd + b, i, channel);
}
