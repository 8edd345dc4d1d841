use proptest::prelude::*;
use wgrad::graph::{Graph, Var};
use wgrad::ops::{GroupNorm, InstanceNorm, LayerNorm};
use wgrad::plan::{AdapterProfile, Mode};

use super::{cases, normal};
use crate::reference::Tensor;
use crate::reference::group_norm::{Affine, forward, grad};
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

const EPSILON: f32 = 1e-5;

/// The three layers of the operator.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Group(usize),
    Layer,
    Instance,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    kind: Kind,
    affine: bool,
    epsilon: f32,
}

impl Case {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            affine: true,
            epsilon: EPSILON,
        }
    }

    fn plain(self) -> Self {
        Self {
            affine: false,
            ..self
        }
    }

    fn apply(self, graph: &mut Graph, x: Var) -> Var {
        let (affine, epsilon) = (self.affine, self.epsilon);
        match self.kind {
            Kind::Group(groups) => {
                let layer = GroupNorm::new(groups).affine(affine).epsilon(epsilon);
                graph.group_norm(x, layer.name("norm"))
            }
            Kind::Layer => {
                let layer = LayerNorm::new().affine(affine).epsilon(epsilon);
                graph.layer_norm(x, layer.name("norm"))
            }
            Kind::Instance => {
                let layer = InstanceNorm::new().affine(affine).epsilon(epsilon);
                graph.instance_norm(x, layer.name("norm"))
            }
        }
    }

    /// Groups, and the shape of γ, for a batch of this shape.
    fn reference(self, shape: &[usize]) -> (usize, Vec<usize>) {
        match self.kind {
            Kind::Group(groups) => (groups, vec![shape[1]]),
            Kind::Layer => (1, shape[1..].to_vec()),
            Kind::Instance => (shape[1], vec![shape[1]]),
        }
    }

    /// y and all gradients, planned for the device or for another adapter.
    fn check_planned(self, x: &Tensor, adapter: Option<AdapterProfile>) {
        let Some(device) = gpu::device() else { return };
        let (groups, parameters) = self.reference(&x.shape);
        let affine = self.affine.then(|| Affine {
            weight: normal(&parameters, 11),
            bias: normal(&parameters, 12),
        });
        let dy = normal(&x.shape, 4_013);
        let mut probe = Probe::new(x.shape[0]);
        if let Some(adapter) = adapter {
            probe.plan_for(adapter);
        }
        let x_var = probe.input(x);
        let y = self.apply(&mut probe.graph, x_var);
        let mut wrt = vec![x_var];
        if let Some(Affine { weight, bias }) = &affine {
            wrt.push(probe.parameter("norm.weight", weight));
            wrt.push(probe.parameter("norm.bias", bias));
        }
        let mut targets = probe.gradients(y, &dy, &wrt);
        targets.push(y);
        let mut results = probe.run(device, Mode::Training, &targets);
        // Training and evaluation are the same.
        let y_found = results.pop().unwrap();
        assert_eq!(probe.run(device, Mode::Evaluation, &[y])[0], y_found);

        let epsilon = f64::from(self.epsilon);
        let reference = forward(x, affine.as_ref(), groups, epsilon);
        let name = |of: &str| format!("{of} of {self:?} of {:?}", x.shape);
        assert_close(&name("y"), &y_found, &reference, Tolerance::F32);
        let reference = grad(x, affine.as_ref(), groups, epsilon, &dy);
        assert_close(&name("dx"), &results[0], &reference.x, Tolerance::F32);
        if let Some(Affine { weight, bias }) = &reference.affine {
            assert_close(&name("dweight"), &results[1], weight, Tolerance::F32);
            assert_close(&name("dbias"), &results[2], bias, Tolerance::F32);
        }
    }

    fn check(self, x: &Tensor) {
        self.check_planned(x, None);
    }
}

fn shifted(x: &Tensor, offset: f64) -> Tensor {
    x.map(|x| f64::from((x + offset) as f32))
}

#[test]
fn groups_of_images_and_features() {
    for (shape, groups) in [
        (&[2, 6, 3, 4][..], 3),
        (&[1, 8, 5, 5], 2),
        (&[3, 13, 2, 2], 1),
        (&[2, 15, 3, 3], 5),
        (&[4, 12], 2),
    ] {
        let x = normal(shape, 1);
        Case::new(Kind::Group(groups)).check(&x);
        Case::new(Kind::Group(groups)).plain().check(&x);
    }
}

/// With two values a group, x̂ is nearly ±1 and δx nearly 0: a large ε keeps it well above
/// rounding.
#[test]
fn groups_of_two_numbers() {
    for kind in [Kind::Group(5), Kind::Instance] {
        let case = Case {
            epsilon: 0.5,
            ..Case::new(kind)
        };
        case.check(&normal(&[1, 5, 1, 2], 1));
    }
}

#[test]
fn layers_of_images_and_features() {
    for shape in [
        &[1, 3, 4, 4][..],
        &[4, 13, 5, 3],
        &[2, 8, 1, 1],
        &[3, 10],
        &[70, 5],
    ] {
        let x = normal(shape, 1);
        Case::new(Kind::Layer).check(&x);
        Case::new(Kind::Layer).plain().check(&x);
    }
}

#[test]
fn instances() {
    for shape in [[1, 1, 3, 3], [3, 5, 4, 6], [2, 13, 2, 8]] {
        let x = normal(&shape, 1);
        Case::new(Kind::Instance).check(&x);
        Case::new(Kind::Instance).plain().check(&x);
    }
}

