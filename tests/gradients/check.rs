//! One network on both sides.

use wgrad::graph::{Graph, Parameter, Role, Var};
use wgrad::ops::Reduction;
use wgrad::{Device, Session, SessionOptions};

use super::described::{Layer, build};
use super::differences::{Problem, Truth};
use super::reference::Tensor;
use super::support::compare::Tolerance;
use super::support::probe::assert_close;

/// How far a gradient may lie from the differences: several layers of f32 rounding.
const TOLERANCE: Tolerance = Tolerance::relative(2e-5);

/// How near to a kink a number may be. The device's rounding, near 1e-6, must not carry it to
/// the other side, where the gradient is another one.
const MARGIN: f64 = 5e-5;

/// A gradient smaller than this says nothing: dead rectifiers, or sums that cancel.
const SMALLEST: f64 = 1e-5;

/// What the response is compared with.
#[derive(Clone, Copy, Debug)]
pub enum Loss {
    CrossEntropy,
    SquaredError,
}

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
    input: Var,
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
        let (truth, values) = match self.loss {
            Loss::CrossEntropy => {
                let labels = graph.labels("labels");
                let values = graph.softmax_cross_entropy(y, labels, Reduction::Mean);
                (labels, values)
            }
            Loss::SquaredError => {
                let target = graph.input("target", &response[..]);
                let y = graph.relayout(y);
                let values = graph.mean_squared_error(y, target, Reduction::Mean);
                (target, values)
            }
        };
        let all = graph.parameters().iter();
        let learned: Vec<Parameter> = all.filter(|p| p.role != Role::Statistic).cloned().collect();
        let mut operands = vec![input];
        let variables = learned.iter().map(|p| graph.find_parameter(&p.name));
        operands.extend(variables.map(Option::unwrap));
        let built = Built {
            input,
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
        match self.loss {
            Loss::CrossEntropy => {
                let classes = response[0] as u64;
                let label = |n: u64| ((seed + 7 * n) % classes) as u32;
                Truth::Labels((0..self.batch as u64).map(label).collect())
            }
            Loss::SquaredError => Truth::Values(Tensor::normal(&shape, seed + 1000)),
        }
    }

    /// Draws numbers from `seed` on until no number lies near a kink and no gradient vanishes, and
    /// compares the loss and all its gradients on the device with the reference.
    pub fn check(&self, device: &Device, seed: u64) {
        let (mut built, learned, response) = self.build();
        let mut shape = vec![self.batch];
        shape.extend(&self.input);
        for seed in seed..seed + 100 {
            let truth = self.truth(&response, seed);
            let mut operands = vec![Tensor::normal(&shape, seed)];
            for (index, parameter) in learned.iter().enumerate() {
                operands.push(values(parameter, seed + 31 * (index as u64 + 1)));
            }
            let mut problem = Problem {
                layers: &self.layers,
                operands,
                truth: &truth,
            };
            let outcome = problem.outcome();
            if outcome.margin < MARGIN {
                continue;
            }
            let Some(gradients) = problem.gradients() else {
                continue;
            };
            if gradients.iter().any(|g| rms(g) < SMALLEST) {
                continue;
            }
            let mut names = vec!["x".to_owned()];
            names.extend(learned.iter().map(|p| p.name.clone()));
            let found = built.run(device, self.batch, &problem);
            let loss = Tensor::new(&[1], vec![outcome.loss]);
            assert_close("loss", &found[0], &loss, TOLERANCE);
            for ((name, found), expected) in names.iter().zip(&found[1..]).zip(&gradients) {
                let name = format!("gradient of {name} (seed {seed})");
                assert_close(&name, found, expected, TOLERANCE);
            }
            return;
        }
        panic!("every draw lies on a kink or has a gradient that vanishes: {self:?}");
    }
}

impl Built {
    /// The loss and its gradients on the device.
    fn run(&mut self, device: &Device, batch: usize, problem: &Problem<'_>) -> Vec<Vec<f32>> {
        let (loss, operands) = (self.loss, &self.operands);
        let gradients = wgrad::autodiff::gradients(&mut self.graph, loss, operands).unwrap();
        let mut targets = vec![loss];
        targets.extend(&gradients);
        let options = SessionOptions::training(batch).guarded();
        let session = Session::new(device, &self.graph, &targets, options).unwrap();
        assert!(session.keeps(self.input));
        for (var, values) in self.operands.iter().zip(&problem.operands) {
            // The bias before a loss, say, is no operand of any kernel that runs.
            if session.keeps(*var) {
                session.set(*var, &values.to_f32()).unwrap();
            }
        }
        match problem.truth {
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
