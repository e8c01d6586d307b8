"""When drift is an alarm, and when an alarm retrains: decided from what windows found, and from nothing else.

No state is kept: the same results give the same answer, on every provider and after every restart. May not read a clock,
a file or a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol
from uuid import NAMESPACE_URL, uuid5

__all__ = [
    "Alarm",
    "AlarmRule",
    "Found",
    "Retraining",
    "Started",
    "Window",
    "alarm_after",
    "retraining_after",
    "windows_of",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRule:
    """An alarm is raised by ``breaches`` in the last ``windows``, and ends after ``clear`` windows without one in a row.

    One window alone is often chance or a busy hour; so an alarm neither comes nor goes with it. ``cooldown_s`` has to
    pass between two retrainings that drift starts.
    """

    breaches: int = 2
    windows: int = 3
    clear: int = 2
    cooldown_s: float = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A window that was decided; ``breached`` names what drifted, empty where nothing did."""

    start: datetime
    end: datetime
    breached: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Whether there is one, the end of the window that raised it, and what drifted in its windows until now."""

    raised: bool = False
    since: datetime | None = None
    what: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraining:
    """Whether to retrain now, and why or why not. ``token`` is the same for the same alarm and earlier retrainings."""

    wanted: bool
    why: str
    token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A run of the retraining pipeline; ``by_drift``: this monitor's alarm started it."""

    ref: str
    pipeline: str
    created: datetime
    going: bool
    by_drift: bool


class Found(Protocol):
    """A result, as far as alarms look at it."""

    @property
    def kind(self) -> str: ...
    @property
    def feature(self) -> str: ...
    @property
    def breached(self) -> bool: ...
    @property
    def window_start(self) -> datetime: ...
    @property
    def window_end(self) -> datetime: ...


def windows_of(results: Iterable[Found], columns: Sequence[str] = ()) -> tuple[Window, ...]:
    """Put results together by window, the oldest first.

    A window that nothing was decided in has no result, and so is neither a breach nor clear. One that overlaps the one
    before is left out: the same rows count once. ``columns`` are those whose drift raises the alarm; all, where none
    is named. Drift of the predictions and of the error always does.
    """
    ordered = sorted(results, key=lambda one: (one.window_end, one.window_start))
    windows: list[Window] = []
    for (end, start), found in groupby(ordered, key=lambda one: (one.window_end, one.window_start)):
        if windows and start < windows[-1].end:
            continue
        counted = [one for one in found if not columns or one.kind != "data" or one.feature in columns]
        names = dict.fromkeys(_name(one) for one in counted if one.breached)
        if counted:
            windows.append(Window(start=start, end=end, breached=tuple(names)))
    return tuple(windows)


def _name(result: Found) -> str:
    if result.kind == "data":
        return result.feature
    return "the predictions" if result.kind == "prediction" else "the error"


def alarm_after(windows: Sequence[Window], rule: AlarmRule | None = None) -> Alarm:
    """Say whether there is an alarm after windows, the oldest first."""
    rule = rule or AlarmRule()
    alarm, quiet, counted = Alarm(), 0, 0
    for place, window in enumerate(windows):
        quiet = 0 if window.breached else quiet + 1
        if alarm.raised:
            what = tuple(dict.fromkeys([*alarm.what, *window.breached]))
            alarm = Alarm(raised=True, since=alarm.since, what=what)
            if quiet >= rule.clear:
                alarm, counted = Alarm(), place + 1  # what raised this one does not raise the next
            continue
        last = [one for one in windows[max(counted, place + 1 - rule.windows) : place + 1] if one.breached]
        if len(last) >= rule.breaches:
            what = tuple(dict.fromkeys(name for one in last for name in one.breached))
            alarm = Alarm(raised=True, since=window.end, what=what)
    return alarm


def retraining_after(
    monitor: str, alarm: Alarm, runs: Iterable[Started], *, now: datetime, rule: AlarmRule | None = None
) -> Retraining:
    """Decide whether an alarm retrains now; ``runs`` are the retraining pipeline's.

    It does unless one of them is going on, or drift started one within the cool-down. One that failed counts too: what
    broke it will hardly be mended by the next window.
    """
    rule = rule or AlarmRule()
    if not alarm.raised or alarm.since is None:
        return Retraining(wanted=False, why="there is no alarm")
    known = sorted(runs, key=lambda run: run.created)
    going = next((run for run in known if run.going), None)
    if going is not None:
        return Retraining(wanted=False, why=f"run {going.ref} of the pipeline {going.pipeline} is going on")
    last = next((run for run in reversed(known) if run.by_drift), None)
    if last is not None and now < last.created + timedelta(seconds=rule.cooldown_s):
        again = last.created + timedelta(seconds=rule.cooldown_s)
        return Retraining(
            wanted=False,
            why=f"drift started run {last.ref} already; the next may start at {again:%Y-%m-%d %H:%M} UTC",
        )
    after = last.ref if last is not None else "none"
    name = f"scaffolder:retraining:{monitor}:{alarm.since.isoformat()}:{after}"
    return Retraining(
        wanted=True,
        why=f"{', '.join(alarm.what)} drifted, since {alarm.since:%Y-%m-%d %H:%M} UTC",
        token=str(uuid5(NAMESPACE_URL, name)),
    )
