"""The suite's project opened on the in-memory provider, by a clock that only waiting turns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffolder.operations.opening import Opened
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Capability
from stacks.intents import Platform, Support
from tests.operations.memory import Memory, open_provider
from tests.operations.platforms import platform_in

__all__ = ["Clock", "opened_memory"]


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 2, 12, tzinfo=UTC)
        self.slept_s = 0.0

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept_s += seconds
        self.time += timedelta(seconds=seconds)


@cache
def _platform() -> Platform:
    with TemporaryDirectory() as folder:
        return platform_in("memory", Path(folder))


def opened_memory(
    folder: Path, clock: Clock, lacking: Mapping[Capability, Support] | None = None
) -> tuple[Opened, Memory]:
    """Open the project's platform; what the provider remembers is below the folder."""
    opening = Opening(platform=_platform(), folder=folder, sleep=clock.sleep, now=clock.now)
    memory = open_provider(opening, lacking)
    opened = Opened(
        spec=Path("platform.yaml"),
        environment="local",
        platform=opening.platform,
        provider=memory,
        opening=opening,
    )
    return opened, memory
