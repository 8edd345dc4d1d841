//! The table of operators. A test walks it and looks for everything that belongs to an operator:
//! its kernels, its CPU reference, its parity tests; see [`Entry`].
//!
//! A new operator is one line here. Operators from outside the crate need none. What follows is
//! `docs/OPERATORS.md`, which is made of this table (`cargo xtask operators`).
//!
#![doc = include_str!("../../docs/OPERATORS.md")]

/// An operator that users apply, with the gradients that belong to it.
///
/// Its files are `src/ops/<stem>.rs` (or a folder), `shaders/<shader>*.wgsl` unless it is a view,
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
    /// The first of its shaders: another operator's where it is computed by that one's.
    pub shader: &'static str,
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
        shader: stem,
    }
}

impl Entry {
    const fn learns(self, learns: &'static [&'static str]) -> Self {
        Self { learns, ..self }
    }

    const fn shader(self, shader: &'static str) -> Self {
        Self { shader, ..self }
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
    entry("adaptive_max_pool2d", &["adaptive_max_pool2d", "adaptive_max_pool2d_grad"], "the largest element of every bin; global and pyramid pooling", "PyTorch, torch.nn.AdaptiveMaxPool2d; He et al., Spatial pyramid pooling, 2014"),
    entry("adaptive_mean_pool2d", &["adaptive_mean_pool2d", "adaptive_mean_pool2d_grad"], "the average of every bin", "PyTorch, torch.nn.AdaptiveAvgPool2d"),
    entry("add", &["add"], "the sum of two values", "He et al., Deep residual learning, 2016"),
    entry("batch_norm", &["batch_norm", "batch_norm_grad"], "batch normalisation, per channel", "Ioffe and Szegedy, Batch normalization, 2015").learns(&["weight", "bias"]),
    entry("binary_cross_entropy", &["binary_cross_entropy"], "the loss of independent yes-or-no questions, from logits", "PyTorch, torch.nn.BCEWithLogitsLoss"),
    entry("celu", &["celu", "celu_grad"], "the continuously differentiable exponential linear unit", "Barron, Continuously differentiable exponential linear units, 2017"),
    entry("channel_dropout", &["channel_dropout"], "dropout of whole channels", "Tompson et al., Efficient object localization, 2015").shader("dropout"),
    entry("concat", &["concat"], "concatenation on the channels", "PyTorch, torch.cat"),
    entry("conv2d", &["conv2d", "conv2d_grad_input", "conv2d_grad_weight"], "convolution: dense, grouped, depthwise", "Dumoulin and Visin, A guide to convolution arithmetic, 2016").learns(&["weight", "bias"]),
    entry("conv_transpose2d", &["conv_transpose2d"], "transposed convolution: dense, grouped, depthwise", "Dumoulin and Visin, A guide to convolution arithmetic, 2016").learns(&["weight", "bias"]).shader("conv2d_grad_input"),
    entry("dropout", &["dropout"], "inverted dropout", "Srivastava et al., Dropout, 2014"),
    entry("elu", &["elu", "elu_grad"], "the exponential linear unit", "Clevert, Unterthiner and Hochreiter, Exponential linear units, 2016"),
    entry("gelu", &["gelu", "gelu_grad"], "the Gaussian error linear unit, exact or with tanh", "Hendrycks and Gimpel, Gaussian error linear units, 2016"),
    entry("global_mean_pool", &["global_mean_pool", "global_mean_pool_grad"], "the mean of every channel", "Lin, Chen and Yan, Network in network, 2013"),
    entry("group_norm", &["group_norm", "group_norm_grad"], "group, layer and instance normalisation", "Wu and He, Group normalization, 2018").learns(&["weight", "bias"]),
    entry("hard_sigmoid", &["hard_sigmoid", "hard_sigmoid_grad"], "the logistic function of three straight lines", "Howard et al., Searching for MobileNetV3, 2019"),
    entry("hard_swish", &["hard_swish", "hard_swish_grad"], "the input times its hard-sigmoid", "Howard et al., Searching for MobileNetV3, 2019"),
    entry("hinge_loss", &["hinge_loss"], "the margin of each class against all others", "Caffe, HingeLossLayer"),
    entry("huber_loss", &["huber_loss"], "squared error near zero, absolute error beyond; smooth L1", "Huber, Robust estimation of a location parameter, 1964"),
    entry("l1_loss", &["l1_loss"], "the absolute error, summed or averaged", "PyTorch, torch.nn.L1Loss"),
    entry("leaky_relu", &["leaky_relu", "leaky_relu_grad"], "the rectifier with a fixed slope for negative inputs", "Maas, Hannun and Ng, Rectifier nonlinearities, 2013"),
    entry("linear", &["linear", "linear_grad_input", "linear_grad_weight"], "the fully connected layer", "PyTorch, torch.nn.Linear").learns(&["weight", "bias"]),
    entry("local_response_norm", &["local_response_norm", "local_response_norm_grad"], "local response normalisation, across or within channels", "Krizhevsky, Sutskever and Hinton, ImageNet classification with deep convolutional neural networks, 2012"),
    entry("log_softmax", &["log_softmax", "log_softmax_grad"], "the logarithm of softmax", "PyTorch, torch.nn.LogSoftmax").shader("softmax"),
    entry("max_pool2d", &["max_pool2d", "max_pool2d_grad"], "the largest element of every window", "PyTorch, torch.nn.MaxPool2d"),
    entry("mean_pool2d", &["mean_pool2d", "mean_pool2d_grad"], "the average of every window", "PyTorch, torch.nn.AvgPool2d"),
    entry("mish", &["mish", "mish_grad"], "the input times tanh of its softplus", "Misra, Mish, 2020"),
    entry("mse", &["mse"], "the squared error, summed or averaged", "PyTorch, torch.nn.MSELoss"),
    entry("multiply", &["multiply"], "the product of two values", "PyTorch, torch.mul"),
    entry("prelu", &["prelu", "prelu_grad"], "the rectifier with a learned slope for negative inputs", "He et al., Delving deep into rectifiers, 2015").learns(&["weight"]),
    entry("relu", &["relu", "relu_grad"], "the rectifier", "Nair and Hinton, Rectified linear units, 2010"),
    entry("relu6", &["relu6", "relu6_grad"], "the rectifier with a ceiling of 6", "Krizhevsky, Convolutional deep belief networks on CIFAR-10, 2010"),
    entry("reshape", &["reshape"], "the same elements under another shape", "PyTorch, torch.reshape").view(),
    entry("rrelu", &["rrelu", "rrelu_grad"], "the rectifier with random slopes for negative inputs", "Xu, Wang, Chen and Li, Empirical evaluation of rectified activations, 2015"),
    entry("scale_shift", &["scale_shift", "scale_shift_grad"], "a learned factor and summand per channel", "Caffe, Scale").learns(&["weight", "bias"]),
    entry("selu", &["selu", "selu_grad"], "the scaled exponential linear unit", "Klambauer et al., Self-normalizing neural networks, 2017"),
    entry("sigmoid", &["sigmoid", "sigmoid_grad"], "the logistic function", "PyTorch, torch.nn.Sigmoid"),
    entry("silu", &["silu", "silu_grad"], "the input times its logistic function", "Elfwing, Uchibe and Doya, Sigmoid-weighted linear units, 2018"),
    entry("slice", &["slice"], "some channels, rows and columns", "PyTorch, torch.Tensor.narrow"),
    entry("softmax", &["softmax", "softmax_grad"], "positive channels that sum to 1", "Bridle, Training stochastic model recognition algorithms, 1990"),
    entry("softmax_cross_entropy", &["softmax_cross_entropy"], "the loss of classification, from logits", "Bridle, Training stochastic model recognition algorithms, 1990"),
    entry("softplus", &["softplus", "softplus_grad"], "the smooth rectifier", "Dugas et al., Incorporating second-order functional knowledge, 2000"),
    entry("stochastic_depth", &["stochastic_depth"], "a residual branch that is dropped now and then", "Huang et al., Deep networks with stochastic depth, 2016").shader("dropout"),
    entry("tanh", &["tanh", "tanh_grad"], "the hyperbolic tangent", "PyTorch, torch.nn.Tanh"),
    entry("upsample", &["upsample", "upsample_grad"], "an image of another size: nearest neighbour, bilinear", "PyTorch, torch.nn.functional.interpolate"),
    entry("zero_pad", &["zero_pad"], "zeros around an image", "PyTorch, torch.nn.ZeroPad2d").shader("slice"),
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
    helper("rectified_max_pool2d", &["rectified_max_pool2d"], "max pooling of what is normalised and rectified while it is loaded", &["batch_norm", "leaky_relu", "max_pool2d", "prelu", "relu"]),
    helper("relayout", &["relayout"], "the same value in another order on the device", &["reshape"]),
    helper("scale", &["scale"], "a gradient times what the loss is worth", LOSSES),
    helper("training", &["accumulate", "clip", "conclude", "count_answers", "count_decisions", "draw_mix", "gather", "gather_labels", "mix", "running_average", "select_rows", "sum_losses", "weight_average"], "what a step does beside the network", &[]),
];
