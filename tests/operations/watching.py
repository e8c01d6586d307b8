"""A monitor's job in tests: what it compares with, what it reads, its clock, and how it is started.

May not know a cloud.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from scaffolder.drift.baseline import baseline, dumped
from scaffolder.drift.job import main
from scaffolder.drift.wire import Around

__all__ = ["EVERY_S", "NOON", "Clock", "Job", "known", "requests"]

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
EVERY_S = 3600


def known() -> bytes:
    """The baseline of a model that is wrong once in ten."""
    dice = np.random.default_rng(1)
    rows = [{"tenure": float(value), "plan": "basic"} for value in dice.normal(40, 10, 600)]
    labels = [0, 1] * 300
    answers = [label if number % 10 else 1 - label for number, label in enumerate(labels)]
    return dumped(baseline(rows, predictions=answers, labels=labels)).encode()


def requests(begin: datetime, *, shift: float = 0.0, size: int = 60) -> Iterator[dict[str, Any]]:
    """Requests of a row each through an hour, as SageMaker captures them."""
    dice = np.random.default_rng(7)
    for number, value in enumerate(dice.normal(40 + shift, 10, size)):
        moment = begin + timedelta(seconds=number * 3600 / size)
        yield {
            "captureData": {
                "endpointInput": {"data": f"{value:.3f},basic\n", "encoding": "CSV"},
                "endpointOutput": {"data": f"{number % 2}\n", "encoding": "CSV"},
            },
            "eventMetadata": {
                "eventId": f"{begin:%H}-{number}",
                "inferenceTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        }


@dataclass
class Clock:
    """A clock that only sleeping turns."""

    moment: datetime = NOON
    slept: float = 0.0

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.moment += timedelta(seconds=seconds)


@dataclass
class Job:
    """A job with its options, and what it said last."""

    captured: str
    results: str
    baseline: str
    publish: str = "stdout"
    more: Sequence[str] = ()
    clock: Clock = field(default_factory=Clock)
    hosts: dict[str, str] = field(default_factory=dict)
    error: str = ""

    def run(self, at: datetime) -> int:
        """Start the job at a time, and return its exit code."""
        self.clock.moment = at
        out, err = io.StringIO(), io.StringIO()
        options = [
            *("watch", "--monitor=churn", f"--every-s={EVERY_S}", f"--captured={self.captured}"),
            *(f"--baseline={self.baseline}", f"--results={self.results}", f"--publish={self.publish}"),
            *("--data=0.2", *self.more),
        ]
        with redirect_stdout(out), redirect_stderr(err):
            code = main(options, Around(now=self.clock.now, sleep=self.clock.sleep, hosts=self.hosts))
        self.error = err.getvalue()
        self.said = json.loads(out.getvalue()) if out.getvalue() else {}
        return code

    def figures(self, at: datetime) -> tuple[int, int]:
        """Run the job well, and return whether there is an alarm, and whether it asked for a retraining."""
        assert self.run(at) == 0, self.error
        return self.said["drift_alarm"], self.said["drift_retrain"]
