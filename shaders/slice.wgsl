// A part of an image, as bits: y[row][column][c] is x at FIRST_ROW, FIRST_COLUMN and FIRST_CHANNEL
// further on.
//
// ALIGNED says that the first channel begins a vec4. Lanes beyond the last channel become zero.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s of y
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3) / 4;
const HEIGHT: u32 = #{HEIGHT};
const WIDTH: u32 = #{WIDTH};
const IN_CHANNELS: u32 = #{IN_CHANNELS};
const IN_VECS: u32 = (IN_CHANNELS + 3) / 4;
const IN_HEIGHT: u32 = #{IN_HEIGHT};
const IN_WIDTH: u32 = #{IN_WIDTH};
const FIRST_CHANNEL: u32 = #{FIRST_CHANNEL};
const FIRST_ROW: u32 = #{FIRST_ROW};
const FIRST_COLUMN: u32 = #{FIRST_COLUMN};

#ifdef ALIGNED
@group(0) @binding(0) var<storage, read> x: array<vec4u>;
#else
@group(0) @binding(0) var<storage, read> x: array<u32>;
#endif
@group(0) @binding(1) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let vector = i % VECS;
    let column = i / VECS % WIDTH + FIRST_COLUMN;
    let line = i / VECS / WIDTH;
    let row = line % HEIGHT + FIRST_ROW;
    let position = (line / HEIGHT * IN_HEIGHT + row) * IN_WIDTH + column;
    let channels = 4u * vector + vec4u(0u, 1u, 2u, 3u);
#ifdef ALIGNED
    let value = x[position * IN_VECS + FIRST_CHANNEL / 4u + vector];
#else
    // The last channel stands in for those beyond it, so that no index leaves the position.
    let source = 4u * position * IN_VECS + FIRST_CHANNEL + min(channels, vec4u(CHANNELS - 1u));
    let value = vec4u(x[source.x], x[source.y], x[source.z], x[source.w]);
#endif
    y[i] = select(vec4u(), value, channels < vec4u(CHANNELS));
}
