// The same elements in another order: y[place of e in y] = x[place of e in x], as bits.
//
// A layout is up to four axes, outermost first; absent ones have length 1. An axis has LEN elements,
// stores PADDED of them, and its neighbours are STRIDE apart in the logical, row-major index.
// Each invocation writes four elements; padding becomes zero.

#import wgrad::common::linear_index

const SAMPLES: u32 = #{SAMPLES};
const OUT_LEN = vec4u(#{OUT_LEN_A}, #{OUT_LEN_B}, #{OUT_LEN_C}, #{OUT_LEN_D});
const OUT_PADDED = vec4u(#{OUT_PADDED_A}, #{OUT_PADDED_B}, #{OUT_PADDED_C}, #{OUT_PADDED_D});
const OUT_STRIDE = vec4u(#{OUT_STRIDE_A}, #{OUT_STRIDE_B}, #{OUT_STRIDE_C}, #{OUT_STRIDE_D});
const OUT_SIZE: u32 = OUT_PADDED.x * OUT_PADDED.y * OUT_PADDED.z * OUT_PADDED.w;
const IN_LEN = vec4u(#{IN_LEN_A}, #{IN_LEN_B}, #{IN_LEN_C}, #{IN_LEN_D});
const IN_PADDED = vec4u(#{IN_PADDED_A}, #{IN_PADDED_B}, #{IN_PADDED_C}, #{IN_PADDED_D});
const IN_STRIDE = vec4u(#{IN_STRIDE_A}, #{IN_STRIDE_B}, #{IN_STRIDE_C}, #{IN_STRIDE_D});
const IN_SIZE: u32 = IN_PADDED.x * IN_PADDED.y * IN_PADDED.z * IN_PADDED.w;

@group(0) @binding(0) var<storage, read> x: array<u32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4u>;

fn element(place: u32) -> u32 {
    let sample = place / OUT_SIZE;
    let rest_d = place % OUT_SIZE;
    let rest_c = rest_d / OUT_PADDED.w;
    let rest_b = rest_c / OUT_PADDED.z;
    let rest_a = rest_b / OUT_PADDED.y;
    let at = vec4u(rest_a, rest_b % OUT_PADDED.y, rest_c % OUT_PADDED.z, rest_d % OUT_PADDED.w);
    if sample >= SAMPLES || any(at >= OUT_LEN) {
        return 0u;
    }
    let steps = at * OUT_STRIDE;
    let logical = steps.x + steps.y + steps.z + steps.w;
    let source = (vec4u(logical) / IN_STRIDE) % IN_LEN;
    let row = (source.x * IN_PADDED.y + source.y) * IN_PADDED.z + source.z;
    return x[sample * IN_SIZE + row * IN_PADDED.w + source.w];
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= arrayLength(&y) {
        return;
    }
    let first = 4u * i;
    y[i] = vec4u(element(first), element(first + 1u), element(first + 2u), element(first + 3u));
}
