// running = (1 - m) * running + m * batch, for all running averages at once; nothing if the
// step was not finite.
//
// Where GROUP micro-batches make a step, they move a copy, which takes effect with the last one:
// a step that fails half-way leaves the running averages as they were.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const BLOCK_VECS: u32 = 16; // vec4s that share a momentum
#ifdef GROUP
const GROUP: u32 = #{GROUP};
#endif

@group(0) @binding(0) var<storage, read> status: array<u32>; // not finite, step, micro-batch
@group(0) @binding(1) var<storage, read> batch: array<vec4f>;
@group(0) @binding(2) var<storage, read> momentum: array<f32>;
@group(0) @binding(3) var<storage, read_write> running: array<vec4f>;
#ifdef GROUP
@group(0) @binding(4) var<storage, read_write> pending: array<vec4f>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH || status[0] != 0u {
        return;
    }
    let m = momentum[i / BLOCK_VECS];
#ifdef GROUP
    let before = select(pending[i], running[i], status[2] == 0u);
    let after = (1.0 - m) * before + m * batch[i];
    pending[i] = after;
    if status[2] + 1u == GROUP {
        running[i] = after;
    }
#else
    running[i] = (1.0 - m) * running[i] + m * batch[i];
#endif
}
