// average += rate * (numbers - average), for all parameters or running averages at once; the rate
// is that of the step. Nothing if the step was not finite.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const RING: u32 = #{RING}; // steps in the ring of rates

@group(0) @binding(0) var<storage, read> status: array<u32>; // not finite, step
@group(0) @binding(1) var<storage, read> rates: array<f32>;
@group(0) @binding(2) var<storage, read> numbers: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> average: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH || status[0] != 0u {
        return;
    }
    let before = average[i];
    average[i] = before + rates[status[1] % RING] * (numbers[i] - before);
}
