"""The job: a baseline from training rows, what of some windows has drifted, or the scheduled look at the last one.

    python -m scaffolder.drift baseline --rows FOLDER --output FOLDER [--label NAME] [--held-out FOLDER]
    python -m scaffolder.drift check --baseline FOLDER --window FOLDER --output FOLDER [--labels FOLDER]
    python -m scaffolder.drift watch --monitor NAME --every-s SECONDS --captured FORMAT:ADDRESS …

Drift found is no failure: the job ends with 0 when it could look, with 2 when what it was given cannot be read. Only
``watch`` reaches a network. May not write outside its output folder or the place of its results.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from .alarms import AlarmRule
from .baseline import FILE, baseline, dumped, load
from .check import Thresholds
from .looking import looked
from .publish import publisher_of
from .reading import table, window_of
from .sources import FORMATS, captures_at
from .watch import Watch, watched
from .wire import Around

__all__ = ["RESULTS", "main", "parser"]

T = TypeVar("T")

RESULTS = "drift.json"
VERSION = 1


def _now() -> datetime:
    return datetime.now(UTC)


def main(arguments: Sequence[str] | None = None, around: Around | None = None) -> int:
    """Run the job and return its exit code; ``around`` is what it reaches, this machine's clock and network if not given."""
    given = parser().parse_args(arguments)
    given.around = around or Around(now=_now, sleep=time.sleep)
    try:
        given.work(given)
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"drift: {problem}\n")
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """What the job can be told."""
    parser = argparse.ArgumentParser(prog="drift", description="Find drift of data, predictions and errors.")
    works = parser.add_subparsers(required=True)
    make = works.add_parser("baseline", help="what windows are compared with, from training rows")
    make.set_defaults(work=_baseline)
    make.add_argument("--rows", type=Path, required=True, help="a folder of CSV, Parquet or JSON-lines files")
    make.add_argument("--output", type=Path, required=True, help=f"the folder that {FILE} is written to")
    make.add_argument("--label", default="", help="the column that is predicted")
    make.add_argument("--held-out", type=Path, help="rows with the label and a column named prediction")
    make.add_argument("--ignore", default="", help="columns not to compare, with commas between")
    look = works.add_parser("check", help="what of a window has drifted")
    look.set_defaults(work=_check)
    look.add_argument("--baseline", type=Path, required=True, help=f"{FILE}, or its folder")
    look.add_argument("--window", type=Path, required=True, action="append", help="a folder; may come again")
    look.add_argument("--output", type=Path, required=True, help=f"the folder that {RESULTS} is written to")
    look.add_argument("--labels", type=Path, help="a folder of what became true later")
    look.add_argument(
        "--since", type=datetime.fromisoformat, help="the first moment of the window, with its zone"
    )
    look.add_argument("--until", type=datetime.fromisoformat, help="the first moment after it, with its zone")
    look.add_argument("--version", default="", help="only what this version of the model answered")
    look.add_argument("--monitor", default="", help="a name that the results carry")
    _add_thresholds(look, data="0.2")
    _add_watch(works.add_parser("watch", help="look at the last complete window, and publish what it found"))
    return parser


def _add_thresholds(parser: argparse.ArgumentParser, *, data: str) -> None:
    for kind, default in (("data", data), ("prediction", "off"), ("concept", "off")):
        says = f"the score from which {kind} drift counts, 0 to 1, or off"
        parser.add_argument(f"--{kind}", type=_threshold, default=default, help=says)


