"""Padding, slices and images of other sizes, by PyTorch in f64.

`resampling.safetensors` holds f64 tensors with the names and in the manner of
`values.safetensors`, see `make_values.py`.
"""

import pathlib

import safetensors.numpy
import torch
from torch.nn import functional

from make_values import TENSORS, draw, record


def zero_pad(case, x, top, bottom, left, right, before=0, behind=0):
    def forward(x):
        return functional.pad(x, (left, right, top, bottom, before, behind))

    attributes = [before, behind, top, bottom, left, right]
    record(f"zero_pad.{case}", attributes, forward, {"x": draw(*x)})


def cut(case, x, channels, rows, columns):
    def forward(x):
        return x[:, slice(*channels), slice(*rows), slice(*columns)].clone()

    record(f"slice.{case}", [*channels, *rows, *columns], forward, {"x": draw(*x)})


def upsample(case, x, size, align_corners):
    """`align_corners` is None for the nearest neighbour."""
    mode = "nearest" if align_corners is None else "bilinear"

    def forward(x):
        return functional.interpolate(x, size, mode=mode, align_corners=align_corners)

    method = {None: 0, False: 1, True: 2}[align_corners]
    record(f"upsample.{case}", [method, *size], forward, {"x": draw(*x)})


def main():
    torch.manual_seed(0)
    zero_pad("sides", (2, 3, 4, 3), 1, 0, 2, 3)
    zero_pad("channels", (2, 3, 2, 2), 0, 1, 1, 0, 2, 1)
    cut("image", (2, 6, 4, 5), (1, 4), (0, 3), (2, 5))
    cut("pixel", (1, 3, 4, 4), (2, 3), (3, 4), (1, 2))
    for name, align_corners in ("nearest", None), ("bilinear", False), ("aligned", True):
        upsample(f"{name}_twice", (2, 3, 3, 4), (6, 8), align_corners)
        upsample(f"{name}_odd", (1, 2, 4, 5), (7, 13), align_corners)
        upsample(f"{name}_smaller", (2, 2, 8, 7), (3, 4), align_corners)
        upsample(f"{name}_single", (1, 2, 1, 5), (4, 1), align_corners)

    path = pathlib.Path(__file__).parent / "resampling.safetensors"
    path.write_bytes(safetensors.numpy.save(TENSORS))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
