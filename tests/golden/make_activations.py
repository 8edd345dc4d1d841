"""Values and gradients of activations and their kin, by PyTorch in f64.

`activations.safetensors` holds f64 tensors named `<operator>.<case>.<tensor>`, with the names and
meanings of `make_values.py`, whose `record` is used. The inputs of the functions of one element
include their kinks.
"""

import pathlib

import numpy
import safetensors.numpy
import torch
from torch.nn import functional

import make_values
from make_values import draw, record


def unary(case, forward, *attributes):
    x = 3 * draw(2, 3, 4, 5)
    x.view(-1)[:5] = torch.tensor([0.0, -3.0, 3.0, 6.0, -20.0], dtype=torch.float64)
    record(case, attributes, lambda x: forward(x), {"x": x})


def main():
    torch.manual_seed(1)
    # PyTorch rounds alpha and its inverse to f32.
    unary("celu.plain", lambda x: functional.celu(x, 0.5), 0.5)
    unary("elu.plain", lambda x: functional.elu(x, 1.0), 1.0)
    unary("elu.negative", lambda x: functional.elu(x, -0.375), -0.375)
    unary("gelu.erf", functional.gelu)
    unary("gelu.tanh", lambda x: functional.gelu(x, approximate="tanh"), 1.0)
    # functional.hardsigmoid rounds 1/6 to f32.
    unary("hard_sigmoid.plain", lambda x: functional.relu6(x + 3) / 6)
    unary("hard_swish.plain", functional.hardswish)
    unary("mish.plain", functional.mish)
    unary("relu6.plain", functional.relu6)
    unary("rrelu.evaluation", lambda x: functional.rrelu(x, 0.1, 0.4), 0.1, 0.4)
    unary("selu.plain", functional.selu)
    unary("silu.plain", functional.silu)
    unary("softplus.plain", functional.softplus, 1.0)
    # No element is so large that PyTorch's threshold counts.
    unary("softplus.sharp", lambda x: functional.softplus(x, 2.5, threshold=200.0), 2.5)

    for shape, case in (((3, 7), "features"), ((2, 5, 3, 4), "image")):
        record(f"multiply.{case}", [], lambda a, b: a * b, {"a": draw(*shape), "b": draw(*shape)})
        for name, forward in (("softmax", functional.softmax), ("log_softmax", functional.log_softmax)):
            record(f"{name}.{case}", [], lambda x: forward(x, 1), {"x": 3 * draw(*shape)})
        huge = 1e4 * draw(*shape).sign() + draw(*shape)
        record(f"softmax.huge_{case}", [], lambda x: functional.softmax(x, 1), {"x": huge})
        record(f"log_softmax.huge_{case}", [], lambda x: functional.log_softmax(x, 1), {"x": huge})
        vector = (shape[1],) + (1,) * (len(shape) - 2)
        record(
            f"scale_shift.{case}", [],
            lambda x, weight, bias: x * weight.view(vector) + bias.view(vector),
            {"x": draw(*shape), "weight": draw(shape[1]), "bias": draw(shape[1])},
        )

    path = pathlib.Path(__file__).parent / "activations.safetensors"
    path.write_bytes(safetensors.numpy.save(make_values.TENSORS))
    assert path.stat().st_size < 150_000, path
    assert all(numpy.isfinite(value).all() for value in make_values.TENSORS.values())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
