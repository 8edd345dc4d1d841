"""Records of an event file, by the package `tensorboard`.

`events.tfevents` holds a file version, the start of a session, a number, a histogram and an
image, all at one time of day. What the image is said to be encoded as is no image.
"""

import pathlib
import struct

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

TIME = 1_700_000_000.25
VALUE = summary_pb2.Summary.Value
histogram = summary_pb2.HistogramProto(
    min=-1.5, max=2.0, num=3, sum=0.5, sum_squares=6.25, bucket_limit=[0.0, 2.0], bucket=[2.0, 1.0]
)
image = summary_pb2.Summary.Image(
    height=2, width=3, colorspace=4, encoded_image_string=b"\x89PNG"
)
start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
values = [
    (1 << 40, VALUE(tag="loss/step", simple_value=0.1)),
    (300, VALUE(tag="slopes/prelu1", histo=histogram)),
    (7, VALUE(tag="filters", image=image)),
]
events = [
    event_pb2.Event(wall_time=TIME, file_version="brain.Event:2"),
    event_pb2.Event(wall_time=TIME, session_log=start),
] + [
    event_pb2.Event(wall_time=TIME, step=step, summary=summary_pb2.Summary(value=[value]))
    for step, value in values
]

target = pathlib.Path(__file__).with_name("events.tfevents")
with target.open("wb") as file:
    for event in events:
        data = event.SerializeToString()
        length = struct.pack("<Q", len(data))
        file.write(length + struct.pack("<I", masked_crc32c(length)))
        file.write(data + struct.pack("<I", masked_crc32c(data)))
print(f"wrote {target}, {target.stat().st_size} bytes")
