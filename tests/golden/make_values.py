"""Values and gradients of single operators, by PyTorch in f64.

`values.safetensors` holds f64 tensors named `<operator>.<case>.<tensor>`. Of
each case `attributes` is the list of numbers that the operator's function below
takes, in its order (booleans as 0 and 1); `grad_y` is the gradient handed to
the output `y`, and `grad_<tensor>` what came back. Inputs are exactly f32, so
that a kernel can be given the same numbers.
"""

import pathlib

import numpy
import safetensors.numpy
import torch
from torch.nn import functional

TENSORS = {}


def draw(*shape):
    return torch.randn(shape).double()


def record(case, attributes, forward, inputs, **others):
    """Runs `forward(**inputs)` and back, and stores all there is to know."""
    leaves = {name: value.clone().requires_grad_() for name, value in inputs.items()}
    y = forward(**leaves)
    grad_y = draw(*y.shape)
    y.backward(grad_y)
    tensors = {"attributes": torch.tensor(attributes, dtype=torch.float64)}
    tensors |= inputs | others | {"y": y.detach(), "grad_y": grad_y}
    tensors |= {f"grad_{name}": leaf.grad for name, leaf in leaves.items()}
    for name, value in tensors.items():
        TENSORS[f"{case}.{name}"] = value.numpy().astype("f8")


