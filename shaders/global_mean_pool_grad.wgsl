// The gradient of the global mean: every position gets dy / (height * width).

#import wgrad::common::linear_index

const VECS: u32 = #{VECS}; // vec4s of one position
const POSITIONS: u32 = #{POSITIONS}; // height * width

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dx: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&dx) {
        return;
    }
    let sample = i / (VECS * POSITIONS);
    dx[i] = dy[sample * VECS + i % VECS] / f32(POSITIONS);
}
