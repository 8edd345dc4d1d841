use proptest::prelude::*;
use wgrad::graph::{Graph, Var};
use wgrad::ops::choice::Choice;
use wgrad::ops::conv2d::Variant;
use wgrad::ops::{Conv2d, Padding};
use wgrad::plan::{AdapterProfile, Mode, Plan, PlanOptions};
use wgrad::shader::Shaders;

use super::{cases, normal};
use crate::reference::Tensor;
use crate::reference::conv2d::{self, Attributes};
use crate::reference::pool_window::same;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

/// One convolution: shapes, attributes, and which kernels are to compute it.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) batch: usize,
    pub(super) input: [usize; 3],
    /// Output channels.
    pub(super) output: usize,
    pub(super) attributes: Attributes,
    pub(super) bias: bool,
    /// Whether the layer is to find the padding by itself.
    pub(super) same: bool,
    pub(super) variant: Option<Variant>,
    pub(super) adapter: Option<AdapterProfile>,
}

impl Case {
    /// x, filters, bias and δy.
    fn operands(&self) -> [Tensor; 4] {
        let Attributes { kernel, groups, .. } = self.attributes;
        let [channels, height, width] = self.input;
        let [rows, columns] = self.attributes.output_size([height, width]);
        [
            normal(&[self.batch, channels, height, width], 1),
            normal(&[self.output, channels / groups, kernel[0], kernel[1]], 2),
            normal(&[self.output], 3),
            normal(&[self.batch, self.output, rows, columns], 4),
        ]
    }

    /// The layer with its gradients; y, dx, dw and with a bias db.
    fn probe(&self) -> (Probe, Vec<Var>) {
        let [x, w, b, dy] = self.operands();
        let mut probe = Probe::new(self.batch);
        let x_var = probe.input(&x);
        let attributes = &self.attributes;
        let layer = Conv2d::new(self.output, attributes.kernel)
            .stride(attributes.stride)
            .padding(if self.same {
                Padding::Same
            } else {
                attributes.padding.into()
            })
            .dilation(attributes.dilation)
            .groups(attributes.groups)
            .bias(self.bias);
        let layer = match self.variant {
            Some(variant) => layer.variant(variant),
            None => layer,
        };
        if let Some(adapter) = &self.adapter {
            probe.plan_for(adapter.clone());
        }
        let y = probe.graph.conv2d(x_var, layer);
        let mut wrt = vec![x_var, probe.parameter("weight", &w)];
        if self.bias {
            wrt.push(probe.parameter("bias", &b));
        }
        let deltas = probe.gradients(y, &dy, &wrt);
        (probe, [y].into_iter().chain(deltas).collect())
    }

    /// With each choice of kernels that may be measured, one after the other.
    pub(super) fn check_every_candidate(&self, adapter: &AdapterProfile) {
        let rounds = self.candidates(adapter).into_iter().map(|(_, of)| of.len());
        for round in 0..rounds.max().unwrap() {
            self.check_candidates(adapter, round);
        }
    }

    /// With the choices of this number, counted round and round.
    pub(super) fn check_candidates(&self, adapter: &AdapterProfile, number: usize) {
        let candidates = self.candidates(adapter).into_iter();
        let chosen = candidates.map(|(problem, of)| (problem, of[number % of.len()]));
        let adapter = adapter.clone().with_choices(chosen.collect());
        assert_eq!(
            self.plan(&adapter).choices(),
            adapter.choices,
            "the plan takes them"
        );
        let adapter = Some(adapter);
        Self {
            adapter,
            ..self.clone()
        }
        .check();
    }

    /// The three problems, each with what may be chosen for it.
    fn candidates(&self, adapter: &AdapterProfile) -> Vec<(String, Vec<Choice>)> {
        let plan = self.plan(adapter);
        let problems = plan.problems();
        let of_each = problems.map(|(p, _)| (p.to_string(), p.candidates(adapter)));
        let candidates: Vec<_> = of_each.collect();
        assert_eq!(candidates.len(), 3, "forward pass and two gradients");
        candidates
    }

    fn plan(&self, adapter: &AdapterProfile) -> Plan {
        let (probe, targets) = self.probe();
        let options = PlanOptions {
            batch: self.batch,
            mode: Mode::Training,
            fuse: true,
            reuse: true,
        };
        let shaders = Shaders::new().unwrap();
        Plan::new(&probe.graph, &targets, options, adapter, &shaders).unwrap()
    }