def _add_watch(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(work=_watch)
    parser.add_argument("--monitor", required=True, help="the monitor's name")
    parser.add_argument("--every-s", type=_count, required=True, help="how long a window is, in seconds")
    forms = ", ".join(FORMATS)
    parser.add_argument(
        "--captured", type=_worded(captures_at), required=True, help=f"FORMAT:ADDRESS of requests; {forms}"
    )
    parser.add_argument("--baseline", required=True, help=f"the place that has {FILE}")
    parser.add_argument("--labels", default="", help="the place of what became true later")
    parser.add_argument("--results", required=True, help="the place of what was found, window by window")
    _add_thresholds(parser, data="off")
    says = "a column whose drift raises the alarm; may come again; all, where none is named"
    parser.add_argument("--column", action="append", default=[], help=says)
    rule = AlarmRule()
    says = "how many of the last windows have to drift"
    parser.add_argument("--breaches", type=_count, default=rule.breaches, help=says)
    parser.add_argument(
        "--windows", type=_count, default=rule.windows, help="how many of the last windows count"
    )
    says = "how long no other retraining is asked for; without it, none is"
    parser.add_argument("--cooldown-s", type=_count, help=says)
    says = "cloudwatch:REGION:NAMESPACE, cloudlogging:PROJECT:LOG, azuremonitor:REGION:RESOURCE or stdout"
    parser.add_argument("--publish", type=_worded(publisher_of), default="stdout", help=says)


def _worded(read: Callable[[str], T]) -> Callable[[str], T]:
    """What reads an option, so that argparse shows what was wrong with it."""

    def reader(text: str) -> T:
        try:
            return read(text)
        except ValueError as problem:
            raise argparse.ArgumentTypeError(str(problem)) from problem

    return reader


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def _threshold(text: str) -> float | None:
    if text == "off":
        return None
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return value


def _baseline(given: argparse.Namespace) -> None:
    held_out = None if given.held_out is None else table(given.held_out)
    predictions = labels = None
    if held_out is not None:
        if "prediction" not in held_out:
            raise ValueError(f"no column named prediction below {given.held_out}")
        predictions = held_out["prediction"]
        labels = held_out.get(given.label)
    ignored = [name.strip() for name in given.ignore.split(",") if name.strip()]
    rows = table(given.rows)
    made = baseline(rows, label=given.label, predictions=predictions, labels=labels, ignore=ignored)
    _write(given.output, FILE, dumped(made))


def _check(given: argparse.Namespace) -> None:
    for moment in (given.since, given.until):
        if moment is not None and moment.tzinfo is None:
            raise ValueError(f"{moment.isoformat()} has no time zone")
    known = load(given.baseline)
    thresholds = Thresholds(data=given.data, prediction=given.prediction, concept=given.concept)
    windows = [
        looked(
            known,
            window_of(
                folder, list(known.columns), since=given.since, until=given.until, version=given.version
            ),
            thresholds,
            labels=given.labels,
        )
        for folder in given.window
    ]
    found = {
        "version": VERSION,
        "monitor": given.monitor,
        "windows": [window["window"] for window in windows],
        "results": [result for window in windows for result in window["results"]],
        "undecided": [note for window in windows for note in window["undecided"]],
    }
    text = json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False)
    _write(given.output, RESULTS, f"{text}\n")


def _watch(given: argparse.Namespace) -> None:
    if given.concept is not None and not given.labels:
        raise ValueError("--concept needs --labels")
    rule = AlarmRule(breaches=given.breaches, windows=given.windows, cooldown_s=float(given.cooldown_s or 0))
    watch = Watch(
        monitor=given.monitor,
        every_s=given.every_s,
        captured=given.captured,
        baseline=given.baseline,
        labels=given.labels,
        results=given.results,
        thresholds=Thresholds(data=given.data, prediction=given.prediction, concept=given.concept),
        columns=tuple(given.column),
        rule=rule,
        retrains=given.cooldown_s is not None,
        publish=given.publish,
    )
    sys.stdout.write(json.dumps(watched(watch, given.around), ensure_ascii=False, allow_nan=False) + "\n")


def _write(folder: Path, name: str, text: str) -> None:
    """Replace the file at once, so that nobody reads half of it."""
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{name}.half"
    half.write_text(text, encoding="utf-8")
    half.replace(folder / name)
