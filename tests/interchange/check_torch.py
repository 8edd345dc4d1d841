"""Loads into PyTorch what wgrad saved, and compares the answers.

    WGRAD_INTERCHANGE=/tmp/files cargo test --release --test interchange resnet
    python tests/interchange/check_torch.py /tmp/files

`pip install torch safetensors`. The first line writes `trained.safetensors`, the slim ResNet of
`tests/golden/make_resnet.py` after some steps of training here, and `trained_answers.safetensors`,
its inputs and logits.
"""

import pathlib
import sys

import safetensors.torch
import torch

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "golden"))
from make_resnet import ResNet

folder = pathlib.Path(sys.argv[1])
state = safetensors.torch.load_file(folder / "trained.safetensors")
answers = safetensors.torch.load_file(folder / "trained_answers.safetensors")

net = ResNet()
loaded = net.load_state_dict(state, strict=False)
# The counters are PyTorch's own, and only read where no momentum is given.
missing = [name for name in loaded.missing_keys if not name.endswith("num_batches_tracked")]
assert not missing and not loaded.unexpected_keys, loaded
net.eval()
with torch.no_grad():
    logits = net(answers["inputs"])
error = ((logits - answers["logits"]).abs().max() / answers["logits"].abs().max()).item()
print(f"{len(state)} tensors loaded; largest difference of a logit {error:.1e}")
assert error <= 1e-4
