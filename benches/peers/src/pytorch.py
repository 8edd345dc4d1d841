"""PyTorch in the comparison: `pytorch.py <device> <workload> <batch>`; the lines that it prints
and reads are described in protocol.rs. `pytorch.py devices` tells what there is.

Eager mode, float32 without TF32, cuDNN's own choice of algorithms, as many threads as the CPU has.
"""

import os
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


def small():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3, padding=1), nn.PReLU(32), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.PReLU(64), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 7 * 7, 128), nn.PReLU(), nn.Linear(128, 10),
    )


def medium():
    layers, inputs = [], 3
    for outputs in (64, 128, 256):
        for _ in range(2):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU()]
            inputs = outputs
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(256 * 4 * 4, 10))


def plain():
    layers = []
    for inputs, outputs, stride in ((1, 32, 1), (32, 64, 2), (64, 128, 2)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


class Residual(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False), nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs),
        )
        self.shortcut = nn.Identity() if inputs == outputs and stride == 1 else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, x):
        return F.relu(self.body(x) + self.shortcut(x))


def resnet(stem, widths, blocks, classes):
    layers, inputs = stem, widths[0]
    for stage, outputs in enumerate(widths):
        for block in range(blocks):
            layers.append(Residual(inputs, outputs, 2 if stage > 0 and block == 0 else 1))
            inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))


def resnet20():
    stem = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return resnet(stem, (16, 32, 64), 3, 10)


def resnet18():
    stem = [
        nn.Conv2d(3, 64, 7, 2, padding=3, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.MaxPool2d(3, 2, padding=1),
    ]
    return resnet(stem, (64, 128, 256, 512), 2, 1000)


# Model, shape of a sample, classes, momentum.
MODELS = {
    "S": (small, (1, 28, 28), 10, 0.9),
    "M": (medium, (3, 32, 32), 10, 0.9),
    "P": (plain, (1, 28, 28), 10, 0.0),
    "R20": (resnet20, (3, 32, 32), 10, 0.9),
    "R18": (resnet18, (3, 224, 224), 1000, 0.9),
}

# Shape of a sample, shape of the weights, the operator.
OPERATORS = {
    "conv": ((256, 28, 28), (256, 256, 3, 3), lambda x, w: F.conv2d(x, w, padding=1)),
    "gemm": ((4096,), (4096, 4096), F.linear),
}


def training(workload, batch, device):
    build, shape, classes, momentum = MODELS[workload]
    model = build().to(device)
    rule = torch.optim.SGD(model.parameters(), lr=1e-4, momentum=momentum)
    x = torch.randn(batch, *shape, device=device)
    labels = torch.arange(batch, device=device) % classes

    def step():
        rule.zero_grad()
        loss = F.cross_entropy(model(x), labels)
        loss.backward()
        rule.step()
        return loss.detach()

    return step


def operator(workload, batch, device):
    name = workload.removesuffix("-grad")
    sample, weights, apply = OPERATORS[name]
    x = torch.randn(batch, *sample, device=device, requires_grad=True)
    w = torch.randn(*weights, device=device, requires_grad=True)
    nothing = torch.zeros((), device=device)
    if name == workload:

        def step():
            with torch.no_grad():
                apply(x, w)
            return nothing

    else:
        y = apply(x, w)
        dy = torch.randn_like(y)

        def step():
            torch.autograd.grad(y, (x, w), dy, retain_graph=True)
            return nothing

    return step


def run(step, steps):
    for _ in range(steps):
        loss = step()
    # Reading a number from the device waits for it.
    return loss.item()


def use_plain_float32():
    matmul, conv = torch.backends.cuda.matmul, getattr(torch.backends.cudnn, "conv", None)
    if hasattr(conv, "fp32_precision"):
        matmul.fp32_precision = conv.fp32_precision = "ieee"
    else:
        matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True


def gpu():
    if torch.cuda.is_available():
        return "cuda", f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}"
    if torch.backends.mps.is_available():
        return "mps", "Metal"
    return None


def main():
    if sys.argv[1] == "devices":
        print(torch.__version__, *(gpu() or ()), sep="\t")
        return
    device, workload, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(os.cpu_count())
    torch.manual_seed(42)
    use_plain_float32()
    prepare = training if workload in MODELS else operator
    step = prepare(workload, batch, device)
    print("@ready", run(step, 1), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        loss = run(step, int(line))
        print("@done", time.perf_counter() - start, loss, flush=True)


main()
