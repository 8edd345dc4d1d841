// Euclidean norms of many numbers, in pieces: x is the largest magnitude of a piece, y the sum of
// its squares relative to that magnitude. So no square overflows, as far as the norm itself does
// not (Blue, "A portable Fortran program to find the Euclidean norm of a vector", 1978).

#define_import_path wgrad::norm

// Two pieces as one.
fn joined(a: vec2f, b: vec2f) -> vec2f {
    let largest = max(a.x, b.x);
    if largest == 0.0 {
        return vec2f();
    }
    let scale = vec2f(a.x, b.x) / largest;
    return vec2f(largest, a.y * scale.x * scale.x + b.y * scale.y * scale.y);
}

// The norm of a piece.
fn norm_of(piece: vec2f) -> f32 {
    return piece.x * sqrt(piece.y);
}
