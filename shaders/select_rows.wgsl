// y[n] = x[partners[n]], rows of WORDS words: labels or targets, which are moved as they are.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // words
const WORDS: u32 = #{WORDS}; // of a row

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read> partners: array<u32>;
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i < LENGTH {
        y[i] = x[partners[i / WORDS] * WORDS + i % WORDS];
    }
}
