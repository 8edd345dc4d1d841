"""Values and gradients of the losses with options, by PyTorch in f64.

`losses.safetensors` holds tensors named `<operator>.<case>.<tensor>`, as
`values.safetensors` does: `attributes` are the numbers that the case's function
takes, the last one whether the mean is taken; `y` is the loss, `grad_x` its
gradient, times the `grad_y` that was handed back.
"""

import pathlib

import numpy
import safetensors.numpy
import torch
from torch.nn import functional

TENSORS = {}


def draw(*shape):
    return torch.randn(shape).double()


def record(case, attributes, forward, x, **others):
    """Runs `forward(x)` and back, and stores all there is to know."""
    x = x.clone().requires_grad_()
    y = forward(x)
    grad_y = draw()
    y.backward(grad_y)
    tensors = {"attributes": torch.tensor(attributes, dtype=torch.float64)} | others
    tensors |= {"x": x.detach(), "y": y.detach(), "grad_y": grad_y, "grad_x": x.grad}
    for name, value in tensors.items():
        TENSORS[f"{case}.{name}"] = value.detach().numpy().astype("f8")


def softmax_cross_entropy(case, x, smoothing, weighted, ignored, reduction):
    samples, classes = x.shape
    labels = torch.randint(classes, (samples,))
    labels[1] = labels[0]
    if ignored:
        ignored = int(labels[0])
    else:
        ignored = -100
    weight = draw(classes).exp() if weighted else None

    def forward(x):
        return functional.cross_entropy(
            x, labels, weight, ignore_index=ignored, label_smoothing=smoothing, reduction=reduction
        )

    others = {"weight": weight} if weighted else {}
    attributes = [smoothing, weighted, ignored, reduction == "mean"]
    record(f"softmax_cross_entropy.{case}", attributes, forward, x, labels=labels, **others)


def pointwise(name, function, x, target, reduction, *attributes, **settings):
    record(
        f"{name}_{reduction}", [*attributes, reduction == "mean"],
        lambda x: function(x, target, reduction=reduction, **settings), x, target=target,
        **{name: value for name, value in settings.items() if torch.is_tensor(value)},
    )


def main():
    torch.manual_seed(1)
    for reduction in ("mean", "sum"):
        for smoothing in (0.0, 0.1, 1.0):
            for weighted in (False, True):
                for ignored in (False, True):
                    case = f"{reduction}_{int(10 * smoothing)}{'w' * weighted}{'i' * ignored}"
                    arguments = (smoothing, weighted, ignored, reduction)
                    softmax_cross_entropy(case, 3 * draw(6, 5), *arguments)
        huge = 1e4 * draw(6, 4).sign() + draw(6, 4)
        softmax_cross_entropy(f"huge_{reduction}", huge, 0.1, True, True, reduction)

        x, target = draw(3, 4), draw(3, 4)
        target[0, 0] = x[0, 0]
        pointwise("l1_loss.plain", functional.l1_loss, x, target, reduction)
        for threshold in (0.3, 1.0, 2.5):
            case = int(10 * threshold)
            pointwise(
                f"huber_loss.huber{case}", functional.huber_loss, x, target, reduction,
                threshold, False, delta=threshold,
            )
            pointwise(
                f"huber_loss.smooth{case}", functional.smooth_l1_loss, x, target, reduction,
                threshold, True, beta=threshold,
            )
        function = functional.binary_cross_entropy_with_logits
        name = "binary_cross_entropy"
        target = torch.rand(3, 4).double()
        target[0] = torch.tensor([0.0, 1.0, 0.0, 1.0])
        pointwise(f"{name}.plain", function, 2 * x, target, reduction)
        pointwise(f"{name}.huge", function, 1e4 * x.sign(), target, reduction)
        weights = draw(4).exp()
        pointwise(f"{name}.weighted", function, 2 * x, target, reduction, pos_weight=weights)
        pointwise(
            f"{name}.shared", function, 2 * x, target, reduction,
            pos_weight=torch.tensor([2.5], dtype=torch.float64),
        )

    path = pathlib.Path(__file__).parent / "losses.safetensors"
    path.write_bytes(safetensors.numpy.save(TENSORS))
    assert all(numpy.isfinite(value).all() for value in TENSORS.values())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
