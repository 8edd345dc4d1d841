// Fully connected layer, forward: a matrix product from registers.
//
//   y[n,o] = bias[o] + sum over k of x[n,k] * weight[k,o]
//
// One invocation computes TILE_N rows x TILE_O vectors of four outputs and walks k four at a time,
// so that both sides are read as vectors. When rows x outputs are few and k is long, the sum is cut
// into SPLITS pieces of SPLIT_VECS vectors; then y receives SPLITS partial results of BATCH x OUT_VECS
// one after the other, without bias, and reduce_partials.wgsl adds them and the bias.
//
// It serves 1x1 convolutions of stride 1 (BATCH = N*H*W) and convolutions whose filter covers the
// whole unpadded image (k = kh*kw*channels) as well.

#import wgrad::epilogue::finish

const BATCH: u32 = #{BATCH};
const IN_VECS: u32 = #{IN_VECS}; // inputs / 4, rounded up
const IN_STRIDE: u32 = #{IN_STRIDE}; // vectors from one row of x to the next
const OUT_VECS: u32 = #{OUT_VECS}; // outputs / 4, rounded up
const SPLITS: u32 = #{SPLITS};
const SPLIT_VECS: u32 = #{SPLIT_VECS}; // SPLITS * SPLIT_VECS >= IN_VECS
const TILE_N: u32 = #{TILE_N};
const TILE_O: u32 = #{TILE_O};
const WORKGROUP: u32 = #{WORKGROUP};

const TILES_N: u32 = (BATCH + TILE_N - 1) / TILE_N;
const TILES_O: u32 = (OUT_VECS + TILE_O - 1) / TILE_O;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;
#ifdef BIAS
@group(0) @binding(3) var<storage, read> bias: array<vec4f>;
#endif

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let first_o = id % TILES_O * TILE_O;
    id /= TILES_O;
    let first_n = id % TILES_N * TILE_N;
    let split = id / TILES_N;
    if split >= SPLITS {
        return;
    }

    // Rows and vectors past the end repeat the last one: loaded, never stored.
    var o: array<u32, TILE_O>;
    for (var q = 0u; q < TILE_O; q++) {
        o[q] = min(first_o + q, OUT_VECS - 1);
    }
    var row: array<u32, TILE_N>;
    for (var p = 0u; p < TILE_N; p++) {
        row[p] = min(first_n + p, BATCH - 1) * IN_STRIDE;
    }

    var sum: array<array<vec4f, TILE_O>, TILE_N>;
    let last = min((split + 1) * SPLIT_VECS, IN_VECS);
    for (var k = split * SPLIT_VECS; k < last; k++) {
        var a: array<vec4f, TILE_N>;
        for (var p = 0u; p < TILE_N; p++) {
            a[p] = x[row[p] + k];
        }
        for (var q = 0u; q < TILE_O; q++) {
            var w: array<vec4f, 4>;
            for (var lane = 0u; lane < 4; lane++) {
                w[lane] = weight[(k * 4 + lane) * OUT_VECS + o[q]];
            }
            for (var p = 0u; p < TILE_N; p++) {
                for (var lane = 0u; lane < 4; lane++) {
                    sum[p][q] = fma(vec4f(a[p][lane]), w[lane], sum[p][q]);
                }
            }
        }
    }

    // The stores of the tile, one round per vector: a round stores the tile's first vector and moves
    // the others up. Unrolled, they take a CPU driver longer to compile than all the rest; that they
    // are not is due to arrayLength, a bound that no compiler knows (and never the smaller one).
    let vecs = min(min(TILE_O, OUT_VECS - first_o), arrayLength(&y));
    for (var q = 0u; q < vecs; q++) {
#ifdef BIAS
        let b = bias[first_o + q];
#else
        let b = vec4f();
#endif
        for (var p = 0u; p < TILE_N; p++) {
            let n = first_n + p;
            if n < BATCH {
                let at = (split * BATCH + n) * OUT_VECS + first_o + q;
                y[at] = finish(sum[p][0] + b, at, first_o + q);
            }
            for (var r = 1u; r < TILE_O; r++) {
                sum[p][r - 1] = sum[p][r];
            }
        }
    }
}
