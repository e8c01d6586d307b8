"""A page about one window: our numbers, which decide, and below them what Evidently shows of the same rows.

One file that opens without a network. May not decide anything.
"""

from __future__ import annotations

import html
import os
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scaffolder.drift.baseline import Baseline, load
from scaffolder.drift.columns import OTHER, Categories, Numbers, Sketch, Skipped
from scaffolder.drift.columns import numbers as numbers_of
from scaffolder.drift.columns import texts as texts_of
from scaffolder.errors import MissingExtraError
from scaffolder.operations.local.files import write_bytes
from scaffolder.operations.local.looking import window_rows

__all__ = ["write_report"]

MOST_ROWS = 5_000
PREDICTION = "(prediction)"
WORDS = {
    "ks": "largest difference of the shares below any value",
    "tv": "share of rows in other categories",
    "missing": "difference of the missing share",
    "error_rate": "how much the share of wrong answers has risen",
    "error_size": "how much the share of larger errors has risen",
}
STYLE = """
  .scaffolder { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #222 }
  .scaffolder table { border-collapse: collapse; width: 100% }
  .scaffolder th, .scaffolder td { border-bottom: 1px solid #ddd; padding: .35rem .6rem; text-align: left }
  .scaffolder td.number { font-variant-numeric: tabular-nums; text-align: right }
  .scaffolder tr.breached { background: #fdecea; font-weight: 600 }
  .scaffolder .note { color: #666 }
"""


def write_report(place: Path, monitor: str, look: Mapping[str, Any], found: Mapping[str, Any]) -> Path:
    """Write the page of one look, and return its path.

    Raises:
        MissingExtraError: Evidently is not installed.
    """
    known = load(Path(look["baseline"]))
    window = window_rows(look, [*known.columns])
    page = _evidently(*_frames(known, window.rows, window.predictions))
    ours = _ours(monitor, look, found)
    head, body, rest = page.partition("<body>")
    write_bytes(place, f"{head}{body}{ours}{rest}".encode() if body else f"{ours}{page}".encode())
    return place


def _ours(monitor: str, look: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    rows = "".join(_row(one) for one in found["results"])
    notes = "".join(
        f"<li>{html.escape(' '.join(filter(None, (one['kind'], one['feature']))))}: {html.escape(one['reason'])}</li>"
        for one in found["undecided"]
    )
    count = sum(one["breached"] for one in found["results"])
    said = (
        f"{count} of {len(found['results'])} numbers reach their threshold."
        if count
        else "Nothing has drifted."
    )
    between = f"{_moment(look['start'])} to {_moment(look['end'])} UTC"
    return (
        f'<style>{STYLE}</style><section class="scaffolder"><h1>Monitor {html.escape(monitor)}</h1>'
        f"<p>{found['window']['rows']} rows from {between}, version {html.escape(str(look['version']))}. {said}</p>"
        "<table><thead><tr><th>Kind</th><th>Feature</th><th>Measure</th><th>Score</th><th>Threshold</th>"
        "<th>Distance</th><th>p (adjusted)</th><th>PSI</th><th>Rows</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>"
        + (f"<p>Not decided:</p><ul>{notes}</ul>" if notes else "")
        + '<p class="note">The score is the distance where chance does not explain it, else 0; from the threshold on it '
        "is drift. These numbers decide. Below is what Evidently shows of the same rows, against a sample of the "
        "baseline; its own thresholds raise no alarm here.</p></section>"
    )


def _moment(time: str) -> str:
    return f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _row(one: Mapping[str, Any]) -> str:
    stability = "" if one["stability"] is None else f"{one['stability']:.3f}"
    numbers = [
        f"{one['value']:.3f}",
        f"{one['threshold']:g}",
        f"{one['distance']:.3f}",
        f"{one['p_value']:.2g}",
        stability,
        str(one["rows"]),
    ]
    words = [one["kind"], one["feature"], WORDS.get(one["metric"], one["metric"])]
    cells = "".join(f"<td>{html.escape(word)}</td>" for word in words)
    cells += "".join(f'<td class="number">{number}</td>' for number in numbers)
    return f'<tr class="breached">{cells}</tr>' if one["breached"] else f"<tr>{cells}</tr>"


# --- Evidently -------------------------------------------------------------------------------------------------------


def _frames(known: Baseline, rows: Any, predictions: Any) -> tuple[Any, Any, list[str], list[str]]:
    """The baseline's rows, as its sketches have them, and the window's: only columns that both have values of."""
    before: dict[str, Any] = {}
    now: dict[str, Any] = {}
    kinds: dict[str, list[str]] = {"numbers": [], "categories": []}
    for name, column, given in _columns(known, rows, predictions):
        values = _values(column, given)
        if isinstance(column, Skipped) or not len(values):
            continue
        shown = _harmless(name)
        kinds["numbers" if isinstance(column, Numbers) else "categories"].append(shown)
        before[shown], now[shown] = pd.Series(_sample(_expanded(column))), pd.Series(_sample(values))
    return pd.DataFrame(before), pd.DataFrame(now), kinds["numbers"], kinds["categories"]


def _columns(known: Baseline, rows: Any, predictions: Any) -> Iterator[tuple[str, Sketch, Any]]:
    for name, column in known.columns.items():
        if name in rows:
            yield name, column, rows[name]
    if known.prediction is not None and predictions is not None:
        yield PREDICTION, known.prediction, predictions


def _values(column: Sketch, given: Any) -> Any:
    return numbers_of(given) if isinstance(column, Numbers) else [_harmless(text) for text in texts_of(given)]


def _harmless(text: str) -> str:
    """Clients write these, and Evidently puts them into a script of the page as they are."""
    return text.replace("<", "‹").replace(">", "›")


def _expanded(column: Sketch) -> Any:
    match column:
        case Numbers():
            return np.repeat(column.values, column.counts)
        case Categories():
            return np.repeat([*map(_harmless, column.counts), OTHER], [*column.counts.values(), column.other])
        case Skipped():
            return np.array([])


def _sample(values: Any) -> Any:
    """At most so many, evenly spread: the baseline's are sorted, so that their shares stay."""
    if len(values) <= MOST_ROWS:
        return values
    places = np.linspace(0, len(values) - 1, MOST_ROWS).round().astype(int)
    return np.asarray(values)[places]


def _evidently(before: Any, now: Any, numbers: list[str], categories: list[str]) -> str:
    if before.empty:
        return '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><body></body></html>'
    os.environ.setdefault("DO_NOT_TRACK", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Evidently's own, of libraries that it uses
        try:
            from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415
            from evidently.presets import DataDriftPreset  # noqa: PLC0415
        except ModuleNotFoundError as missing:
            raise MissingExtraError("local", missing.name or "evidently") from missing
        definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
        current, reference = (Dataset.from_pandas(each, data_definition=definition) for each in (now, before))
        preset = DataDriftPreset(
            num_method="ks", num_threshold=0.01, cat_method="chisquare", cat_threshold=0.01
        )
        return str(Report([preset]).run(current, reference).get_html_str(as_iframe=False))
