"""Values of torchvision's image transforms: see README.md in this folder."""

import torch
import torchvision.transforms.v2.functional as F
from safetensors.torch import save_file
from torchvision.transforms.functional import InterpolationMode

torch.manual_seed(20)
tensors = {}


def keep(operator, number, x, attributes, y):
    name = f"{operator}.{number}"
    tensors[f"{name}.x"] = x
    tensors[f"{name}.attributes"] = torch.tensor(attributes, dtype=torch.float64)
    tensors[f"{name}.y"] = y.contiguous()


def image(channels, height, width):
    return torch.rand(1, channels, height, width, dtype=torch.float64)


for operator, adjust in [
    ("brightness", F.adjust_brightness),
    ("contrast", F.adjust_contrast),
    ("saturation", F.adjust_saturation),
]:
    for number, factor in enumerate([0.0, 0.3, 1.0, 1.7]):
        x = image(3, 5, 4)
        keep(operator, number, x, [factor], adjust(x, factor))
x = image(1, 5, 4)
keep("contrast", 4, x, [1.5], F.adjust_contrast(x, 1.5))

# angle, translation right and down, scale, shear across and down
affine = [
    [0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
    [30.0, 0.0, 0.0, 1.0, 0.0, 0.0],
    [-160.0, 1.0, -2.0, 0.7, 0.0, 0.0],
    [0.0, 0.0, 0.0, 1.0, 20.0, 0.0],
    [0.0, 0.0, 0.0, 1.0, 0.0, 20.0],
    [75.0, -1.0, 2.0, 1.6, -12.0, 25.0],
]
for number, (angle, right, down, scale, across, along) in enumerate(affine):
    x = image(2, 7, 6)
    y = F.affine(
        x,
        angle,
        [right, down],
        scale,
        [across, along],
        interpolation=InterpolationMode.BILINEAR,
    )
    keep("affine", number, x, affine[number], y)

save_file(tensors, "augment.safetensors")
