// Counts the yes-or-no answers of an evaluation, element by element. With t = 1 where the target is
// above 1/2, and a = 1 where the response is above `threshold`:
//
//   counts[2 * t + a] += 1
//
// A response that is NaN answers wrongly. An invocation takes CHUNK vec4s of a sample. Integers may
// be added in any order, so that atomics do no harm. Samples that only fill the last batch do not
// count.

#import wgrad::common::{is_nan, lanes_of, linear_index}

const SAMPLES: u32 = #{SAMPLES};
const CHANNELS: u32 = #{CHANNELS};
const POSITION: u32 = (CHANNELS + 3) / 4; // vec4s of a position
const VECS: u32 = #{VECS}; // vec4s of a sample
const CHUNKS: u32 = #{CHUNKS}; // invocations of a sample
const CHUNK: u32 = #{CHUNK};
override threshold: f32;

@group(0) @binding(0) var<storage, read> responses: array<vec4f>;
@group(0) @binding(1) var<storage, read> targets: array<vec4f>;
@group(0) @binding(2) var<storage, read> batch: array<u32>; // real samples, number of the batch
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    let sample = i / CHUNKS;
    if sample >= min(SAMPLES, batch[0]) {
        return;
    }
    let first = i % CHUNKS * CHUNK;
    var found = vec4u();
    for (var v = first; v < min(first + CHUNK, VECS); v++) {
        let z = responses[sample * VECS + v];
        let truth = targets[sample * VECS + v] > vec4f(0.5);
        let answer = select(z > vec4f(threshold), !truth, is_nan(z));
        let pair = select(vec4u(), vec4u(2), truth) + select(vec4u(), vec4u(1), answer);
        let exist = lanes_of(v % POSITION) < vec4u(CHANNELS);
        for (var lane = 0u; lane < 4; lane++) {
            found[pair[lane]] += u32(exist[lane]);
        }
    }
    for (var pair = 0u; pair < 4; pair++) {
        if found[pair] > 0 {
            atomicAdd(&counts[pair], found[pair]);
        }
    }
}
