// What a kernel does to its result before it stores it, when the planner has fused the operators
// that follow: adds a residual, and rectifies.
//
//   finish(value) = rectify(value + addend)
//   rectify(v)    = v where v > 0, else 0 (RELU), slope * v (LEAKY) or slopes[channel] * v (SLOPES;
//                   slopes[0] for all with SHARED_SLOPE)
//
// Without any of the flags the value is stored as it is. NaN stays NaN.

#define_import_path wgrad::epilogue

#ifdef RESIDUAL
@group(0) @binding(8) var<storage, read> addend: array<vec4f>;
#endif
#ifdef SLOPES
@group(0) @binding(9) var<storage, read> slopes: array<vec4f>;
#endif
#ifdef LEAKY
const SLOPE: i32 = #{SLOPE}; // the bits of the slope
#endif

fn rectify(v: vec4f, channel: u32) -> vec4f {
#ifdef RELU
    return select(v, vec4f(), v < vec4f());
#else ifdef LEAKY
    return select(bitcast<f32>(SLOPE) * v, v, v > vec4f());
#else ifdef SHARED_SLOPE
    return select(slopes[0].x * v, v, v > vec4f());
#else ifdef SLOPES
    return select(slopes[channel] * v, v, v > vec4f());
#else
    return v;
#endif
}

// `at` is where the vec4 will be stored, `channel` its number among the position's vec4s.
fn finish(value: vec4f, at: u32, channel: u32) -> vec4f {
#ifdef RESIDUAL
    return rectify(value + addend[at], channel);
#else
    return rectify(value, channel);
#endif
}
