"""One look of a monitor, as a process of its own: make the baseline if there is none, compare, write what was found.

Runs the model's code, as the endpoint does: only this process may import it.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from scaffolder.drift.baseline import Baseline, baseline, dumped, load
from scaffolder.drift.check import FEWEST_ROWS, Thresholds
from scaffolder.drift.job import RESULTS
from scaffolder.drift.looking import looked
from scaffolder.drift.reading import Window, answers_of, captures, rows_of, table, window_of
from scaffolder.operations.local.files import read_json, write_bytes, write_json
from scaffolder.operations.local.models import ModelError, Request, load_model

__all__ = ["LOOK", "main", "predicted", "rows_below", "window_rows"]

LOOK = "look.json"
MOST_ROWS = 20_000
"""Rows that a model is asked for a baseline; drawn, where there are more."""
ROWS_A_REQUEST = 500
LOOKS_BACK = 200
"""How many looks are taken up again where labels have come since."""

Look = Mapping[str, Any]


def main(folder: Path) -> int:
    """Look, and return the exit code."""
    look: Look | None = read_json(folder / LOOK)
    if look is None:
        say(f"there is nothing to look at in {folder}")
        return 2
    window = window_rows(look, _columns(look))
    say(f"{len(window.rows)} rows of version {look['version']}, {window.unread} requests were not understood")
    known = _known(look, window)
    if known is None:
        found = _undecided(look, window)
    else:
        thresholds = Thresholds(**look["thresholds"])
        window = window_rows(look, [*known.columns])
        found = looked(known, window, thresholds, labels=Path(look["labels"]))
        for one in found["results"]:
            if one["breached"]:
                say(
                    f"{one['kind']} drift {one['feature']}: {one['metric']} {one['value']:.3f} >= {one['threshold']}"
                )
    for one in found["undecided"]:
        say(f"not decided: {one['kind']} {one['feature']}: {one['reason']}")
    write_json(folder / RESULTS, found)
    for other in sorted(folder.parent.iterdir())[-LOOKS_BACK:]:
        if other != folder:
            _take_up(other, Path(look["labels"]))
    return 0


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def window_rows(look: Look, columns: Sequence[str]) -> Window:
    """Read a look's window."""
    begin, end = (datetime.fromisoformat(str(look[name])) for name in ("start", "end"))
    folder, version = Path(look["captured"]), str(look["version"])
    return window_of(folder, columns, since=begin, until=end, version=version)


# --- the baseline ----------------------------------------------------------------------------------------------------


def _columns(look: Look) -> list[str]:
    """The columns that requests may have: the training rows', until a baseline says which."""
    file = Path(look["baseline"])
    if file.exists():
        return [*load(file).columns]
    return [str(name) for name in rows_below(look["rows"]).columns]


def rows_below(folders: Sequence[str]) -> Any:
    """Read the tables of some folders as one."""
    parts = [table(Path(folder)) for folder in folders]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _known(look: Look, window: Window) -> Baseline | None:
    """The baseline, made now if there is none; ``None`` where no request says yet which columns requests have."""
    file = Path(look["baseline"])
    if not file.exists():
        rows = rows_below(look["rows"])
        sent = _sent(look, [str(name) for name in rows.columns])
        if rows.empty or not sent or len(window.rows) + window.unread < FEWEST_ROWS:
            return None
        write_bytes(file, dumped(_made(look, rows, sent)).encode())
        say(f"made the baseline of version {look['version']} from {len(rows)} rows")
    return load(file)


def _sent(look: Look, columns: Sequence[str]) -> list[str]:
    """Which of the training rows' columns requests have; without a header it is all, or all but the last."""
    for one in captures(Path(look["captured"])):
        if one is None:
            continue
        for width in (columns, columns[:-1]):
            rows = rows_of(one.request, width)
            if rows:
                return [name for name in columns if name in rows[0]]
    return []


def _made(look: Look, rows: Any, sent: Sequence[str]) -> dict[str, Any]:
    """What requests do not have is no feature; the last of it is what is predicted."""
    unsent = [str(name) for name in rows.columns if name not in sent]
    label = unsent[-1] if unsent else ""
    held_out = rows_below(look["held_out"])
    asked = held_out if len(held_out) else rows
    if len(asked) > MOST_ROWS:
        asked = asked.sample(MOST_ROWS, random_state=0)
    predictions = predicted(Path(look["artifact"]), asked[[*sent]])
    labels = held_out.loc[asked.index, label] if len(held_out) and label in held_out else None
    features = rows[[*sent, *([label] if label else [])]]
    if predictions is None:
        return baseline(features, label=label)
    return baseline(
        features, label=label, predictions=predictions, labels=None if labels is None else labels.tolist()
    )


def predicted(folder: Path, rows: Any) -> list[Any] | None:
    """Ask the model itself, in CSV or else in JSON; ``None`` where it does not answer rows like these."""
    try:
        model = load_model(folder)
    except ModelError as error:
        say(f"the model cannot be loaded, so its predictions have no baseline: {error}")
        return None
    said = ""
    for content_type in ("text/csv", "application/json"):
        answers: list[Any] = []
        for begin in range(0, len(rows), ROWS_A_REQUEST):
            part = rows.iloc[begin : begin + ROWS_A_REQUEST]
            (reply,) = model.answer([Request(body=_body(part, content_type), content_type=content_type)])
            text = reply.body.decode(errors="replace")
            if reply.status != 200:
                said = said or text
                break
            answers += answers_of(text, len(part))
        else:
            return answers
    say(f"the model does not answer its own rows, so its predictions have no baseline: {said}")
    return None


def _body(rows: Any, content_type: str) -> bytes:
    if "json" in content_type:
        return json.dumps({"instances": json.loads(rows.to_json(orient="records"))}).encode()
    text = io.StringIO()
    rows.to_csv(text, index=False)
    return text.getvalue().encode()


# --- what was found --------------------------------------------------------------------------------------------------


def _undecided(look: Look, window: Window) -> dict[str, Any]:
    count = len(window.rows)
    reason = f"not enough rows: {count} of at least {FEWEST_ROWS}" if count < FEWEST_ROWS else look["lacks"]
    between = {"window_start": look["start"], "window_end": look["end"]}
    note = {"kind": "data", "feature": "", "reason": reason or "requests have no column of the training rows"}
    return {
        "window": {**between, "rows": count, "unread": window.unread},
        "results": [],
        "undecided": [{**note, "pending": False, **between}],
    }


def _take_up(folder: Path, labels: Path) -> None:
    """Decide the concept drift of an earlier window whose labels have come since, wherever they are now."""
    look: Look | None = read_json(folder / LOOK)
    found: Look | None = read_json(folder / RESULTS)
    if look is None or found is None or not Path(look["baseline"]).exists():
        return
    notes = found["undecided"]
    if not any(note["pending"] for note in notes):
        return
    known = load(Path(look["baseline"]))
    thresholds = Thresholds(data=None, concept=look["thresholds"]["concept"])
    again = looked(known, window_rows(look, [*known.columns]), thresholds, labels=labels)
    if again["results"]:
        say(f"labels of the window that ended {look['end']} have come")
        kept = [note for note in notes if not note["pending"]]
        write_json(
            folder / RESULTS, {**found, "results": [*found["results"], *again["results"]], "undecided": kept}
        )


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
