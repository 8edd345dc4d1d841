// Statistics of batch normalisation, second pass: the pieces of each channel put together (Chan,
// Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
// variances", 1979):
//
//   mean = sum of count[s] * mean[s] / rows
//   sum of squares = sum of squares[s] + count[s] * (mean[s] - mean)^2
//
// The mean is kept as two numbers, `mean` and the `residual` that its rounding leaves over:
// where a channel lies far from zero, (x - mean) - residual keeps the digits of x - mean.
//
// One workgroup a vec4 of channels; the order of the sums is fixed. Sizes are data, so that layers of
// all sizes share one compiled kernel.

#import wgrad::common::rows_of_split

const WORKGROUP: u32 = 64;
override epsilon: f32;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
// Channels, rows, splits, neighbours; rows of a split.
@group(0) @binding(1) var<uniform> sizes: array<vec4u, 2>;
@group(0) @binding(2) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> residual: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> inverse_std: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> unbiased_variance: array<vec4f>;

var<workgroup> sums: array<vec4f, WORKGROUP>;

fn sum_of_group(value: vec4f, lane: u32) -> vec4f {
    workgroupBarrier(); // nobody still reads the sum before
    sums[lane] = value;
    for (var width = WORKGROUP / 2; width > 0; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            sums[lane] += sums[lane + width];
        }
    }
    workgroupBarrier();
    return sums[0];
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let channels = sizes[0].x;
    let rows = sizes[0].y;
    let splits = sizes[0].z;
    let neighbours = sizes[0].w;
    let split_rows = sizes[1].x;
    let vecs = (channels + 3) / 4;
    let v = group.y * groups.x + group.x;
    if v >= vecs {
        return; // the whole workgroup
    }
    // Relative to the first centre, so that the sum stays small.
    let origin = partials[v];
    var sum = vec4f();
    for (var s = lane; s < splits; s += WORKGROUP) {
        let count = f32(rows_of_split(s, rows, neighbours, split_rows).y);
        let at = 3 * s * vecs + v;
        sum += count * ((partials[at] - origin) + partials[at + vecs]);
    }
    let rounded = origin + sum_of_group(sum, lane) / f32(rows);

    sum = vec4f();
    var squares = vec4f();
    for (var s = lane; s < splits; s += WORKGROUP) {
        let count = f32(rows_of_split(s, rows, neighbours, split_rows).y);
        let at = 3 * s * vecs + v;
        let difference = (partials[at] - rounded) + partials[at + vecs];
        sum += count * difference;
        squares += partials[at + 2 * vecs] + count * difference * difference;
    }
    let rest = sum_of_group(sum, lane) / f32(rows);
    let deviations = sum_of_group(squares, lane) - f32(rows) * rest * rest;
    if lane == 0 {
        let exists = vec4u(4 * v) + vec4u(0, 1, 2, 3) < vec4u(channels);
        mean[v] = rounded;
        residual[v] = rest;
        let inverse = inverseSqrt(deviations / f32(rows) + vec4f(epsilon));
        inverse_std[v] = select(vec4f(), inverse, exists);
        unbiased_variance[v] = deviations / f32(rows - 1);
    }
}
