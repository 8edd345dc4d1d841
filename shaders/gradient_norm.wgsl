// The norm of all gradients, filed by step, and the factor that holds it within the limit:
//
//   factor = min(1, limit / (norm + 1e-6))   as PyTorch's clip_grad_norm_
//
// The second pass after norm_partials, by one workgroup: invocation k joins the pieces k, k + 256,
// ...; then the 256 pieces are joined pair by pair.

#import wgrad::norm::{joined, norm_of}

const PARTS: u32 = #{PARTS};
const RING: u32 = #{RING}; // steps whose norms are kept
const WORKGROUP: u32 = 256;

override limit: f32;

@group(0) @binding(0) var<storage, read> partials: array<vec2f>;
@group(0) @binding(1) var<storage, read> status: array<u32>; // not finite, step
@group(0) @binding(2) var<storage, read_write> factor: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient_norms: array<f32>;

var<workgroup> pieces: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    var piece = vec2f();
    for (var part = lane; part < PARTS; part += WORKGROUP) {
        piece = joined(piece, partials[part]);
    }
    pieces[lane] = piece;
    for (var width = WORKGROUP / 2u; width > 0u; width /= 2u) {
        workgroupBarrier();
        if lane < width {
            pieces[lane] = joined(pieces[lane], pieces[lane + width]);
        }
    }
    if lane == 0u {
        let norm = norm_of(pieces[0]);
        factor[0] = min(1.0, limit / (norm + 1e-6));
        gradient_norms[status[1] % RING] = norm;
    }
}
