"""What a column holds, and the small sketch of it that windows are compared with.

A sketch holds no row: each column's values stand apart and sorted. May not know a file, a test or a threshold.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = [
    "OTHER",
    "Categories",
    "Numbers",
    "Sketch",
    "Skipped",
    "bins",
    "cells",
    "from_document",
    "numbers",
    "numbers_sketch",
    "sketch",
    "texts",
    "to_document",
]

POINTS = 2_000
"""Values that a sketch of numbers holds at most: what it says of a share is wrong by less than 1 / 4,000."""
MOST_CATEGORIES = 50
OTHER = "(other)"
"""The cell of categories that are rarer than those, and of those that the baseline never had."""
CLASSES = 20
"""Whole numbers that a model answers are classes when they are no more than these."""
ALIKE = 0.95
"""The share of a column's values that has to be of a kind for the column to be; the rest counts as missing."""
LARGEST = float(np.finfo(np.float64).max)
TIME = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?")


@dataclass(frozen=True)
class Numbers:
    """Sorted values and how often each stands; ``rows`` are all, ``missing`` of them hold no number."""

    rows: int
    missing: int
    values: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Categories:
    """Texts and how often each stands, the most frequent first; ``other`` are the rarer ones together."""

    rows: int
    missing: int
    counts: dict[str, int]
    other: int


@dataclass(frozen=True)
class Skipped:
    """A column whose values are not compared, and why; ``missing`` is."""

    rows: int
    missing: int
    reason: str


Sketch: TypeAlias = Numbers | Categories | Skipped


def sketch(column: Any, *, role: Literal["feature", "answer"] = "feature") -> Sketch:
    """Sketch a column by what it holds: numbers, categories, or what is not compared.

    Answers that are a few whole numbers are classes.
    """
    series = pd.Series(column)
    present = texts(series)
    rows, held = len(series), len(present)
    if held == 0:
        return Skipped(rows, rows, "holds nothing")
    if _is_time(series, present):
        return Skipped(rows, rows - held, "times, which move by themselves")
    found = numbers(series)
    if len(found) >= ALIKE * held and not _are_truths(present):
        if role == "answer" and _are_classes(found):
            return _categories(rows, present)
        if _is_identifier(found):
            return Skipped(rows, rows - len(found), "numbers that count the rows")
        return numbers_sketch(rows, found)
    if len(set(present)) > max(MOST_CATEGORIES, held / 2):
        return Skipped(rows, rows - held, "names or free text: most values stand once")
    return _categories(rows, present)


def numbers(column: Any) -> npt.NDArray[np.float64]:
    """Return a column's numbers, without what is none; infinities are the largest numbers there are."""
    given = pd.to_numeric(pd.Series(column), errors="coerce")
    found: npt.NDArray[np.float64] = given.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.clip(found[~np.isnan(found)], -LARGEST, LARGEST)


def texts(column: Any) -> list[str]:
    """Return what a column holds as texts, spelled alike whether they came by CSV or by JSON: ``true``, ``1``."""
    values = pd.Series(column).to_numpy(dtype=object)
    if pd.api.types.infer_dtype(values, skipna=True) != "string":
        return [_text(value) for value in values if not _is_missing(value)]
    places, distinct = pd.factorize(values)  # each text is looked at once; -1 is missing
    spelled = [None if _is_missing(value) else _text(value) for value in distinct] + [None]
    return [text for text in map(spelled.__getitem__, places) if text is not None]


def _is_missing(value: object) -> bool:
    if value is None or value is pd.NaT or value is pd.NA:
        return True
    if isinstance(value, float | np.floating):
        return bool(np.isnan(value))
    return isinstance(value, str) and not value.strip()


def _text(value: object) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    text = str(value).strip()
    return text.lower() if text.lower() in {"true", "false"} else text


def _is_time(series: Any, present: list[str]) -> bool:
    if pd.api.types.is_datetime64_any_dtype(series) or pd.api.types.is_timedelta64_dtype(series):
        return True
    return sum(TIME.fullmatch(text) is not None for text in present) >= ALIKE * len(present)


