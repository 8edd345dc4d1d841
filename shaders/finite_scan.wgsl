// Whether a chunk of the numbers holds one that is not finite: 1 if so, else 0.
// NaN and infinity are told by their exponent, which no compiler may assume away. Sizes are data, so
// that all buffers share one compiled kernel.

#import wgrad::common::linear_index

@group(0) @binding(0) var<storage, read> numbers: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> partials: array<u32>;
// vec4s of a chunk, which is an invocation's; where the answers go among the partials.
@group(0) @binding(2) var<uniform> sizes: array<vec4u, 1>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let part = linear_index(id, groups);
    let chunk = sizes[0].x;
    let length = arrayLength(&numbers);
    if part * chunk >= length {
        return;
    }
    let exponent = vec4u(0x7f800000u);
    var found = vec4<bool>();
    for (var i = part * chunk; i < min((part + 1) * chunk, length); i++) {
        found |= (numbers[i] & exponent) == exponent;
    }
    partials[sizes[0].y + part] = u32(any(found));
}
