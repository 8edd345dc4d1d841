//! Every operator with shapes and attributes that reach all variants of its kernels. Planning
//! costs no device memory, so that shapes may be as large as those of real networks.
//!
//! A new operator is a function and one line in [`STEMS`].

mod fusion;
mod layers;
mod losses;
mod pointwise;
pub mod training;
mod windows;

use wgrad::autodiff::{gradients, gradients_from};
use wgrad::graph::{Graph, Var};
use wgrad::ops::{Celu, Elu, Rrelu, Softplus};
use wgrad::plan::{AdapterProfile, Mode};

use super::{Planned, differentiable, options};

/// Adds the cases of one stem.
type Fill = fn(&mut Cases);

/// The cases of every stem of the registry, of fusion, and of training.
#[rustfmt::skip]
pub const STEMS: &[(&str, Fill)] = &[
    ("adaptive_max_pool2d", windows::adaptive_max_pool2d),
    ("adaptive_mean_pool2d", windows::adaptive_mean_pool2d),
    ("add", pointwise::add),
    ("batch_norm", layers::batch_norm),
    ("binary_cross_entropy", losses::binary_cross_entropy),
    ("celu", |cases| over_shapes(cases, |graph, x| graph.celu(x, Celu::new(0.5)))),
    ("channel_dropout", pointwise::channel_dropout),
    ("concat", pointwise::concat),
    ("conv2d", windows::conv2d),
    ("conv_transpose2d", windows::conv_transpose2d),
    ("dropout", pointwise::dropout),
    ("elu", |cases| over_shapes(cases, |graph, x| graph.elu(x, Elu::default()))),
    ("fusion", fusion::networks),
    ("gelu", pointwise::gelu),
    ("global_mean_pool", windows::global_mean_pool),
    ("group_norm", layers::group_norm),
    ("hard_sigmoid", |cases| over_shapes(cases, |graph, x| graph.hard_sigmoid(x))),
    ("hard_swish", |cases| over_shapes(cases, |graph, x| graph.hard_swish(x))),
    ("hinge_loss", losses::hinge_loss),
    ("huber_loss", losses::huber_loss),
    ("l1_loss", losses::l1_loss),
    ("leaky_relu", pointwise::leaky_relu),
    ("linear", layers::linear),
    ("local_response_norm", windows::local_response_norm),
    ("log_softmax", |cases| over_shapes(cases, |graph, x| graph.log_softmax(x))),
    ("max_pool2d", windows::max_pool2d),
    ("mean_pool2d", windows::mean_pool2d),
    ("mish", |cases| over_shapes(cases, |graph, x| graph.mish(x))),
    ("mse", losses::mse),
    ("multiply", pointwise::multiply),
    ("prelu", pointwise::prelu),
    ("relu", pointwise::relu),
    ("relu6", |cases| over_shapes(cases, |graph, x| graph.relu6(x))),
    ("reshape", pointwise::reshape),
    ("rrelu", |cases| over_shapes(cases, |graph, x| graph.rrelu(x, Rrelu::default()))),
    ("scale_shift", |cases| over_shapes(cases, |graph, x| graph.scale_shift(x))),
    ("selu", |cases| over_shapes(cases, |graph, x| graph.selu(x))),
    ("sigmoid", pointwise::sigmoid),
    ("silu", |cases| over_shapes(cases, |graph, x| graph.silu(x))),
    ("slice", pointwise::slice),
    ("softmax", |cases| over_shapes(cases, |graph, x| graph.softmax(x))),
    ("softmax_cross_entropy", losses::softmax_cross_entropy),
    ("softplus", |cases| over_shapes(cases, |graph, x| graph.softplus(x, Softplus::default()))),
    ("stochastic_depth", pointwise::stochastic_depth),
    ("tanh", pointwise::tanh),
    ("upsample", windows::upsample),
    ("zero_pad", pointwise::zero_pad),
    ("training", training::step),
];

/// A small graph around one operator.
#[derive(Clone, Debug)]
pub struct Case {
    pub stem: &'static str,
    pub batch: usize,
    pub graph: Graph,
    pub result: Var,
    has_gradient: bool,
}

/// The cases of a stem.
pub struct Cases {
    stem: &'static str,
    cases: Vec<Case>,
}

