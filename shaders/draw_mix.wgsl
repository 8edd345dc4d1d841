// The numbers by which this micro-batch mixes its samples, and the partner of each: the rank of the
// sample's draw among the draws of the batch, which is a permutation, every one equally likely.
//
// The draw of sample n is word n % 4 of philox(counter, key = seed) with the counter
// (n / 4, micro-batch, stream, 0). One invocation a sample.

#import wgrad::philox::philox4x32_10
#import wgrad::common::linear_index

const SAMPLES: u32 = #{SAMPLES};
const RING: u32 = #{RING}; // micro-batches whose numbers are known
override stream: u32;

@group(0) @binding(0) var<storage, read> mixing: array<vec4f>; // two a micro-batch
@group(0) @binding(1) var<storage, read> step: array<u32>; // micro-batch, unused, seed low, seed high
@group(0) @binding(2) var<storage, read_write> share: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> rest: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> numbers: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> partners: array<u32>;

fn draw(block: u32) -> vec4u {
    return philox4x32_10(vec4u(block, step[0], stream, 0), vec2u(step[2], step[3]));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let sample = linear_index(id, groups);
    if sample >= SAMPLES {
        return;
    }
    if sample == 0 {
        let entry = step[0] % RING * 2;
        let own = mixing[entry].x;
        share[0] = vec4f(own, 0.0, 0.0, 0.0);
        rest[0] = vec4f(1.0 - own, 0.0, 0.0, 0.0);
        numbers[0] = mixing[entry];
        numbers[1] = mixing[entry + 1];
    }
    let mine = draw(sample / 4)[sample % 4];
    var rank = 0u;
    for (var block = 0u; block < (SAMPLES + 3) / 4; block++) {
        let words = draw(block);
        for (var lane = 0u; lane < 4; lane++) {
            let other = 4 * block + lane;
            let before = words[lane] < mine || (words[lane] == mine && other < sample);
            rank += u32(other < SAMPLES && before);
        }
    }
    partners[sample] = rank;
}
