// The Euclidean norm of each chunk of the numbers, as a piece of a longer one (wgrad::norm).

#import wgrad::common::linear_index

const LENGTH: u32 = #{LENGTH}; // vec4s
const CHUNK: u32 = #{CHUNK}; // vec4s an invocation
const PARTS: u32 = #{PARTS};
const FIRST: u32 = #{FIRST}; // where the pairs go among the partials

@group(0) @binding(0) var<storage, read> numbers: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> partials: array<vec2f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
    let part = linear_index(id, groups);
    if part >= PARTS {
        return;
    }
    let end = min((part + 1) * CHUNK, LENGTH);
    var magnitudes = vec4f();
    for (var i = part * CHUNK; i < end; i++) {
        magnitudes = max(magnitudes, abs(numbers[i]));
    }
    let largest = max(max(magnitudes.x, magnitudes.y), max(magnitudes.z, magnitudes.w));
    var squares = vec4f();
    if largest > 0.0 {
        for (var i = part * CHUNK; i < end; i++) {
            let relative = numbers[i] / largest;
            squares += relative * relative;
        }
    }
    partials[FIRST + part] = vec2f(largest, (squares.x + squares.y) + (squares.z + squares.w));
}
