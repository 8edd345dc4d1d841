"""Runs with onnxruntime what wgrad exported, and compares the answers.

    WGRAD_INTERCHANGE=/tmp/files cargo test --release --test interchange onnx
    python tests/interchange/check_onnx.py /tmp/files [--write]
    python tests/interchange/check_onnx.py /tmp/files/models

`pip install onnx onnxruntime safetensors`. The first line writes a pair of files for every network
of `networks.rs`: `<name>.onnx`, and `<name>.safetensors` with `input`, `output` and the `checksum`
of the model file. Here every model is checked by onnx and run by onnxruntime, on the whole batch
and on one sample. If all agree, `--write` keeps onnxruntime's answers and the checksums in
`tests/golden/onnx.safetensors`. The Rust test compares with those: equal checksums say that the
file it exports is the one that was checked here, so that it needs no Python. The third line checks
the networks of `wgrad::models`, which are too large to be kept.
"""

import pathlib
import sys

import numpy
import onnx
import onnxruntime
import safetensors.numpy

TOLERANCE = 1e-4  # of the largest number

folder = pathlib.Path(sys.argv[1])
golden = {}
worst = 0.0
models = sorted(folder.glob("*.onnx"))
assert models, f"no models in {folder}"
for path in models:
    onnx.checker.check_model(onnx.load(path), full_check=True)
    given = safetensors.numpy.load_file(path.with_suffix(".safetensors"))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (output,) = session.run(["output"], {"input": given["input"]})
    (first,) = session.run(["output"], {"input": given["input"][:1]})
    assert numpy.allclose(first, output[:1], rtol=1e-5, atol=1e-6), path.name
    assert output.shape == given["output"].shape, (path.name, output.shape, given["output"].shape)
    error = abs(output - given["output"]).max() / abs(output).max()
    print(f"{path.stem:40} {str(list(output.shape)):20} {error:.1e}")
    assert error <= TOLERANCE, path.name
    worst = max(worst, error)
    golden[f"{path.stem}.output"] = output
    golden[f"{path.stem}.checksum"] = given["checksum"]
print(f"{len(models)} networks agree; largest difference {worst:.1e}")
if "--write" in sys.argv:
    target = pathlib.Path(__file__).parents[1] / "golden" / "onnx.safetensors"
    safetensors.numpy.save_file(golden, target)
    print(f"wrote {target}")
