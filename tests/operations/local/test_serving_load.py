"""Two hundred clients at once, while versions come, take traffic, and go.

``SCAFFOLDER_LOAD_S`` is how long they ask at least, 8 s if it is not set.
"""

from __future__ import annotations

import os
import re
import threading
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from benchmarks.http_load import load
from tests.operations.local.serving import ROWS, Project, project, until

CLIENTS = 200
SECONDS = float(os.environ.get("SCAFFOLDER_LOAD_S", "8"))
HEADERS = {"content-type": "text/csv"}
SERVED = re.compile(r'scaffolder_requests_total\{deployment="(.+)",status="200"\} (\d+)')


def _roll_out_and_back(opened: Project, version: int) -> None:
    """Deploy a version, shift the traffic to it step by step, roll back, and take it away."""
    serving = opened.serving
    opened.deploy("new", version)
    for percent in (10, 50, 100):
        serving.set_traffic("churn", {"old": 100 - percent, "new": percent})
        _serves(opened, "new")
    serving.set_traffic("churn", {"old": 100})
    serving.undeploy("churn", "new")
    _serves(opened, "old")


def _serves(opened: Project, deployment: str) -> None:
    """Wait until a deployment has answered once for each client, and half a second at least."""

    def served() -> int:
        with urlopen(opened.url.replace("invocations", "metrics"), timeout=60) as answer:  # noqa: S310 - loopback
            return int(dict(SERVED.findall(answer.read().decode())).get(deployment, "0"))

    enough = served() + CLIENTS
    time.sleep(0.5)
    until(lambda: served() >= enough, f"{deployment} has answered {CLIENTS} times")


@pytest.mark.slow
def test_no_request_fails_while_versions_are_deployed_shifted_and_rolled_back(tmp_path: Path) -> None:
    with project(tmp_path) as opened:
        old, new = opened.version(below=25), opened.version(below=2)
        opened.deploy("old", old)
        problems: list[BaseException] = []
        rounds = 0
        end = time.monotonic() + SECONDS
        done = threading.Event()

        def operate() -> None:
            nonlocal rounds
            try:
                while not rounds or time.monotonic() < end:
                    _roll_out_and_back(opened, new)
                    rounds += 1
            except BaseException as error:  # noqa: BLE001 - it is raised below
                problems.append(error)
            finally:
                done.set()

        operator = threading.Thread(target=operate)
        operator.start()
        seen = load(
            opened.url,
            ROWS,
            HEADERS,
            clients=CLIENTS,
            going=lambda: not done.is_set(),
            counted_header="x-scaffolder-served-by",
        )
        operator.join()
        assert not problems, problems
        assert not seen.failures
        assert rounds >= 1
        assert seen.requests >= 4 * CLIENTS
        assert seen.answers == {b"1\n0\n": seen.headers["old"], b"0\n0\n": seen.headers["new"]}
        assert seen.headers["new"] > 0
