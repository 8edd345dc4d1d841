// Gradient of a bias: the sum of dy over batch and positions, per channel.
//
//   db[o] = sum over n,i,j of dy[n,i,j,o]
//
// First of two passes: ROWS = N*H*W pixels are cut into SPLITS pieces of SPLIT_ROWS; each invocation
// adds one piece of one channel vector. reduce_partials.wgsl adds the pieces in order. With
// SPLITS = 1 the only partial is the result. Serves linear layers too (ROWS = N).

const ROWS: u32 = #{ROWS};
const VECS: u32 = #{VECS}; // channels / 4, rounded up
const SPLITS: u32 = #{SPLITS};
const SPLIT_ROWS: u32 = #{SPLIT_ROWS}; // SPLITS * SPLIT_ROWS >= ROWS
const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> partials: array<vec4f>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    let channel = id % VECS;
    let split = id / VECS;
    if split >= SPLITS {
        return;
    }
    var sum = vec4f();
    let last = min((split + 1) * SPLIT_ROWS, ROWS);
    for (var row = split * SPLIT_ROWS; row < last; row++) {
        sum += dy[row * VECS + channel];
    }
    partials[split * VECS + channel] = sum;
}
