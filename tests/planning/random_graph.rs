//! Random networks: chains and branches of any operators, with losses and gradients.
//!
//! A network is a list of [`Pick`]s, so that proptest shrinks a failure to a few layers. A pick
//! that fits nowhere adds nothing.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use wgrad::autodiff::gradients;
use wgrad::graph::{Graph, Home, Role, Var};
use wgrad::ops::leaky_relu::LeakyRelu;
use wgrad::ops::loss::{LossValues, Reduction};
use wgrad::ops::max_pool2d::MaxPool2d;
use wgrad::ops::mean_pool2d::MeanPool2d;
use wgrad::ops::prelu::Prelu;
use wgrad::ops::training::{Conclude, Update};
use wgrad::ops::{
    BatchNorm, Celu, Conv2d, ConvTranspose2d, Elu, Gelu, GroupNorm, InstanceNorm, LayerNorm,
    Linear, LocalResponseNorm, Rrelu, Slice, Softplus, Upsample, ZeroPad,
};
use wgrad::train::Sgd;

type Grow = fn(&mut Growth, Pick) -> Option<Var>;

/// The operators that networks are made of. A new operator is one line.
#[rustfmt::skip]
const OPERATORS: &[(&str, Grow)] = &[
    ("adaptive_max_pool2d", |g, p| g.image(p).map(|x| g.graph.adaptive_max_pool2d(x, [p.n(4) + 3, 5]))),
    ("adaptive_mean_pool2d", |g, p| g.image(p).map(|x| g.graph.adaptive_mean_pool2d(x, [6, p.n(4) + 3]))),
    ("add", |g, p| g.pair(p).map(|(a, b)| g.graph.add(a, b))),
    ("batch_norm", |g, p| g.standard(p).map(|x| g.graph.batch_norm(x, BatchNorm::new()))),
    ("celu", |g, p| g.any(p).map(|x| g.graph.celu(x, Celu::default()))),
    ("channel_dropout", |g, p| g.standard(p).map(|x| g.graph.channel_dropout(x, 0.25))),
    ("concat", |g, p| g.image_pair(p).map(|(a, b)| g.graph.concat(&[a, b, a]))),
    ("conv2d", |g, p| g.image(p).map(|x| g.graph.conv2d(x, Conv2d::new(p.n(9), 3).padding(1).stride(p.n(2)).bias(p.flag())))),
    ("conv2d_depthwise", |g, p| g.image(p).map(|x| { let c = g.channels(x); g.graph.conv2d(x, Conv2d::new(c, [3, 1]).padding([1, 0]).groups(c)) })),
    ("conv2d_grouped", |g, p| g.image(p).map(|x| { let c = g.channels(x); g.graph.conv2d(x, Conv2d::new(2 * c, 1).groups(c)) })),
    ("conv2d_pointwise", |g, p| g.image(p).map(|x| g.graph.conv2d(x, Conv2d::new(p.n(9), 1).bias(p.flag())))),
    ("conv_transpose2d", |g, p| g.image(p).map(|x| g.graph.conv_transpose2d(x, ConvTranspose2d::new(p.n(9), 2).stride(p.n(2)).bias(p.flag())))),
    ("dropout", |g, p| g.standard(p).map(|x| g.graph.dropout(x, 0.25))),
    ("elu", |g, p| g.any(p).map(|x| g.graph.elu(x, Elu::new(0.5)))),
    ("flatten", |g, p| g.image(p).map(|x| g.graph.flatten(x))),
    ("gelu", |g, p| g.any(p).map(|x| g.graph.gelu(x, if p.flag() { Gelu::tanh() } else { Gelu::new() }))),
    ("global_mean_pool", |g, p| g.image(p).map(|x| g.graph.global_mean_pool(x))),
    ("group_norm", |g, p| g.image(p).map(|x| g.graph.group_norm(x, GroupNorm::new(1).affine(p.flag())))),
    ("hard_sigmoid", |g, p| g.any(p).map(|x| g.graph.hard_sigmoid(x))),
    ("hard_swish", |g, p| g.any(p).map(|x| g.graph.hard_swish(x))),
    ("instance_norm", |g, p| g.image(p).map(|x| g.graph.instance_norm(x, InstanceNorm::new().affine(p.flag())))),
    ("layer_norm", |g, p| g.image(p).map(|x| g.graph.layer_norm(x, LayerNorm::new().affine(p.flag())))),
    ("leaky_relu", |g, p| g.any(p).map(|x| g.graph.leaky_relu(x, LeakyRelu::default()))),
    ("linear", |g, p| g.features(p).map(|x| g.graph.linear(x, Linear::new(p.n(9)).bias(p.flag())))),
    ("local_response_norm", |g, p| g.image(p).map(|x| g.graph.local_response_norm(x, LocalResponseNorm::new(p.n(5))))),
    ("log_softmax", |g, p| g.any(p).map(|x| g.graph.log_softmax(x))),
    ("max_pool2d", |g, p| g.image(p).map(|x| g.graph.max_pool2d(x, MaxPool2d::new(2).padding(1)))),
    ("mean_pool2d", |g, p| g.image(p).map(|x| g.graph.mean_pool2d(x, MeanPool2d::new(2).padding(1)))),
    ("mish", |g, p| g.any(p).map(|x| g.graph.mish(x))),
    ("multiply", |g, p| g.pair(p).map(|(a, b)| g.graph.multiply(a, b))),
    ("prelu", |g, p| g.standard(p).map(|x| g.graph.prelu(x, if p.flag() { Prelu::shared() } else { Prelu::per_channel() }))),
    ("relayout", |g, p| g.any(p).map(|x| g.graph.relayout(x))),
    ("relu", |g, p| g.any(p).map(|x| g.graph.relu(x))),
    ("relu6", |g, p| g.any(p).map(|x| g.graph.relu6(x))),
    ("rrelu", |g, p| g.standard(p).map(|x| g.graph.rrelu(x, Rrelu::default()))),
    ("scale_shift", |g, p| g.any(p).map(|x| g.graph.scale_shift(x))),
    ("selu", |g, p| g.any(p).map(|x| g.graph.selu(x))),
    ("sigmoid", |g, p| g.any(p).map(|x| g.graph.sigmoid(x))),
    ("silu", |g, p| g.any(p).map(|x| g.graph.silu(x))),
    ("slice", |g, p| g.image(p).map(|x| g.graph.slice(x, Slice::new().channels(..p.n(g.channels(x))).rows(1..).columns(..2)))),
    ("softmax", |g, p| g.any(p).map(|x| g.graph.softmax(x))),
    ("softplus", |g, p| g.any(p).map(|x| g.graph.softplus(x, Softplus::default()))),
    ("stochastic_depth", |g, p| g.any(p).map(|x| g.graph.stochastic_depth(x, 0.25))),
    ("tanh", |g, p| g.any(p).map(|x| g.graph.tanh(x))),
    ("upsample", |g, p| g.image(p).map(|x| g.graph.upsample(x, if p.flag() { Upsample::nearest([1, 2]) } else { Upsample::bilinear_to([3, 5]) }))),
    ("zero_pad", |g, p| g.image(p).map(|x| g.graph.zero_pad(x, ZeroPad::sides([1, 0], [0, p.n(3)]).channels(p.n(3) - 1, 1)))),
];

