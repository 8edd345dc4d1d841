// What augmentation does to each sample of the batch, an invocation a sample:
//
//   changes[5 n]      the row of the image that a pixel of the result shows:
//                     x * (row - middle row) + y * (column - middle column) + z
//   changes[5 n + 1]  its column, likewise
//   changes[5 n + 2]  factors of brightness, contrast and saturation
//   changes[5 n + 3]  what Cutout covers: top, bottom, left, right; ends excluded
//   changes[5 n + 4]  what is erased, likewise
//
// Angles are in turns. Twin of src/data/augment/draw.rs.

#import wgrad::common::linear_index
#import wgrad::philox::{mul_high, philox4x32_10, uniform01}

const BATCH: u32 = #{BATCH};
const HEIGHT: u32 = #{HEIGHT};
const WIDTH: u32 = #{WIDTH};
const PADDING: u32 = #{PADDING};
const FLIP: bool = #{FLIP} == 1;
const VERTICAL_FLIP: bool = #{VERTICAL_FLIP} == 1;
const SIDE: u32 = #{SIDE}; // of Cutout's square
const STREAM: u32 = #{STREAM};

override brightness_low: f32;
override brightness_high: f32;
override contrast_low: f32;
override contrast_high: f32;
override saturation_low: f32;
override saturation_high: f32;

@group(0) @binding(0) var<storage, read> step: array<u32>; // micro-batch, that of the epoch, seed
@group(0) @binding(1) var<storage, read_write> changes: array<vec4f>;
#ifdef ERASING
const ERASING: u32 = #{ERASING}; // the probability, in 2^-24
const BOXES: u32 = #{BOXES};
@group(0) @binding(2) var<storage, read> boxes: array<vec2f>; // rows, columns
#endif

fn words(n: u32, block: u32) -> vec4u {
    return philox4x32_10(vec4u(n, step[0], STREAM, block), vec2u(step[2], step[3]));
}

#ifdef AFFINE
override angle: f32;
override scale_low: f32;
override scale_high: f32;
override shear_across: f32;
override shear_down: f32;
override move_rows: f32;
override move_columns: f32;

// Cosine and sine of an angle in turns: the Taylor series of what is beyond the nearest quarter, at
// most pi / 4, good to 3e-8. WGSL's own promise no more than 2^-11.
fn cos_sin(turns: f32) -> vec2f {
    let quarter = round(4.0 * turns);
    let x = (4.0 * turns - quarter) * 1.57079633;
    let q = x * x;
    let c = 1.0 - q / 2.0 * (1.0 - q / 12.0 * (1.0 - q / 30.0 * (1.0 - q / 56.0)));
    let s = x * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0))));
    let odd = (i32(quarter) & 1) == 1;
    let turned = select(vec2f(c, s), vec2f(-s, c), odd);
    return select(turned, -turned, (i32(quarter) & 2) == 2);
}
#endif

// The rows of a matrix and what is added: the position in the image, from its middle, of a pixel
// at some position from the middle.
struct Map {
    row: vec2f,
    column: vec2f,
    moved: vec2f,
}

// Of turning, scaling and shearing, as torchvision has it: the inverse of
//
//   scale / cos(down) * | cos(turn - down)   -cos(turn - down) * tan(across) - sin(turn) * cos(down) |
//                       | sin(turn - down)   -sin(turn - down) * tan(across) + cos(turn) * cos(down) |
//
// for (column, row), whose determinant is scale^2.
fn affine(n: u32) -> Map {
#ifdef AFFINE
    let first = uniform01(words(n, 3u));
    let second = uniform01(words(n, 4u));
    let turn = angle * (2.0 * first.x - 1.0);
    let scale = scale_low + first.y * (scale_high - scale_low);
    let across = cos_sin(shear_across * (2.0 * first.z - 1.0));
    let down_turns = shear_down * (2.0 * first.w - 1.0);
    let down = cos_sin(down_turns);
    let turned = cos_sin(turn);
    let rest = cos_sin(turn - down_turns);
    let slope = across.y / across.x;
    let a = rest.x / down.x;
    let b = -a * slope - turned.y;
    let c = rest.y / down.x;
    let d = -c * slope + turned.x;
    let to_row = vec2f(a, -c) / scale; // by row and column
    let to_column = vec2f(-b, d) / scale;
    let moving = vec2f(move_rows, move_columns) * (2.0 * second.xy - 1.0);
    return Map(to_row, to_column, -vec2f(dot(to_row, moving), dot(to_column, moving)));
#else
    return Map(vec2f(1.0, 0.0), vec2f(0.0, 1.0), vec2f());
#endif
}

// The square around a random pixel.
fn cutout(n: u32) -> vec4f {
    let centre = vec2f(mul_high(words(n, 1u).xy, vec2u(HEIGHT, WIDTH)));
    let first = centre - f32(SIDE / 2u);
    let end = first + f32(SIDE);
    return vec4f(first.x, end.x, first.y, end.y);
}

// A box; an empty one for samples of which nothing is erased.
fn erased(n: u32) -> vec4f {
#ifdef ERASING
    let drawn = words(n, 5u);
    if drawn.x >> 8u < ERASING {
        let size = boxes[mul_high(drawn.yy, vec2u(BOXES)).x];
        let first = vec2f(mul_high(drawn.zw, vec2u(HEIGHT, WIDTH) - vec2u(size) + 1u));
        let end = first + size;
        return vec4f(first.x, end.x, first.y, end.y);
    }
#endif
    return vec4f();
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let n = linear_index(id, groups);
    if n >= BATCH {
        return;
    }
    let moves = words(n, 0u);
    let shift = vec2f(mul_high(moves.xy, vec2u(2u * PADDING + 1u))) - f32(PADDING);
    let map = affine(n);
    let upside_down = VERTICAL_FLIP && moves.w >> 31u == 1u;
    let mirrored = FLIP && moves.z >> 31u == 1u;
    let signs = select(vec2f(1.0), vec2f(-1.0), vec2(upside_down, mirrored));
    // From the middle, which has whole or half numbers: exact unless affine.
    let middle = 0.5 * vec2f(vec2u(HEIGHT, WIDTH) - 1u);
    let origin = signs * map.moved + middle + shift;
    changes[5u * n] = vec4f(signs.x * map.row, origin.x, 0.0);
    changes[5u * n + 1u] = vec4f(signs.y * map.column, origin.y, 0.0);

    let share = uniform01(words(n, 2u)).xyz;
    let low = vec3f(brightness_low, contrast_low, saturation_low);
    let high = vec3f(brightness_high, contrast_high, saturation_high);
    changes[5u * n + 2u] = vec4f(low + share * (high - low), 0.0);
    changes[5u * n + 3u] = cutout(n);
    changes[5u * n + 4u] = erased(n);
}
