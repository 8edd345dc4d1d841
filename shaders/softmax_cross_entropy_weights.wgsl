// What each sample counts in a weighted mean: weights[label], 0 for the ignored label.

#import wgrad::common::linear_index

const SAMPLES: u32 = #{SAMPLES};
const CLASSES: u32 = #{CLASSES};

@group(0) @binding(0) var<storage, read> labels: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<f32>;
#ifdef WEIGHTS
@group(0) @binding(2) var<storage, read> weights: array<f32>;
#endif
#ifdef IGNORED
override ignored: u32;
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let sample = linear_index(id, groups);
    if sample >= SAMPLES {
        return;
    }
    var count = 1.0;
#ifdef WEIGHTS
    count = weights[min(labels[sample], CLASSES - 1)]; // a label beyond has a loss that is NaN
#endif
#ifdef IGNORED
    count = select(count, 0.0, labels[sample] == ignored);
#endif
    counts[sample] = count;
}
