// The gradient of softmax over the channels of a position from its result y:
// dx[k] = y[k] * (dy[k] - sum over j of y[j] * dy[j]). With LOG, of its logarithm:
// dx[k] = dy[k] - exp(y[k]) * sum over j of dy[j].

#import wgrad::common::linear_index
#import wgrad::functions::exponential
#import wgrad::rows::{STRIDE, exist, sum_of_row}

const ROWS: u32 = #{ROWS}; // positions of the batch
const CHANNELS: u32 = #{CHANNELS};
const VECS: u32 = (CHANNELS + 3u) / 4u; // vec4s of a row

@group(0) @binding(0) var<storage, read> y: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_index) invocation: u32,
) {
#ifdef WIDE
    let position = group.y * groups.x + group.x;
    let lane = invocation;
#else
    let position = linear_index(id, groups);
    let lane = 0u;
#endif
    if position >= ROWS {
        return;
    }
    let row = position * VECS;
    var sum = 0.0;
    for (var v = lane; v < VECS; v += STRIDE) {
#ifdef LOG
        sum += dot(dy[row + v], vec4f(1.0));
#else
        sum += dot(dy[row + v], y[row + v]);
#endif
    }
    sum = sum_of_row(sum, lane);
    for (var v = lane; v < VECS; v += STRIDE) {
#ifdef LOG
        let value = dy[row + v] - exponential(y[row + v]) * sum;
#else
        let value = y[row + v] * (dy[row + v] - sum);
#endif
        dx[row + v] = select(vec4f(), value, exist(v, CHANNELS));
    }
}
