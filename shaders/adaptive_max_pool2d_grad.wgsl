// The gradient of adaptive max pooling: dy goes unchanged to the element that won its bin.
//
// Gathered, so that no two invocations add to one place: every element of the input asks the bins
// that hold it whether it was the winner, in row order.

#import wgrad::common::{bin, linear_index}

const VECS: u32 = #{VECS}; // vec4s of one position
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};

@group(0) @binding(0) var<storage, read> places: array<vec4u>; // of the winners: row * IN_WIDTH + column
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&dx) {
        return;
    }
    let channel = i % VECS;
    let pixel = i / VECS;
    let line = pixel / IN_WIDTH;
    let sample = line / IN_HEIGHT;
    let row = line % IN_HEIGHT;
    let column = pixel % IN_WIDTH;
    // Turned around, the rule gives the bins that hold a position.
    let rows = bin(row, OUT_HEIGHT, IN_HEIGHT);
    let columns = bin(column, OUT_WIDTH, IN_WIDTH);

    let here = vec4u(row * IN_WIDTH + column);
    var sum = vec4f();
    for (var a = rows.x; a < rows.y; a++) {
        for (var b = columns.x; b < columns.y; b++) {
            let at = ((sample * OUT_HEIGHT + a) * OUT_WIDTH + b) * VECS + channel;
            sum += select(vec4f(), dy[at], places[at] == here);
        }
    }
    dx[i] = sum;
}
