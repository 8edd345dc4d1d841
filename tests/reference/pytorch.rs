//! The references against PyTorch's values in `tests/golden/values.safetensors`.
//!
//! The file says which cases there are and with which attributes, so a case
//! added to `make_values.py` is tested with no line added here.

use super::*;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeSet;

/// Both sides compute in f64; what is left is the order of their sums. Measured
/// 1e-15; the rest is room for another platform's `exp` and `tanh`.
const TOLERANCE: f64 = 1e-12;

static FILE: &[u8] = include_bytes!("../golden/values.safetensors");

/// One case of one operator, e.g. `conv2d.grouped_dilated`.
pub struct Case {
    pub name: String,
    file: SafeTensors<'static>,
}

impl Case {
    /// A tensor of the case, under the name `make_values.py` gave it.
    pub fn get(&self, name: &str) -> Tensor {
        read(&self.file, &format!("{}.{name}", self.name))
    }

    /// The attributes as whole numbers, exactly `COUNT` of them.
    pub fn integers<const COUNT: usize>(&self) -> [usize; COUNT] {
        let attributes = self.get("attributes").data;
        assert_eq!(attributes.len(), COUNT, "{}: attributes", self.name);
        std::array::from_fn(|i| attributes[i] as usize)
    }

    /// Panics unless `actual` is the tensor of this name, element by element.
    pub fn check(&self, name: &str, actual: &Tensor) {
        assert_close(&format!("{}.{name}", self.name), actual, &self.get(name));
    }
}

/// A tensor of the file, widened to f64 if need be.
pub fn read(file: &SafeTensors, name: &str) -> Tensor {
    let view = file
        .tensor(name)
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let bytes = view.data();
    let data = match view.dtype() {
        Dtype::F64 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&b| f64::from_le_bytes(b))
            .collect(),
        Dtype::F32 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&b| f64::from(f32::from_le_bytes(b)))
            .collect(),
        Dtype::I32 => bytes
            .as_chunks()
            .0
            .iter()
            .map(|&b| f64::from(i32::from_le_bytes(b)))
            .collect(),
        other => panic!("{name}: {other:?}"),
    };
    Tensor::new(view.shape(), data)
}

/// Panics unless all elements agree to [`TOLERANCE`], relative to their own
/// size plus the largest of them all.
pub fn assert_close(name: &str, actual: &Tensor, expected: &Tensor) {
    assert_eq!(actual.shape, expected.shape, "{name}: shape");
    let largest = expected
        .data
        .iter()
        .fold(0.0, |max: f64, value| max.max(value.abs()));
    for (element, (&a, &e)) in actual.data.iter().zip(&expected.data).enumerate() {
        let close = (a - e).abs() <= TOLERANCE * (largest + e.abs());
        assert!(close, "{name}: element {element} is {a}, by PyTorch {e}");
    }
}

/// Runs `check` on each case of an operator; there must be `count` of them, so
/// that no operator passes because its cases were lost.
fn for_each_case(operator: &str, count: usize, check: impl Fn(&Case)) {
    for_each_case_of(FILE, operator, count, check);
}

/// As [`for_each_case`], for another file.
pub fn for_each_case_of(bytes: &'static [u8], operator: &str, count: usize, check: impl Fn(&Case)) {
    let file = || SafeTensors::deserialize(bytes).expect("a safetensors file");
    let names: BTreeSet<String> = file()
        .names()
        .iter()
        .filter(|name| name.split('.').next() == Some(operator))
        .map(|name| {
            name.rsplit_once('.')
                .expect("operator.case.tensor")
                .0
                .to_string()
        })
        .collect();
    assert!(
        names.len() >= count,
        "{operator}: only {} cases",
        names.len()
    );
    for name in names {
        check(&Case { name, file: file() });
    }
}

#[test]
fn conv2d() {
    for_each_case("conv2d", 7, |case| {
        let [kh, kw, sh, sw, ph, pw, dh, dw, groups] = case.integers();
        let a = conv2d::Attributes {
            kernel: [kh, kw],
            stride: [sh, sw],
            padding: [[ph; 2], [pw; 2]],
            dilation: [dh, dw],
            groups,
        };
        let [x, weight, bias, delta] = ["x", "weight", "bias", "grad_y"].map(|name| case.get(name));
        let [_, _, height, width] = x.dims4();
        case.check("y", &conv2d::forward(&x, &weight, Some(&bias), &a));
        case.check(
            "grad_x",
            &conv2d::grad_input(&delta, &weight, [height, width], &a),
        );
        case.check("grad_weight", &conv2d::grad_weight(&x, &delta, &a));
        case.check("grad_bias", &conv2d::grad_bias(&delta));
    });
}

