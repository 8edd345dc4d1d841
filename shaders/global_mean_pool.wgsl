// The mean of every channel over all positions.
//
//   sums[n][k][v] = scale * sum of x[n][p][v] over p = k, k + SPLITS, k + 2 * SPLITS, ...
//
// With SPLITS = 1 this is the result. Otherwise it is the first of two passes, in which neighbouring
// invocations read neighbouring memory; sum_partials.wgsl adds up the pieces in order.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // samples * SPLITS * VECS
const VECS: u32 = #{VECS}; // vec4s of one position
const POSITIONS: u32 = #{POSITIONS}; // height * width
const SPLITS: u32 = #{SPLITS};

override scale: f32;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> sums: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let channel = i % VECS;
    let sample = i / VECS / SPLITS;
    var sum = vec4f();
    for (var p = i / VECS % SPLITS; p < POSITIONS; p += SPLITS) {
        sum += x[(sample * POSITIONS + p) * VECS + channel];
    }
    sums[i] = sum * scale;
}
