// Gradient of a bias: the sum of dy over batch and positions, per channel.
//
//   db[o] = sum over n,i,j of dy[n,i,j,o]
//
// First of two passes: the N*H*W pixels are cut into pieces; each invocation adds one piece of one
// channel vector. reduce_partials.wgsl adds the pieces in order. With one piece the only partial is
// the result. Serves linear layers too (N rows). Sizes are data, so that layers share one compiled
// kernel.

const WORKGROUP: u32 = #{WORKGROUP};

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> partials: array<vec4f>;
// Pixels, channels / 4, pieces, pixels of a piece.
@group(0) @binding(2) var<uniform> sizes: array<vec4u, 1>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) gid: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let id = gid.y * groups.x * WORKGROUP + gid.x;
    let rows = sizes[0].x;
    let vecs = sizes[0].y;
    let channel = id % vecs;
    let split = id / vecs;
    if split >= sizes[0].z {
        return;
    }
    let split_rows = sizes[0].w;
    var sum = vec4f();
    let last = min((split + 1) * split_rows, rows);
    for (var row = split * split_rows; row < last; row++) {
        sum += dy[row * vecs + channel];
    }
    partials[split * vecs + channel] = sum;
}
