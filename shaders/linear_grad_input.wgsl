// Gradient of a fully connected layer with respect to its input: a matrix product from registers.
//
//   dx[n,k] = sum over o of dy[n,o] * weight[k,o]
//
// Both sides are read along o, in vectors of four. One invocation computes TILE_N rows x TILE_K
// vectors of four inputs. A long sum over few results is cut into SPLITS pieces of SPLIT_VECS
// vectors; then dx receives SPLITS partial results of BATCH x IN_VECS one after the other, and
// reduce_partials.wgsl adds them.

const BATCH: u32 = #{BATCH};
const IN_VECS: u32 = #{IN_VECS}; // inputs / 4, rounded up
const IN_STRIDE: u32 = #{IN_STRIDE}; // vectors from one row of dx to the next
const OUT_VECS: u32 = #{OUT_VECS}; // outputs / 4, rounded up
const SPLITS: u32 = #{SPLITS};
const SPLIT_VECS: u32 = #{SPLIT_VECS}; // SPLITS * SPLIT_VECS >= OUT_VECS
const TILE_N: u32 = #{TILE_N};
const TILE_K: u32 = #{TILE_K};
const WORKGROUP: u32 = #{WORKGROUP};

const TILES_N: u32 = (BATCH + TILE_N - 1) / TILE_N;
const TILES_K: u32 = (IN_VECS + TILE_K - 1) / TILE_K;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let first_k = id % TILES_K * TILE_K;
    id /= TILES_K;
    let first_n = id % TILES_N * TILE_N;
    let split = id / TILES_N;
    if split >= SPLITS {
        return;
    }

    // Rows and vectors past the end repeat the last one: loaded, never stored.
    var k: array<u32, TILE_K>;
    for (var q = 0u; q < TILE_K; q++) {
        k[q] = min(first_k + q, IN_VECS - 1);
    }
    var row: array<u32, TILE_N>;
    for (var p = 0u; p < TILE_N; p++) {
        row[p] = min(first_n + p, BATCH - 1) * OUT_VECS;
    }

    var sum: array<array<vec4f, TILE_K>, TILE_N>;
    let last = min((split + 1) * SPLIT_VECS, OUT_VECS);
    for (var o = split * SPLIT_VECS; o < last; o++) {
        var d: array<vec4f, TILE_N>;
        for (var p = 0u; p < TILE_N; p++) {
            d[p] = dy[row[p] + o];
        }
        for (var q = 0u; q < TILE_K; q++) {
            var w: array<vec4f, 4>;
            for (var lane = 0u; lane < 4; lane++) {
                w[lane] = weight[(k[q] * 4 + lane) * OUT_VECS + o];
            }
            for (var p = 0u; p < TILE_N; p++) {
                sum[p][q] += vec4f(dot(d[p], w[0]), dot(d[p], w[1]), dot(d[p], w[2]), dot(d[p], w[3]));
            }
        }
    }

    // The stores of the tile, one round per vector: a round stores the tile's first vector and moves
    // the others up. Unrolled, they take a CPU driver longer to compile than all the rest; that they
    // are not is due to arrayLength, a bound that no compiler knows (and never the smaller one).
    let vecs = min(min(TILE_K, IN_VECS - first_k), arrayLength(&dx));
    for (var q = 0u; q < vecs; q++) {
        for (var p = 0u; p < TILE_N; p++) {
            let n = first_n + p;
            if n < BATCH {
                dx[(split * BATCH + n) * IN_STRIDE + first_k + q] = sum[p][0];
            }
            for (var r = 1u; r < TILE_K; r++) {
                sum[p][r - 1] = sum[p][r];
            }
        }
    }
}
