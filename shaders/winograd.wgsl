// Winograd's minimal filtering F(SIDE x SIDE, 3x3), for SIDE 2 and 4: what its kernels share.
//
// A tile of SIDE x SIDE results of a 3x3, stride-1 convolution is seen under a patch of the image
// of EDGE x EDGE pixels, EDGE = SIDE + 2. With filter and patch transformed it takes one
// multiplication per pixel of the patch for every pair of channels: 16 in place of 36, or 36 in
// place of 144.
//
//   y  = A^T ((G w G^T) * (B^T x B)) A          * is element by element
//   dw = G^T ((A dy A^T) * (B^T x B)) G         summed over all tiles
//
// (Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2015). The matrices follow
// from EDGE - 1 points at which polynomials are evaluated, and infinity. F(2) takes 0, 1, -1. F(4)
// takes 0, 3/4, -3/4, 3/2, -3/2: with the customary 0, 1, -1, 2, -2 results are off by twice as
// much. (Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd Convolution for
// Deep Neural Networks", 2020.)
//
// The steps of a convolution are filter, input, product (channels are summed there) and output;
// those of a filter's gradient input, grad_output, grad_product and grad_weight. Transformed arrays
// are laid out as EDGE * EDGE matrices, one for each element of a transformed tile.
//
// Sizes are data, so that layers of all sizes share one compiled kernel.

#define_import_path wgrad::winograd

const SIDE: u32 = #{SIDE};
const EDGE: u32 = SIDE + 2;

struct Sizes {
    in_height: u32, in_width: u32, in_vecs: u32, // of the image under the patches
    out_height: u32, out_width: u32, out_vecs: u32, // of the tiles' image
    padding_h: i32, padding_w: i32,
    tiles_h: u32, tiles_w: u32, tiles: u32, // of an image, and of all images
    splits: u32, split_tiles: u32, // parts of a filter gradient's sums, and their length
    all_splits: u32, // of all pieces of the batch
    rotated: u32, // whether the filter is turned by 180 degrees and its channels exchanged
}

// From the buffer `sizes` of a kernel.
fn sizes_of(a: vec4u, b: vec4u, c: vec4u, d: vec4u) -> Sizes {
    return Sizes(
        a.x, a.y, a.z, a.w, b.x, b.y, i32(b.z), i32(b.w), c.x, c.y, c.z, c.w, d.x, d.y, d.z,
    );
}

// B^T applied to the EDGE elements along one axis of a patch.
fn transform_patch(d: array<vec4f, EDGE>) -> array<vec4f, EDGE> {
#ifdef FOUR
    let even_a = d[4] - 2.25 * d[2];
    let odd_a = 0.75 * (d[3] - 2.25 * d[1]);
    let even_b = d[4] - 0.5625 * d[2];
    let odd_b = 1.5 * (d[3] - 0.5625 * d[1]);
    return array(
        1.265625 * d[0] - 2.8125 * d[2] + d[4],
        even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b,
        1.265625 * d[1] - 2.8125 * d[3] + d[5],
    );
#else
    return array(d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]);
#endif
}

// A^T applied to the EDGE elements along one axis of a product.
fn transform_result(m: array<vec4f, EDGE>) -> array<vec4f, SIDE> {
#ifdef FOUR
    let sum_a = m[1] + m[2];
    let sum_b = m[3] + m[4];
    let difference_a = 0.75 * (m[1] - m[2]);
    let difference_b = 1.5 * (m[3] - m[4]);
    return array(
        m[0] + sum_a + sum_b,
        difference_a + difference_b,
        0.5625 * sum_a + 2.25 * sum_b,
        0.5625 * difference_a + 2.25 * difference_b + m[5],
    );
#else
    return array(m[0] + m[1] + m[2], m[1] - m[2] - m[3]);
#endif
}

// A applied to the SIDE elements along one axis of a tile of dy.
fn transform_delta(y: array<vec4f, SIDE>) -> array<vec4f, EDGE> {
#ifdef FOUR
    let even_a = y[0] + 0.5625 * y[2];
    let odd_a = 0.75 * (y[1] + 0.5625 * y[3]);
    let even_b = y[0] + 2.25 * y[2];
    let odd_b = 1.5 * (y[1] + 2.25 * y[3]);
    return array(y[0], even_a + odd_a, even_a - odd_a, even_b + odd_b, even_b - odd_b, y[3]);
#else
    return array(y[0], y[0] + y[1], y[0] - y[1], -y[1]);
#endif
}

// G applied to the three elements along one axis of a filter.
fn transform_filter(w: array<f32, 3>) -> array<f32, EDGE> {
#ifdef FOUR
    let a = (w[0] + 0.5625 * w[2]) / -1.8984375;
    let odd_a = 0.75 * w[1] / -1.8984375;
    let b = (w[0] + 2.25 * w[2]) / 7.59375;
    let odd_b = 1.5 * w[1] / 7.59375;
    return array(w[0] / 1.265625, a + odd_a, a - odd_a, b + odd_b, b - odd_b, w[2]);
#else
    return array(w[0], 0.5 * (w[0] + w[1] + w[2]), 0.5 * (w[0] - w[1] + w[2]), w[2]);
#endif
}

// G^T applied to the EDGE elements along one axis of a filter's gradient.
fn transform_gradient(m: array<f32, EDGE>) -> array<f32, 3> {
#ifdef FOUR
    let sum_a = (m[1] + m[2]) / -1.8984375;
    let sum_b = (m[3] + m[4]) / 7.59375;
    let difference_a = 0.75 * (m[1] - m[2]) / -1.8984375;
    let difference_b = 1.5 * (m[3] - m[4]) / 7.59375;
    return array(
        m[0] / 1.265625 + sum_a + sum_b,
        difference_a + difference_b,
        0.5625 * sum_a + 2.25 * sum_b + m[5],
    );
#else
    return array(m[0] + 0.5 * (m[1] + m[2]), 0.5 * (m[1] - m[2]), 0.5 * (m[1] + m[2]) + m[3]);
#endif
}
