//! The table of operators. A test walks it and looks for everything that belongs to an operator:
//! its kernels, its CPU reference, its parity tests; see [`Entry`].
//!
//! A new operator is one line here. Operators from outside the crate need none.

/// An operator that users apply, with the gradients that belong to it.
///
/// Its files are `src/ops/<stem>.rs` (or a folder), `shaders/<stem>*.wgsl` unless it is a view,
/// `tests/reference/<stem>.rs` and `tests/ops/<stem>.rs`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name of its files.
    pub stem: &'static str,
    /// What it does, in a line.
    pub description: &'static str,
    /// The names ([`Operator::name`](super::Operator::name)) of the forward operator and its
    /// gradients.
    pub operators: &'static [&'static str],
    /// Where the formula comes from.
    pub source: &'static str,
    /// The parameters that it learns, without the layer's path.
    pub learns: &'static [&'static str],
    /// Whether it moves nothing and has no kernel of its own.
    pub is_view: bool,
}

/// An operator that users do not apply themselves: part of a gradient, of a plan or of a training
/// step, and tested with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Helper {
    /// The name of its file in `src/ops/`.
    pub stem: &'static str,
    /// What it does, in a line.
    pub description: &'static str,
    /// The operators' names.
    pub operators: &'static [&'static str],
    /// The stems of [`OPERATORS`] whose tests reach it; none for training, whose own tests do.
    pub serves: &'static [&'static str],
}

const fn entry(
    stem: &'static str,
    operators: &'static [&'static str],
    description: &'static str,
    source: &'static str,
) -> Entry {
    Entry {
        stem,
        description,
        operators,
        source,
        learns: &[],
        is_view: false,
    }
}

impl Entry {
    const fn learns(self, learns: &'static [&'static str]) -> Self {
        Self { learns, ..self }
    }

    const fn view(self) -> Self {
        Self {
            is_view: true,
            ..self
        }
    }
}

/// Every operator that users apply, by stem.
#[rustfmt::skip]
pub const OPERATORS: &[Entry] = &[
    entry("add", &["add"], "the sum of two values", "He et al., Deep residual learning, 2016"),
    entry("batch_norm", &["batch_norm", "batch_norm_grad"], "batch normalisation, per channel", "Ioffe and Szegedy, Batch normalization, 2015").learns(&["weight", "bias"]),
    entry("binary_cross_entropy", &["binary_cross_entropy"], "the loss of independent yes-or-no questions, from logits", "PyTorch, torch.nn.BCEWithLogitsLoss"),
    entry("channel_dropout", &["channel_dropout"], "dropout of whole channels", "Tompson et al., Efficient object localization, 2015"),
    entry("concat", &["concat"], "concatenation on the channels", "PyTorch, torch.cat"),
    entry("conv2d", &["conv2d", "conv2d_grad_input", "conv2d_grad_weight"], "convolution: dense, grouped, depthwise", "Dumoulin and Visin, A guide to convolution arithmetic, 2016").learns(&["weight", "bias"]),
    entry("dropout", &["dropout"], "inverted dropout", "Srivastava et al., Dropout, 2014"),
    entry("global_mean_pool", &["global_mean_pool", "global_mean_pool_grad"], "the mean of every channel", "Lin, Chen and Yan, Network in network, 2013"),
    entry("hinge_loss", &["hinge_loss"], "the margin of each class against all others", "Caffe, HingeLossLayer"),
    entry("huber_loss", &["huber_loss"], "squared error near zero, absolute error beyond; smooth L1", "Huber, Robust estimation of a location parameter, 1964"),
    entry("l1_loss", &["l1_loss"], "the absolute error, summed or averaged", "PyTorch, torch.nn.L1Loss"),
    entry("leaky_relu", &["leaky_relu", "leaky_relu_grad"], "the rectifier with a fixed slope for negative inputs", "Maas, Hannun and Ng, Rectifier nonlinearities, 2013"),
    entry("linear", &["linear", "linear_grad_input", "linear_grad_weight"], "the fully connected layer", "PyTorch, torch.nn.Linear").learns(&["weight", "bias"]),
    entry("max_pool2d", &["max_pool2d", "max_pool2d_grad"], "the largest element of every window", "PyTorch, torch.nn.MaxPool2d"),
    entry("mean_pool2d", &["mean_pool2d", "mean_pool2d_grad"], "the average of every window", "PyTorch, torch.nn.AvgPool2d"),
    entry("mse", &["mse"], "the squared error, summed or averaged", "PyTorch, torch.nn.MSELoss"),
    entry("prelu", &["prelu", "prelu_grad"], "the rectifier with a learned slope for negative inputs", "He et al., Delving deep into rectifiers, 2015").learns(&["weight"]),
    entry("relu", &["relu", "relu_grad"], "the rectifier", "Nair and Hinton, Rectified linear units, 2010"),
    entry("reshape", &["reshape"], "the same elements under another shape", "PyTorch, torch.reshape").view(),
    entry("sigmoid", &["sigmoid", "sigmoid_grad"], "the logistic function", "PyTorch, torch.nn.Sigmoid"),
    entry("softmax_cross_entropy", &["softmax_cross_entropy"], "the loss of classification, from logits", "Bridle, Training stochastic model recognition algorithms, 1990"),
    entry("stochastic_depth", &["stochastic_depth"], "a residual branch that is dropped now and then", "Huang et al., Deep networks with stochastic depth, 2016"),
    entry("tanh", &["tanh", "tanh_grad"], "the hyperbolic tangent", "PyTorch, torch.nn.Tanh"),
];

const fn helper(
    stem: &'static str,
    operators: &'static [&'static str],
    description: &'static str,
    serves: &'static [&'static str],
) -> Helper {
    Helper {
        stem,
        description,
        operators,
        serves,
    }
}

/// The stems of the losses, which stand at the end of a network.
#[rustfmt::skip]
pub const LOSSES: &[&str] = &["binary_cross_entropy", "hinge_loss", "huber_loss", "l1_loss", "mse", "softmax_cross_entropy"];

/// Every operator that serves others, by stem.
#[rustfmt::skip]
pub const HELPERS: &[Helper] = &[
    helper("channel_sum", &["channel_sum"], "the gradient of a bias", &["conv2d", "linear"]),
    helper("copy", &["copy"], "a copy, for a view whose result needs a place of its own", &["channel_dropout", "dropout", "reshape", "stochastic_depth"]),
    helper("ones", &["ones"], "the gradient of the loss itself", LOSSES),
    helper("relayout", &["relayout"], "the same value in another order on the device", &["reshape"]),
    helper("scale", &["scale"], "a gradient times what the loss is worth", LOSSES),
    helper("slice_channels", &["slice_channels"], "the gradient of concatenation", &["concat"]),
    helper("training", &["conclude", "count_answers", "draw_mix", "gather", "gather_labels", "mix", "running_average", "select_rows", "sum_losses"], "what a step does beside the network", &[]),
];
