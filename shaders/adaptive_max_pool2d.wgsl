// Adaptive max pooling: the largest element of every bin, the first one in row order.
//
// NaN beats every number, and of several NaNs the last one stays. With PLACES the winner's place in
// its image, row * IN_WIDTH + column, is kept for the backward pass.

#import wgrad::common::{bin, is_nan, linear_index}

const VECS: u32 = #{VECS}; // vec4s of one position
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
#ifdef PLACES
@group(0) @binding(2) var<storage, read_write> places: array<vec4u>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    let channel = i % VECS;
    let pixel = i / VECS;
    let line = pixel / OUT_WIDTH;
    let sample = line / OUT_HEIGHT;
    let rows = bin(line % OUT_HEIGHT, IN_HEIGHT, OUT_HEIGHT);
    let columns = bin(pixel % OUT_WIDTH, IN_WIDTH, OUT_WIDTH);
    let image = sample * IN_HEIGHT * IN_WIDTH;

    let first = rows.x * IN_WIDTH + columns.x;
    var best = x[(image + first) * VECS + channel];
    var place = vec4u(first);
    for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
            let here = row * IN_WIDTH + column;
            let value = x[(image + here) * VECS + channel];
            let wins = is_nan(value) | (value > best);
            best = select(best, value, wins);
            place = select(place, vec4u(here), wins);
        }
    }
    y[i] = best;
#ifdef PLACES
    places[i] = place;
#endif
}
