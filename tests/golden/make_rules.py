"""Fifty steps of a small network by each of PyTorch's update rules, and the
values of its learning-rate schedules, as golden files.

`rules.safetensors`: linear 6 -> 5, PReLU, linear 5 -> 3, mean squared error
over the same seven samples at every step. Drawn in f32, trained in f64, so that
the numbers are the truth to about 1e-12:
    inputs               [7, 6] f32
    targets              [7, 3] f32
    initial.<name>       f32, every parameter before step 0
    <case>.losses        [50] f64: step s's loss, before step s's update
    <case>.final.<name>  f64, every parameter after step 49
    <case>.norms         [50] f64, where gradients are clipped by their norm: it, before clipping
Weight decay reaches the two linear weights only; the bias of `linear1` learns
three times as fast as the rest.

`schedules.safetensors`: <case> [STEPS] f64, the factor on the learning rate at
each step; `plateau.losses` and `plateau.<case>` by epoch.
"""

import copy
import pathlib

import numpy
import safetensors.numpy
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_, clip_grad_value_
from torch.optim import SGD, Adadelta, Adagrad, Adam, AdamW, RMSprop, lr_scheduler

HERE = pathlib.Path(__file__).parent

# Name: rule, its settings, and how gradients are clipped (by value, by norm).
RULES = {
    "sgd": (SGD, {"lr": 0.1}),
    "sgd_momentum_decay": (SGD, {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.02}),
    "sgd_dampened": (
        SGD,
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.01},
    ),
    "sgd_nesterov": (
        SGD,
        {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.02},
    ),
    "adam": (Adam, {"lr": 0.01}),
    "adam_decay": (
        Adam,
        {"lr": 0.02, "betas": (0.8, 0.98), "eps": 1e-6, "weight_decay": 0.05},
    ),
    "adamw": (AdamW, {"lr": 0.01}),
    "adamw_decay": (AdamW, {"lr": 0.02, "betas": (0.8, 0.98), "weight_decay": 0.3}),
    "rmsprop": (RMSprop, {"lr": 0.01}),
    "rmsprop_momentum": (
        RMSprop,
        {"lr": 0.005, "alpha": 0.9, "eps": 1e-5, "momentum": 0.8, "weight_decay": 0.05},
    ),
    "rmsprop_centered": (
        RMSprop,
        {"lr": 0.005, "alpha": 0.9, "eps": 1e-3, "centered": True},
    ),
    "rmsprop_centered_momentum": (
        RMSprop,
        {
            "lr": 0.002,
            "alpha": 0.95,
            "eps": 1e-2,
            "momentum": 0.7,
            "centered": True,
            "weight_decay": 0.1,
        },
    ),
    "adagrad": (Adagrad, {"lr": 0.05}),
    "adagrad_decay": (
        Adagrad,
        {
            "lr": 0.1,
            "lr_decay": 0.05,
            "initial_accumulator_value": 0.2,
            "eps": 1e-5,
            "weight_decay": 0.05,
        },
    ),
    "adadelta": (Adadelta, {"lr": 1.0}),
    "adadelta_decay": (
        Adadelta,
        {"lr": 0.5, "rho": 0.8, "eps": 1e-3, "weight_decay": 0.1},
    ),
    "clip_value": (SGD, {"lr": 0.1, "momentum": 0.9}, 0.02, None),
    "clip_norm": (SGD, {"lr": 0.1, "momentum": 0.9}, None, 0.4),
    "clip_both": (Adam, {"lr": 0.02, "weight_decay": 0.05}, 0.1, 0.25),
}

STEPS = 100

# Name: what makes the schedule of an optimizer whose rate is 1.
SCHEDULES = {
    "step": lambda o: lr_scheduler.StepLR(o, 30, 0.5),
    "multi_step": lambda o: lr_scheduler.MultiStepLR(o, [20, 50, 51], 0.3),
    "exponential": lambda o: lr_scheduler.ExponentialLR(o, 0.97),
    "polynomial": lambda o: lr_scheduler.PolynomialLR(o, 80, 2.5),
    "cosine": lambda o: lr_scheduler.CosineAnnealingLR(o, STEPS, 0.05),
    "cosine_restarts": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 7, 2, 0.1),
    "cosine_repeats": lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 9),
    "warm_up": lambda o: lr_scheduler.LinearLR(o, 0.2, 1.0, 10),
    "warm_up_then_step": lambda o: lr_scheduler.SequentialLR(
        o,
        [lr_scheduler.LinearLR(o, 0.2, 1.0, 10), lr_scheduler.StepLR(o, 30, 0.5)],
        [10],
    ),
    "one_cycle": lambda o: lr_scheduler.OneCycleLR(o, 1.0, STEPS),
    "one_cycle_linear": lambda o: lr_scheduler.OneCycleLR(
        o, 1.0, 90, pct_start=0.4, anneal_strategy="linear", div_factor=10, final_div_factor=100
    ),
}

