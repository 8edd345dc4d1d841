// y = a + b. Both operands may be the same buffer.

#import wgrad::common::linear_index
#import wgrad::epilogue::finish

const VECS: u32 = #{VECS}; // vec4s of one position

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    y[i] = finish(a[i] + b[i], i, i % VECS);
}
