"""What a monitor's job remembers, in the place of its results: a file for each window, and one for each retraining.

    windows/20261102T120000Z.json     what a window found, by its start
    retrainings/00000001.json         the first retraining that was asked for

May not look at a window, nor decide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from .alarms import Started
from .places import Place

__all__ = ["RETRAININGS", "WINDOWS", "History", "Result", "results_in", "window_name"]

WINDOWS, RETRAININGS = "windows", "retrainings"
STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class Result:
    """One result of a window, as alarms look at it."""

    kind: str
    feature: str
    value: float
    breached: bool
    window_start: datetime
    window_end: datetime


def window_name(start: datetime) -> str:
    """The file of the window that starts then."""
    return f"{WINDOWS}/{start.astimezone(UTC).strftime(STAMP)}.json"


def results_in(document: dict[str, Any]) -> Iterator[Result]:
    """The results of a window's document."""
    for one in document["results"]:
        yield Result(
            kind=str(one["kind"]),
            feature=str(one["feature"]),
            value=float(one["value"]),
            breached=bool(one["breached"]),
            window_start=datetime.fromisoformat(one["window_start"]),
            window_end=datetime.fromisoformat(one["window_end"]),
        )


class History:
    """The windows that were looked at, and the retrainings that were asked for."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._seen: dict[datetime, dict[str, Any]] = {}

    def starts(self) -> list[datetime]:
        """When each window that was looked at starts, the oldest first."""
        found = []
        for name in self._place.names(WINDOWS):
            stem = name.rpartition("/")[2].removesuffix(".json")
            try:
                found.append(datetime.strptime(stem, STAMP).replace(tzinfo=UTC))
            except ValueError:
                continue  # somebody else's file
        return sorted(found)

    def window(self, start: datetime) -> dict[str, Any]:
        """What a window found.

        Raises:
            ValueError: its file is not there any more, or is no window's.
        """
        if start not in self._seen:
            content = self._place.read(window_name(start))
            try:
                document = json.loads(content or b"")
                [*results_in(document)]
            except (KeyError, TypeError, ValueError) as problem:
                raise ValueError(
                    f"{window_name(start)} of the results is no window's: {problem!r}"
                ) from problem
            self._seen[start] = document
        return self._seen[start]

    def keep(self, start: datetime, document: dict[str, Any], *, again: bool) -> dict[str, Any]:
        """Keep what a window found, and return what is kept: another job's, if it was first."""
        content = _written(document)
        if again:
            self._place.replace(window_name(start), content)
        elif not self._place.create(window_name(start), content):
            return self.window(start)
        self._seen[start] = document
        return document

    def last_retraining(self) -> tuple[int, Started | None]:
        """The number and the record of the retraining that was asked for last; 0 and nothing before the first."""
        names = self._place.names(RETRAININGS)
        if not names:
            return 0, None
        said = json.loads(self._place.read(names[-1]) or b"{}")
        number = int(names[-1].rpartition("/")[2].removesuffix(".json"))
        at = datetime.fromisoformat(said["at"])
        return number, Started(ref=str(number), pipeline="", created=at, going=False, by_drift=True)

    def claim(self, number: int, now: datetime, why: str) -> bool:
        """Record the next retraining, and say whether it is this job's: of two that ask at once, one is told so."""
        document = {"at": now.isoformat(), "why": why, "job": uuid4().hex}
        return self._place.create(f"{RETRAININGS}/{number:08d}.json", _written(document))


def _written(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
