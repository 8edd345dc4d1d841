//! The references of normalisation by sample and of local responses, of padding, slices and images
//! of other sizes against PyTorch's values.

use super::pytorch::{Case, for_each_case_of};
use super::upsample::Method;
use super::{Tensor, group_norm, local_response_norm, slice, upsample, zero_pad};

static NORMALISATION: &[u8] = include_bytes!("../golden/normalisation.safetensors");
static RESAMPLING: &[u8] = include_bytes!("../golden/resampling.safetensors");

/// The attributes as they are, exactly `COUNT` of them.
fn numbers<const COUNT: usize>(case: &Case) -> [f64; COUNT] {
    let Tensor { data, .. } = case.get("attributes");
    data.try_into().expect("as many attributes")
}

#[test]
fn group_norm() {
    for_each_case_of(NORMALISATION, "group_norm", 8, |case| {
        let [groups, epsilon, affine] = numbers(case);
        let groups = groups as usize;
        let (x, delta) = (case.get("x"), case.get("grad_y"));
        let affine = (affine == 1.0).then(|| group_norm::Affine {
            weight: case.get("weight"),
            bias: case.get("bias"),
        });
        case.check(
            "y",
            &group_norm::forward(&x, affine.as_ref(), groups, epsilon),
        );
        let grads = group_norm::grad(&x, affine.as_ref(), groups, epsilon, &delta);
        case.check("grad_x", &grads.x);
        if let Some(affine) = &grads.affine {
            case.check("grad_weight", &affine.weight);
            case.check("grad_bias", &affine.bias);
        }
    });
}

#[test]
fn local_response_norm() {
    for_each_case_of(NORMALISATION, "local_response_norm", 3, |case| {
        let [size, alpha, beta, k] = numbers(case);
        let a = local_response_norm::Attributes {
            size: size as usize,
            alpha,
            beta,
            k,
            within_channels: false,
        };
        let x = case.get("x");
        case.check("y", &local_response_norm::forward(&x, &a));
        let grad = local_response_norm::grad_input(&x, &a, &case.get("grad_y"));
        case.check("grad_x", &grad);
    });
}

#[test]
fn zero_pad() {
    for_each_case_of(RESAMPLING, "zero_pad", 2, |case| {
        let margins: [[usize; 2]; 3] = {
            let [before, behind, top, bottom, left, right] = case.integers();
            [[before, behind], [top, bottom], [left, right]]
        };
        case.check("y", &zero_pad::forward(&case.get("x"), &margins));
        let grad = zero_pad::grad_input(&case.get("grad_y"), &margins);
        case.check("grad_x", &grad);
    });
}

#[test]
fn slice() {
    for_each_case_of(RESAMPLING, "slice", 2, |case| {
        let [c0, c1, i0, i1, j0, j1] = case.integers();
        let (start, lengths) = ([c0, i0, j0], [c1 - c0, i1 - i0, j1 - j0]);
        let x = case.get("x");
        case.check("y", &slice::forward(&x, &start, &lengths));
        let grad = slice::grad_input(&case.get("grad_y"), &start, &x.shape);
        case.check("grad_x", &grad);
    });
}

#[test]
fn upsample() {
    for_each_case_of(RESAMPLING, "upsample", 12, |case| {
        let [method, rows, columns] = case.integers();
        let method = [Method::Nearest, Method::Bilinear, Method::AlignedCorners][method];
        let x = case.get("x");
        case.check("y", &upsample::forward(&x, method, [rows, columns]));
        let [_, _, height, width] = x.dims4();
        let grad = upsample::grad_input(&case.get("grad_y"), method, [height, width]);
        case.check("grad_x", &grad);
    });
}
