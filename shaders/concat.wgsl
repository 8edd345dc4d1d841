// Concatenation of two to four values on their channels: y = [a, b, c, d], as bits.
//
// A unit is a channel, or a vec4 of channels if every part but the last is a whole number of them
// (ALIGNED). WIDTH is a part's number of units at a position, PITCH the number stored. Lanes beyond
// the last channel become zero.

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s of y
const VECS: u32 = #{VECS}; // vec4s of one position of y

#ifdef ALIGNED
alias Unit = vec4u;
#else
alias Unit = u32;
#endif

@group(0) @binding(0) var<storage, read_write> y: array<vec4u>;
const WIDTH_A: u32 = #{WIDTH_A};
const PITCH_A: u32 = #{PITCH_A};
@group(0) @binding(1) var<storage, read> a: array<Unit>;
#ifdef WIDTH_B
const WIDTH_B: u32 = #{WIDTH_B};
const PITCH_B: u32 = #{PITCH_B};
@group(0) @binding(2) var<storage, read> b: array<Unit>;
#endif
#ifdef WIDTH_C
const WIDTH_C: u32 = #{WIDTH_C};
const PITCH_C: u32 = #{PITCH_C};
@group(0) @binding(3) var<storage, read> c: array<Unit>;
#endif
#ifdef WIDTH_D
const WIDTH_D: u32 = #{WIDTH_D};
const PITCH_D: u32 = #{PITCH_D};
@group(0) @binding(4) var<storage, read> d: array<Unit>;
#endif

fn unit(position: u32, index: u32) -> Unit {
    var at = index;
    if at < WIDTH_A {
        return a[position * PITCH_A + at];
    }
    at -= WIDTH_A;
#ifdef WIDTH_B
    if at < WIDTH_B {
        return b[position * PITCH_B + at];
    }
    at -= WIDTH_B;
#endif
#ifdef WIDTH_C
    if at < WIDTH_C {
        return c[position * PITCH_C + at];
    }
    at -= WIDTH_C;
#endif
#ifdef WIDTH_D
    if at < WIDTH_D {
        return d[position * PITCH_D + at];
    }
#endif
    return Unit();
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let i = linear_index(id, groups);
    if i >= LENGTH {
        return;
    }
    let position = i / VECS;
    let vector = i % VECS;
#ifdef ALIGNED
    y[i] = unit(position, vector);
#else
    let first = 4u * vector;
    y[i] = vec4u(
        unit(position, first),
        unit(position, first + 1u),
        unit(position, first + 2u),
        unit(position, first + 3u),
    );
#endif
}
