"""What a window is read from, brought into a folder: captures of its hours, or rows of its time, and labels.

May not read more of what was captured than the window's time, nor know a baseline.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any

from .places import Place, place_at
from .reading import CAPTURES, TABLES
from .wire import Around, address, google_tokens

__all__ = ["FORMATS", "Captures", "bring_captures", "bring_labels", "captures_at"]

FORMATS = ("sagemaker", "azureml", "bigquery", "files")
DEEPEST = 4
"""How deep below its address a capture's years may be: SageMaker and Azure ML have two folders before them."""
HOUR = timedelta(hours=1)
PAGE_ROWS = 5_000
QUERY_MS = 30_000
LONGEST_POLLS = 40
TABLE = re.compile(r"[A-Za-z0-9:._-]+\.[A-Za-z0-9_]+\.[A-Za-z0-9_$-]+")
QUERY = (
    "SELECT request_id, logging_time, request_payload, response_payload FROM `{table}` "
    "WHERE logging_time >= @start AND logging_time < @end"
)
"""Of the table that Vertex AI logs requests and answers into (Vertex AI, online prediction logging, 2026-11)."""


@dataclass(frozen=True)
class Captures:
    """Where requests are kept, and how."""

    form: str
    uri: str


def captures_at(text: str) -> Captures:
    """Read ``FORMAT:ADDRESS``.

    Raises:
        ValueError: it is not that.
    """
    form, _, uri = text.partition(":")
    if form not in FORMATS or not uri:
        raise ValueError(f"{text} does not say FORMAT:ADDRESS; a format is {', '.join(FORMATS)}")
    if form == "bigquery" and not TABLE.fullmatch(uri):
        raise ValueError(f"{uri} is no PROJECT.DATASET.TABLE")
    return Captures(form, uri)


def bring_captures(captured: Captures, start: datetime, end: datetime, folder: Path, around: Around) -> None:
    """Bring what may be of a window into a folder; it is cut by time when it is read."""
    folder.mkdir(parents=True, exist_ok=True)
    if captured.form == "bigquery":
        _bring_rows(captured.uri, start, end, folder, around)
        return
    place = place_at(captured.uri, around)
    names = place.names() if captured.form == "files" else _of_hours(place, start, end)
    _bring(place, names, CAPTURES, folder)
    for file in folder.iterdir():
        os.utime(
            file, (end.timestamp(), end.timestamp())
        )  # the reader passes over files older than the window


def bring_labels(uri: str, folder: Path, around: Around) -> None:
    """Bring all labels into a folder: what became true of a request may come in any file, at any time after it."""
    folder.mkdir(parents=True, exist_ok=True)
    place = place_at(uri, around)
    _bring(place, place.names(), (*CAPTURES, *TABLES), folder)


def _bring(place: Place, names: Sequence[str] | Iterator[str], kinds: Sequence[str], folder: Path) -> None:
    for number, name in enumerate(names):
        path = PurePosixPath(name)
        if path.suffix in kinds and not path.name.startswith((".", "_")):
            (folder / f"{number:06d}{path.suffix}").write_bytes(place.read(name) or b"")


# --- by hours --------------------------------------------------------------------------------------------------------


def _of_hours(place: Place, start: datetime, end: datetime) -> Iterator[str]:
    """The files of a window's hours, and of the one in which it ends: a request is filed when its answer is there."""
    hours = [*_hours(start, end)]
    days = dict.fromkeys(hour.strftime("%Y/%m/%d") for hour in hours)
    for root in _dated(place):
        for day in days:
            there = set(place.folders(_below(root, day)))
            for hour in hours:
                if hour.strftime("%Y/%m/%d") == day and hour.strftime("%H") in there:
                    yield from place.names(_below(root, hour.strftime("%Y/%m/%d/%H")))


def _hours(start: datetime, end: datetime) -> Iterator[datetime]:
    hour = start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour <= end:
        yield hour
        hour += HOUR


def _dated(place: Place, below: str = "", depth: int = 0) -> Iterator[str]:
    """The folders that have years in them."""
    found = place.folders(below)
    if any(re.fullmatch(r"\d{4}", name) for name in found):
        yield below
    elif depth < DEEPEST:
        for name in found:
            yield from _dated(place, _below(below, name), depth + 1)


def _below(*parts: str) -> str:
    return "/".join(part for part in parts if part)


# --- BigQuery --------------------------------------------------------------------------------------------------------


def _bring_rows(table: str, start: datetime, end: datetime, folder: Path, around: Around) -> None:
    tokens = google_tokens(around)
    project = table.rpartition(".")[0].rpartition(".")[0]
    home = f"https://bigquery.googleapis.com/bigquery/v2/projects/{project}/queries"
    asked = {
        "query": QUERY.format(table=table),
        "useLegacySql": False,
        "parameterMode": "NAMED",
        "queryParameters": [_moment("start", start), _moment("end", end)],
        "maxResults": PAGE_ROWS,
        "timeoutMs": QUERY_MS,
        "formatOptions": {"useInt64Timestamp": True},
    }
    headers = {**tokens.headers(), "Content-Type": "application/json"}
    what = f"read requests from {table}"
    body = json.dumps(asked).encode()
    answer = around.ask("POST", home, what, headers=headers, body=body, fine=(404,))
    if answer.status == 404:
        return  # Vertex AI makes the table with the first request
    page = answer.document()
    job = page["jobReference"]
    polls = 0
    with (folder / "requests.jsonl").open("w", encoding="utf-8") as file:
        while True:
            if page.get("jobComplete"):
                file.writelines(f"{json.dumps(_row(row))}\n" for row in page.get("rows", ()))
            following = page.get("pageToken", "")
            if page.get("jobComplete") and not following:
                return
            polls += not page.get("jobComplete")
            if polls > LONGEST_POLLS:
                raise TimeoutError(f"the query of {table} is not done after {polls * QUERY_MS // 1000} s")
            query = {
                "maxResults": str(PAGE_ROWS),
                "timeoutMs": str(QUERY_MS),
                "location": str(job["location"]),
            }
            query |= {
                "formatOptions.useInt64Timestamp": "true",
                **({"pageToken": following} if following else {}),
            }
            url = address(f"{home}/{job['jobId']}", **query)
            page = around.ask("GET", url, what, headers=tokens.headers()).document()


def _moment(name: str, moment: datetime) -> dict[str, Any]:
    value = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f+00:00")
    return {"name": name, "parameterType": {"type": "TIMESTAMP"}, "parameterValue": {"value": value}}


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the reader of Vertex AI's captures takes it: BigQuery writes each value as ``{"v": text}``."""
    name, moment, asked, answered = (cell["v"] for cell in row["f"])
    return {
        "request_id": name,
        "logging_time": datetime.fromtimestamp(int(moment) / 1_000_000, UTC).isoformat(),
        "request_payload": [one["v"] for one in asked or ()],
        "response_payload": [one["v"] for one in answered or ()],
    }
