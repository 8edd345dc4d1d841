// Functions that any kernel may import.

#define_import_path wgrad::common

// The number of this invocation in a one-dimensional dispatch with workgroups of 64, which
// may have spilled from x into y.
fn linear_index(id: vec3u, groups: vec3u) -> u32 {
    return id.y * groups.x * 64u + id.x;
}

// Whether each lane is NaN, asked of the bits: `v != v` is false on drivers that assume no NaN.
fn is_nan(v: vec4f) -> vec4<bool> {
    return (bitcast<vec4u>(v) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}
