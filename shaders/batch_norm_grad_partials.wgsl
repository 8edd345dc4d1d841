// Gradient of batch normalisation, first pass: for a piece of each channel, the sums of dy and of
// dy * (x - mean). Sizes are data, so that layers of all sizes share one compiled kernel.

#import wgrad::common::{linear_index, rows_of_split}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> mean: array<vec4f>;
// Channels, rows (samples * positions), splits, neighbours; rows of a split.
@group(0) @binding(3) var<uniform> sizes: array<vec4u, 2>;
// [split][sum of dy, sum of dy * (x - mean)][channel]
@group(0) @binding(4) var<storage, read_write> partials: array<vec4f>;

#ifdef MASKED
// The result of the ReLU behind the normalisation: where it is zero, dy is stopped.
@group(0) @binding(6) var<storage, read> rectified: array<vec4f>;
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
    let vecs = (sizes[0].x + 3) / 4;
    let splits = sizes[0].z;
    let neighbours = sizes[0].w;
    let i = linear_index(id, groups);
    if i >= splits * vecs {
        return;
    }
    let v = i % vecs;
    let split = i / vecs;
    let rows = rows_of_split(split, sizes[0].y, neighbours, sizes[1].x);
    let first = rows.x * vecs + v;
    let centre = mean[v];
    var plain = vec4f();
    var weighted = vec4f();
    for (var r = 0u; r < rows.y; r++) {
        let at = first + r * neighbours * vecs;
        let d = load_delta(at);
        plain += d;
        weighted += d * (x[at] - centre);
    }
    partials[2 * split * vecs + v] = plain;
    partials[(2 * split + 1) * vecs + v] = weighted;
}
