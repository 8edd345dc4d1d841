// The gradient of max pooling: dy goes unchanged to the element that won its window.
//
// Gathered, so that no two invocations add to one place: every element of the input asks the
// windows that cover it whether it was the winner, in row order.

#import wgrad::common::linear_index
#import wgrad::max_pool_route::routed

@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i < arrayLength(&dx) {
        dx[i] = routed(i);
    }
}