#[test]
fn linear() {
    for_each_case("linear", 1, |case| {
        let [x, weight, bias, delta] = ["x", "weight", "bias", "grad_y"].map(|name| case.get(name));
        case.check("y", &linear::forward(&x, &weight, Some(&bias)));
        case.check("grad_x", &linear::grad_input(&delta, &weight));
        case.check("grad_weight", &linear::grad_weight(&x, &delta));
        case.check("grad_bias", &linear::grad_bias(&delta));
    });
}

#[test]
fn max_pool2d() {
    for_each_case("max_pool2d", 4, |case| {
        let [kh, kw, sh, sw, ph, pw, ceil_mode] = case.integers();
        let a = max_pool2d::Attributes {
            kernel: [kh, kw],
            stride: [sh, sw],
            padding: [[ph; 2], [pw; 2]],
            ceil_mode: ceil_mode == 1,
        };
        let x = case.get("x");
        let [_, _, height, width] = x.dims4();
        let out = max_pool2d::forward(&x, &a);
        let argmax = out.argmax.iter().map(|&place| place as f64).collect();
        case.check("y", &out.y);
        case.check("argmax", &Tensor::new(&out.y.shape, argmax));
        let grad = max_pool2d::grad_input(&case.get("grad_y"), &out.argmax, [height, width]);
        case.check("grad_x", &grad);
    });
}

#[test]
fn mean_pool2d() {
    for_each_case("mean_pool2d", 6, |case| {
        let [kh, kw, sh, sw, ph, pw, ceil_mode, count_include_pad] = case.integers();
        let a = mean_pool2d::Attributes {
            kernel: [kh, kw],
            stride: [sh, sw],
            padding: [[ph; 2], [pw; 2]],
            ceil_mode: ceil_mode == 1,
            count_include_pad: count_include_pad == 1,
        };
        let x = case.get("x");
        let [_, _, height, width] = x.dims4();
        case.check("y", &mean_pool2d::forward(&x, &a));
        let grad = mean_pool2d::grad_input(&case.get("grad_y"), [height, width], &a);
        case.check("grad_x", &grad);
    });
}

#[test]
fn global_mean_pool() {
    for_each_case("global_mean_pool", 1, |case| {
        let x = case.get("x");
        let [_, _, height, width] = x.dims4();
        case.check("y", &global_mean_pool::forward(&x));
        let grad = global_mean_pool::grad_input(&case.get("grad_y"), [height, width]);
        case.check("grad_x", &grad);
    });
}

#[test]
fn batch_norm() {
    for_each_case("batch_norm", 3, |case| {
        let &[training, momentum, epsilon] = case.get("attributes").data.as_slice() else {
            panic!("three attributes")
        };
        let [x, weight, bias, delta] = ["x", "weight", "bias", "grad_y"].map(|name| case.get(name));
        let (mean, variance) = (case.get("running_mean"), case.get("running_var"));
        let grads = if training == 1.0 {
            let out = batch_norm::forward_training(&x, &weight, &bias, epsilon);
            let update = batch_norm::running_update;
            case.check("y", &out.y);
            case.check("new_running_mean", &update(&mean, &out.mean, momentum));
            case.check(
                "new_running_var",
                &update(&variance, &out.unbiased_variance, momentum),
            );
            batch_norm::grad_training(&x, &weight, &delta, epsilon)
        } else {
            let statistics = [&mean, &variance];
            let y = batch_norm::forward_evaluation(&x, [&weight, &bias], statistics, epsilon);
            case.check("y", &y);
            batch_norm::grad_evaluation(&x, &weight, statistics, &delta, epsilon)
        };
        case.check("grad_x", &grads.x);
        case.check("grad_weight", &grads.weight);
        case.check("grad_bias", &grads.bias);
    });
}

#[test]
fn prelu() {
    for_each_case("prelu", 3, |case| {
        let [x, slope, delta] = ["x", "slope", "grad_y"].map(|name| case.get(name));
        case.check("y", &prelu::forward(&x, &slope));
        case.check("grad_x", &prelu::grad_input(&x, &slope, &delta));
        case.check("grad_slope", &prelu::grad_slope(&x, &slope, &delta));
    });
}

