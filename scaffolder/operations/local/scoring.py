"""The process of a scoring job: every file below its input through the model, into a file of the same name and ``.out``.

    python -m scaffolder.operations.local.scoring FOLDER LOCK

FOLDER is the job's, LOCK a descriptor of its lock, which is taken. CSV files (with a header) and JSON lines go chunk by
chunk, others whole. A row that the model refuses has an empty line in the output. Runs the model's code.
"""

from __future__ import annotations

import csv
import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from scaffolder.operations.local.files import locked, read_json, write_json

__all__ = ["SUMMARY"]

SUMMARY = "summary.json"
"""In the output's folder: rows, rows with errors, the first of these errors, and the files."""
ROWS_AT_ONCE = 5_000
SHOWN_ERRORS = 20
TYPES = {".csv": "text/csv", ".json": "application/json", ".jsonl": "application/json"}


class _StoppedError(Exception):
    """The job was asked to stop."""


@dataclass(slots=True)
class Chunk:
    """Some rows of a file, and how to write any of them as a request."""

    first_row: int
    rows: Sequence[Any]
    request: Callable[[Sequence[Any]], bytes]


@dataclass(slots=True)
class Tally:
    """What was scored so far. ``files`` has the rows and errors of those that are done."""

    files: dict[str, tuple[int, int]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        return {
            "rows": sum(rows for rows, _ in self.files.values()),
            "errors": sum(errors for _, errors in self.files.values()),
            "first_errors": self.errors[:SHOWN_ERRORS],
            "files": {
                name: {"rows": rows, "errors": errors} for name, (rows, errors) in sorted(self.files.items())
            },
        }


class Job:
    """One job, in its process."""

    def __init__(self, folder: Path) -> None:
        found: Any = read_json(folder / "job.json")
        self._folder = folder
        self._about = found
        self._source, self._target = Path(found["input"]), Path(found["output"])
        self._tally = Tally()

    def run(self) -> None:
        """Score all files, and write how it ended."""
        self._say("running")
        try:
            self._score()
        except _StoppedError:
            self._say("stopped")
        except Exception as error:  # noqa: BLE001 - the model's code may raise anything
            traceback.print_exc()
            self._say("failed", f"{type(error).__name__}: {error}")
        else:
            tally = self._tally.as_json()
            if tally["rows"] and tally["rows"] == tally["errors"]:
                self._say("failed", f"the model refused every row: {self._tally.errors[0]}")
            else:
                self._end()

    def _end(self) -> None:
        """Succeed, unless somebody asked to stop before."""
        with locked(self._folder / "ending"):
            self._say("stopped" if (self._folder / "cancel").exists() else "succeeded")

    def _score(self) -> None:
        from scaffolder.operations.local.models import load_model  # noqa: PLC0415 - it has left its parent

        files = self._files()
        if not files:
            raise ValueError(f"no file to score below {self._source}")
        model = load_model(Path(self._about["model_folder"]))
        self._target.mkdir(parents=True, exist_ok=True)
        done: Any = read_json(self._folder / "done.json") or {}
        for file in files:
            name = file.relative_to(self._source).as_posix() if self._source.is_dir() else file.name
            before = done.get(name)
            if before is None or not self._output(name).exists():
                rows, errors, texts = self._score_file(model, file, name)
                done[name] = before = {"rows": rows, "errors": errors, "texts": texts}
                write_json(self._folder / "done.json", done)
            self._tally.files[name] = (before["rows"], before["errors"])
            self._tally.errors.extend(before["texts"])
            write_json(self._target / SUMMARY, {**self._tally.as_json(), "job": self._folder.name})

    def _files(self) -> Sequence[Path]:
        if self._source.is_file():
            return [self._source]
        found = (file for file in self._source.rglob("*") if file.is_file())
        return sorted(file for file in found if not _is_hidden(file.relative_to(self._source)))

    def _output(self, name: str) -> Path:
        return self._target / f"{name}.out"

    def _score_file(self, model: Any, file: Path, name: str) -> tuple[int, int, list[str]]:
        output = self._output(name)
        output.parent.mkdir(parents=True, exist_ok=True)
        half = output.with_name(f".{output.name}.{uuid4().hex[:12]}")
        content_type = TYPES.get(file.suffix.lower(), "text/csv")
        rows = errors = 0
        texts: list[str] = []
        try:
            with half.open("xb") as sink:
                for chunk in _chunks(file):
                    if (self._folder / "cancel").exists():
                        raise _StoppedError
                    refused = _answer(model, chunk, content_type, sink)
                    rows += len(chunk.rows)
                    errors += len(refused)
                    texts += [f"{name}, row {row}: {text}" for row, text in refused][
                        : SHOWN_ERRORS - len(texts)
                    ]
            half.replace(output)
        finally:
            half.unlink(missing_ok=True)
        return rows, errors, texts

    def _say(self, state: str, error: str = "") -> None:
        ended = {} if state == "running" else {"ended": datetime.now(UTC).isoformat()}
        write_json(
            self._folder / "status.json", {"state": state, "error": error, **ended, **self._tally.as_json()}
        )


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _answer(model: Any, chunk: Chunk, content_type: str, sink: BinaryIO) -> list[tuple[int, str]]:
    """Write the answers to a chunk; where it is refused, row by row. Returns the rows that were, and why."""
    from scaffolder.operations.local.models import Request  # noqa: PLC0415 - loaded by then

    [reply] = model.answer([Request(body=chunk.request(chunk.rows), content_type=content_type)])
    if reply.status == 200:
        sink.write(_ending(reply.body))
        return []
    refused: list[tuple[int, str]] = []
    for row, values in enumerate(chunk.rows, start=chunk.first_row):
        [reply] = model.answer([Request(body=chunk.request([values]), content_type=content_type)])
        if reply.status == 200:
            sink.write(_ending(reply.body))
        else:
            sink.write(b"\n")
            refused.append((row, reply.body.decode()))
    return refused


def _ending(body: bytes) -> bytes:
    return body if not body or body.endswith(b"\n") else body + b"\n"


def _chunks(file: Path) -> Iterator[Chunk]:
    match file.suffix.lower():
        case ".csv":
            yield from _csv_chunks(file)
        case ".jsonl":
            yield from _json_chunks(file)
        case _:
            yield Chunk(first_row=1, rows=[file.read_bytes()], request=b"".join)


def _csv_chunks(file: Path) -> Iterator[Chunk]:
    with file.open(encoding="utf-8-sig", newline="") as text:
        lines: Iterator[list[str]] = (line for line in csv.reader(text) if line)
        first_line = next(lines, None)
        if first_line is None:
            return
        header = [] if all(map(_is_number, first_line)) else [first_line]
        if not header:
            lines = chain([first_line], lines)
        first = 1
        while rows := list(islice(lines, ROWS_AT_ONCE)):
            yield Chunk(first_row=first, rows=rows, request=lambda some: _csv([*header, *some]))
            first += len(rows)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _json_chunks(file: Path) -> Iterator[Chunk]:
    with file.open("rb") as text:
        lines = (line.strip() for line in text if line.strip())
        first = 1
        while rows := list(islice(lines, ROWS_AT_ONCE)):
            yield Chunk(first_row=first, rows=rows, request=lambda some: b"[" + b",".join(some) + b"]")
            first += len(rows)


def _main(place: str, lock: str) -> int:
    if os.fork():
        return 0
    os.setsid()
    os.set_inheritable(int(lock), False)  # noqa: FBT003
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Job(Path(place)).run()
    return 0


if __name__ == "__main__":
    code = _main(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
