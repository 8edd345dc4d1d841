// Gradient of batch normalisation, first pass: for a piece of each channel, the sums of dy and of
// dy * (x - mean).

#import wgrad::common::{linear_index, rows_of_split}

const ROWS: u32 = #{ROWS}; // samples * positions
const VECS: u32 = #{VECS}; // channels / 4, rounded up
const SPLITS: u32 = #{SPLITS};
const NEIGHBOURS: u32 = #{NEIGHBOURS};
const SPLIT_ROWS: u32 = #{SPLIT_ROWS};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> mean: array<vec4f>;
// [split][sum of dy, sum of dy * (x - mean)][channel]
@group(0) @binding(3) var<storage, read_write> partials: array<vec4f>;

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
    if i >= SPLITS * VECS {
        return;
    }
    let v = i % VECS;
    let split = i / VECS;
    let rows = rows_of_split(split, ROWS, NEIGHBOURS, SPLIT_ROWS);
    let first = rows.x * VECS + v;
    var plain = vec4f();
    var weighted = vec4f();
    for (var r = 0u; r < rows.y; r++) {
        let at = first + r * NEIGHBOURS * VECS;
        let d = load_delta(at);
        plain += d;
        weighted += d * (x[at] - mean[v]);
    }
    partials[2 * split * VECS + v] = plain;
    partials[(2 * split + 1) * VECS + v] = weighted;
}
