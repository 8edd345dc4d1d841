// The gradient of max pooling: dy goes unchanged to the element that won its window.
//
// Gathered, so that no two invocations add to one place: every element of the input asks the
// windows that cover it whether it was the winner, in row order. With TILED an invocation writes the
// elements of its window.

#import wgrad::common::linear_index
#ifdef TILED
#import wgrad::max_pool_route::{AREA, corner_of, delta_of, distance_to, winner_of}
#else
#import wgrad::max_pool_route::routed
#endif

@group(0) @binding(3) var<storage, read_write> dx: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
#ifdef TILED
    if i * AREA >= arrayLength(&dx) {
        return;
    }
    let delta = delta_of(i);
    let winner = winner_of(i);
    let corner = corner_of(i);
    // A loop that stays a loop, for no compiler knows the length: stores take a CPU driver long to
    // compile.
    for (var place = 0u; place < min(AREA, arrayLength(&dx)); place++) {
        dx[corner + distance_to(place)] = select(vec4f(), delta, winner == vec4u(place));
    }
#else
    if i < arrayLength(&dx) {
        dx[i] = routed(i);
    }
#endif
}
