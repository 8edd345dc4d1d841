//! The references of activations and their kin against PyTorch's values in
//! `tests/golden/activations.safetensors`.

use super::pytorch::{assert_close, read};
use super::unary::Unary;
use super::*;
use safetensors::SafeTensors;

static FILE: &[u8] = include_bytes!("../golden/activations.safetensors");

/// The tensors of a case, and a check of results by name.
struct Case(String);

impl Case {
    fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    fn get(&self, name: &str) -> Tensor {
        let file = SafeTensors::deserialize(FILE).expect("a safetensors file");
        read(&file, &format!("{}.{name}", self.0))
    }

    fn check(&self, name: &str, actual: &Tensor) {
        assert_close(&format!("{}.{name}", self.0), actual, &self.get(name));
    }
}

#[test]
fn functions_of_one_element() {
    for (case, function) in [
        ("celu.plain", Unary::Celu(0.5)),
        ("elu.plain", Unary::Elu(1.0)),
        ("elu.negative", Unary::Elu(-0.375)),
        ("gelu.erf", Unary::Gelu),
        ("gelu.tanh", Unary::GeluTanh),
        ("hard_sigmoid.plain", Unary::HardSigmoid),
        ("hard_swish.plain", Unary::HardSwish),
        ("mish.plain", Unary::Mish),
        ("relu6.plain", Unary::Relu6),
        ("selu.plain", Unary::Selu),
        ("silu.plain", Unary::Silu),
        ("softplus.plain", Unary::Softplus(1.0)),
        ("softplus.sharp", Unary::Softplus(2.5)),
    ] {
        let case = Case::new(case);
        let x = case.get("x");
        case.check("y", &function.forward(&x));
        case.check("grad_x", &function.grad_input(&x, &case.get("grad_y")));
    }
}

#[test]
fn rrelu_in_evaluation() {
    let case = Case::new("rrelu.evaluation");
    let [x, delta] = ["x", "grad_y"].map(|name| case.get(name));
    let slopes = x.map(|_| 0.25);
    case.check("y", &rrelu::forward(&x, &slopes));
    case.check("grad_x", &rrelu::grad_input(&x, &delta, &slopes));
}

#[test]
fn softmax_and_its_logarithm() {
    for case in ["features", "image", "huge_features", "huge_image"] {
        let plain = Case::new(&format!("softmax.{case}"));
        let y = softmax::forward(&plain.get("x"));
        plain.check("y", &y);
        plain.check("grad_x", &softmax::grad_input(&y, &plain.get("grad_y")));
        let log = Case::new(&format!("log_softmax.{case}"));
        let y = log_softmax::forward(&log.get("x"));
        log.check("y", &y);
        log.check("grad_x", &log_softmax::grad_input(&y, &log.get("grad_y")));
    }
}

#[test]
fn multiply() {
    for case in ["multiply.features", "multiply.image"].map(Case::new) {
        let [a, b, delta] = ["a", "b", "grad_y"].map(|name| case.get(name));
        case.check("y", &multiply::forward(&a, &b));
        case.check("grad_a", &multiply::grad_factor(&b, &delta));
        case.check("grad_b", &multiply::grad_factor(&a, &delta));
    }
}

#[test]
fn scale_shift() {
    for case in ["scale_shift.features", "scale_shift.image"].map(Case::new) {
        let [x, weight, bias, delta] = ["x", "weight", "bias", "grad_y"].map(|name| case.get(name));
        case.check("y", &scale_shift::forward(&x, &weight, &bias));
        case.check("grad_x", &scale_shift::grad_input(&weight, &delta));
        case.check("grad_weight", &scale_shift::grad_weight(&x, &delta));
        case.check("grad_bias", &scale_shift::grad_bias(&delta));
    }
}
