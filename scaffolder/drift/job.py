"""The job: a baseline from training rows, or what of the last windows has drifted.

    python -m scaffolder.drift baseline --rows FOLDER --output FOLDER [--label NAME] [--held-out FOLDER]
    python -m scaffolder.drift check --baseline FOLDER --window FOLDER --output FOLDER [--labels FOLDER]

Drift found is no failure: the job ends with 0 when it could look, with 2 when what it was given cannot be read. May not
reach a network, nor write outside its output folder.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from .baseline import FILE, Baseline, baseline, dumped, load
from .check import Thresholds, check
from .reading import Window, labels_of, table, window_of

__all__ = ["RESULTS", "looked", "main"]

RESULTS = "drift.json"
VERSION = 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job and return its exit code."""
    given = _parser().parse_args(arguments)
    try:
        given.work(given)
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"drift: {problem}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
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
    for kind, default in (("data", "0.2"), ("prediction", "off"), ("concept", "off")):
        says = f"the score from which {kind} drift counts, 0 to 1, or off"
        look.add_argument(f"--{kind}", type=_threshold, default=default, help=says)
    return parser


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


def looked(
    known: Baseline, window: Window, thresholds: Thresholds, *, labels: Path | None = None
) -> dict[str, Any]:
    """Look at one window; flat records, as the results' file has them."""
    truth = None if labels is None else labels_of(labels, window, known.label)
    findings, undecided = check(
        known, window.rows, predictions=window.predictions, labels=truth, thresholds=thresholds
    )
    between = {
        "window_start": None if window.start is None else window.start.isoformat(),
        "window_end": None if window.end is None else window.end.isoformat(),
    }
    return {
        "window": {**between, "rows": len(window.rows), "unread": window.unread},
        "results": [{**asdict(each), **between} for each in findings],
        "undecided": [{**asdict(each), **between} for each in undecided],
    }


def _write(folder: Path, name: str, text: str) -> None:
    """Replace the file at once, so that nobody reads half of it."""
    folder.mkdir(parents=True, exist_ok=True)
    half = folder / f".{name}.half"
    half.write_text(text, encoding="utf-8")
    half.replace(folder / name)