    pub(super) fn check(&self) {
        let Some(device) = gpu::device() else { return };
        let [x, w, b, dy] = self.operands();
        let (probe, targets) = self.probe();
        let results = probe.run(device, Mode::Training, &targets);

        let [_, height, width] = self.input;
        let bias = self.bias.then_some(&b);
        let name = |part: &str| format!("{part} of {self:?}");
        let y = conv2d::forward(&x, &w, bias, &self.attributes);
        assert_close(&name("y"), &results[0], &y, Tolerance::F32);
        let dx = conv2d::grad_input(&dy, &w, [height, width], &self.attributes);
        assert_close(&name("dx"), &results[1], &dx, Tolerance::F32);
        let dw = conv2d::grad_weight(&x, &dy, &self.attributes);
        assert_close(&name("dw"), &results[2], &dw, Tolerance::F32);
        if self.bias {
            let db = conv2d::grad_bias(&dy);
            assert_close(&name("db"), &results[3], &db, Tolerance::F32);
        }
    }
}

/// Group counts with input and output channels per group: dense, grouped (aligned to vec4 or
/// not), depthwise, depthwise with a multiplier.
fn channels() -> impl Strategy<Value = (usize, usize, usize)> {
    let per_group = || prop::sample::select(vec![1_usize, 2, 3, 4, 5, 8, 13]);
    prop_oneof![
        3 => (Just(1_usize), per_group(), per_group()),
        1 => (2_usize..5, 1_usize..6, 1_usize..6),
        1 => (prop::sample::select(vec![2_usize, 3, 5, 8, 13]), Just(1), 1_usize..3),
    ]
}

pub(super) fn case() -> impl Strategy<Value = Case> {
    let pair = |low: usize, high: usize| [low..high, low..high];
    (
        1_usize..4,
        channels(),
        pair(1, 10),
        (pair(1, 5), pair(1, 4), [pair(0, 4), pair(0, 4)], pair(1, 3)),
        any::<bool>(),
    )
        .prop_map(|(batch, (groups, inputs, outputs), size, window, bias)| {
            let (kernel, stride, padding, dilation) = window;
            // An image at least as large as the filter, less its padding.
            let extent = |axis: usize| {
                let span = dilation[axis] * (kernel[axis] - 1) + 1;
                size[axis].max(span.saturating_sub(padding[axis].iter().sum()))
            };
            Case {
                batch,
                input: [groups * inputs, extent(0), extent(1)],
                output: groups * outputs,
                attributes: Attributes {
                    kernel,
                    stride,
                    padding,
                    dilation,
                    groups,
                },
                bias,
                same: false,
                variant: None,
                adapter: None,
            }
        })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_textbook(case in case()) {
        case.check();
    }
}

pub(super) fn fixed(
    batch: usize,
    input: [usize; 3],
    output: usize,
    attributes: Attributes,
) -> Case {
    Case {
        batch,
        input,
        output,
        attributes,
        bias: true,
        same: false,
        variant: None,
        adapter: None,
    }
}

#[test]
fn layers_of_common_networks() {
    let same = |kernel: usize| Attributes {
        padding: [[kernel / 2; 2]; 2],
        ..Attributes::new([kernel; 2])
    };
    let strided = Attributes {
        stride: [2, 2],
        ..same(3)
    };
    let depthwise = Attributes {
        groups: 13,
        ..same(3)
    };
    fixed(4, [1, 28, 28], 32, same(3)).check();
    fixed(3, [32, 14, 14], 64, same(3)).check();
    fixed(2, [3, 32, 32], 16, same(7)).check();
    fixed(2, [16, 16, 16], 24, strided).check();
    fixed(2, [64, 7, 7], 20, same(1)).check();
    fixed(2, [13, 12, 12], 13, depthwise).check();
}

impl Case {
    /// With the padding that gives ⌈L/S⌉ rows and columns.
    pub(super) fn padded_same(self) -> Self {
        let a = self.attributes;
        let padding = [0, 1].map(|axis| {
            let reach = a.dilation[axis] * (a.kernel[axis] - 1) + 1;
            same(self.input[axis + 1], reach, a.stride[axis])
        });
        Self {
            attributes: Attributes { padding, ..a },
            same: true,
            ..self
        }
    }
}

