// The gradient of adaptive mean pooling: every element of a bin gets dy / (elements of the bin).
//
// Gathered, so that no two invocations add to one place: every element of the input adds the shares
// of the bins that hold it, in row order.

#import wgrad::common::{bin, linear_index}

const VECS: u32 = #{VECS}; // vec4s of one position
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dx: array<vec4f>;

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

    var sum = vec4f();
    for (var a = rows.x; a < rows.y; a++) {
        let held_rows = bin(a, IN_HEIGHT, OUT_HEIGHT);
        for (var b = columns.x; b < columns.y; b++) {
            let held_columns = bin(b, IN_WIDTH, OUT_WIDTH);
            let held = (held_rows.y - held_rows.x) * (held_columns.y - held_columns.x);
            sum += dy[((sample * OUT_HEIGHT + a) * OUT_WIDTH + b) * VECS + channel] / f32(held);
        }
    }
    dx[i] = sum;
}
