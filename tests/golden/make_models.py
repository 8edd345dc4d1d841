"""What torchvision's networks are. Writes two files beside this script.

models.txt: a line `[network parameters giga]` for each network, with the number of its learned
parameters and the 10⁹ multiply-adds of an image that torchvision documents, then a line `name shape`
for each tensor, in the order of the state dict.

model_responses.txt: a line `network size response...` for each network: its five logits for one image
of `size` rows and columns in evaluation, in f64, with weights and image from `values`.
"""

import pathlib

import numpy
import torch
import torchvision

# The size is the smallest that gives the last convolutions more than one pixel, or that fits.
NETWORKS = {
    "alexnet": 63, "vgg11": 32, "vgg13": 32, "vgg16": 32, "vgg11_bn": 32, "vgg13_bn": 32, "vgg16_bn": 32,
    "resnet18": 33, "resnet34": 33, "resnet50": 33, "mobilenet_v2": 33, "squeezenet1_0": 31, "squeezenet1_1": 33,
}


def values(name, count):
    """Numbers in [-1, 1) from the name and the index alone, exact in f32."""
    seed = 2166136261
    for byte in name.encode():  # FNV-1a
        seed = (seed ^ byte) * 16777619 % 2**32
    x = numpy.arange(count, dtype=numpy.uint32) + numpy.uint32(seed)
    x *= numpy.uint32(2654435761)
    x ^= x >> numpy.uint32(16)
    x *= numpy.uint32(2246822519)
    x ^= x >> numpy.uint32(13)
    return (x >> numpy.uint32(8)) / 2.0**23 - 1.0


def fill(name, tensor):
    """Weights of He's variance; normalisation near the identity."""
    x = values(name, tensor.numel())
    if tensor.dim() > 1:
        x *= numpy.sqrt(6 / tensor[0].numel())
    elif name.endswith("running_var"):
        x = 1 + 0.5 * x
    elif name.endswith("weight"):
        x = 1 + 0.25 * x
    else:
        x *= 0.25
    rounded = x.astype(numpy.float32).astype(numpy.float64)
    return torch.from_numpy(rounded).reshape(tensor.shape)


def response(name, size):
    network = torchvision.models.get_model(name, weights=None, num_classes=5).double().eval()
    state = network.state_dict()
    for tensor, old in state.items():
        if not tensor.endswith("num_batches_tracked"):
            state[tensor] = fill(tensor, old)
    network.load_state_dict(state)
    image = torch.from_numpy(values("image", 3 * size * size)).reshape(1, 3, size, size)
    with torch.no_grad():
        return network(image)[0].tolist()


structure, responses = [], []
for name, size in NETWORKS.items():
    network = torchvision.models.get_model(name, weights=None)
    parameters = sum(p.numel() for p in network.parameters())
    giga = torchvision.models.get_model_weights(name).DEFAULT.meta["_ops"]
    structure.append(f"[{name} {parameters} {giga}]")
    for tensor, old in network.state_dict().items():
        if not tensor.endswith("num_batches_tracked"):
            structure.append(f"{tensor} {'x'.join(map(str, old.shape))}")
    responses.append(" ".join([name, str(size), *map(repr, response(name, size))]))

here = pathlib.Path(__file__).parent
(here / "models.txt").write_text("\n".join(structure) + "\n")
(here / "model_responses.txt").write_text("\n".join(responses) + "\n")
