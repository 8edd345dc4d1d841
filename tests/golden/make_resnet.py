"""A slim ResNet-18 with torchvision's parameter names, by PyTorch, as golden files.

`resnet_slim.safetensors` is the state dict as `safetensors.torch.save_file` writes it, counters
`num_batches_tracked` included. `resnet_slim_answers.safetensors` holds
    inputs  [N, 3, 32, 32] f32
    logits  [N, 10] f32, in evaluation mode
The module is torchvision's ResNet-18 (He et al. 2016) with fewer channels.
"""

import pathlib

import safetensors.torch
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent
CHANNELS = (8, 12, 16, 20)


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(y + shortcut)


class ResNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, CHANNELS[0], 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(CHANNELS[0])
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        inputs = CHANNELS[0]
        for number, outputs in enumerate(CHANNELS, 1):
            stride = 1 if number == 1 else 2
            blocks = BasicBlock(inputs, outputs, stride), BasicBlock(outputs, outputs, 1)
            setattr(self, f"layer{number}", nn.Sequential(*blocks))
            inputs = outputs
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))


def main():
    torch.manual_seed(18)
    net = ResNet()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    # Running statistics that are not those of the first moment.
    net.train()
    for _ in range(5):
        net(torch.randn(16, 3, 32, 32) * 2 + 0.3)
    net.eval()
    inputs = torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        logits = net(inputs)
    safetensors.torch.save_file(net.state_dict(), HERE / "resnet_slim.safetensors")
    answers = {"inputs": inputs, "logits": logits}
    safetensors.torch.save_file(answers, HERE / "resnet_slim_answers.safetensors")
    print(logits)


if __name__ == "__main__":
    main()