def conv2d(case, x, filters, kernel, stride, padding, dilation, groups):
    inputs = {"x": draw(*x), "weight": draw(filters, x[1] // groups, *kernel)}
    inputs["bias"] = draw(filters)

    def forward(x, weight, bias):
        return functional.conv2d(x, weight, bias, stride, padding, dilation, groups)

    attributes = [*kernel, *stride, *padding, *dilation, groups]
    record(f"conv2d.{case}", attributes, forward, inputs)


def linear(case, batch, inputs, outputs):
    tensors = {"x": draw(batch, inputs), "weight": draw(outputs, inputs), "bias": draw(outputs)}
    record(f"linear.{case}", [], lambda x, weight, bias: functional.linear(x, weight, bias), tensors)


def max_pool2d(case, x, kernel, stride, padding, ceil_mode):
    x = draw(*x)

    def forward(x):
        return functional.max_pool2d(x, kernel, stride, padding, ceil_mode=ceil_mode)

    _, argmax = functional.max_pool2d(
        x, kernel, stride, padding, ceil_mode=ceil_mode, return_indices=True
    )
    attributes = [*kernel, *stride, *padding, ceil_mode]
    record(f"max_pool2d.{case}", attributes, forward, {"x": x}, argmax=argmax)


def mean_pool2d(case, x, kernel, stride, padding, ceil_mode, count_include_pad):
    def forward(x):
        return functional.avg_pool2d(x, kernel, stride, padding, ceil_mode, count_include_pad)

    attributes = [*kernel, *stride, *padding, ceil_mode, count_include_pad]
    record(f"mean_pool2d.{case}", attributes, forward, {"x": draw(*x)})


def batch_norm(case, x, training, momentum, epsilon):
    channels = x[1]
    mean, variance = draw(channels), draw(channels).square() + 0.5
    new_mean, new_variance = mean.clone(), variance.clone()

    def forward(x, weight, bias):
        return functional.batch_norm(
            x, new_mean, new_variance, weight, bias, training, momentum, epsilon
        )

    inputs = {"x": 2 * draw(*x) + 1, "weight": draw(channels), "bias": draw(channels)}
    record(
        f"batch_norm.{case}", [training, momentum, epsilon], forward, inputs,
        running_mean=mean, running_var=variance,
        new_running_mean=new_mean, new_running_var=new_variance,
    )


def prelu(case, x, slopes):
    inputs = {"x": draw(*x), "slope": draw(slopes)}
    record(f"prelu.{case}", [], lambda x, slope: functional.prelu(x, slope), inputs)


def activation(name, forward, *attributes):
    x = 3 * draw(2, 3, 4, 5)
    x[0, 0, 0, 0] = 0.0
    record(f"{name}.plain", attributes, lambda x: forward(x, *attributes), {"x": x})


def softmax_cross_entropy(case, logits, reduction):
    labels = torch.randint(logits.shape[1], (logits.shape[0],))

    def forward(logits):
        return functional.cross_entropy(logits, labels, reduction=reduction)

    record(
        f"softmax_cross_entropy.{case}", [reduction == "mean"], forward,
        {"logits": logits}, labels=labels,
    )


def mse(case, shape, reduction):
    target = draw(*shape)

    def forward(prediction):
        return functional.mse_loss(prediction, target, reduction=reduction)

    record(f"mse.{case}", [reduction == "mean"], forward, {"prediction": draw(*shape)}, target=target)


def update_rule(case, rule, *attributes, **settings):
    """Five steps with given gradients; `weights[s]` is the weight after step s."""
    initial, gradients = draw(7), draw(5, 7)
    weight = initial.clone().requires_grad_()
    optimizer = rule([weight], **settings)
    weights = []
    for gradient in gradients:
        weight.grad = gradient.clone()
        optimizer.step()
        weights.append(weight.detach().clone())
    tensors = {
        "attributes": torch.tensor(attributes, dtype=torch.float64),
        "initial": initial, "gradients": gradients, "weights": torch.stack(weights),
    }
    for name, value in tensors.items():
        TENSORS[f"{case}.{name}"] = value.numpy()


def sgd(case, lr, momentum, dampening, nesterov, weight_decay):
    update_rule(
        f"sgd.{case}", torch.optim.SGD, lr, momentum, dampening, nesterov, weight_decay,
        lr=lr, momentum=momentum, dampening=dampening, nesterov=nesterov,
        weight_decay=weight_decay,
    )


def adam(name, rule, lr, beta1, beta2, epsilon, weight_decay):
    update_rule(
        name, rule, lr, beta1, beta2, epsilon, weight_decay,
        lr=lr, betas=(beta1, beta2), eps=epsilon, weight_decay=weight_decay,
    )


def main():
    torch.manual_seed(0)
    one = (1, 1)
    conv2d("plain", (2, 3, 5, 6), 4, (3, 3), one, one, one, 1)
    conv2d("pointwise_strided", (2, 3, 7, 5), 2, one, (2, 3), (0, 0), one, 1)
    conv2d("asymmetric", (2, 2, 9, 7), 3, (5, 2), (2, 3), (1, 2), (1, 3), 1)
    conv2d("grouped_dilated", (1, 6, 8, 7), 9, (3, 2), (1, 2), (2, 1), (2, 3), 3)
    conv2d("depthwise", (2, 5, 6, 6), 5, (3, 3), (2, 2), one, one, 5)
    conv2d("depthwise_multiplier", (1, 3, 5, 7), 6, (1, 4), one, (0, 3), (1, 2), 3)
    conv2d("padding_beyond_filter", (1, 1, 3, 4), 2, (2, 1), (2, 3), (3, 2), one, 1)
    linear("plain", 3, 7, 5)

    max_pool2d("plain", (2, 3, 6, 5), (2, 2), (2, 2), (0, 0), False)
    max_pool2d("overlapping", (1, 2, 7, 8), (3, 3), (2, 1), one, False)
    max_pool2d("padded_ceil", (2, 2, 6, 7), (3, 4), (2, 3), (1, 2), True)
    max_pool2d("ceil_drops_last", (1, 2, 5, 7), (2, 3), (2, 3), one, True)
    for count_include_pad in (False, True):
        suffix = "with_pad" if count_include_pad else "without_pad"
        mean_pool2d(f"padded_{suffix}", (2, 2, 7, 6), (3, 2), (2, 1), one, False, count_include_pad)
        mean_pool2d(f"ceil_{suffix}", (1, 3, 6, 7), (4, 3), (3, 3), (1, 1), True, count_include_pad)
        mean_pool2d(f"ceil_unpadded_{suffix}", (1, 2, 5, 8), (2, 3), (2, 4), (0, 0), True, count_include_pad)
    record("global_mean_pool.plain", [], lambda x: functional.adaptive_avg_pool2d(x, 1), {"x": draw(2, 3, 4, 5)})

    batch_norm("training", (4, 3, 3, 2), True, 0.1, 1e-5)
    batch_norm("training_features", (6, 5), True, 0.3, 1e-3)
    batch_norm("evaluation", (2, 3, 3, 2), False, 0.1, 1e-5)
    prelu("by_channel", (2, 5, 3, 2), 5)
    prelu("shared", (2, 5, 3, 2), 1)
    prelu("features", (4, 6), 6)
    activation("relu", functional.relu)
    activation("leaky_relu", functional.leaky_relu, 0.01)
    activation("sigmoid", torch.sigmoid)
    activation("tanh", torch.tanh)

    for reduction in ("mean", "sum"):
        softmax_cross_entropy(reduction, 3 * draw(5, 7), reduction)
        softmax_cross_entropy(f"huge_{reduction}", 1e4 * draw(6, 4).sign() + draw(6, 4), reduction)
        mse(reduction, (3, 4), reduction)

    sgd("plain", 0.1, 0.0, 0.0, False, 0.0)
    sgd("momentum_decay", 0.1, 0.9, 0.0, False, 0.05)
    sgd("dampened", 0.05, 0.8, 0.3, False, 0.01)
    sgd("nesterov", 0.1, 0.9, 0.0, True, 0.02)
    adam("adam.plain", torch.optim.Adam, 0.01, 0.9, 0.999, 1e-8, 0.0)
    adam("adam.decay", torch.optim.Adam, 0.1, 0.8, 0.95, 1e-3, 0.1)
    adam("adamw.default", torch.optim.AdamW, 1e-3, 0.9, 0.999, 1e-8, 0.01)
    adam("adamw.decay", torch.optim.AdamW, 0.1, 0.8, 0.95, 1e-3, 0.2)

    path = pathlib.Path(__file__).parent / "values.safetensors"
    path.write_bytes(safetensors.numpy.save(TENSORS))
    assert path.stat().st_size < 300_000, path
    assert all(numpy.isfinite(value).all() for value in TENSORS.values())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