# Name: settings of the reduction on a plateau.
PLATEAUS = {
    "default": {},
    "patient": {"factor": 0.5, "patience": 3, "threshold": 0.05, "cooldown": 2},
    "absolute": {"factor": 0.3, "patience": 1, "threshold": 0.02, "threshold_mode": "abs"},
    "floored": {"factor": 0.1, "patience": 0, "min_lr": 0.02},
}


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear1 = nn.Linear(6, 5)
        self.prelu1 = nn.PReLU(5)
        self.linear2 = nn.Linear(5, 3)

    def forward(self, x):
        return self.linear2(self.prelu1(self.linear1(x)))


def groups_of(model, settings):
    for name, parameter in model.named_parameters():
        group = {"params": [parameter]}
        if name not in ("linear1.weight", "linear2.weight"):
            group["weight_decay"] = 0.0
        if name == "linear1.bias":
            group["lr"] = 3 * settings["lr"]
        yield group


def train(model, inputs, targets, rule, settings, value=None, norm=None):
    optimizer = rule(list(groups_of(model, settings)), **settings)
    losses, norms = [], []
    for _ in range(50):
        optimizer.zero_grad()
        loss = functional.mse_loss(model(inputs), targets)
        loss.backward()
        if value is not None:
            clip_grad_value_(model.parameters(), value)
        if norm is not None:
            norms.append(clip_grad_norm_(model.parameters(), norm).item())
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


def make_rules():
    torch.manual_seed(5)
    model = Small()
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape)
    inputs, targets = torch.randn(7, 6), torch.randn(7, 3)
    tensors = {"inputs": inputs.numpy(), "targets": targets.numpy()}
    for name, value in model.state_dict().items():
        tensors[f"initial.{name}"] = value.numpy()
    for case, of_case in RULES.items():
        double = copy.deepcopy(model).double()
        losses, norms = train(double, inputs.double(), targets.double(), *of_case)
        tensors[f"{case}.losses"] = numpy.array(losses)
        if norms:
            tensors[f"{case}.norms"] = numpy.array(norms)
            print(f"{case}: {sum(n > of_case[3] for n in norms)} steps are clipped")
        for name, value in double.state_dict().items():
            tensors[f"{case}.final.{name}"] = value.numpy()
        print(f"{case}: loss {losses[0]:.6f} to {losses[-1]:.6f}")
    save("rules", tensors)


def make_schedules():
    tensors = {}
    for case, schedule in SCHEDULES.items():
        optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        schedule = schedule(optimizer)
        steps = min(STEPS, getattr(schedule, "total_steps", STEPS))
        rates = []
        for _ in range(steps):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if len(rates) < steps:
                schedule.step()
        tensors[case] = numpy.array(rates)
    # Falls, stands, rises, falls again.
    torch.manual_seed(6)
    losses = [1 / (1 + epoch) for epoch in range(8)] + [0.125] * 16
    losses += [0.1 + 0.01 * torch.rand(1).item() for _ in range(16)] + [0.05] * 20
    tensors["plateau.losses"] = numpy.array(losses)
    for case, settings in PLATEAUS.items():
        optimizer = SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
        plateau = lr_scheduler.ReduceLROnPlateau(optimizer, eps=0.0, **settings)
        rates = []
        for loss in losses:
            plateau.step(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        tensors[f"plateau.{case}"] = numpy.array(rates)
    save("schedules", tensors)


def save(name, tensors):
    path = HERE / f"{name}.safetensors"
    path.write_bytes(safetensors.numpy.save(tensors))
    assert path.stat().st_size < 100_000, path
    assert all(numpy.isfinite(value).all() for value in tensors.values())


if __name__ == "__main__":
    torch.set_num_threads(1)
    make_rules()
    make_schedules()
