// Functions that any kernel may import.

#define_import_path wgrad::common

// The number of this invocation in a one-dimensional dispatch with workgroups of 64, which
// may have spilled from x into y.
fn linear_index(id: vec3u, groups: vec3u) -> u32 {
    return id.y * groups.x * 64u + id.x;
}
