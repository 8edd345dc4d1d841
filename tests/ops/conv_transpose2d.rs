use proptest::prelude::*;
use wgrad::graph::Graph;
use wgrad::ops::conv2d::Variant;
use wgrad::ops::{ConvTranspose2d, Padding};
use wgrad::plan::{AdapterProfile, Mode};

use super::{cases, normal};
use crate::reference::conv_transpose2d::{forward, grad_input, grad_weight, output_size};
use crate::reference::conv2d::{Attributes, grad_bias};
use crate::reference::pool_window::same;
use crate::support::compare::Tolerance;
use crate::support::gpu;
use crate::support::probe::{Probe, assert_close};

/// One transposed convolution: shapes, attributes, and which kernels are to compute it.
#[derive(Clone, Debug)]
struct Case {
    batch: usize,
    input: [usize; 3],
    /// Output channels.
    output: usize,
    attributes: Attributes,
    output_padding: [usize; 2],
    bias: bool,
    variant: Option<Variant>,
    adapter: Option<AdapterProfile>,
}

fn fixed(batch: usize, input: [usize; 3], output: usize, attributes: Attributes) -> Case {
    Case {
        batch,
        input,
        output,
        attributes,
        output_padding: [0; 2],
        bias: true,
        variant: None,
        adapter: None,
    }
}

impl Case {
    fn layer(&self) -> ConvTranspose2d {
        let a = self.attributes;
        let layer = ConvTranspose2d::new(self.output, a.kernel)
            .stride(a.stride)
            .padding(a.padding)
            .output_padding(self.output_padding)
            .dilation(a.dilation)
            .groups(a.groups)
            .bias(self.bias);
        match self.variant {
            Some(variant) => layer.variant(variant),
            None => layer,
        }
    }

    fn check(&self) {
        self.check_layer(self.layer());
    }

    fn check_layer(&self, layer: ConvTranspose2d) {
        let Some(device) = gpu::device() else { return };
        let a = &self.attributes;
        let [channels, height, width] = self.input;
        let size = output_size([height, width], self.output_padding, a);
        let x = normal(&[self.batch, channels, height, width], 1);
        let filters = [channels, self.output / a.groups, a.kernel[0], a.kernel[1]];
        let w = normal(&filters, 2);
        let b = normal(&[self.output], 3);
        let dy = normal(&[self.batch, self.output, size[0], size[1]], 4);

        let mut probe = Probe::new(self.batch);
        let x_var = probe.input(&x);
        if let Some(adapter) = &self.adapter {
            probe.plan_for(adapter.clone());
        }
        let y = probe.graph.conv_transpose2d(x_var, layer);
        let mut wrt = vec![x_var, probe.parameter("weight", &w)];
        if self.bias {
            wrt.push(probe.parameter("bias", &b));
        }
        let deltas = probe.gradients(y, &dy, &wrt);
        let targets: Vec<_> = [y].into_iter().chain(deltas).collect();
        let results = probe.run(device, Mode::Training, &targets);

        let name = |part: &str| format!("{part} of {self:?}");
        let y = forward(&x, &w, self.bias.then_some(&b), size, a);
        assert_close(&name("y"), &results[0], &y, Tolerance::F32);
        let dx = grad_input(&dy, &w, a);
        assert_close(&name("dx"), &results[1], &dx, Tolerance::F32);
        let dw = grad_weight(&x, &dy, a);
        assert_close(&name("dw"), &results[2], &dw, Tolerance::F32);
        if self.bias {
            let db = grad_bias(&dy);
            assert_close(&name("db"), &results[3], &db, Tolerance::F32);
        }
    }
}

