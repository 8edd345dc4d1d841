// Adaptive mean pooling: the average of every bin.

#import wgrad::common::{bin, linear_index}

const VECS: u32 = #{VECS}; // vec4s of one position
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const OUT_HEIGHT: u32 = #{OUT_HEIGHT};
const OUT_WIDTH: u32 = #{OUT_WIDTH};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

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

    var sum = vec4f();
    for (var row = rows.x; row < rows.y; row++) {
        for (var column = columns.x; column < columns.y; column++) {
            sum += x[(image + row * IN_WIDTH + column) * VECS + channel];
        }
    }
    y[i] = sum / f32((rows.y - rows.x) * (columns.y - columns.x));
}
