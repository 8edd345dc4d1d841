// Matrix products for CPU drivers with subgroups of eight: linear layers, 1x1 convolutions, the
// products of Winograd's algorithm, and their input gradients.
//
//   y[l,n,o] = bias[o] + sum over k of x[l,n,k] * weight[l,k,o]       layers l: the z axis of the grid
//
// Such a driver makes the eight invocations of a workgroup the lanes of SIMD registers, and loads for
// them one after the other. So a lane loads only what is its own, TILE_N rows of x, and an eighth of
// the weights, which all need: four rows of two vectors at a time are handed round. A workgroup
// computes 8 * TILE_N rows x TILE_O vectors of four, TILE_O even.
//
// A sum may be cut into pieces; then y receives partial results one after the other, without bias,
// and reduce_partials.wgsl adds them and the bias.
//
// Sizes are data, so that layers of all sizes share one compiled kernel; and so are the distances of
// the weights' rows and columns, for the gradient with respect to an input takes them transposed.

#import wgrad::epilogue::finish

const TILE_N: u32 = #{TILE_N};
const TILE_O: u32 = #{TILE_O};
const LANES: u32 = 8;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<f32>;
@group(0) @binding(2) var<uniform> sizes: array<vec4u, 2>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
#ifdef BIAS
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
#endif

@compute @workgroup_size(LANES)
fn main(
    @builtin(subgroup_invocation_id) lane: u32,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let size = sizes[0];
    let rows = size.x;
    let in_vecs = size.y; // of a row of x
    let out_vecs = size.z; // of a row of y
    let splits = size.w; // parts of a sum
    let split_vecs = sizes[1].x; // vectors of a part
    let row_stride = sizes[1].y; // from a weight to that of the next k
    let column_stride = sizes[1].z; // and to that of the next output

    let id = group.y * groups.x + group.x;
    let tiles_o = (out_vecs + TILE_O - 1) / TILE_O;
    let first_o = id % tiles_o * TILE_O;
    let first_n = (id / tiles_o * LANES + lane) * TILE_N;
    let layer = group.z / splits;
    let first_k = group.z % splits * split_vecs;
    let last_k = min(first_k + split_vecs, in_vecs);

    // Nobody returns before all are served: rows and vectors past the end repeat the last one.
    var row: array<u32, TILE_N>;
    for (var p = 0u; p < TILE_N; p++) {
        row[p] = (layer * rows + min(first_n + p, rows - 1)) * in_vecs;
    }
    // Lane l has row l / 2 of four, vector l % 2 of two.
    var share: array<u32, TILE_O / 2>;
    for (var r = 0u; r < TILE_O / 2; r++) {
        let o = min(first_o + 2 * r + lane % 2, out_vecs - 1);
        share[r] = layer * in_vecs * out_vecs * 16 + lane / 2 * row_stride + 4 * o * column_stride;
    }

    var sum: array<array<vec4f, TILE_O>, TILE_N>;
    for (var k = first_k; k < last_k; k++) {
        var a: array<vec4f, TILE_N>;
        for (var p = 0u; p < TILE_N; p++) {
            a[p] = x[row[p] + k];
        }
        for (var r = 0u; r < TILE_O / 2; r++) {
            let at = share[r] + 4 * k * row_stride;
            let own = vec4f(
                weight[at], weight[at + column_stride],
                weight[at + 2 * column_stride], weight[at + 3 * column_stride],
            );
            let even = mat4x4f(
                subgroupBroadcast(own, 0u), subgroupBroadcast(own, 2u),
                subgroupBroadcast(own, 4u), subgroupBroadcast(own, 6u),
            );
            let odd = mat4x4f(
                subgroupBroadcast(own, 1u), subgroupBroadcast(own, 3u),
                subgroupBroadcast(own, 5u), subgroupBroadcast(own, 7u),
            );
            for (var p = 0u; p < TILE_N; p++) {
                for (var l = 0u; l < 4; l++) {
                    sum[p][2 * r] = fma(vec4f(a[p][l]), even[l], sum[p][2 * r]);
                    sum[p][2 * r + 1] = fma(vec4f(a[p][l]), odd[l], sum[p][2 * r + 1]);
                }
            }
        }
    }

    // One round per vector: a round stores the tile's first vector and moves the others up, in its
    // column and then all columns. Unrolled, the stores take as long to compile as all the rest; that
    // they are not is due to arrayLength, a bound that no compiler knows (and never the smaller one).
    let rounds = arrayLength(&y);
    let vecs = min(min(TILE_O, out_vecs - first_o), rounds);
    for (var q = 0u; q < vecs; q++) {
        let o = first_o + q;
#ifdef BIAS
        let b = bias[o];
#else
        let b = vec4f();
#endif
        for (var p = 0u; p < min(TILE_N, rounds); p++) {
            if first_n + p < rows {
                let at = (group.z * rows + first_n + p) * out_vecs + o;
                y[at] = finish(sum[0][0] + b, at, o);
            }
            for (var r = 1u; r < TILE_N; r++) {
                sum[r - 1][0] = sum[r][0];
            }
        }
        for (var p = 0u; p < TILE_N; p++) {
            for (var r = 1u; r < TILE_O; r++) {
                sum[p][r - 1] = sum[p][r];
            }
        }
    }
}
