"""The baseline: what windows are compared with, as one JSON document.

Made from rows, once for each version of a model; the same rows in any order give the same bytes. It holds no row. May
not know a window or a threshold.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from .columns import (
    Categories,
    Numbers,
    Sketch,
    from_document,
    numbers,
    numbers_sketch,
    sketch,
    texts,
    to_document,
)

__all__ = ["FILE", "Baseline", "Mistakes", "baseline", "dumped", "errors_of", "load", "parse"]

FILE = "drift-baseline.json"
VERSION = 1


@dataclass(frozen=True)
class Mistakes:
    """How wrong the model was on rows that it was not trained on: how many of them, or by how much."""

    rows: int
    wrong: int | None
    sizes: Numbers | None


@dataclass(frozen=True)
class Baseline:
    """``columns`` are in the rows' order, in which a request without a header is read."""

    rows: int
    columns: dict[str, Sketch]
    label: str
    prediction: Sketch | None
    mistakes: Mistakes | None


def baseline(
    rows: Any, *, label: str = "", predictions: Any = None, labels: Any = None, ignore: Collection[str] = ()
) -> dict[str, Any]:
    """Make the document of the training rows: a DataFrame, or a list of mappings.

    ``label`` is the column that is predicted, which requests do not have. ``predictions`` are what the model answers on
    rows that it was not trained on, and ``labels`` what is true of the same rows; each may be left out, and so is the
    drift that needs it. Columns in ``ignore`` are not compared.

    Raises:
        ValueError: there are no rows, or not as many labels as predictions.
    """
    frame = pd.DataFrame(rows)
    if frame.empty:
        raise ValueError("a baseline needs rows")
    answered = None if predictions is None else sketch(predictions, role="answer")
    return {
        "version": VERSION,
        "rows": len(frame),
        "label": label,
        "columns": [
            {"name": str(name), **to_document(_feature(frame[name], ignored=str(name) in ignore))}
            for name in frame.columns
            if str(name) != label
        ],
        "prediction": None if answered is None else to_document(answered),
        "mistakes": None if answered is None or labels is None else _mistakes(answered, predictions, labels),
    }


def _feature(column: Any, *, ignored: bool) -> Sketch:
    found = sketch(column)
    if not ignored:
        return found
    return from_document(
        {"kind": "skipped", "rows": found.rows, "missing": found.missing, "reason": "ignored"}
    )


def _mistakes(answered: Sketch, predictions: Any, labels: Any) -> dict[str, Any] | None:
    if len(predictions) != len(labels):
        raise ValueError(f"{len(predictions)} predictions and {len(labels)} labels are not of the same rows")
    errors = errors_of(answered, predictions, labels)
    if errors is None or len(errors) == 0:
        return None
    if isinstance(answered, Categories):
        return {"kind": "classes", "rows": len(errors), "wrong": int(errors.sum())}
    return {"kind": "numbers", "rows": len(errors), "sizes": to_document(numbers_sketch(len(errors), errors))}


def errors_of(answered: Sketch, predictions: Any, labels: Any) -> npt.NDArray[np.float64] | None:
    """How wrong each prediction is: 1 or 0 where classes are predicted, else the absolute difference.

    Rows without a prediction or a label are left out; ``None`` where predictions are compared by nothing.
    """
    pairs = [
        (one[0], other[0])
        for one, other in ((texts([p]), texts([t])) for p, t in zip(predictions, labels, strict=True))
        if one and other
    ]
    match answered:
        case Categories():
            return np.array([float(said != true) for said, true in pairs], dtype=np.float64)
        case Numbers():
            differences = pd.to_numeric(pd.Series([said for said, _ in pairs], dtype=object), errors="coerce")
            differences -= pd.to_numeric(
                pd.Series([true for _, true in pairs], dtype=object), errors="coerce"
            )
            return numbers(differences.abs())
        case _:
            return None


def dumped(document: dict[str, Any]) -> str:
    """Write a document as text: equal documents are equal bytes."""
    return json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def load(path: Path) -> Baseline:
    """Read a baseline's file, or the one in a folder.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it is no baseline.
    """
    file = path / FILE if path.is_dir() else path
    return parse(json.loads(file.read_text(encoding="utf-8")))


def parse(document: Any) -> Baseline:
    """Read a document.

    Raises:
        ValueError: it is no baseline, or of another version.
    """
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise ValueError(f"this is no drift baseline of version {VERSION}")
    answered, mistakes = document["prediction"], document["mistakes"]
    return Baseline(
        rows=int(document["rows"]),
        columns={str(column["name"]): from_document(column) for column in document["columns"]},
        label=str(document["label"]),
        prediction=None if answered is None else from_document(answered),
        mistakes=None if mistakes is None else _parsed(mistakes),
    )


def _parsed(mistakes: dict[str, Any]) -> Mistakes:
    rows = int(mistakes["rows"])
    if mistakes["kind"] == "classes":
        return Mistakes(rows, int(mistakes["wrong"]), None)
    match from_document(mistakes["sizes"]):
        case Numbers() as sizes:
            return Mistakes(rows, None, sizes)
        case _:
            raise ValueError("the sizes of a baseline's mistakes are no numbers")
