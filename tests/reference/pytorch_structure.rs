//! The references of normalisation by sample and of local responses against PyTorch's values.

use super::pytorch::{Case, for_each_case_of};
use super::{Tensor, group_norm, local_response_norm};

static NORMALISATION: &[u8] = include_bytes!("../golden/normalisation.safetensors");

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
