// Statistics of batch and group normalisation, first pass: mean and squared deviations of a piece
// of each channel. Group normalisation takes every sample by itself; for batch normalisation all of
// them are one.
//
// Two passes over the same few rows, which stay in the cache. The first finds a centre near the
// piece's mean, the second adds d = x - centre and d^2. So nothing cancels, however far from
// zero the channel lies: d is small, and x - centre is exact where x is near the centre.

#import wgrad::common::{linear_index, rows_of_split}

const SAMPLES: u32 = #{SAMPLES};
const ROWS: u32 = #{ROWS}; // of a sample
const VECS: u32 = #{VECS}; // channels / 4, rounded up
const SPLITS: u32 = #{SPLITS};
const NEIGHBOURS: u32 = #{NEIGHBOURS};
const SPLIT_ROWS: u32 = #{SPLIT_ROWS};

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
// [sample][split][centre, mean - centre, sum of squared deviations from the mean][channel]
@group(0) @binding(1) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= SAMPLES * SPLITS * VECS {
        return;
    }
    let v = i % VECS;
    let split = i / VECS % SPLITS;
    let sample = i / (VECS * SPLITS);
    let rows = rows_of_split(split, ROWS, NEIGHBOURS, SPLIT_ROWS);
    let first = (sample * ROWS + rows.x) * VECS + v;
    let count = rows.y;
    var centre = vec4f();
    var mean = vec4f();
    var squares = vec4f();
    if count > 0 {
        let anchor = x[first];
        var sum = vec4f();
        for (var r = 0u; r < count; r++) {
            sum += x[first + r * NEIGHBOURS * VECS] - anchor;
        }
        centre = anchor + sum / f32(count);
        sum = vec4f();
        for (var r = 0u; r < count; r++) {
            let d = x[first + r * NEIGHBOURS * VECS] - centre;
            sum += d;
            squares += d * d;
        }
        mean = sum / f32(count);
        squares -= sum * mean;
    }
    let at = 3 * (i - v) + v;
    partials[at] = centre;
    partials[at + VECS] = mean;
    partials[at + 2 * VECS] = squares;
}
