// The end of a micro-batch, of which GROUP make a step, by one workgroup: status = [not finite,
// step, micro-batch of the step]; if all is finite, files the loss (the mean of the group's) and
// counts the micro-batch, otherwise leaves both as they were. A training that failed stays so: what
// was queued behind the failed step must neither repeat it with other samples nor hide it.

const PARTS: u32 = #{PARTS};
const RING: u32 = #{RING}; // steps whose losses are kept
const GROUP: u32 = #{GROUP};

@group(0) @binding(0) var<storage, read> partials: array<u32>;
@group(0) @binding(1) var<storage, read> loss: array<f32>;
@group(0) @binding(2) var<storage, read_write> step: array<u32>; // micro-batch, micro-batch of the epoch
@group(0) @binding(3) var<storage, read_write> status: array<u32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;

var<workgroup> found: array<u32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    var bad = 0u;
    for (var part = lane; part < PARTS; part += 64u) {
        bad |= partials[part];
    }
    found[lane] = bad;
    workgroupBarrier();
    if lane != 0u || status[0] != 0u {
        return;
    }
    for (var other = 1u; other < 64u; other++) {
        bad |= found[other];
    }
    let exponent = 0x7f800000u;
    bad |= u32((bitcast<u32>(loss[0]) & exponent) == exponent);
    let current = step[0] / GROUP;
    let micro = step[0] % GROUP;
    status[0] = bad;
    status[1] = current;
    status[2] = micro;
    if bad == 0u {
        let before = select(losses[current % RING], 0.0, micro == 0u);
        losses[current % RING] = before + loss[0] / f32(GROUP);
        step[0] += 1u;
        step[1] += 1u;
    }
}
