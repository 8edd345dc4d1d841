// Statistics of batch and group normalisation, first pass: mean and squared deviations of a piece
// of each channel. Group normalisation takes every sample by itself; for batch normalisation all of
// them are one.
//
// Two passes over the same few rows, which stay in the cache. The first finds a centre near the
// piece's mean, the second adds d = x - centre and d^2. So nothing cancels, however far from
// zero the channel lies: d is small, and x - centre is exact where x is near the centre.
//
// Sizes are data, so that layers of all sizes share one compiled kernel.

#import wgrad::common::{linear_index, rows_of_split}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
// Channels, rows, splits, neighbours; rows of a split, samples.
@group(0) @binding(1) var<uniform> sizes: array<vec4u, 2>;
// [sample][split][centre, mean - centre, sum of squared deviations from the mean][channel]
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let vecs = (sizes[0].x + 3) / 4;
    let sample_rows = sizes[0].y;
    let splits = sizes[0].z;
    let neighbours = sizes[0].w;
    let i = linear_index(id, groups);
    if i >= sizes[1].y * splits * vecs {
        return;
    }
    let v = i % vecs;
    let split = i / vecs % splits;
    let sample = i / (vecs * splits);
    let rows = rows_of_split(split, sample_rows, neighbours, sizes[1].x);
    let first = (sample * sample_rows + rows.x) * vecs + v;
    let count = rows.y;
    var centre = vec4f();
    var mean = vec4f();
    var squares = vec4f();
    if count > 0 {
        let anchor = x[first];
        var sum = vec4f();
        for (var r = 0u; r < count; r++) {
            sum += x[first + r * neighbours * vecs] - anchor;
        }
        centre = anchor + sum / f32(count);
        sum = vec4f();
        for (var r = 0u; r < count; r++) {
            let d = x[first + r * neighbours * vecs] - centre;
            sum += d;
            squares += d * d;
        }
        mean = sum / f32(count);
        squares -= sum * mean;
    }
    let at = 3 * (i - v) + v;
    partials[at] = centre;
    partials[at + vecs] = mean;
    partials[at + 2 * vecs] = squares;
}
