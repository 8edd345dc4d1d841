// The mean of the gradients of a group's micro-batches, as far as they have come:
//
//   sum = (0 at the first, else sum) + gradients / GROUP
//
// for all parameters at once; nothing if the step was not finite.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s

override share: f32; // 1 / GROUP

@group(0) @binding(0) var<storage, read> status: array<u32>; // not finite, step, micro-batch
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> accumulated: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH || status[0] != 0u {
        return;
    }
    let before = select(accumulated[i], vec4f(), status[2] == 0u);
    accumulated[i] = before + share * gradients[i];
}
