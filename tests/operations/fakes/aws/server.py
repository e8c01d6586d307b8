"""The loopback server that all worlds of a process take in turn: moto starts slowly, and resets fast.

May not run two clouds at once: the one opened last is the one that answers.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from threading import Thread
from typing import Any

from moto.core.request import Request
from werkzeug.wrappers import Response

from tests.emulator.server import RESET_PATH, make
from tests.operations.fakes.aws.cloud import Cloud

__all__ = ["running_cloud"]


@cache
def _server() -> tuple[Any, Any]:
    """The server, which serves, and moto behind the emulator's corrections."""
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "false")
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    server = make(0)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    atexit.register(server.server_close)
    return server, server.app


@contextmanager
def running_cloud(account: str, region: str, now: Callable[[], datetime]) -> Iterator[Cloud]:
    """Serve an empty account; at the end, say what was wrong with the fake itself."""
    server, moto = _server()
    reset = Request.from_primitives("POST", f"http://127.0.0.1{RESET_PATH}", {})
    Response.from_app(moto, reset.environ, buffered=True)
    cloud = Cloud(moto, account, region, now)
    cloud.url = f"http://127.0.0.1:{server.port}"
    server.app = cloud
    try:
        yield cloud
    finally:
        if server.app is cloud:
            server.app = moto
    if cloud.defects:
        raise AssertionError("the fake is at fault: " + "; ".join(cloud.defects))
