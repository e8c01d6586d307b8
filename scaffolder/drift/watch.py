"""The scheduled look: the last complete windows, what they found, and whether that is an alarm or a retraining.

Safe to repeat: a window is decided once, and only its late labels change what it says; a retraining is recorded before
it is published, so that a job that dies in between starts none, rather than two. May not know how a place or a cloud is
reached.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from .alarms import Alarm, AlarmRule, alarm_after, retraining_after, windows_of
from .baseline import FILE, Baseline, parse
from .check import Thresholds
from .history import History, Result, results_in
from .looking import looked
from .places import place_at
from .publish import ALARM, RETRAIN, SCORE, Figures, Publisher
from .reading import window_of
from .sources import Captures, bring_captures, bring_labels
from .wire import Around

__all__ = ["Watch", "watched"]

VERSION = 1
SETTLE_S = 300.0
"""How long after a window's end its last requests may still come: endpoints write what they captured in batches."""
FURTHEST = 1_000
"""Windows that are read at most to know whether there is an alarm."""


@dataclass(frozen=True)
class Watch:
    """A monitor, as its job is told."""

    monitor: str
    every_s: int
    captured: Captures
    baseline: str
    labels: str
    results: str
    thresholds: Thresholds
    columns: tuple[str, ...]
    rule: AlarmRule
    retrains: bool
    publish: Publisher

    @property
    def every(self) -> timedelta:
        """How long a window is."""
        return timedelta(seconds=self.every_s)


def watched(watch: Watch, around: Around) -> dict[str, Any]:
    """Look at the windows that are due, and return what the job says in its line."""
    last = _last_window(watch, around)
    history = History(place_at(watch.results, around))
    with TemporaryDirectory(prefix="drift-") as folder:
        look = _Look(watch, around, Path(folder))
        starts = history.starts()
        late = [start for start in starts if start > last - watch.rule.windows * watch.every]
        seen = [found for start in late if (found := _again(look, history, start)) is not None]
        seen += [_first(look, history, start) for start in _due(watch, history, starts, last)]
    fresh = seen or [history.window(starts[-1])]
    decided = [result for document in fresh for result in results_in(document)]
    said = {
        "monitor": watch.monitor,
        "windows": [document["window"] for document in fresh],
        "notes": sorted({_note(one) for document in fresh for one in document["undecided"]}),
    }
    if not decided:
        return {**said, "published": False}
    return {**said, **_published(watch, around, history, decided, last)}


def _last_window(watch: Watch, around: Around) -> datetime:
    """The start of the last complete window, once what was captured in it is there."""
    now = around.now().astimezone(UTC)
    end = datetime.fromtimestamp(now.timestamp() // watch.every_s * watch.every_s, UTC)
    settled = end + timedelta(seconds=min(SETTLE_S, watch.every_s / 4))
    if now < settled:
        around.sleep((settled - now).total_seconds())
    return end - watch.every


def _due(watch: Watch, history: History, starts: Sequence[datetime], last: datetime) -> list[datetime]:
    """The windows since the last that was looked at; before the first, only the last one. Older ones are let go."""
    if not starts:
        return [last]
    before = datetime.fromisoformat(history.window(starts[-1])["window"]["window_end"])
    most = watch.rule.windows + 2
    candidates = (last - number * watch.every for number in reversed(range(most)))
    return [start for start in candidates if start >= before]


# --- a window --------------------------------------------------------------------------------------------------------


@dataclass
class _Look:
    """What windows are looked at with; baseline and labels are fetched when the first window needs them."""

    watch: Watch
    around: Around
    folder: Path
    _known: Baseline | None = None
    _labels: Path | None = None

    def at(self, start: datetime) -> dict[str, Any]:
        """Look at the window that starts then."""
        end = start + self.watch.every
        folder = self.folder / f"{start:%Y%m%dT%H%M%S}"
        bring_captures(self.watch.captured, start, end, folder, self.around)
        known = self._baseline()
        window = window_of(folder, list(known.columns), since=start, until=end)
        labels = self._true() if self.watch.thresholds.concept is not None else None
        found = looked(known, window, self.watch.thresholds, labels=labels)
        return {"version": VERSION, "monitor": self.watch.monitor, **found}

    def _baseline(self) -> Baseline:
        if self._known is None:
            place, name = place_at(self.watch.baseline, self.around), FILE
            content = place.read(name)
            if content is None:
                raise ValueError(
                    f"there is no {name} below {self.watch.baseline}: `drift baseline` makes it from rows"
                )
            self._known = parse(json.loads(content))
        return self._known

    def _true(self) -> Path:
        if self._labels is None:
            self._labels = self.folder / "labels"
            bring_labels(self.watch.labels, self._labels, self.around)
        return self._labels


def _first(look: _Look, history: History, start: datetime) -> dict[str, Any]:
    return history.keep(start, look.at(start), again=False)


def _again(look: _Look, history: History, start: datetime) -> dict[str, Any] | None:
    """Look again at a window whose labels were not there; what was decided before stays as it is."""
    before = history.window(start)
    pending = {one["kind"] for one in before["undecided"] if one["pending"]}
    if not pending:
        return None
    now = look.at(start)
    late = [one for one in now["results"] if one["kind"] in pending]
    if not late:
        return None
    merged = {
        **before,
        "results": [*(one for one in before["results"] if one["kind"] not in pending), *late],
        "undecided": [
            *(one for one in before["undecided"] if one["kind"] not in pending),
            *(one for one in now["undecided"] if one["kind"] in pending),
        ],
    }
    return history.keep(start, merged, again=True)


def _note(one: dict[str, Any]) -> str:
    return f"{one['feature'] or one['kind']}: {one['reason']}"


# --- what follows ----------------------------------------------------------------------------------------------------


def _published(
    watch: Watch, around: Around, history: History, decided: Sequence[Result], last: datetime
) -> dict[str, Any]:
    alarm = alarm_after(windows_of(_recent(watch, history), watch.columns), watch.rule)
    wanted, why = _retraining(watch, around, history, alarm)
    figures = Figures(
        monitor=watch.monitor,
        window=last.isoformat(),
        score=max(result.value for result in decided),
        alarm=int(alarm.raised),
        retrain=int(wanted),
    )
    try:
        watch.publish(figures, around)
    except OSError as problem:
        if not wanted:
            raise
        raise ValueError(f"a retraining was recorded, and perhaps never started: {problem}") from problem
    said = {SCORE: figures.score, ALARM: figures.alarm, RETRAIN: figures.retrain}
    return {**said, "why": why, "published": True}


def _recent(watch: Watch, history: History) -> list[Result]:
    """Results back to a stretch that is quiet for so long that nothing before it counts any more."""
    rule, quiet = watch.rule, 0
    found: list[Result] = []
    for start in reversed(history.starts()[-FURTHEST:]):
        results = [*results_in(history.window(start))]
        found += results
        for window in windows_of(results, watch.columns):
            quiet = 0 if window.breached else quiet + 1
        if quiet >= max(rule.windows, rule.clear):
            break
    return found


def _retraining(watch: Watch, around: Around, history: History, alarm: Alarm) -> tuple[bool, str]:
    """Decide on a retraining, and record it: from then on no other job asks for it."""
    if not watch.retrains:
        return False, "the monitor does not retrain"
    number, before = history.last_retraining()
    started = () if before is None else (before,)
    decided = retraining_after(watch.monitor, alarm, started, now=around.now(), rule=watch.rule)
    if not decided.wanted:
        return False, decided.why
    if not history.claim(number + 1, around.now(), decided.why):
        return False, "another job of this monitor has asked for it"
    return True, decided.why
