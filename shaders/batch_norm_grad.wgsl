// Gradient of batch normalisation, third pass: dx = a * dy + b * (x - mean) + c, with numbers per
// channel from batch_norm_grad_sums.wgsl.

#import wgrad::common::linear_index

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> mean: array<vec4f>;
@group(0) @binding(3) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dx: array<vec4f>;

#ifdef MASKED
// The result of the ReLU behind the normalisation: where it is zero, dy is stopped.
@group(0) @binding(5) var<storage, read> rectified: array<vec4f>;
#endif

fn load_delta(at: u32) -> vec4f {
#ifdef MASKED
    return select(vec4f(), dy[at], rectified[at] > vec4f());
#else
    return dy[at];
#endif
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&dx) {
        return;
    }
    let vecs = arrayLength(&mean);
    let v = i % vecs;
    let through_statistics = coefficients[vecs + v] * (x[i] - mean[v]) + coefficients[2 * vecs + v];
    dx[i] = coefficients[v] * load_delta(i) + through_statistics;
}
