// Batch normalisation: y = weight * (x - mean) / sqrt(variance + epsilon) + bias, per channel.
//
// In training, mean (with its residual) and inverse standard deviation are the batch's; in
// evaluation they are the running mean and variance. Weight, bias and mean are zero in padding,
// and so is y.
//
// An invocation loads what belongs to its channels once for ROWS positions.

#import wgrad::common::linear_index
#import wgrad::epilogue::finish

const ROWS: u32 = #{ROWS};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> mean: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
#ifdef TRAINING
@group(0) @binding(5) var<storage, read> residual: array<vec4f>;
@group(0) @binding(6) var<storage, read> inverse_std: array<vec4f>;
#else
override epsilon: f32;
@group(0) @binding(5) var<storage, read> variance: array<vec4f>;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let invocation = linear_index(id, groups);
    let vecs = arrayLength(&mean);
    let v = invocation % vecs;
    let first = (invocation - v) * ROWS + v;
    let end = min(first + ROWS * vecs, arrayLength(&y));

    let centre = mean[v];
    let scale = weight[v];
    let shift = bias[v];
#ifdef TRAINING
    let rest = residual[v];
    let inverse = inverse_std[v];
#else
    let rest = vec4f();
    let inverse = inverseSqrt(variance[v] + vec4f(epsilon));
#endif
    for (var i = first; i < end; i += vecs) {
        let normalised = ((x[i] - centre) - rest) * inverse;
        y[i] = finish(scale * normalised + shift, i, v);
    }
}
