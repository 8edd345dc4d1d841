// Gradient of a fully connected layer with respect to its weight, from registers.
//
//   dw[k,o] = sum over n of x[n,k] * dy[n,o]
//
// The batch is cut into SPLITS pieces of SPLIT_ROWS rows, each giving a partial result in
// `partials`, which reduce_partials.wgsl adds in order. With SPLITS = 1 the only partial is the
// result. One invocation keeps TILE_K vectors of four inputs x TILE_O vectors of four outputs and
// adds the outer product of its part of every row.

const BATCH: u32 = #{BATCH};
const IN_VECS: u32 = #{IN_VECS}; // inputs / 4, rounded up
const IN_STRIDE: u32 = #{IN_STRIDE}; // vectors from one row of x to the next
const OUT_VECS: u32 = #{OUT_VECS}; // outputs / 4, rounded up
const SPLITS: u32 = #{SPLITS};
const SPLIT_ROWS: u32 = #{SPLIT_ROWS}; // SPLITS * SPLIT_ROWS >= BATCH
const TILE_K: u32 = #{TILE_K};
const TILE_O: u32 = #{TILE_O};
const WORKGROUP: u32 = #{WORKGROUP};

const TILES_K: u32 = (IN_VECS + TILE_K - 1) / TILE_K;
const TILES_O: u32 = (OUT_VECS + TILE_O - 1) / TILE_O;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let first_o = id % TILES_O * TILE_O;
    id /= TILES_O;
    let first_k = id % TILES_K * TILE_K;
    let split = id / TILES_K;
    if split >= SPLITS {
        return;
    }

    // Vectors past the end repeat the last one: loaded, never stored.
    var o: array<u32, TILE_O>;
    for (var q = 0u; q < TILE_O; q++) {
        o[q] = min(first_o + q, OUT_VECS - 1);
    }
    var k: array<u32, TILE_K>;
    for (var p = 0u; p < TILE_K; p++) {
        k[p] = min(first_k + p, IN_VECS - 1);
    }

    var sum: array<array<array<vec4f, TILE_O>, 4>, TILE_K>;
    let last = min((split + 1) * SPLIT_ROWS, BATCH);
    for (var n = split * SPLIT_ROWS; n < last; n++) {
        var d: array<vec4f, TILE_O>;
        for (var q = 0u; q < TILE_O; q++) {
            d[q] = dy[n * OUT_VECS + o[q]];
        }
        for (var p = 0u; p < TILE_K; p++) {
            let a = x[n * IN_STRIDE + k[p]];
            for (var lane = 0u; lane < 4; lane++) {
                for (var q = 0u; q < TILE_O; q++) {
                    sum[p][lane][q] = fma(vec4f(a[lane]), d[q], sum[p][lane][q]);
                }
            }
        }
    }

    // The stores of the tile, one round per vector: a round stores the tile's first vector and moves
    // the others up. Unrolled, they take a CPU driver longer to compile than all the rest; that they
    // are not is due to arrayLength, a bound that no compiler knows (and never the smaller one).
    let vecs = min(min(TILE_O, OUT_VECS - first_o), arrayLength(&partials));
    for (var q = 0u; q < vecs; q++) {
        for (var p = 0u; p < TILE_K; p++) {
            for (var lane = 0u; lane < 4; lane++) {
                if first_k + p < IN_VECS {
                    let row = (split * IN_VECS + first_k + p) * 4 + lane;
                    partials[row * OUT_VECS + first_o + q] = sum[p][lane][0];
                }
                for (var r = 1u; r < TILE_O; r++) {
                    sum[p][lane][r - 1] = sum[p][lane][r];
                }
            }
        }
    }
}