#[test]
fn activations() {
    for_each_case("relu", 1, |case| {
        let x = case.get("x");
        case.check("y", &relu::forward(&x));
        case.check("grad_x", &relu::grad_input(&x, &case.get("grad_y")));
    });
    for_each_case("leaky_relu", 1, |case| {
        let (x, slope) = (case.get("x"), case.get("attributes").data[0]);
        case.check("y", &leaky_relu::forward(&x, slope));
        case.check(
            "grad_x",
            &leaky_relu::grad_input(&x, &case.get("grad_y"), slope),
        );
    });
    for_each_case("sigmoid", 1, |case| {
        let y = sigmoid::forward(&case.get("x"));
        case.check("y", &y);
        case.check("grad_x", &sigmoid::grad_input(&y, &case.get("grad_y")));
    });
    for_each_case("tanh", 1, |case| {
        let y = tanh::forward(&case.get("x"));
        case.check("y", &y);
        case.check("grad_x", &tanh::grad_input(&y, &case.get("grad_y")));
    });
}

/// The loss's value `y` and its gradient; `grad_y` scales the latter.
pub fn check_loss(case: &Case, name: &str, value: f64, gradient: &Tensor) {
    case.check("y", &Tensor::new(&[], vec![value]));
    let grad_y = case.get("grad_y").data[0];
    case.check(name, &gradient.map(|g| g * grad_y));
}

fn reduction_of(case: &Case) -> Reduction {
    if case.integers() == [1] {
        Reduction::Mean
    } else {
        Reduction::Sum
    }
}

#[test]
fn losses() {
    for_each_case("softmax_cross_entropy", 4, |case| {
        let logits = case.get("logits");
        let labels: Vec<u32> = case
            .get("labels")
            .data
            .iter()
            .map(|&label| label as u32)
            .collect();
        let reduction = reduction_of(case);
        let value = softmax_cross_entropy::forward(&logits, &labels, reduction);
        let gradient = softmax_cross_entropy::grad_logits(&logits, &labels, reduction);
        check_loss(case, "grad_logits", value, &gradient);
    });
    for_each_case("mse", 2, |case| {
        let (prediction, target) = (case.get("prediction"), case.get("target"));
        let reduction = reduction_of(case);
        let value = mse::forward(&prediction, &target, reduction);
        let gradient = mse::grad_prediction(&prediction, &target, reduction);
        check_loss(case, "grad_prediction", value, &gradient);
    });
}

/// Takes the case's steps with `step` and compares the weight after each.
fn check_steps(case: &Case, mut step: impl FnMut(&mut Tensor, &Tensor)) {
    let mut weight = case.get("initial");
    let gradients = case.get("gradients");
    let length = weight.data.len();
    let mut weights = Vec::new();
    for gradient in gradients.data.chunks(length) {
        step(&mut weight, &Tensor::new(&[length], gradient.to_vec()));
        weights.extend(&weight.data);
    }
    case.check("weights", &Tensor::new(&gradients.shape, weights));
}

#[test]
fn sgd() {
    for_each_case("sgd", 4, |case| {
        let &[learning_rate, momentum, dampening, nesterov, weight_decay] =
            case.get("attributes").data.as_slice()
        else {
            panic!("five attributes")
        };
        let nesterov = nesterov == 1.0;
        let a = sgd::Attributes {
            learning_rate,
            momentum,
            dampening,
            nesterov,
            weight_decay,
        };
        let mut velocity = None;
        check_steps(case, |w, g| {
            sgd::step(w, g, &mut velocity, Factors::default(), &a)
        });
    });
}

type AdamStep = fn(&mut Tensor, &Tensor, &mut adam::State, Factors, &adam::Attributes);

#[test]
fn adam_and_adamw() {
    for (name, step) in [("adam", adam::step as AdamStep), ("adamw", adamw::step)] {
        for_each_case(name, 2, |case| {
            let &[learning_rate, beta1, beta2, epsilon, weight_decay] =
                case.get("attributes").data.as_slice()
            else {
                panic!("five attributes")
            };
            let betas = [beta1, beta2];
            let a = adam::Attributes {
                learning_rate,
                betas,
                epsilon,
                weight_decay,
            };
            let mut state = adam::State::new(&case.get("initial").shape);
            check_steps(case, |w, g| step(w, g, &mut state, Factors::default(), &a));
        });
    }
}