/// Group counts with input and output channels per group: dense, grouped, depthwise, depthwise
/// with a multiplier.
fn channels() -> impl Strategy<Value = (usize, usize, usize)> {
    let per_group = || prop::sample::select(vec![1_usize, 2, 3, 4, 5, 8, 13]);
    prop_oneof![
        3 => (Just(1_usize), per_group(), per_group()),
        1 => (2_usize..5, 1_usize..6, 1_usize..6),
        1 => (prop::sample::select(vec![2_usize, 3, 5, 8, 13]), Just(1), 1_usize..3),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let pair = |low: usize, high: usize| [low..high, low..high];
    (
        1_usize..4,
        channels(),
        pair(1, 7),
        (pair(1, 5), pair(1, 4), [pair(0, 4), pair(0, 4)], pair(1, 3)),
        pair(0, 3),
        any::<bool>(),
    )
        .prop_map(
            |(batch, (groups, inputs, outputs), size, window, op, bias)| {
                let (kernel, stride, padding, dilation) = window;
                let output_padding = [0, 1].map(|axis| op[axis] % stride[axis]);
                // An image so large that something of the result is left.
                let extent = |axis: usize| {
                    let cut = padding[axis].iter().sum::<usize>();
                    let span = dilation[axis] * (kernel[axis] - 1) + 1 + output_padding[axis];
                    let least = (cut + 1).saturating_sub(span).div_ceil(stride[axis]) + 1;
                    size[axis].max(least)
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
                    output_padding,
                    bias,
                    variant: None,
                    adapter: None,
                }
            },
        )
}

/// The case without groups.
fn dense(case: Case, variant: Variant) -> Case {
    let groups = case.attributes.groups;
    let [channels, height, width] = case.input;
    Case {
        attributes: Attributes {
            groups: 1,
            ..case.attributes
        },
        input: [channels / groups, height, width],
        output: case.output / groups,
        variant: Some(variant),
        ..case
    }
}

/// Filters of 3x3 on images of which some rows and columns are left.
fn winograd() -> impl Strategy<Value = Case> {
    case().prop_map(|case| {
        let attributes = Attributes {
            padding: case.attributes.padding,
            groups: case.attributes.groups,
            ..Attributes::new([3; 2])
        };
        let [channels, height, width] = case.input;
        let case = Case {
            attributes,
            output_padding: [0; 2],
            input: [channels, height.max(5), width.max(5)],
            ..case
        };
        dense(case, Variant::Winograd)
    })
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn agrees_with_the_textbook(case in case()) {
        case.check();
    }

    #[test]
    fn tiled_agrees_with_the_textbook(case in case()) {
        let adapter = Some(AdapterProfile::gpu());
        Case { adapter, ..dense(case, Variant::Tiled) }.check();
    }

    #[test]
    fn winograd_agrees_with_the_textbook(case in winograd()) {
        case.check();
    }
}

#[test]
fn layers_of_common_networks() {
    let doubling = Attributes {
        stride: [2, 2],
        padding: [[1; 2]; 2],
        ..Attributes::new([4; 2])
    };
    let depthwise = Attributes {
        groups: 13,
        ..doubling
    };
    let grouped = Attributes {
        groups: 3,
        ..doubling
    };
    fixed(2, [64, 7, 7], 32, doubling).check();
    fixed(2, [13, 7, 5], 13, depthwise).check();
    fixed(2, [6, 7, 5], 9, grouped).check();
    let upsampling = Attributes {
        stride: [2, 2],
        ..Attributes::new([2; 2])
    };
    fixed(2, [24, 8, 8], 16, upsampling).check();
    fixed(2, [24, 8, 8], 16, Attributes::new([1; 2])).check();
    let pointwise = fixed(2, [24, 8, 8], 16, Attributes::new([1; 2]));
    Case {
        bias: false,
        ..pointwise
    }
    .check();
    // Long sums, which tiles cut in pieces.
    let heavy = fixed(1, [200, 5, 5], 16, doubling);
    let adapter = Some(AdapterProfile::gpu());
    Case { adapter, ..heavy }.check();
}

/// A result of the input's size times the stride.
#[test]
fn same_padding() {
    for (kernel, stride, input) in [(3, 2, [3, 5, 4]), (2, 3, [4, 3, 3]), (4, 1, [5, 6, 7])] {
        let mut attributes = Attributes {
            stride: [stride; 2],
            ..Attributes::new([kernel; 2])
        };
        attributes.padding = [1, 2].map(|axis| same(input[axis] * stride, kernel, stride));
        // Where the filter is smaller than the stride, what it never reaches is there too.
        let output_padding = [stride.saturating_sub(kernel); 2];
        let case = Case {
            output_padding,
            ..fixed(2, input, 5, attributes)
        };
        let layer = ConvTranspose2d::new(5, kernel)
            .stride(stride)
            .padding(Padding::Same);
        case.check_layer(layer);
        let mut graph = Graph::new();
        let x = graph.input("x", input);
        let layer = ConvTranspose2d::new(5, kernel)
            .stride(stride)
            .padding(Padding::Same);
        let y = graph.conv_transpose2d(x, layer);
        let [_, height, width] = input;
        assert_eq!(graph.shape(y)[..], [5, height * stride, width * stride]);
    }
}

fn refusal(layer: ConvTranspose2d) -> String {
    let mut graph = Graph::new();
    let x = graph.input("x", [4, 4, 6]);
    graph.conv_transpose2d(x, layer);
    graph.check().unwrap_err().to_string()
}

#[test]
fn what_does_not_fit_is_named() {
    let prefix = "layer `conv_transpose1` (conv_transpose2d): ";
    let layer = || ConvTranspose2d::new(6, 3);
    for (layer, reason) in [
        (
            layer().groups(4),
            "4 groups do not divide 4 input and 6 output channels",
        ),
        (
            layer().stride([0, 1]),
            "the stride is 0x1, but must be at least 1x1",
        ),
        (
            layer().stride(2).output_padding([1, 2]),
            "the output padding 1x2 is not smaller than the stride 2x2",
        ),
        (
            layer().stride(2).output_padding(1).padding(Padding::Same),
            "the output padding 1x1 goes with a padding in numbers only",
        ),
        (
            layer().padding([3, 0]),
            "the padding 3x0 leaves nothing of the result",
        ),
        (
            layer().padding(usize::MAX),
            "the padding 18446744073709551615x18446744073709551615 leaves nothing of the result",
        ),
        (
            layer().stride(1 << 20),
            "a result of 3145731x5242883 is too large",
        ),
        (
            layer().stride(usize::MAX).padding(Padding::Same),
            "a result of 18446744073709551615x18446744073709551615 is too large",
        ),
        (ConvTranspose2d::new(0, 3), "the result has no elements"),
        (
            ConvTranspose2d::new(4, 2).variant(Variant::Winograd),
            "the Winograd variant needs 3x3 filters, stride and dilation 1, and no groups",
        ),
    ] {
        assert_eq!(refusal(layer), format!("{prefix}{reason}"));
    }
}

/// Bilinear filters, a group per channel, continue a ramp between its samples.
#[test]
fn bilinear_filters_interpolate() {
    let Some(device) = gpu::device() else { return };
    use wgrad::graph::Network;
    use wgrad::init::Init;
    let mut net = Network::input([2, 4, 4]);
    net.conv_transpose(2, 4)
        .stride(2)
        .padding(1)
        .groups(2)
        .bias(false)
        .init(Init::Bilinear);
    let model = net.build(device, 1).unwrap();
    let image: Vec<f32> = (0..32).map(|i| (i / 4 % 4 + 10 * (i % 4)) as f32).collect();
    let answers = model.predict_batch(&image).unwrap();
    let enlarged = answers[0].values();
    // Output i lies at (i + 1/2)/2 − 1/2 of the input; the border sees zeros.
    for row in 1..7 {
        for column in 1..7 {
            let at = |i: usize| (i as f32 + 0.5) / 2.0 - 0.5;
            let expected = at(row) + 10.0 * at(column);
            let value = enlarged[row * 8 + column];
            assert!((value - expected).abs() <= 1e-5, "{row}, {column}: {value}");
        }
    }
}
