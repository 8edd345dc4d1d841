"""Normalisation of single samples and of local responses, by PyTorch in f64.

`normalisation.safetensors` holds f64 tensors with the names and in the manner of
`values.safetensors`, see `make_values.py`.
"""

import pathlib

import safetensors.numpy
import torch
from torch.nn import functional

from make_values import TENSORS, draw, record


def group_norm(case, x, groups, epsilon, kind="group", affine=True):
    parameters = x[1:] if kind == "layer" else x[1:2]
    inputs = {"x": 2 * draw(*x) + 1}
    if affine:
        inputs |= {"weight": draw(*parameters), "bias": draw(*parameters)}

    def forward(x, weight=None, bias=None):
        if kind == "layer":
            return functional.layer_norm(x, x.shape[1:], weight, bias, epsilon)
        if kind == "instance":
            return functional.instance_norm(x, weight=weight, bias=bias, eps=epsilon)
        return functional.group_norm(x, groups, weight, bias, epsilon)

    record(f"group_norm.{case}", [groups, epsilon, affine], forward, inputs)


def local_response_norm(case, x, size, alpha, beta, k):
    def forward(x):
        return functional.local_response_norm(x, size, alpha, beta, k)

    record(f"local_response_norm.{case}", [size, alpha, beta, k], forward, {"x": 3 * draw(*x)})


def main():
    torch.manual_seed(0)
    group_norm("image", (2, 6, 3, 4), 3, 1e-5)
    group_norm("features", (3, 8), 2, 1e-3)
    group_norm("plain", (2, 10, 2, 2), 2, 1e-5, affine=False)
    group_norm("layer_image", (2, 5, 3, 2), 1, 1e-5, "layer")
    group_norm("layer_features", (4, 7), 1, 1e-6, "layer")
    group_norm("layer_plain", (2, 3, 2, 3), 1, 1e-5, "layer", affine=False)
    group_norm("instance", (2, 5, 3, 4), 5, 1e-5, "instance")
    group_norm("instance_plain", (3, 2, 4, 3), 2, 1e-4, "instance", affine=False)

    local_response_norm("alexnet", (2, 9, 3, 2), 5, 1e-4, 0.75, 2.0)
    local_response_norm("strong", (2, 7, 2, 3), 3, 0.8, 0.75, 1.0)
    local_response_norm("even", (1, 6, 3, 3), 4, 0.5, 1.25, 0.5)

    path = pathlib.Path(__file__).parent / "normalisation.safetensors"
    path.write_bytes(safetensors.numpy.save(TENSORS))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
