// Gradient of upsample.wgsl along one axis: dx[p] = sum over a of weight(a, p) * dy[a], where
// weight(a, p) is the part that output a takes of input p.
//
// Gathered: each input adds, in order, the outputs that took part of it. The axis has OUT numbers
// in dy and IN in dx; INNER vec4s lie between neighbours.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s of dx
const INNER: u32 = #{INNER};
const IN: u32 = #{IN};
const OUT: u32 = #{OUT};

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dx: array<vec4f>;

#ifdef NEAREST
// The outputs a with floor(a * IN / OUT) = p.
fn outputs_of(p: u32) -> vec2u {
    return (vec2u(p, p + 1) * OUT + vec2u(IN - 1)) / IN;
}
fn weight(a: u32, p: u32) -> f32 {
    return 1.0;
}
#else
// Outputs among which are all whose place lies less than one input from p.
fn outputs_of(p: u32) -> vec2u {
#ifdef ALIGN_CORNERS
    let bounds = vec2u(max(p, 1u) - 1, p + 1) * (OUT - 1) / (max(IN, 2u) - 1);
#else
    let bounds = vec2u(max(2 * p, 1u) - 1, 2 * p + 3) * OUT / (2 * IN);
#endif
    return vec2u(bounds.x, min(bounds.y + 1, OUT)); // as both were rounded down
}

fn weight(a: u32, p: u32) -> f32 {
#ifdef ALIGN_CORNERS
    let place = vec2u(a * (IN - 1), max(OUT, 2u) - 1);
#else
    let place = vec2u(max((2 * a + 1) * IN, OUT) - OUT, 2 * OUT);
#endif
    let first = place.x / place.y;
    let part = f32(place.x % place.y) / f32(place.y);
    return select(0.0, 1.0 - part, first == p) + select(0.0, part, min(first + 1, IN - 1) == p);
}
#endif

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let inner = i % INNER;
    let p = i / INNER % IN;
    let outer = i / INNER / IN;
    let outputs = outputs_of(p);
    var sum = vec4f();
    for (var a = outputs.x; a < outputs.y; a++) {
        let w = weight(a, p);
        if w != 0.0 { // NaN of an output that took no part does not count
            sum += w * dy[(outer * OUT + a) * INNER + inner];
        }
    }
    dx[i] = sum;
}
