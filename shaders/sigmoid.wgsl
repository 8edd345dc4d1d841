// The logistic function: y = 1 / (1 + exp(-x)).
// sigmoid(0) = 1/2, so that lanes beyond the last channel are set to zero.

#import wgrad::common::linear_index
#import wgrad::functions::logistic

#ifdef CHANNELS
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3u) / 4u; // vec4s of one position
#endif

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    var value = logistic(x[i]);
#ifdef CHANNELS
    let channel = 4u * (i % VECS) + vec4u(0u, 1u, 2u, 3u);
    value = select(vec4f(), value, channel < vec4u(CHANNELS));
#endif
    y[i] = value;
}