/// Odd numbers of rows and columns, an even filter, and other numbers on both axes.
#[test]
fn same_padding_in_every_variant() {
    let uneven = Attributes {
        stride: [1, 2],
        dilation: [3, 1],
        ..Attributes::new([2, 4])
    };
    let check = |input, output, groups, variant| {
        let attributes = Attributes { groups, ..uneven };
        let case = fixed(2, input, output, attributes).padded_same();
        Case { variant, ..case }.check();
    };
    check([3, 7, 9], 5, 1, Some(Variant::Register));
    check([3, 7, 9], 5, 1, Some(Variant::Tiled));
    check([6, 7, 8], 4, 2, None);
    check([5, 6, 9], 5, 5, None);
    let winograd = fixed(2, [3, 7, 6], 5, Attributes::new([3; 2])).padded_same();
    let variant = Some(Variant::Winograd);
    Case {
        variant,
        ..winograd
    }
    .check();
}

/// One column of results, fewer than the tiles of most kernels have rows and columns.
#[test]
fn results_smaller_than_a_tile() {
    for (rows, kernel) in [(3, [2, 1]), (5, [2, 1]), (4, [3, 1])] {
        let case = fixed(1, [1, rows, 1], 1, Attributes::new(kernel));
        for adapter in [AdapterProfile::cpu(), AdapterProfile::gpu()] {
            case.check_every_candidate(&adapter);
        }
    }
}

/// Every stride that leaves rows or columns of the input unread gives them δ = 0.
#[test]
fn what_the_stride_never_reached_gets_zero() {
    let Some(device) = gpu::device() else { return };
    let mut probe = Probe::new(1);
    let x = probe.input(&normal(&[1, 2, 6, 6], 1));
    let y = probe.graph.conv2d(x, Conv2d::new(3, 2).stride(3));
    let w = normal(&[3, 2, 2, 2], 2);
    probe.parameter("weight", &w);
    let dx = probe.gradients(y, &normal(&[1, 3, 2, 2], 3), &[x])[0];
    let dx = &probe.run(device, Mode::Training, &[dx])[0];
    for (i, value) in dx.iter().enumerate() {
        let (row, column) = (i / 6 % 6, i % 6);
        assert_eq!(
            *value == 0.0,
            row % 3 == 2 || column % 3 == 2,
            "{row}, {column}"
        );
    }
}

fn refusal(channels: usize, layer: Conv2d) -> String {
    let mut graph = Graph::new();
    let x = graph.input("x", [channels, 4, 6]);
    graph.conv2d(x, layer);
    graph.check().unwrap_err().to_string()
}

#[test]
fn what_does_not_fit_is_named() {
    assert_eq!(
        refusal(3, Conv2d::new(8, 5).padding([0, 1])),
        "layer `conv1` (conv2d): the filter of 5x5 (with dilation) is larger than the padded \
         input of 4x8"
    );
    assert_eq!(
        refusal(3, Conv2d::new(8, 3).groups(2)),
        "layer `conv1` (conv2d): 2 groups do not divide 3 input and 8 output channels"
    );
    assert_eq!(
        refusal(3, Conv2d::new(8, 3).stride(0)),
        "layer `conv1` (conv2d): the stride is 0x0, but must be at least 1x1"
    );
    assert_eq!(
        refusal(3, Conv2d::new(8, 3).padding([[1 << 40, 0], [0, 1 << 40]])),
        "layer `conv1` (conv2d): a result of 1099511627778x1099511627780 is too large"
    );
    assert_eq!(
        refusal(3, Conv2d::new(0, 3)),
        "layer `conv1` (conv2d): the result has no elements"
    );
    assert_eq!(
        refusal(3, Conv2d::new(4, 2).variant(Variant::Winograd)),
        "layer `conv1` (conv2d): the Winograd variant needs 3x3 filters, stride and dilation 1, \
         and no groups"
    );
    assert_eq!(
        refusal(4, Conv2d::new(4, 3).groups(2).variant(Variant::Tiled)),
        "layer `conv1` (conv2d): the tiled variant has no groups"
    );
}

#[test]
fn a_filter_for_other_channels_is_refused() {
    use wgrad::ops::conv2d::Convolution;
    let mut graph = Graph::new();
    let three = graph.input("three", [3, 5, 5]);
    graph.conv2d(three, Conv2d::new(4, 3).bias(false));
    let weight = graph.find_parameter("weight").unwrap();
    let two = graph.input("two", [2, 5, 5]);
    let window = wgrad::ops::Window2d::new(3);
    let operator = Convolution {
        window,
        groups: 1,
        variant: None,
    };
    graph.apply("branch", operator, &[two, weight]);
    assert_eq!(
        graph.check().unwrap_err().to_string(),
        "layer `branch` (conv2d): the input [2, 5, 5] has 2 channels, the filter [4, 3, 3, 3] \
         reads 3"
    );
}
