// Gradient of batch normalisation, third pass: dx = a * dy + b * (x - mean) + c, with numbers per
// channel from batch_norm_grad_sums.wgsl. An invocation loads these once for ROWS positions.

#import wgrad::common::linear_index

const ROWS: u32 = #{ROWS};

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
    let invocation = linear_index(id, groups);
    let vecs = arrayLength(&mean);
    let v = invocation % vecs;
    let first = (invocation - v) * ROWS + v;
    let end = min(first + ROWS * vecs, arrayLength(&dx));

    let centre = mean[v];
    let a = coefficients[v];
    let b = coefficients[vecs + v];
    let c = coefficients[2 * vecs + v];
    for (var i = first; i < end; i += vecs) {
        let through_statistics = b * (x[i] - centre) + c;
        dx[i] = a * load_delta(i) + through_statistics;
    }
}
