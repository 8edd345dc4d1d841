// g = g, held within -limit and limit, for all gradients at once.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s

override limit: f32;

@group(0) @binding(0) var<storage, read_write> gradients: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    gradients[i] = clamp(gradients[i], vec4f(-limit), vec4f(limit));
}
