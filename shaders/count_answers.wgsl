// Counts the answers of an evaluation, one invocation a sample. With r the classes that the
// response puts before the label's, and p the class that it puts first:
//
//   counts[r] += 1, and with CONFUSION counts[CLASSES + label * CLASSES + p] += 1
//
// Class a comes before class b if its value is larger, or equal and a < b; NaN comes after all
// numbers. Integers may be added in any order, so that atomics do no harm. Labels that are no
// class, samples that only fill the last batch and, with IGNORED, those of one label do not count.

#import wgrad::common::{is_nan, lanes_of, linear_index}

const SAMPLES: u32 = #{SAMPLES};
const CLASSES: u32 = #{CLASSES};
const VECS: u32 = (CLASSES + 3) / 4;

@group(0) @binding(0) var<storage, read> responses: array<vec4f>;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> batch: array<u32>; // real samples, number of the batch
@group(0) @binding(3) var<storage, read_write> counts: array<atomic<u32>>;
#ifdef IGNORED
override ignored: u32;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let sample = linear_index(id, groups);
    if sample >= min(SAMPLES, batch[0]) {
        return;
    }
    let label = labels[sample];
    if label >= CLASSES {
        return;
    }
#ifdef IGNORED
    if label == ignored {
        return;
    }
#endif
    let row = sample * VECS;
    let value = vec4f(responses[row + label / 4][label % 4]);
    let value_is_nan = is_nan(value);
    var before = 0u;
    var best = 0u;
    var best_value = responses[row].x;
    for (var v = 0u; v < VECS; v++) {
        let z = responses[row + v];
        let classes = lanes_of(v);
        let nan = is_nan(z);
        let larger = !nan & ((z > value) | value_is_nan);
        let equal = ((z == value) & !nan) | (nan & value_is_nan);
        let earlier = classes < vec4u(label);
        let counted = (larger | (equal & earlier)) & (classes < vec4u(CLASSES));
        let ones = select(vec4u(), vec4u(1), counted);
        before += (ones.x + ones.y) + (ones.z + ones.w);
        for (var lane = 0u; lane < min(4u, CLASSES - 4u * v); lane++) {
            let best_is_nan = is_nan(vec4f(best_value)).x;
            if !nan[lane] && (z[lane] > best_value || best_is_nan) {
                best_value = z[lane];
                best = 4u * v + lane;
            }
        }
    }
    atomicAdd(&counts[before], 1u);
#ifdef CONFUSION
    atomicAdd(&counts[CLASSES + label * CLASSES + best], 1u);
#endif
}
