"""The world of the in-memory provider: a clock is all that is behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from scaffolder.operations.port import Opening
from scaffolder.operations.values import Capability, RunState
from stacks.intents import Platform, Support
from tests.operations.memory import PACE_S, Memory, open_provider
from tests.operations.platforms import platform_in
from tests.operations.worlds import Fault

__all__ = ["MemoryWorld", "open_world"]

LONG_S = 100 * PACE_S


class MemoryWorld:
    """The provider over a clock that only sleeping turns."""

    def __init__(self, folder: Path, lacking: Mapping[Capability, Support] | None = None) -> None:
        self.platform: Platform = platform_in("memory", folder)
        self._now = datetime(2026, 11, 2, 12, tzinfo=UTC)
        self._slept = 0.0
        opening = Opening(platform=self.platform, folder=folder, sleep=self._sleep, now=lambda: self._now)
        self.provider: Memory = open_provider(opening, lacking)

    def _sleep(self, seconds: float) -> None:
        self._slept += seconds
        self._now += timedelta(seconds=seconds)

    def finish(self, ref: str, state: RunState = RunState.SUCCEEDED) -> None:
        del ref, state  # it follows from the request
        self._now += timedelta(seconds=LONG_S)

    def settle(self, endpoint: str) -> None:
        del endpoint
        self._now += timedelta(seconds=LONG_S)

    def an_artifact(self) -> str:
        return "memory://artifacts/models/churn"

    def much_to_score(self) -> str:
        return self.scoring_input()  # a job of this world goes on until it is told to end

    def scoring_input(self) -> str:
        return "memory://data/raw/2026-11-01"

    def find_drift(self, monitor: str) -> None:
        self.provider.monitoring.run(monitor, f"drift {self._now}")
        self._now += timedelta(seconds=LONG_S)

    def inject(self, fault: Fault, *, times: int = 1, after: int = 0) -> None:
        raise NotImplementedError(f"{times} times {fault} after {after}: there is no service")

    def slept(self) -> float:
        return self._slept

    def calls(self) -> int:
        return 0

    def secrets(self) -> tuple[str, ...]:
        return ()


@contextmanager
def open_world(folder: Path) -> Iterator[MemoryWorld]:
    yield MemoryWorld(folder)
