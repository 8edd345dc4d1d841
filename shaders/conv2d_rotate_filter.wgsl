// Rotates a dense filter by 180 degrees and swaps its channel roles.
//
//   out[u,v,o,c] = weight[K-1-u, K-1-v, c, o]
//
// With the result as filter, an ordinary stride-1 forward convolution of dy with padding
// D*(K-1) - P is the input gradient. One invocation transposes a block of 4 x 4 channels.

const IN_VECS: u32 = #{IN_VECS}; // c, of the filter as stored for the forward pass
const OUT_VECS: u32 = #{OUT_VECS}; // o
const TAPS: u32 = #{TAPS}; // kh * kw; rotating both axes reverses the taps as a list
const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> weight: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> out: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    var id = gid.y * groups.x * WORKGROUP + gid.x;
    let c = id % IN_VECS;
    id /= IN_VECS;
    let o = id % OUT_VECS;
    let tap = id / OUT_VECS;
    if tap >= TAPS {
        return;
    }
    let from_row = ((TAPS - 1 - tap) * IN_VECS + c) * 4;
    let to_row = (tap * OUT_VECS + o) * 4;
    let block = transpose(mat4x4f(
        weight[from_row * OUT_VECS + o],
        weight[(from_row + 1) * OUT_VECS + o],
        weight[(from_row + 2) * OUT_VECS + o],
        weight[(from_row + 3) * OUT_VECS + o],
    ));
    for (var lane = 0u; lane < 4; lane++) {
        out[(to_row + lane) * IN_VECS + c] = block[lane];
    }
}
