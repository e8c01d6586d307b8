"""Alarms and retrainings over the port's values; what decides is the drift code, which travels into clouds' jobs too.

May not decide anything of its own, nor ask a provider.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from scaffolder.drift import alarms
from scaffolder.drift.alarms import Alarm, AlarmRule, Retraining, Started, Window, alarm_after, windows_of
from scaffolder.operations.values import FINISHED, Run

__all__ = [
    "Alarm",
    "AlarmRule",
    "Retraining",
    "Window",
    "alarm_after",
    "reason_of",
    "retraining_after",
    "windows_of",
]


def reason_of(monitor: str) -> str:
    """The reason that a run has which a monitor's alarm started."""
    return f"drift: {monitor}"


def retraining_after(
    monitor: str, alarm: Alarm, runs: Iterable[Run], *, now: datetime, rule: AlarmRule | None = None
) -> Retraining:
    """Decide whether an alarm retrains now; ``runs`` are the retraining pipeline's."""
    started = (
        Started(
            ref=run.ref,
            pipeline=run.pipeline,
            created=run.created,
            going=run.state not in FINISHED,
            by_drift=run.reason == reason_of(monitor),
        )
        for run in runs
    )
    return alarms.retraining_after(monitor, alarm, started, now=now, rule=rule)
