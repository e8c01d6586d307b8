"""A look at one window, as flat records. May not read or write a file but the labels'."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from .baseline import Baseline
from .check import Thresholds, check
from .reading import Window, labels_of

__all__ = ["looked"]


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