/// Many pieces, of unequal length, and sums over many samples.
#[test]
fn large_images_and_batches() {
    let x = normal(&[2, 6, 61, 67], 1);
    for kind in [Kind::Group(2), Kind::Layer, Kind::Instance] {
        Case::new(kind).check(&x);
        Case::new(kind).check_planned(&x, Some(AdapterProfile::gpu()));
    }
    Case::new(Kind::Layer).check(&normal(&[1200, 6], 2));
    Case::new(Kind::Group(3)).check(&normal(&[700, 6, 2, 1], 3));
}

/// What a sum of squares minus the square of the mean would lose.
#[test]
fn far_from_zero() {
    let x = normal(&[3, 6, 20, 20], 1);
    let far = shifted(&x, 1000.0);
    // One sample far off, the others not, and channels of a group far from each other.
    let samples = Tensor::from_fn(&x.shape, |i| x.at(i) + [0.0, -1e4, 100.0][i[0]]);
    let channels = Tensor::from_fn(&x.shape, |i| x.at(i) + 10.0 * i[1] as f64);
    for x in [far, shifted(&samples, 0.0), shifted(&channels, 0.0)] {
        for kind in [Kind::Group(2), Kind::Layer, Kind::Instance] {
            Case::new(kind).check(&x);
        }
    }
    Case::new(Kind::Layer).check(&shifted(&normal(&[3, 300], 1), 1000.0));
}

#[test]
fn a_constant_sample_becomes_its_bias() {
    let Some(device) = gpu::device() else { return };
    let x = Tensor::from_fn(&[2, 3, 4, 4], |i| 0.1 * (1 + i[0]) as f64);
    let x = Tensor::from_f32(&x.shape, &x.to_f32());
    let bias = normal(&[3, 4, 4], 1);
    let mut probe = Probe::new(2);
    let x_var = probe.input(&x);
    let y = probe.graph.layer_norm(x_var, LayerNorm::new());
    probe.parameter("ln1.weight", &normal(&[3, 4, 4], 2));
    probe.parameter("ln1.bias", &bias);
    let results = probe.run(device, Mode::Training, &[y]);
    let reference = Tensor::from_fn(&x.shape, |i| bias.at(&i[1..]));
    assert_close("y", &results[0], &reference, Tolerance::F32);
}

/// The padding is checked by the probe: it holds zero though the statistics are NaN.
#[test]
fn nan_spoils_its_group_of_its_sample_only() {
    let Some(device) = gpu::device() else { return };
    let shape = [2, 6, 2, 2];
    let mut x = normal(&shape, 1);
    *x.at_mut(&[1, 4, 0, 1]) = f64::NAN;
    let mut probe = Probe::new(2);
    let x_var = probe.input(&x);
    let y = probe
        .graph
        .group_norm(x_var, GroupNorm::new(2).affine(false));
    let dx = probe.gradients(y, &normal(&shape, 2), &[x_var])[0];
    let results = probe.run(device, Mode::Training, &[y, dx]);
    for result in &results {
        for (i, value) in result.iter().enumerate() {
            assert_eq!(value.is_nan(), i >= 24 + 12, "element {i}");
        }
    }
}

/// A value that was reshaped is put in order first.
#[test]
fn flattened_images_are_normalised_in_their_own_order() {
    let Some(device) = gpu::device() else { return };
    let x = normal(&[2, 3, 2, 2], 1);
    let weight = normal(&[12], 2);
    let mut probe = Probe::new(2);
    let x_var = probe.input(&x);
    let flat = probe.graph.flatten(x_var);
    let y = probe.graph.layer_norm(flat, LayerNorm::new());
    probe.parameter("ln1.weight", &weight);
    let bias = weight.map(|_| 0.0);
    probe.parameter("ln1.bias", &bias);
    let results = probe.run(device, Mode::Training, &[y]);
    let affine = Affine { weight, bias };
    let flat = x.reshaped(&[2, 12]);
    let reference = forward(&flat, Some(&affine), 1, f64::from(EPSILON));
    assert_close("y", &results[0], &reference, Tolerance::F32);
}

fn error(shape: &[usize], case: Case) -> String {
    let mut graph = Graph::new();
    let x = graph.input("x", shape);
    case.apply(&mut graph, x);
    graph.check().unwrap_err().to_string()
}

#[test]
fn wrong_inputs_and_attributes_are_refused() {
    let head = "layer `norm` (group_norm): ";
    assert_eq!(
        error(&[6, 4, 4], Case::new(Kind::Group(4))),
        format!("{head}4 groups do not divide 6 channels")
    );
    assert_eq!(
        error(&[6, 4, 4], Case::new(Kind::Group(0))),
        format!("{head}0 groups do not divide 6 channels")
    );
    assert_eq!(
        error(&[6, 1, 1], Case::new(Kind::Instance)),
        format!(
            "{head}more than one number is needed to normalise, each of the 6 groups of \
             [6, 1, 1] has one"
        )
    );
    assert_eq!(
        error(&[3, 4], Case::new(Kind::Layer)),
        format!(
            "{head}an image of shape [channels, height, width] or features are needed, the input \
             is [3, 4]"
        )
    );
    for epsilon in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let case = Case {
            epsilon,
            ..Case::new(Kind::Layer)
        };
        assert_eq!(
            error(&[3], case),
            format!("{head}epsilon must be above 0, it is {epsilon}")
        );
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_reference(
        n in 1_usize..5, groups in 1_usize..5, each in 1_usize..7,
        h in 2_usize..12, w in 2_usize..12,
        kind in 0..3, affine: bool, offset in -100_i32..100, seed: u64,
    ) {
        let kind = [Kind::Group(groups), Kind::Layer, Kind::Instance][kind as usize];
        let x = shifted(&normal(&[n, groups * each, h, w], seed % 1000), f64::from(offset));
        Case { affine, ..Case::new(kind) }.check(&x);
    }
}
