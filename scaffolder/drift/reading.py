"""Rows out of files: tables, and the requests and answers that endpoints keep, as each platform writes them.

May not know a baseline's content beyond its columns' names.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = [
    "Captured",
    "Window",
    "answers_of",
    "captures",
    "files_below",
    "labels_of",
    "rows_of",
    "table",
    "window_of",
]

Record = dict[str, Any]
CAPTURES = (".jsonl", ".json", ".ndjson")
TABLES = (".csv", ".parquet")


@dataclass(frozen=True)
class Captured:
    """A request and its answer. ``time`` is aware, ``None`` where nobody wrote it down."""

    id: str
    time: datetime | None
    request: Any
    answer: Any
    version: str = ""


@dataclass
class Window:
    """The rows of many requests: ``ids`` and ``places`` say of each row which request it came with, and where in it."""

    rows: Any
    predictions: list[Any] | None
    ids: list[str] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    start: datetime | None = None
    end: datetime | None = None
    unread: int = 0


def files_below(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """List the files of some kinds below a folder, or the one file that is given; hidden ones are not meant."""
    if folder.is_file():
        return [folder]
    found = (path for path in folder.rglob("*") if path.suffix in suffixes and path.is_file())
    return sorted(path for path in found if not path.name.startswith((".", "_")))


def table(folder: Path) -> Any:
    """Read all tables below a folder as one DataFrame; JSON files hold an object a line."""
    parts = [_table(path) for path in files_below(folder, (*TABLES, *CAPTURES))]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _table(path: Path) -> Any:
    match path.suffix:
        case ".csv":
            try:
                return pd.read_csv(path, keep_default_na=True)
            except pd.errors.EmptyDataError:
                return pd.DataFrame()
        case ".parquet":
            return pd.read_parquet(path)
        case _:
            return pd.DataFrame([row for row in _objects(path) if isinstance(row, dict)])


def _objects(path: Path) -> Iterator[Any]:
    """Yield a file's JSON values; ``None`` for a line that is none, such as the last one of a file that is growing."""
    if path.suffix == ".json":
        text = path.read_text(encoding="utf-8", errors="replace")
        yield from _values(text) if "\n{" not in text.strip() else _lines(text.splitlines())
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        yield from _lines(lines)


def _lines(lines: Iterable[str]) -> Iterator[Any]:
    for line in lines:
        yield from _values(line)


def _values(text: str) -> Iterator[Any]:
    if not text.strip():
        return
    try:
        found = json.loads(text)
    except ValueError:
        yield None
    else:
        yield from found if isinstance(found, list) else (found,)


def _holds_captures(folder: Path) -> bool:
    """Whether what is below a folder was captured; else its files are tables of rows."""
    firsts = (next(_objects(path), None) for path in files_below(folder, CAPTURES))
    return any(isinstance(first, dict) and _captured(first) is not None for first in firsts)


def captures(folder: Path, *, since: datetime | None = None) -> Iterator[Captured | None]:
    """Yield what was captured; ``None`` stands for a line that is not understood.

    Files that were last written before ``since`` are not opened. A request and an answer that are kept apart are put together by their id.
    """
    answers: dict[str, Captured] = {}
    requests: list[Captured] = []
    for path in files_below(folder, CAPTURES):
        if since is not None and path.stat().st_mtime < since.timestamp():
            continue
        for line in _objects(path):
            found = _captured(line) if isinstance(line, dict) else None
            if found is None:
                yield None
            elif found.request is None:
                answers[found.id] = found
            elif found.answer is None:
                requests.append(found)
            else:
                yield found
    for each in requests:
        yield replace(each, answer=answers[each.id].answer) if each.id in answers else each


def _captured(found: Record) -> Captured | None:
    for fits, read in _FORMATS:
        if fits in found:
            return read(found)
    return None


def _ours(found: Record) -> Captured:
    version = str(found.get("version", ""))
    return Captured(
        str(found.get("id", "")), _time(found.get("time")), found["request"], found.get("answer"), version
    )


def _sagemaker(found: Record) -> Captured:
    """Data capture of SageMaker endpoints (Developer Guide, "Capture data from real-time endpoint", 2026-11)."""
    kept, about = found["captureData"], found.get("eventMetadata", {})
    request, answer = (kept.get(side, {}).get("data") for side in ("endpointInput", "endpointOutput"))
    name = about.get("inferenceId") or about.get("eventId", "")
    return Captured(str(name), _time(about.get("inferenceTime")), request, answer)


def _vertex(found: Record) -> Captured:
    """Request-response logging of Vertex AI, exported from BigQuery (columns of its table, 2026-11)."""
    request, answer = found["request_payload"], found.get("response_payload")
    rows = [json.loads(row) if isinstance(row, str) else row for row in request]
    answers = [json.loads(row) if isinstance(row, str) else row for row in answer or ()]
    return Captured(str(found.get("request_id", "")), _time(found.get("logging_time")), rows, answers)


def _azure(found: Record) -> Captured:
    """The data collector of Azure ML: CloudEvents, of requests and of answers apart (azureml-ai-monitoring, 2026-11)."""
    answers = str(found.get("type", "")).endswith(("outputs", "response"))
    data, name = found.get("data"), str(found["correlationid"])
    moment = _time(found.get("time"))
    return Captured(name, moment, None, data) if answers else Captured(name, moment, data, None)


_FORMATS: tuple[tuple[str, Callable[[Record], Captured]], ...] = (
    ("request", _ours),
    ("captureData", _sagemaker),
    ("request_payload", _vertex),
    ("correlationid", _azure),
)


