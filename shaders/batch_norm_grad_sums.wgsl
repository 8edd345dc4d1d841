// Gradient of batch normalisation, second pass: with xhat = (x - mean - residual) * inverse_std,
//
//   dbias   = sum of dy
//   dweight = sum of dy * xhat
//   dx      = weight * inverse_std * (dy - dbias / rows - xhat * dweight / rows)
//
// and dx written as  a * dy + b * (x - mean) + c  per channel, for batch_norm_grad.wgsl. RUNNING is
// for a layer that normalises by its running averages: constants, so that dx is  a * dy.
//
// One workgroup a vec4 of channels; the order of the sums is fixed. In padding inverse_std or the
// weight and the sums are zero, and so are all results. Sizes are data, so that layers of all sizes
// share one compiled kernel.

const WORKGROUP: u32 = 64;

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
// Channels, rows, splits.
@group(0) @binding(1) var<uniform> sizes: array<vec4u, 2>;
@group(0) @binding(2) var<storage, read> weight: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dweight: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dbias: array<vec4f>;
// [a, b, c][channel]
@group(0) @binding(5) var<storage, read_write> coefficients: array<vec4f>;
#ifdef RUNNING
override epsilon: f32;
@group(0) @binding(6) var<storage, read> variance: array<vec4f>;
#else
@group(0) @binding(6) var<storage, read> residual: array<vec4f>;
@group(0) @binding(7) var<storage, read> inverse_std: array<vec4f>;
#endif

var<workgroup> plain_sums: array<vec4f, WORKGROUP>;
var<workgroup> weighted_sums: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) lane: u32,
) {
    let vecs = (sizes[0].x + 3) / 4;
    let rows = sizes[0].y;
    let splits = sizes[0].z;
    let v = group.y * groups.x + group.x;
    if v >= vecs {
        return; // the whole workgroup
    }
    var plain = vec4f();
    var weighted = vec4f();
    for (var s = lane; s < splits; s += WORKGROUP) {
        plain += partials[2 * s * vecs + v];
        weighted += partials[(2 * s + 1) * vecs + v];
    }
    plain_sums[lane] = plain;
    weighted_sums[lane] = weighted;
    for (var width = WORKGROUP / 2; width > 0; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            plain_sums[lane] += plain_sums[lane + width];
            weighted_sums[lane] += weighted_sums[lane + width];
        }
    }
    if lane == 0 {
        plain = plain_sums[0];
        dbias[v] = plain;
#ifdef RUNNING
        let inverse_std = inverseSqrt(variance[v] + vec4f(epsilon));
        dweight[v] = inverse_std * weighted_sums[0];
        coefficients[v] = weight[v] * inverse_std;
        coefficients[vecs + v] = vec4f();
        coefficients[2 * vecs + v] = vec4f();
#else
        weighted = inverse_std[v] * (weighted_sums[0] - residual[v] * plain);
        let a = weight[v] * inverse_std[v];
        let b = -a * inverse_std[v] * weighted / f32(rows);
        dweight[v] = weighted;
        coefficients[v] = a;
        coefficients[vecs + v] = b;
        coefficients[2 * vecs + v] = -a * plain / f32(rows) - b * residual[v];
#endif
    }
}