/// One layer: which operator, on which values, with which attributes.
#[derive(Clone, Copy, Debug)]
pub struct Pick {
    operator: usize,
    a: usize,
    b: usize,
    attribute: usize,
}

impl Pick {
    /// A number from 1 to `most`.
    fn n(self, most: usize) -> usize {
        self.attribute % most + 1
    }

    fn flag(self) -> bool {
        self.attribute.is_multiple_of(2)
    }
}

/// A network and what is asked of it.
#[derive(Clone, Debug)]
pub struct Recipe {
    pub batch: usize,
    channels: usize,
    size: [usize; 2],
    picks: Vec<Pick>,
    /// Which losses stand at the end.
    losses: usize,
    /// A second loss on another value, so that gradients start at two places.
    two_losses: bool,
    /// Gradients lie side by side in a named buffer, as in training, or in slots.
    placed: bool,
}

/// Networks of up to `layers` layers.
pub fn recipes(layers: usize) -> impl Strategy<Value = Recipe> {
    // Late values are likelier, so that networks become deep as well as broad.
    let place = || prop_oneof![2 => Just(0_usize), 1 => 0_usize..8];
    let pick = (0..OPERATORS.len(), place(), place(), 0_usize..16).prop_map(
        |(operator, a, b, attribute)| Pick {
            operator,
            a,
            b,
            attribute,
        },
    );
    (
        2_usize..5,
        1_usize..7,
        [4_usize..9, 4_usize..9],
        vec(pick, 1..=layers),
        0_usize..8,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(batch, channels, size, picks, losses, two_losses, placed)| Recipe {
                batch,
                channels,
                size,
                picks,
                losses,
                two_losses,
                placed,
            },
        )
}

/// A network under construction.
pub struct Growth {
    graph: Graph,
    values: Vec<Var>,
}

impl Growth {
    /// The value that `index` counts from the last, of those that `fit`.
    fn choose(&self, index: usize, fit: impl Fn(&Graph, Var) -> bool) -> Option<Var> {
        let values = self.values.iter().rev().copied();
        let fitting: Vec<Var> = values.filter(|v| fit(&self.graph, *v)).collect();
        fitting.get(index % fitting.len().max(1)).copied()
    }

    fn any(&self, pick: Pick) -> Option<Var> {
        self.choose(pick.a, |_, _| true)
    }

    fn standard(&self, pick: Pick) -> Option<Var> {
        self.choose(pick.a, |graph, v| graph.type_of(v).is_standard())
    }

    /// An image that is neither tiny nor huge.
    fn image(&self, pick: Pick) -> Option<Var> {
        self.choose(pick.a, is_image)
    }

    fn features(&self, pick: Pick) -> Option<Var> {
        self.choose(pick.a, |graph, v| graph.shape(v).len() == 1)
    }