def _time(said: object) -> datetime | None:
    if isinstance(said, int | float):
        return datetime.fromtimestamp(said, UTC)
    try:
        moment = datetime.fromisoformat(str(said))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def window_of(
    folder: Path,
    columns: Sequence[str],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    version: str = "",
) -> Window:
    """Read a window: what was captured from ``since`` on and before ``until``, or tables where nothing is captured.

    ``columns`` are the requests' where they have no header. ``version`` leaves out what other versions answered, where
    it is known who did.
    """
    if not _holds_captures(folder):
        return _of_tables(folder, since, until)
    seen = list(captures(folder, since=since))
    found = [each for each in seen if each is not None]
    kept = [
        each
        for each in found
        if _between(each.time, since, until) and (not version or each.version in {"", version})
    ]
    rows: list[Record] = []
    answers: list[Any] = []
    window = Window(None, answers, start=since, end=until, unread=len(seen) - len(found))
    for each in kept:
        given = rows_of(each.request, columns)
        if given is None:
            window.unread += 1
            continue
        rows += given
        answers += answers_of(each.answer, len(given))
        window.ids += [each.id] * len(given)
        window.places += range(len(given))
    times = [each.time for each in kept if each.time is not None]
    window.start, window.end = since or min(times, default=None), until or max(times, default=None)
    window.rows = pd.DataFrame(rows, columns=None if rows else list(columns))
    return window


def _of_tables(folder: Path, since: datetime | None, until: datetime | None) -> Window:
    """A column ``prediction`` holds the answers, and ``request_id`` names the rows."""
    rows = table(folder)
    predictions = rows.pop("prediction").tolist() if "prediction" in rows else None
    ids = [str(name) for name in rows.pop("request_id")] if "request_id" in rows else [""] * len(rows)
    return Window(rows, predictions, ids, [0] * len(rows), since, until)


def _between(moment: datetime | None, since: datetime | None, until: datetime | None) -> bool:
    if moment is None:
        return True
    return (since is None or moment >= since) and (until is None or moment < until)


def rows_of(body: Any, columns: Sequence[str]) -> list[Record] | None:
    """A request's rows; ``None`` where they are not understood."""
    value = _parsed(body)
    if isinstance(value, str):
        return _csv_rows(value, columns)
    if isinstance(value, dict):
        for name in ("instances", "inputs", "rows", "dataframe_records", "data"):
            if isinstance(value.get(name), list):
                value = value[name]
                break
        else:
            value = [value]
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(row, dict) for row in value):
        return value
    if not isinstance(value[0], list):
        value = [value]
    if any(not isinstance(row, list) or len(row) != len(columns) for row in value):
        return None
    return [dict(zip(columns, row, strict=True)) for row in value]


def _parsed(body: Any) -> Any:
    if not isinstance(body, str) or body.lstrip()[:1] not in {"{", "["}:
        return body
    try:
        return json.loads(body)
    except ValueError:
        return body


def _csv_rows(body: str, columns: Sequence[str]) -> list[Record] | None:
    """Rows of CSV; the first line is a header when a word of it names a column, and none is a number."""
    lines = [line for line in csv.reader(io.StringIO(body)) if line]
    if not lines:
        return None
    names: Sequence[str] = columns
    if set(lines[0]) & set(columns) and len(set(lines[0])) == len(lines[0]) and _is_header(lines[0]):
        names, lines = lines[0], lines[1:]
    if any(len(line) != len(names) for line in lines):
        return None
    return [dict(zip(names, line, strict=True)) for line in lines]


def answers_of(body: Any, rows: int) -> list[Any]:
    """An answer for each row: the column ``prediction``, or the first; nothing where they are not as many."""
    value = _parsed(body)
    if isinstance(value, str):
        value = [line for line in csv.reader(io.StringIO(value)) if line]
        if len(value) == rows + 1 and _is_header(value[0]):
            place = value[0].index("prediction") if "prediction" in value[0] else 0
            value = [line[place] for line in value[1:]]
    if isinstance(value, dict):
        value = next((value[name] for name in ("predictions", "outputs") if name in value), [value])
    if not isinstance(value, list):
        value = [value]
    if len(value) != rows:
        return [None] * rows
    return [_answer(each) for each in value]


def _is_header(words: list[str]) -> bool:
    return not any(_is_number(word) for word in words)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _answer(value: Any) -> Any:
    if isinstance(value, dict):
        return value.get("prediction", next(iter(value.values()), None))
    if isinstance(value, list):
        return value[0] if value else None
    return value


def labels_of(folder: Path, window: Window, label: str) -> list[Any]:
    """What became true of each row of a window, ``None`` where nobody has said so yet.

    Labels are tables: ``request_id`` or ``id`` (and ``row``, from 0, where a request has many), or a column that the requests
    have too, such as the customer's number; and the label in a column named so, or ``label``, or the last.
    """
    known = table(folder) if folder.exists() else pd.DataFrame()
    if known.empty:
        return [None] * len(window.rows)
    place = next((name for name in (label, "label") if name in known), known.columns[-1])
    keys: list[Any]
    names: list[Any]
    identity = next((name for name in ("request_id", "id") if name in known), None)
    if identity is not None:
        order = known["row"] if "row" in known else [0] * len(known)
        names = [(str(name), int(row)) for name, row in zip(known[identity], order, strict=True)]
        keys = list(zip(window.ids, window.places, strict=True))
    else:
        key = next((name for name in known.columns if name != place and name in window.rows), None)
        if key is None:
            return [None] * len(window.rows)
        names = [_key(value) for value in known[key]]
        keys = [_key(value) for value in window.rows[key]]
    last = dict(zip(names, known[place].tolist(), strict=True))
    return [last.get(each) for each in keys]


def _key(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()
