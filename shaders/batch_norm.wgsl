// Batch normalisation: y = weight * (x - mean) / sqrt(variance + epsilon) + bias, per channel.
//
// In training, mean (with its residual) and inverse standard deviation are the batch's; in
// evaluation they are the running mean and variance. Weight, bias and mean are zero in padding,
// and so is y.

#import wgrad::common::linear_index
#import wgrad::epilogue::finish

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
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    let vecs = arrayLength(&mean);
    let v = i % vecs;
#ifdef TRAINING
    let deviation = (x[i] - mean[v]) - residual[v];
    let normalised = deviation * inverse_std[v];
#else
    let normalised = (x[i] - mean[v]) * inverseSqrt(variance[v] + vec4f(epsilon));
#endif
    y[i] = finish(weight[v] * normalised + bias[v], i, v);
}
