// Whether a chunk of the numbers holds one that is not finite: 1 if so, else 0.
// NaN and infinity are told by their exponent, which no compiler may assume away.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const CHUNK: u32 = #{CHUNK}; // vec4s an invocation
const PARTS: u32 = #{PARTS};
const FIRST: u32 = #{FIRST}; // where the answers go among the partials

@group(0) @binding(0) var<storage, read> numbers: array<vec4u>;
@group(0) @binding(1) var<storage, read_write> partials: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let part = linear_index(id, groups);
    if part >= PARTS {
        return;
    }
    let exponent = vec4u(0x7f800000u);
    var found = vec4<bool>();
    for (var i = part * CHUNK; i < min((part + 1) * CHUNK, LENGTH); i++) {
        found |= (numbers[i] & exponent) == exponent;
    }
    partials[FIRST + part] = u32(any(found));
}
