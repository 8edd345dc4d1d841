// result[n] = labels[order[n]] for the batch at hand.

#import wgrad::common::linear_index

const BATCH: u32 = #{BATCH};

@group(0) @binding(0) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read> order: array<u32>; // of all samples of the epoch
@group(0) @binding(2) var<storage, read> step: array<u32>; // step, batch of the epoch
@group(0) @binding(3) var<storage, read_write> result: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let n = linear_index(id, groups);
    if n < BATCH {
        result[n] = labels[order[step[1] * BATCH + n]];
    }
}
