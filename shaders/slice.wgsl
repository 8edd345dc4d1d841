// A part of an image, as bits, and zeros where it reaches beyond the image: y[row][column][c] is x at
// FIRST_ROW, FIRST_COLUMN and FIRST_CHANNEL further on. Zero padding begins before the image, at
// negative numbers.
//
// ALIGNED says that the first channel begins a vec4.

#import wgrad::common::{lanes_of, linear_index}

const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;
const HEIGHT: u32 = #{HEIGHT};
const WIDTH: u32 = #{WIDTH};
const IN_CHANNELS: u32 = #{IN_CHANNELS};
const IN_VECS: u32 = (IN_CHANNELS + 3) / 4;
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const FIRST_CHANNEL: i32 = #{FIRST_CHANNEL};
const FIRST_ROW: i32 = #{FIRST_ROW};
const FIRST_COLUMN: i32 = #{FIRST_COLUMN};

#ifdef ALIGNED
@group(0) @binding(0) var<storage, read> x: array<vec4u>;
#else
@group(0) @binding(0) var<storage, read> x: array<u32>;
#endif
@group(0) @binding(1) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    let lanes = lanes_of(i % VECS);
    let line = i / VECS / WIDTH;
    // Places before the first become large numbers, which are beyond the last.
    let channels = lanes + vec4u(u32(FIRST_CHANNEL));
    let column = i / VECS % WIDTH + u32(FIRST_COLUMN);
    let row = line % HEIGHT + u32(FIRST_ROW);
    let exist = (lanes < vec4u(CHANNELS)) & (channels < vec4u(IN_CHANNELS));
    if row >= IN_HEIGHT || column >= IN_WIDTH || !any(exist) {
        y[i] = vec4u();
        return;
    }
    let position = (line / HEIGHT * IN_HEIGHT + row) * IN_WIDTH + column;
#ifdef ALIGNED
    let value = x[position * IN_VECS + channels.x / 4];
#else
    // The first channel stands in for those that do not exist, so that no index leaves the position.
    let source = 4u * position * IN_VECS + select(vec4u(), channels, exist);
    let value = vec4u(x[source.x], x[source.y], x[source.z], x[source.w]);
#endif
    y[i] = select(vec4u(), value, exist);
}