impl Cases {
    /// A graph whose result is differentiated with respect to all its inputs and parameters.
    fn add(&mut self, batch: usize, build: impl FnOnce(&mut Graph) -> Var) {
        self.push(batch, true, build);
    }

    /// A graph that has no gradient.
    fn add_forward(&mut self, batch: usize, build: impl FnOnce(&mut Graph) -> Var) {
        self.push(batch, false, build);
    }

    fn push(&mut self, batch: usize, has_gradient: bool, build: impl FnOnce(&mut Graph) -> Var) {
        let mut graph = Graph::new();
        let result = build(&mut graph);
        if let Err(error) = graph.check() {
            panic!("{}: {error}", self.stem);
        }
        self.cases.push(Case {
            stem: self.stem,
            batch,
            graph,
            result,
            has_gradient,
        });
    }
}

/// All cases of one stem.
pub fn of_stem(stem: &'static str, fill: Fill) -> Vec<Case> {
    let mut cases = Cases {
        stem,
        cases: Vec::new(),
    };
    fill(&mut cases);
    cases.cases
}

/// All cases of all stems.
pub fn all() -> Vec<Case> {
    let stems = STEMS.iter();
    stems
        .flat_map(|(stem, fill)| of_stem(stem, *fill))
        .collect()
}

/// A graph with what is computed of it.
pub struct Task {
    pub graph: Graph,
    pub targets: Vec<Var>,
    pub mode: Mode,
}

impl Case {
    /// The forward pass in both modes; every gradient alone, then all at once.
    pub fn tasks(&self) -> Vec<Task> {
        let forward = |mode| Task {
            graph: self.graph.clone(),
            targets: vec![self.result],
            mode,
        };
        let mut tasks = vec![forward(Mode::Training), forward(Mode::Evaluation)];
        if self.has_gradient {
            let all = differentiable(&self.graph);
            let alone = all.iter().map(std::slice::from_ref);
            tasks.extend(alone.map(|wrt| self.backward(wrt)));
            tasks.push(self.backward(&all));
        }
        tasks
    }

    /// The gradients of a loss, or of the sum of the result times given numbers.
    fn backward(&self, wrt: &[Var]) -> Task {
        let mut graph = self.graph.clone();
        let result = graph.type_of(self.result).clone();
        let found = if result.batched {
            let delta = graph.persistent("delta", result, "delta", 0);
            gradients_from(&mut graph, &[(self.result, delta)], wrt)
        } else {
            gradients(&mut graph, self.result, wrt)
        };
        let targets = found.unwrap_or_else(|error| panic!("{}: {error}", self.stem));
        Task {
            graph,
            targets,
            mode: Mode::Training,
        }
    }

    /// All tasks, planned, also those with more than every adapter binds at once.
    pub fn plan(&self, adapter: &AdapterProfile) -> Vec<Planned> {
        let adapter = adapter.clone().with_max_binding_size(u64::MAX);
        let plan = |task: Task| {
            let options = options(self.batch, task.mode);
            Planned::new(&task.graph, &task.targets, options, &adapter)
                .unwrap_or_else(|error| panic!("{}: {error}", self.stem))
        };
        self.tasks().into_iter().map(plan).collect()
    }
}

/// Images and features: channels around the width of a vec4, one pixel, and enough elements
/// that workgroups spill into a second row.
#[rustfmt::skip]
const SHAPES: &[(usize, &[usize])] = &[
    (1, &[1]),
    (3, &[10]),
    (64, &[1024]),
    (1, &[3, 1, 1]),
    (2, &[4, 5, 7]),
    (2, &[13, 8, 8]),
    (32, &[64, 56, 56]),
    (128, &[64, 112, 112]),
];

/// A case for each of [`SHAPES`].
fn over_shapes(cases: &mut Cases, build: impl Fn(&mut Graph, Var) -> Var) {
    for &(batch, shape) in SHAPES {
        cases.add(batch, |graph| {
            let x = graph.input("x", shape);
            build(graph, x)
        });
    }
}

/// A case for each image of [`SHAPES`].
fn over_images(cases: &mut Cases, build: impl Fn(&mut Graph, Var) -> Var) {
    for &(batch, shape) in SHAPES.iter().filter(|(_, shape)| shape.len() == 3) {
        cases.add(batch, |graph| {
            let x = graph.input("x", shape);
            build(graph, x)
        });
    }
}
