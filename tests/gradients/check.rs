//! One network on both sides.

use wgrad::graph::{Graph, Parameter, Role, Var};
use wgrad::{Device, Session, SessionOptions};

use super::described::{Layer, build};
use super::differences::{Problem, Truth};
use super::losses::{Answers, Loss};
use super::reference::Tensor;
use super::support::compare::Tolerance;
use super::support::probe::assert_close;

/// How far a gradient may lie from the differences: several layers of f32 rounding.
const TOLERANCE: Tolerance = Tolerance::relative(2e-5);

/// How near to a kink a number may be. The device's rounding, near 1e-6, must not carry it to
/// the other side, where the gradient is another one.
const MARGIN: f64 = 5e-5;

/// A gradient of which little is left when its terms cancel cannot be compared in f32: with
/// [`TOLERANCE`] this leaves 2e-8, the rounding of terms of some tenths.
const SMALLEST: f64 = 1e-3;

/// A network to check: the shape of one sample, the batch, the layers.
#[derive(Clone, Debug)]
pub struct Case {
    pub input: Vec<usize>,
    pub batch: usize,
    pub layers: Vec<Layer>,
    pub loss: Loss,
}

/// The network on the side of the device.
struct Built {
    graph: Graph,
    /// Labels or target values.
    truth: Var,
    loss: Var,
    /// The input, then what is learned.
    operands: Vec<Var>,
}

impl Case {
    fn build(&self) -> (Built, Vec<Parameter>, Vec<usize>) {
        let mut graph = Graph::new();
        let input = graph.input("x", &self.input[..]);
        let y = build(&mut graph, &self.layers, input);
        graph.check().unwrap();
        let response = graph.shape(y).to_vec();
        let truth = match self.loss.answers {
            Answers::Labels => graph.labels("labels"),
            Answers::Values | Answers::Bits => graph.input("target", &response[..]),
        };
        let y = graph.relayout(y);
        let values = (self.loss.apply)(&mut graph, y, truth);
        graph.check().unwrap();
        let all = graph.parameters().iter();
        let learned: Vec<Parameter> = all.filter(|p| p.role != Role::Statistic).cloned().collect();
        let mut operands = vec![input];
        let variables = learned.iter().map(|p| graph.find_parameter(&p.name));
        operands.extend(variables.map(Option::unwrap));
        let built = Built {
            truth,
            loss: values.loss,
            operands,
            graph,
        };
        (built, learned, response)
    }

    fn truth(&self, response: &[usize], seed: u64) -> Truth {
        let mut shape = vec![self.batch];
        shape.extend(response);
        let values = Tensor::normal(&shape, seed + 1000);
        match self.loss.answers {
            Answers::Labels => {
                let classes = response[0] as u64;
                let label = |n: u64| ((seed + 7 * n) % classes) as u32;
                Truth::Labels((0..self.batch as u64).map(label).collect())
            }
            Answers::Values => Truth::Values(values),
            Answers::Bits => Truth::Values(values.map(|v| f64::from(u8::from(v > 0.0)))),
        }
    }

    /// Draws numbers from `seed` on until they can be judged, and compares the loss and all its
    /// gradients on the device with the reference. Gives how many of the gradients vanish in all
    /// elements (behind a rectifier that is off everywhere, or a filter that sees only padding),
    /// which is avoided where it can be; `None` if no draw can be judged.
    pub fn check(&self, device: &Device, seed: u64) -> Option<usize> {
        let (mut built, learned, response) = self.build();
        let draws = || (seed..seed + 20).map(|seed| self.draw(&learned, &response, seed));
        let judged = |may_vanish: bool| {
            draws().find_map(|(operands, truth)| {
                let layers = &self.layers;
                let problem = Problem {
                    layers,
                    operands,
                    loss: self.loss,
                    truth: &truth,
                };
                let (loss, gradients) = judge(problem.clone(), may_vanish)?;
                Some((problem.operands, truth.clone(), loss, gradients))
            })
        };
        let (operands, truth, loss, gradients) = judged(false).or_else(|| judged(true))?;
        let found = built.run(device, self.batch, &operands, &truth);
        let loss = Tensor::new(&[1], vec![loss]);
        assert_close("loss", &found[0], &loss, TOLERANCE);
        let mut names = vec!["x"];
        names.extend(learned.iter().map(|p| p.name.as_str()));
        for ((name, found), expected) in names.iter().zip(&found[1..]).zip(&gradients) {
            assert_close(&format!("gradient of {name}"), found, expected, TOLERANCE);
        }
        Some(gradients.iter().filter(|g| rms(g) == 0.0).count())
    }

    /// The input and the parameters, and what is right.
    fn draw(&self, learned: &[Parameter], response: &[usize], seed: u64) -> (Vec<Tensor>, Truth) {
        let mut shape = vec![self.batch];
        shape.extend(&self.input);
        let mut operands = vec![Tensor::normal(&shape, seed)];
        for (index, parameter) in learned.iter().enumerate() {
            operands.push(values(parameter, seed + 31 * (index as u64 + 1)));
        }
        (operands, self.truth(response, seed))
    }
}

/// The loss and its gradients by differences, unless a number lies near a kink or a gradient is
/// too small to be compared.
fn judge(mut problem: Problem<'_>, may_vanish: bool) -> Option<(f64, Vec<Tensor>)> {
    let outcome = problem.outcome();
    if outcome.margin < MARGIN {
        return None;
    }
    let gradients = problem.gradients()?;
    let large_enough = |gradient: &Tensor| {
        let size = rms(gradient);
        size >= SMALLEST || (may_vanish && size == 0.0)
    };
    let all = gradients.iter().all(large_enough);
    all.then_some((outcome.loss, gradients))
}

impl Built {
    /// The loss and its gradients on the device.
    fn run(
        &mut self,
        device: &Device,
        batch: usize,
        operands: &[Tensor],
        truth: &Truth,
    ) -> Vec<Vec<f32>> {
        let (loss, wrt) = (self.loss, &self.operands);
        let gradients = wgrad::autodiff::gradients(&mut self.graph, loss, wrt).unwrap();
        let mut targets = vec![loss];
        targets.extend(&gradients);
        let options = SessionOptions::training(batch).guarded();
        let session = Session::new(device, &self.graph, &targets, options).unwrap();
        for (var, values) in self.operands.iter().zip(operands) {
            // The bias before a loss, say, is no operand of any kernel that runs.
            if session.keeps(*var) {
                session.set(*var, &values.to_f32()).unwrap();
            }
        }
        match truth {
            Truth::Labels(labels) => session.set_indices(self.truth, labels).unwrap(),
            Truth::Values(values) => session.set(self.truth, &values.to_f32()).unwrap(),
        }
        session.run().unwrap();
        session.check_guards().unwrap();
        targets.iter().map(|t| session.get(*t).unwrap()).collect()
    }
}

fn rms(tensor: &Tensor) -> f64 {
    (tensor.dot(tensor) / tensor.data.len() as f64).sqrt()
}

/// Values that keep the responses near unit size, and no two layers alike.
fn values(parameter: &Parameter, seed: u64) -> Tensor {
    let normal = Tensor::normal(&parameter.shape, seed);
    let spread = |mean: f64, std: f64| normal.map(|x| f64::from((mean + std * x) as f32));
    if parameter.name.ends_with(".bias") {
        return spread(0.0, 0.3);
    }
    if parameter.name.starts_with("prelu") {
        return spread(0.25, 0.1);
    }
    match parameter.fans.fan_in {
        0 => spread(1.0, 0.2),
        inputs => spread(0.0, (1.5 / inputs as f64).sqrt()),
    }
}