    /// Two values of one type, perhaps one value twice.
    fn pair(&self, pick: Pick) -> Option<(Var, Var)> {
        let a = self.any(pick)?;
        let b = self.choose(pick.b, |graph, b| graph.type_of(a) == graph.type_of(b))?;
        Some((a, b))
    }

    /// Two images that differ in their channels only.
    fn image_pair(&self, pick: Pick) -> Option<(Var, Var)> {
        let a = self.image(pick)?;
        let b = self.choose(pick.b, |graph, b| {
            is_image(graph, b) && graph.shape(a)[1..] == graph.shape(b)[1..]
        })?;
        Some((a, b))
    }

    fn channels(&self, x: Var) -> usize {
        self.graph.shape(x)[0]
    }
}

fn is_image(graph: &Graph, var: Var) -> bool {
    let known = graph.type_of(var).is_standard();
    graph
        .shape(var)
        .image()
        .is_some_and(|[c, h, w]| known && (2..20).contains(&h) && (2..20).contains(&w) && c < 64)
}

/// A network with everything that training asks of it.
pub struct Built {
    /// The network alone, for evaluation.
    pub forward: Graph,
    pub response: Var,
    /// The network with losses, gradients and perhaps the update of the parameters.
    pub graph: Graph,
    /// Losses and gradients.
    pub targets: Vec<Var>,
}

impl Recipe {
    /// Builds the network with its losses and gradients.
    pub fn build(&self) -> Built {
        let mut growth = Growth {
            graph: Graph::new(),
            values: Vec::new(),
        };
        let shape = [self.channels, self.size[0], self.size[1]];
        let x = growth.graph.input("x", shape);
        growth.values.push(x);
        for &pick in &self.picks {
            let (_, grow) = OPERATORS[pick.operator];
            let grown = grow(&mut growth, pick);
            growth.values.extend(grown);
        }
        let Growth { mut graph, values } = growth;
        let last = *values.last().unwrap();
        let features = graph.flatten(last);
        let response = graph.linear(features, Linear::new(3));
        let forward = graph.clone();
        let labels = graph.labels("labels");
        let values = [response, values[values.len() / 2]];
        let mut loss = match self.losses % 2 {
            0 => graph.softmax_cross_entropy(values[0], labels, Reduction::Mean),
            _ => graph.hinge_loss(values[0], labels, Reduction::Mean),
        }
        .loss;
        if self.two_losses && graph.type_of(values[1]).is_standard() {
            let second = self.second_loss(&mut graph, values[1]);
            loss = graph.add(loss, second.loss);
        }
        graph.check().unwrap();
        let targets = self.gradients(&mut graph, loss);
        Built {
            forward,
            response,
            graph,
            targets,
        }
    }

    /// The loss between a value and a target of its shape.
    fn second_loss(&self, graph: &mut Graph, value: Var) -> LossValues {
        let shape = graph.shape(value).clone();
        let target = graph.input("target", shape);
        match self.losses / 2 {
            0 => graph.mean_squared_error(value, target, Reduction::Sum),
            1 => graph.l1_loss(value, target, Reduction::Mean),
            2 => graph.huber_loss(value, target, Reduction::Sum),
            _ => graph.binary_cross_entropy(value, target, Reduction::Mean),
        }
    }

    /// The loss, and the gradients of every parameter that it depends on.
    fn gradients(&self, graph: &mut Graph, loss: Var) -> Vec<Var> {
        let needed = graph.needed_nodes(&[loss]);
        let learned: Vec<Var> = graph
            .parameters()
            .iter()
            .filter(|p| p.role != Role::Statistic)
            .map(|p| p.var())
            .filter(|var| {
                let mut nodes = needed.iter().map(|n| &graph.nodes()[*n]);
                nodes.any(|node| node.inputs.contains(var))
            })
            .collect();
        let deltas = gradients(graph, loss, &learned).unwrap();
        let mut targets = vec![loss];
        targets.extend(&deltas);
        if self.placed {
            place(graph, &learned, &targets);
        }
        targets
    }
}

/// Lays the gradients side by side, as their parameters lie, and updates the parameters.
fn place(graph: &mut Graph, learned: &[Var], targets: &[Var]) {
    graph.place(targets[0], "loss", 0);
    let mut len = 0;
    for (parameter, delta) in learned.iter().zip(&targets[1..]) {
        let value = graph.value(*parameter).clone();
        if let Home::Persistent { offset, .. } = value.home {
            graph.place(*delta, "gradients", offset);
            len = len.max(offset + value.value_type.layout.size().next_multiple_of(64));
        }
    }
    let mut operands = targets.to_vec();
    operands[0] = graph.apply(
        "step",
        Conclude {
            gradients: len,
            statistics: 0,
            group: 1,
        },
        targets,
    );
    graph.place(operands[0], "status", 0);
    let rule = Arc::new(Sgd::new(0.1));
    graph.apply_all("update", Arc::new(Update::new(rule, len)), &operands);
}

/// The names in the table, for the tests of the table itself.
pub fn operators() -> impl Iterator<Item = &'static str> {
    OPERATORS.iter().map(|(name, _)| *name)
}
