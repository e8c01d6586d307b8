"""Monitors on Azure: not made yet, and said so by each call.

May not look as if a monitor ran.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NoReturn

from scaffolder.operations.azure.support import SUPPORT
from scaffolder.operations.errors import Unsupported
from scaffolder.operations.values import Capability, DriftResult, Ensured, MonitorStatus
from stacks.intents import ModelMonitor

__all__ = ["NoMonitoring"]


def _refuse() -> NoReturn:
    raise Unsupported(
        Capability.MONITORS.value,
        f"monitors are not made on Azure: {SUPPORT[Capability.MONITORS].reason}",
        remedy="Look for drift with --env local over the captured requests.",
    )


class NoMonitoring:
    """Refuses by name."""

    def ensure(self, monitor: ModelMonitor) -> Ensured:
        """Refuse."""
        del monitor
        _refuse()

    def run(self, monitor: str, token: str) -> str:
        """Refuse."""
        del monitor, token
        _refuse()

    def list(self) -> Iterator[MonitorStatus]:
        """Refuse."""
        _refuse()

    def results(self, monitor: str, *, since: datetime | None = None) -> Iterator[DriftResult]:
        """Refuse."""
        del monitor, since
        _refuse()
