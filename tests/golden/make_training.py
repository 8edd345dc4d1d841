"""Ten training steps of three small networks, by PyTorch, as golden files.

Weights and data are drawn in f32 (what an engine is given), widened to f64,
and trained in f64: the losses and final weights are the truth to about 1e-12,
with no rounding of PyTorch's own in it. For orientation the script also trains
in f32 and prints how far that ends from the truth.

Each `training_<name>.safetensors` holds
    inputs          [10, N, C, H, W] f32, one batch a step
    labels          [10, N] i32 (cross-entropy), or
    targets         [10, N, F] f32 (mean squared error)
    losses          [10] f64: step s's loss, before step s's update
    initial.<name>  f32, every parameter and running statistic before step 0
    final.<name>    f64, the same after step 9
and the update rule's settings in the metadata. Weight decay reaches the
weights of convolutions and linear layers only.
"""

import copy
import pathlib

import numpy
import safetensors.numpy
import torch
from torch import nn
from torch.nn import functional

STEPS = 10
HERE = pathlib.Path(__file__).parent


class Plain(nn.Module):
    """Convolutions, both kinds of PReLU, max pooling."""

    sample, batch, classes = (1, 8, 8), 8, 10
    rule = {"rule": "sgd", "lr": 0.05, "momentum": 0.9, "weight_decay": 1e-3}

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, 3, padding=1)
        self.prelu1 = nn.PReLU(8)
        self.conv2 = nn.Conv2d(8, 12, 3, padding=1)
        self.prelu2 = nn.PReLU(12)
        self.linear1 = nn.Linear(48, 16)
        self.prelu3 = nn.PReLU()
        self.linear2 = nn.Linear(16, 10)

    def forward(self, x):
        x = functional.max_pool2d(self.prelu1(self.conv1(x)), 2)
        x = functional.max_pool2d(self.prelu2(self.conv2(x)), 2)
        return self.linear2(self.prelu3(self.linear1(x.flatten(1))))


class BatchNorm(nn.Module):
    """Odd sizes, groups, dilation, normalisation, mean pooling rounded up.

    3x9x7 -> conv1 10x5x4 -> conv2 10x5x4 -> pool 10x3x3 -> 90 -> 5.
    """

    sample, batch, classes = (3, 9, 7), 6, 5
    rule = {"rule": "sgd", "lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 1e-3}

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 10, (5, 3), stride=2, padding=(2, 1), bias=False)
        self.bn1 = nn.BatchNorm2d(10)
        self.conv2 = nn.Conv2d(10, 10, 3, groups=5, dilation=2, padding=2)
        self.bn2 = nn.BatchNorm2d(10)
        self.linear1 = nn.Linear(90, 5)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = functional.leaky_relu(self.bn2(self.conv2(x)), 0.1)
        x = functional.avg_pool2d(
            x, 2, stride=2, padding=(0, 1), ceil_mode=True, count_include_pad=False
        )
        return self.linear1(x.flatten(1))


class Residual(nn.Module):
    """A graph: a shortcut, a concatenation, depthwise, global mean, tanh."""

    sample, batch, classes = (4, 6, 6), 5, None
    rule = {"rule": "adamw", "lr": 1e-2, "weight_decay": 0.01}

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(4, 8, 3, padding=1)
        self.conv2 = nn.Conv2d(8, 8, 1)
        self.conv3 = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.linear1 = nn.Linear(16, 4)

    def forward(self, x):
        x = torch.tanh(self.conv1(x))
        x = functional.relu(self.conv2(x) + x)
        x = torch.cat([x, self.conv3(x)], 1)
        return self.linear1(functional.adaptive_avg_pool2d(x, 1).flatten(1))


def optimizer_of(model):
    """The network's update rule, decay on filters and linear weights only."""
    decayed, bare = [], []
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            filters = isinstance(module, (nn.Conv2d, nn.Linear)) and name == "weight"
            (decayed if filters else bare).append(parameter)
    settings = dict(model.rule)
    rule = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[settings.pop("rule")]
    return rule([{"params": decayed}, {"params": bare, "weight_decay": 0.0}], **settings)


def draw_data(model):
    """Noisy copies of a few prototypes; to be told: which one, or its target."""
    kinds = model.classes or 3
    labels = torch.randint(kinds, (STEPS, model.batch))
    noise = 0.5 * torch.randn(STEPS, model.batch, *model.sample)
    inputs = torch.randn(kinds, *model.sample)[labels] + noise
    return inputs, labels if model.classes else torch.randn(kinds, 4)[labels]


def draw_weights(model):
    """Weights of variance 1/fan_in, with which ten steps lead somewhere; slopes,
    scales and shifts that differ by channel, so that a permutation shows.
    """
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(module.weight, a=1.0)
        if isinstance(module, (nn.PReLU, nn.BatchNorm2d)):
            for parameter in module.parameters():
                parameter.data += 0.1 * torch.randn(parameter.shape)


def train(model, inputs, expected):
    """Ten steps in the model's own precision; the loss of each."""
    optimizer = optimizer_of(model)
    loss_of = functional.mse_loss if model.classes is None else functional.cross_entropy
    losses = []
    for x, target in zip(inputs, expected):
        optimizer.zero_grad()
        loss = loss_of(model(x), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def state_of(model):
    """Parameters and running statistics, without PyTorch's count of batches."""
    return {
        name: value.detach().numpy().copy()
        for name, value in model.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def distance(a, b):
    """Relative distance of two lists of arrays, taken together."""
    a, b = (numpy.concatenate([numpy.ravel(x).astype("f8") for x in xs]) for xs in (a, b))
    return numpy.linalg.norm(a - b) / numpy.linalg.norm(b)


def make(name, network, seed):
    torch.manual_seed(seed)
    single = network()
    draw_weights(single)
    inputs, expected = draw_data(single)
    double = copy.deepcopy(single).double()
    initial = state_of(single)
    wide = expected if single.classes else expected.double()
    losses = train(double, inputs.double(), wide)
    final = state_of(double)

    single_losses = train(single, inputs, expected)
    moved = distance(final.values(), initial.values())
    print(f"{name}: loss {losses[0]:.6f} to {losses[-1]:.6f}, weights moved {moved:.1e};", end=" ")
    print(f"in f32: losses off by {distance(single_losses, losses):.1e},", end=" ")
    print(f"weights by {distance(state_of(single).values(), final.values()):.1e}")

    tensors = {"inputs": inputs.numpy(), "losses": numpy.array(losses)}
    if single.classes:
        tensors["labels"] = expected.numpy().astype("i4")
    else:
        tensors["targets"] = expected.numpy()
    tensors |= {f"initial.{key}": value for key, value in initial.items()}
    tensors |= {f"final.{key}": value for key, value in final.items()}
    # One string: several would be stored in a new order every time.
    settings = {"update_rule": " ".join(f"{key}={value}" for key, value in network.rule.items())}
    path = HERE / f"training_{name}.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors, settings))
    assert path.stat().st_size < 300_000, path


if __name__ == "__main__":
    torch.set_num_threads(1)
    make("plain", Plain, 1)
    make("batchnorm", BatchNorm, 2)
    make("residual", Residual, 3)
