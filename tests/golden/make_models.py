"""Names and shapes of the parameters and running statistics of torchvision's networks. Writes
models.txt beside this script: a line `[network parameters giga]` for each network, with the number of
its learned parameters and the 10⁹ multiply-adds of an image that torchvision documents, then a line
`name shape` for each tensor, in the order of the state dict.
"""

import pathlib

import torchvision

NETWORKS = """alexnet vgg11 vgg13 vgg16 vgg11_bn vgg13_bn vgg16_bn resnet18 resnet34 resnet50
mobilenet_v2 squeezenet1_0 squeezenet1_1""".split()

lines = []
for name in NETWORKS:
    network = torchvision.models.get_model(name, weights=None)
    parameters = sum(p.numel() for p in network.parameters())
    giga = torchvision.models.get_model_weights(name).DEFAULT.meta["_ops"]
    lines.append(f"[{name} {parameters} {giga}]")
    for tensor, values in network.state_dict().items():
        if not tensor.endswith("num_batches_tracked"):
            lines.append(f"{tensor} {'x'.join(map(str, values.shape))}")

pathlib.Path(__file__).with_name("models.txt").write_text("\n".join(lines) + "\n")
