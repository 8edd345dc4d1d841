// Every sample of the batch mixed with its partner, pixel by pixel:
//
//   y[n] = x[partner]                                 inside the box
//          share * x[n] + (1 - share) * x[partner]    outside
//
// Mixup has an empty box, cutmix a share of 1. Padding is zero and stays so.

#import wgrad::common::linear_index

const SAMPLE: u32 = #{SAMPLE}; // vec4s of a sample
const VECS: u32 = #{VECS}; // vec4s of a pixel
const WIDTH: u32 = #{WIDTH};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
// [label's share, share, 0, 0], [top, bottom, left, right] of the box, ends excluded.
@group(0) @binding(1) var<storage, read> numbers: array<vec4f>;
@group(0) @binding(2) var<storage, read> partners: array<u32>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    let within = i % SAMPLE;
    let other = x[partners[i / SAMPLE] * SAMPLE + within];
    let pixel = within / VECS;
    let row = f32(pixel / WIDTH);
    let column = f32(pixel % WIDTH);
    let box = numbers[1];
    let inside = row >= box.x && row < box.y && column >= box.z && column < box.w;
    let share = numbers[0].y;
    y[i] = select(share * x[i] + (1.0 - share) * other, other, inside);
}
