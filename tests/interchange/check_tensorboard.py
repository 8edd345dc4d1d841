"""Reads with TensorBoard what `wgrad train` wrote, and compares it with the run's history.

    wgrad train digits --out run --epochs 2 --tensorboard
    wgrad train digits --out run --epochs 4 --tensorboard
    python tests/interchange/check_tensorboard.py run

`pip install tensorboard`. The second line goes on with the run in a second event file, which has to
count for the whole run. What TensorBoard reads from such records the Rust tests need not ask:
`tests/golden/events.tfevents` has some of its own.
"""

import json
import math
import pathlib
import struct
import sys

from tensorboard.backend.event_processing import event_accumulator

run = pathlib.Path(sys.argv[1])
lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
expected = {}


def number(value):
    return float(value)  # of `NaN` and `Infinity` too


def expect(tag, step, value):
    if value is not None:
        values = expected.setdefault(tag, {})
        assert step not in values, (tag, step)
        values[step] = struct.unpack("f", struct.pack("f", number(value)))[0]


for line in lines:
    match line["kind"]:
        case "loss":
            expect("loss/step", line["step"], line["loss"])
        case "slopes":
            slopes = [number(slope) for slope in line["slopes"]]
            expect(f"slopes/{line['layer']}", line["step"], sum(slopes) / len(slopes))
        case "epoch":
            for tag, name in [
                ("loss/train", "train_loss"),
                ("loss/test", "test_loss"),
                ("accuracy/test", "test_accuracy"),
                ("learning_rate", "learning_rate"),
                ("images_per_second", "images_per_second"),
            ]:
                expect(tag, line["step"], line[name])

events = event_accumulator.EventAccumulator(
    str(run / "tensorboard"), size_guidance={name: 0 for name in ("scalars", "histograms", "images")}
)
events.Reload()
tags = events.Tags()
assert set(tags["scalars"]) == set(expected), (tags["scalars"], set(expected))
for tag, values in expected.items():
    read = events.Scalars(tag)
    assert [event.step for event in read] == list(values), tag
    for event, value in zip(read, values.values()):
        same = event.value == value or math.isnan(event.value) and math.isnan(value)
        assert same, (tag, event, value)
    print(f"{tag:24} {len(read):5} values")
for tag in tags["histograms"]:
    histograms = events.Histograms(tag)
    counts = {event.histogram_value.num for event in histograms}
    assert all(sum(event.histogram_value.bucket) == event.histogram_value.num for event in histograms)
    print(f"{tag:24} {len(histograms):5} histograms of {counts} numbers")
for tag in tags["images"]:
    for image in events.Images(tag):
        png = image.encoded_image_string
        assert png.startswith(b"\x89PNG")
        assert struct.unpack(">II", png[16:24]) == (image.width, image.height)
        print(f"{tag:24} at step {image.step}, {image.width} by {image.height}")
print("TensorBoard reads the run's history")
