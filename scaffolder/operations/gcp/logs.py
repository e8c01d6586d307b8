"""What the steps of a run wrote, out of Cloud Logging, in order and from a cursor on.

May not know how a run was started.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.tasks import jobs_of, task_details
from scaffolder.operations.gcp.templates import steps_of
from scaffolder.operations.values import LogLine

__all__ = ["instant", "lines"]

PAGE = 1000
BETWEEN = " "
"""Between the time and the id of an entry in a cursor; neither has it."""


def lines(
    calls: Calls, job: Any, spec: Mapping[str, Any], *, step: str | None, after: str
) -> Iterator[LogLine]:
    """Yield the lines of a run, or of one step, that come after a cursor.

    Raises:
        NotFound: the pipeline has no such step.
    """
    names = [name for name, _ in steps_of(spec)]
    if step is not None and step not in names:
        raise NotFound(f"the run has no step {step!r}; there is {', '.join(names)}")
    by_job = {
        ident: name
        for name, task in task_details(job).items()
        if name in names and step in {None, name}
        for ident in jobs_of(task)
    }
    if not by_job:
        return
    start, seen = _cursor(after)
    for entry in _entries(calls, by_job, start or job.create_time.isoformat()):
        key = (str(entry["timestamp"]), str(entry.get("insertId", "")))
        if start and _before(key, (start, seen)):
            continue
        ident = str(entry["resource"]["labels"].get("job_id", ""))
        yield LogLine(
            time=instant(key[0]),
            step=by_job.get(ident, ""),
            text=_text(entry),
            cursor=BETWEEN.join(key),
        )


def _cursor(after: str) -> tuple[str, str]:
    start, _, seen = after.partition(BETWEEN)
    if start:
        try:
            instant(start)
        except ValueError as odd:
            raise InvalidRequest(f"{after!r} is no cursor of this provider's") from odd
    return start, seen


def _before(key: tuple[str, str], cursor: tuple[str, str]) -> bool:
    """Whether an entry is the cursor's, or comes before it: Cloud Logging orders entries of one time by their ids."""
    own, other = (instant(it[0]) for it in (key, cursor))
    return own < other or (own == other and key[0] == cursor[0] and key[1] <= cursor[1])


def instant(time: str) -> datetime:
    """Read a time as Cloud Logging writes it, to nine digits of a second."""
    return datetime.fromisoformat(_whole(time))


def _whole(time: str) -> str:
    """A time with no more than microseconds, which is what Python reads."""
    head, point, rest = time.partition(".")
    if not point:
        return time
    digits = rest.rstrip("Z").partition("+")[0]
    return f"{head}.{digits[:6]:0<6}+00:00"


def _entries(calls: Calls, by_job: Mapping[str, str], start: str) -> Iterator[dict[str, Any]]:
    ids = " OR ".join(f'"{ident}"' for ident in sorted(by_job))
    asked: dict[str, Any] = {
        "resourceNames": [f"projects/{calls.place.project}"],
        "filter": f'resource.type="ml_job" AND resource.labels.job_id=({ids}) AND timestamp>="{start}"',
        "orderBy": "timestamp asc",
        "pageSize": PAGE,
    }
    while True:
        page = calls.rest("logging", "POST", "v2/entries:list", "read logs", json=asked)
        yield from page.get("entries", ())
        if not page.get("nextPageToken"):
            return
        asked["pageToken"] = page["nextPageToken"]


def _text(entry: Mapping[str, Any]) -> str:
    payload = entry.get("jsonPayload")
    if isinstance(payload, Mapping):
        return str(payload.get("message", payload)).rstrip("\n")
    return str(entry.get("textPayload", "")).rstrip("\n")
