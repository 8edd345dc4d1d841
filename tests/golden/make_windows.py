"""Values of operators with windows, by PyTorch: padding on each side, adaptive pooling, transposed
convolution. Writes windows.safetensors beside this script, all in f64.

Tensors are named `operator.case.tensor`, as in make_values.py, whose helpers are used.
"""

import pathlib

import numpy
import safetensors.numpy
import torch
from torch.nn import functional

from make_values import TENSORS, draw, record


def conv2d_sides(case, x, filters, kernel, stride, sides, dilation):
    """`sides` is [[top, bottom], [left, right]]."""
    (top, bottom), (left, right) = sides

    def forward(x, weight):
        return functional.conv2d(functional.pad(x, (left, right, top, bottom)), weight, None, stride, 0, dilation)

    inputs = {"x": draw(*x), "weight": draw(filters, x[1], *kernel)}
    record(f"conv2d_sides.{case}", [*kernel, *stride, top, bottom, left, right, *dilation], forward, inputs)


def conv2d_same(case, x, filters, kernel, dilation):
    def forward(x, weight):
        return functional.conv2d(x, weight, None, 1, "same", dilation)

    inputs = {"x": draw(*x), "weight": draw(filters, x[1], *kernel)}
    record(f"conv2d_same.{case}", [*kernel, *dilation], forward, inputs)


def max_pool2d_sides(case, x, kernel, stride, sides):
    (top, bottom), (left, right) = sides

    def forward(x):
        padded = functional.pad(x, (left, right, top, bottom), value=-torch.inf)
        return functional.max_pool2d(padded, kernel, stride)

    record(f"max_pool2d_sides.{case}", [*kernel, *stride, top, bottom, left, right], forward, {"x": draw(*x)})


def mean_pool2d_sides(case, x, kernel, stride, sides, count_include_pad):
    (top, bottom), (left, right) = sides

    def forward(x):
        def mean(values):
            return functional.avg_pool2d(functional.pad(values, (left, right, top, bottom)), kernel, stride)

        return mean(x) if count_include_pad else mean(x) / mean(torch.ones_like(x))

    attributes = [*kernel, *stride, top, bottom, left, right, count_include_pad]
    record(f"mean_pool2d_sides.{case}", attributes, forward, {"x": draw(*x)})


def adaptive_pools(case, x, bins):
    def mean(x):
        return functional.adaptive_avg_pool2d(x, bins)

    def largest(x):
        return functional.adaptive_max_pool2d(x, bins)

    record(f"adaptive_mean_pool2d.{case}", bins, mean, {"x": draw(*x)})
    record(f"adaptive_max_pool2d.{case}", bins, largest, {"x": draw(*x)})


def pyramid(case, x, levels):
    def forward(x):
        return torch.cat([functional.adaptive_max_pool2d(x, level).flatten(1) for level in levels], 1)

    record(f"pyramid.{case}", levels, forward, {"x": draw(*x)})


def conv_transpose2d(case, x, filters, kernel, stride, padding, output_padding, dilation, groups):
    inputs = {"x": draw(*x), "weight": draw(x[1], filters // groups, *kernel), "bias": draw(filters)}

    def forward(x, weight, bias):
        return functional.conv_transpose2d(x, weight, bias, stride, padding, output_padding, groups, dilation)

    attributes = [*kernel, *stride, *padding, *output_padding, *dilation, groups]
    record(f"conv_transpose2d.{case}", attributes, forward, inputs)


def main():
    torch.manual_seed(1)
    one = (1, 1)
    conv2d_sides("uneven", (2, 2, 6, 5), 3, (3, 2), (2, 1), [[2, 0], [1, 3]], (1, 2))
    conv2d_same("even", (1, 2, 5, 6), 2, (2, 4), (3, 1))
    max_pool2d_sides("uneven", (2, 2, 6, 7), (3, 4), (2, 3), [[1, 0], [0, 2]])
    for count_include_pad in (False, True):
        suffix = "with_pad" if count_include_pad else "without_pad"
        mean_pool2d_sides(suffix, (1, 2, 6, 7), (3, 4), (2, 3), [[0, 1], [2, 0]], count_include_pad)

    adaptive_pools("overlapping", (2, 3, 7, 10), (3, 4))
    adaptive_pools("dividing", (1, 2, 6, 4), (3, 2))
    adaptive_pools("repeating", (1, 2, 3, 2), (5, 4))
    pyramid("paper", (2, 3, 13, 11), [6, 3, 2, 1])

    conv_transpose2d("plain", (2, 3, 4, 5), 4, (3, 3), one, (0, 0), (0, 0), one, 1)
    conv_transpose2d("doubling", (2, 4, 5, 3), 3, (4, 4), (2, 2), one, (0, 0), one, 1)
    conv_transpose2d("uneven", (1, 2, 4, 3), 3, (3, 2), (2, 3), (1, 0), (1, 2), (1, 2), 1)
    conv_transpose2d("grouped_dilated", (2, 6, 3, 4), 4, (2, 3), (1, 2), (1, 2), (0, 1), (2, 2), 2)
    conv_transpose2d("depthwise", (1, 5, 4, 4), 5, (3, 3), (2, 2), one, one, one, 5)

    path = pathlib.Path(__file__).parent / "windows.safetensors"
    path.write_bytes(safetensors.numpy.save(TENSORS))
    assert path.stat().st_size < 200_000, path
    assert all(numpy.isfinite(value).all() for value in TENSORS.values())


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
