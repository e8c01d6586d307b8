"""What a monitor's own job found, as it keeps it: a document for each window, below ``monitoring/NAME`` of the artifacts.

The job writes them (``drift/history.py``). May not know where they are read from.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, cast

from scaffolder.drift.history import STAMP, WINDOWS, window_name
from scaffolder.operations.alarms import AlarmRule, alarm_after, windows_of
from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.values import DriftResult
from stacks.intents import ModelMonitor

__all__ = ["HORIZON", "Read", "latest", "results_of", "rule_of", "starts_in", "windows_place"]

HORIZON = 1_000
"""The windows that a monitor's alarm is told from at most, as its job's."""

Read = Callable[[str], bytes]
"""Reads the file of an address."""


def windows_place(monitor: str) -> str:
    """Where in the artifacts bucket a monitor's windows are."""
    return f"monitoring/{monitor}/{WINDOWS}"


def starts_in(names: Iterable[str]) -> list[datetime]:
    """When the windows of these files start, the oldest first; other files are passed over."""
    found = []
    for name in names:
        stem = name.rpartition("/")[2].removesuffix(".json")
        with suppress(ValueError):
            found.append(datetime.strptime(stem, STAMP).replace(tzinfo=UTC))
    return sorted(found)


def results_of(
    monitor: ModelMonitor,
    starts: Sequence[datetime],
    read: Read,
    place: str,
    *,
    since: datetime | None = None,
) -> Iterator[DriftResult]:
    """Yield what windows found that ended after ``since``, the oldest first; ``place`` is the address of their files."""
    for number, start in enumerate(starts):
        following = starts[number + 1] if number + 1 < len(starts) else None
        if since is not None and following is not None and following <= since:
            continue  # it ended before the next began
        file = window_name(start).rpartition("/")[2]
        for result in _read(monitor.name, read, f"{place}/{file}"):
            if since is None or result.window_end > since:
                yield result


def _read(monitor: str, read: Read, uri: str) -> Iterator[DriftResult]:
    try:
        for one in json.loads(read(uri))["results"]:
            yield _result(monitor, one, uri)
    except (KeyError, TypeError, ValueError) as problem:
        raise InvalidRequest(
            f"{uri} is no window of a monitor's job: {problem!r}",
            remedy="Remove it, or put it back as it was.",
        ) from problem


def _result(monitor: str, one: dict[str, Any], uri: str) -> DriftResult:
    return DriftResult(
        monitor=monitor,
        kind=cast("Any", one["kind"]),
        feature=str(one["feature"]),
        metric=str(one["metric"]),
        value=float(one["value"]),
        threshold=float(one["threshold"]),
        breached=bool(one["breached"]),
        window_start=datetime.fromisoformat(one["window_start"]),
        window_end=datetime.fromisoformat(one["window_end"]),
        rows=int(one["rows"]),
        report_uri=uri,
    )


def rule_of(monitor: ModelMonitor) -> AlarmRule:
    """The rule of a monitor's alarm, as its job has it."""
    return AlarmRule(breaches=monitor.breaches, windows=monitor.windows, cooldown_s=float(monitor.cooldown_s))


def latest(
    monitor: ModelMonitor, starts: Sequence[datetime], read: Read, place: str
) -> tuple[datetime | None, bool]:
    """The end of the last window that was decided, and whether there is an alarm after it.

    Windows are read back to a stretch that is quiet for so long that nothing before it counts.
    """
    rule, quiet = rule_of(monitor), 0
    found: list[DriftResult] = []
    for start in reversed(starts[-HORIZON:]):
        file = window_name(start).rpartition("/")[2]
        results = [*_read(monitor.name, read, f"{place}/{file}")]
        found += results
        for window in windows_of(results, monitor.columns):
            quiet = 0 if window.breached else quiet + 1
        if quiet >= max(rule.windows, rule.clear):
            break
    last = max((one.window_end for one in found), default=None)
    return last, alarm_after(windows_of(found, monitor.columns), rule).raised
