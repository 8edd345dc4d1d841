// running = (1 - m) * running + m * batch, for all running averages at once; nothing if the
// step was not finite.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const BLOCK_VECS: u32 = 16; // vec4s that share a momentum

@group(0) @binding(0) var<storage, read> status: array<u32>;
@group(0) @binding(1) var<storage, read> batch: array<vec4f>;
@group(0) @binding(2) var<storage, read> momentum: array<f32>;
@group(0) @binding(3) var<storage, read_write> running: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH || status[0] != 0u {
        return;
    }
    let m = momentum[i / BLOCK_VECS];
    running[i] = (1.0 - m) * running[i] + m * batch[i];
}