def _are_truths(present: list[str]) -> bool:
    return set(present) <= {"true", "false"}


def _are_classes(found: npt.NDArray[np.float64]) -> bool:
    distinct = np.unique(found)
    return len(distinct) <= CLASSES and bool(np.all(distinct == np.round(distinct)))


def _is_identifier(found: npt.NDArray[np.float64]) -> bool:
    """Whole numbers of which none stands twice and few are left out: 100 rows or more, so hardly by chance."""
    if len(found) < 100 or not np.all(found == np.round(found)):
        return False
    return len(np.unique(found)) == len(found) and float(np.ptp(found)) < 2 * len(found)


def numbers_sketch(rows: int, found: npt.NDArray[np.float64]) -> Numbers:
    """Sketch numbers whatever they are; ``rows`` counts those without one too."""
    values, counts = np.unique(found, return_counts=True)
    if len(values) > POINTS:
        ordered = np.sort(found)
        edges = np.linspace(0, len(ordered), POINTS + 1).round().astype(np.int64)
        middles = ordered[(edges[:-1] + edges[1:] - 1) // 2]
        values, place = np.unique(middles, return_inverse=True)
        counts = np.bincount(place, weights=np.diff(edges)).astype(np.int64)
    return Numbers(rows, rows - len(found), values, counts.astype(np.int64))


def _categories(rows: int, present: list[str]) -> Categories:
    ranked = sorted(Counter(present).items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ranked[:MOST_CATEGORIES])
    return Categories(rows, rows - len(present), kept, len(present) - sum(kept.values()))


def cells(known: Categories, present: list[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Count a baseline's and a window's rows in the baseline's categories; the last cell is of all others."""
    counted = Counter(text if text in known.counts else OTHER for text in present)
    baseline = [*known.counts.values(), known.other]
    window = [*(counted[text] for text in known.counts), counted[OTHER]]
    return np.array(baseline, dtype=np.int64), np.array(window, dtype=np.int64)


def bins(
    known: Numbers, window: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Count a baseline's and a window's rows in the baseline's tenths."""
    reached = np.cumsum(known.counts)
    tenths = np.searchsorted(reached, reached[-1] * np.arange(1, 10) / 10)
    edges = np.unique(known.values[tenths])
    size = len(edges) + 1
    baseline = np.bincount(np.searchsorted(edges, known.values), weights=known.counts, minlength=size).astype(
        np.int64
    )
    counted = np.bincount(np.searchsorted(edges, window), minlength=size).astype(np.int64)
    return baseline, counted


def to_document(known: Sketch) -> dict[str, Any]:
    """Turn a sketch into what JSON holds."""
    match known:
        case Numbers():
            return {
                "kind": "numbers",
                "rows": known.rows,
                "missing": known.missing,
                "values": known.values.tolist(),
                "counts": known.counts.tolist(),
            }
        case Categories():
            return {
                "kind": "categories",
                "rows": known.rows,
                "missing": known.missing,
                "counts": known.counts,
                "other": known.other,
            }
        case Skipped():
            return {"kind": "skipped", "rows": known.rows, "missing": known.missing, "reason": known.reason}


def from_document(document: dict[str, Any]) -> Sketch:
    """Read a sketch back.

    Raises:
        ValueError: it is of no kind that is known here.
    """
    rows, missing = int(document["rows"]), int(document["missing"])
    match document["kind"]:
        case "numbers":
            values = np.array(document["values"], dtype=np.float64)
            return Numbers(rows, missing, values, np.array(document["counts"], dtype=np.int64))
        case "categories":
            counts = {str(text): int(count) for text, count in document["counts"].items()}
            return Categories(rows, missing, counts, int(document["other"]))
        case "skipped":
            return Skipped(rows, missing, str(document["reason"]))
        case other:
            raise ValueError(f"a column of kind {other!r} is not known to this version")
