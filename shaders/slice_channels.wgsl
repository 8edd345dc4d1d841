// The channels START, ..., START + CHANNELS - 1 of a value, as bits: the gradient of concatenation.
//
// ALIGNED says that the first of them begins a vec4. Lanes beyond the last channel become zero.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s of y
const VECS: u32 = #{VECS}; // vec4s of one position of y
const IN_VECS: u32 = #{IN_VECS}; // vec4s of one position of x
const START: u32 = #{START};
const CHANNELS: u32 = #{CHANNELS};

#ifdef ALIGNED
@group(0) @binding(0) var<storage, read> x: array<vec4u>;
#else
@group(0) @binding(0) var<storage, read> x: array<u32>;
#endif
@group(0) @binding(1) var<storage, read_write> y: array<vec4u>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let position = i / VECS;
    let vector = i % VECS;
    let channels = 4u * vector + vec4u(0u, 1u, 2u, 3u);
#ifdef ALIGNED
    let value = x[position * IN_VECS + START / 4u + vector];
#else
    // The last channel stands in for those beyond it, so that no index leaves the position.
    let source = 4u * position * IN_VECS + START + min(channels, vec4u(CHANNELS - 1u));
    let value = vec4u(x[source.x], x[source.y], x[source.z], x[source.w]);
#endif
    y[i] = select(vec4u(), value, channels < vec4u(CHANNELS));
}
