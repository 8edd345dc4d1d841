// PReLU: y = x where x > 0, else a * x, with a slope a per channel or one for all (SHARED).
// NaN goes the second way and stays NaN.

#import wgrad::common::linear_index

const VECS: u32 = #{VECS}; // vec4s of one position; a shared slope needs none

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> alpha: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
#ifdef SHARED
    let slope = vec4f(alpha[0].x);
#else
    let slope = alpha[i % VECS];
#endif
    y[i] = select(slope * x[i], x[i], x[i] > vec4f());
}
