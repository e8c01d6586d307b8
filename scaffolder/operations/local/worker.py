"""The process that a model lives in: reads requests from its input, writes answers to its output, one batch at a time.

What the model prints goes to the log. Ends when its input ends. May not know of endpoints or HTTP.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

__all__ = ["HEAD", "packed", "unpacked"]

HEAD = struct.Struct("!II")
"""A message's first bytes: how long its JSON and its bodies are."""

CANNOT_LOAD = 3


def packed(header: Mapping[str, object], bodies: Sequence[bytes] = ()) -> bytes:
    """Make a message: its header, the bodies' lengths and the bodies."""
    text = json.dumps({**header, "lengths": [len(body) for body in bodies]}).encode()
    return b"".join((HEAD.pack(len(text), sum(map(len, bodies))), text, *bodies))


def unpacked(text: bytes, content: bytes) -> tuple[Any, Sequence[bytes]]:
    """Take a message apart."""
    header = json.loads(text)
    bodies, begin = [], 0
    for length in header["lengths"]:
        bodies.append(content[begin : begin + length])
        begin += length
    return header, bodies


def _received(stream: BinaryIO) -> tuple[Any, Sequence[bytes]] | None:
    head = stream.read(HEAD.size)
    if len(head) < HEAD.size:
        return None
    text_length, content_length = HEAD.unpack(head)
    text, content = stream.read(text_length), stream.read(content_length)
    if len(text) < text_length or len(content) < content_length:
        return None
    return unpacked(text, content)


def main() -> int:
    """Serve the model in a folder, until the input ends."""
    folder = Path(sys.argv[1])
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)  # what the model prints
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for who asked, not for the model

    from scaffolder.operations.local.models import ModelError, Request, load_model  # noqa: PLC0415 - after the streams

    try:
        model = load_model(folder)
    except ModelError as error:
        sink.write(packed({"failed": str(error)}))
        sink.flush()
        return CANNOT_LOAD
    sink.write(packed({"together": model.together}))
    sink.flush()
    while (message := _received(source)) is not None:
        header, bodies = message
        requests = [
            Request(body=body, content_type=content_type)
            for body, content_type in zip(bodies, header["content_types"], strict=True)
        ]
        replies = model.answer(requests)
        about = {
            "replies": [(reply.status, reply.content_type) for reply in replies],
            "cpu_s": time.process_time(),
        }
        sink.write(packed(about, [reply.body for reply in replies]))
        sink.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
