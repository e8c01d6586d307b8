"""What of a window has drifted: its columns, its predictions, its errors.

The score of each is a distance from 0 to 1 (``measures``), and 0 where chance alone does as much; from the threshold up
it is drift. So one threshold says the same of numbers, categories, gaps and errors: with 0.2, that a fifth of the rows
is not where it was, and that this is no accident. May not read a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from .baseline import Baseline, errors_of
from .columns import Categories, Numbers, Sketch, Skipped, bins, cells, numbers, texts
from .measures import (
    Measured,
    adjusted,
    cell_distance,
    population_stability,
    share_rise,
    share_shift,
    value_distance,
    value_rise,
)

__all__ = ["CHANCE", "FEWEST_ROWS", "Finding", "Kind", "Thresholds", "Undecided", "check"]

Kind: TypeAlias = Literal["data", "prediction", "concept"]

CHANCE = 0.01
"""The share of findings that may be chance: of adjusted probabilities, the largest that counts."""
FEWEST_ROWS = 30
"""Windows of fewer rows are not decided: a shift of a standard deviation would be missed in most of them."""
LABELLED = 0.5
"""The share of a window's rows whose labels have to be there: what is labelled first is seldom like the rest."""


@dataclass(frozen=True)
class Thresholds:
    """From which score on a window counts as drifted; ``None`` does not look."""

    data: float | None = 0.2
    prediction: float | None = None
    concept: float | None = None


@dataclass(frozen=True)
class Finding:
    """One score. ``metric`` is ks (numbers), tv (categories), missing, error_rate or error_size.

    ``distance`` and ``p_value`` (adjusted) are what the score ``value`` came from; ``stability`` is the population
    stability index, for people who know it, and decides nothing.
    """

    kind: Kind
    feature: str
    metric: str
    value: float
    threshold: float
    breached: bool
    rows: int
    distance: float
    p_value: float
    stability: float | None = None


@dataclass(frozen=True)
class Undecided:
    """What could not be decided, and why; neither fine nor drifted. ``pending``: it can be, later."""

    kind: Kind
    feature: str
    reason: str
    pending: bool = False


@dataclass(frozen=True)
class _Raw:
    """A measure before it is known how many there are."""

    feature: str
    metric: str
    rows: int
    measured: Measured
    stability: float | None = None


def check(
    known: Baseline, rows: Any, *, predictions: Any = None, labels: Any = None, thresholds: Thresholds
) -> tuple[list[Finding], list[Undecided]]:
    """Compare a window with the baseline.

    ``rows`` is a DataFrame of the requests. ``predictions`` are the answers and ``labels`` what became true, each as
    long as ``rows``; a label that is not there yet is ``None``.
    """
    findings: list[Finding] = []
    undecided: list[Undecided] = []

    def add(kind: Kind, threshold: float, seen: Iterator[_Raw | Undecided]) -> None:
        each = list(seen)
        findings.extend(_scored(kind, threshold, [one for one in each if isinstance(one, _Raw)]))
        undecided.extend(one for one in each if isinstance(one, Undecided))

    if thresholds.data is not None:
        add("data", thresholds.data, _data(known, rows))
    if thresholds.prediction is not None:
        add("prediction", thresholds.prediction, _prediction(known, predictions))
    if thresholds.concept is not None:
        add("concept", thresholds.concept, _concept(known, predictions, labels))
    return findings, undecided


def _scored(kind: Kind, threshold: float, raw: list[_Raw]) -> Iterator[Finding]:
    probabilities = adjusted([each.measured.p_value for each in raw])
    for each, probability in zip(raw, probabilities, strict=True):
        proven = probability <= CHANCE
        score = each.measured.distance if proven else 0.0
        yield Finding(
            kind=kind,
            feature=each.feature,
            metric=each.metric,
            value=score,
            threshold=threshold,
            breached=proven and score >= threshold,
            rows=each.rows,
            distance=each.measured.distance,
            p_value=probability,
            stability=each.stability,
        )


def _few(kind: Kind, feature: str, what: str, rows: int) -> Undecided:
    return Undecided(kind, feature, f"not enough {what}: {rows} of at least {FEWEST_ROWS}")


def _data(known: Baseline, rows: Any) -> Iterator[_Raw | Undecided]:
    if len(rows) < FEWEST_ROWS:
        yield _few("data", "", "rows", len(rows))
        return
    for name, column in known.columns.items():
        given = rows[name] if name in rows else [None] * len(rows)
        yield from _column("data", name, column, given)


def _column(kind: Kind, name: str, known: Sketch, given: Any) -> Iterator[_Raw | Undecided]:
    rows = len(given)
    present = _present(known, given)
    gone = rows - len(present)
    if known.missing or gone:  # else there is nothing to test, and each test more makes the others weaker
        yield _Raw(name, "missing", rows, share_shift(known.missing, known.rows, gone, rows))
    if isinstance(known, Skipped):
        if known.missing < known.rows:
            yield Undecided(kind, name, known.reason)
    elif len(present) < FEWEST_ROWS:
        yield _few(kind, name, "values", len(present))
    else:
        yield _compared(name, known, present)


def _present(known: Sketch, given: Any) -> Any:
    return numbers(given) if isinstance(known, Numbers) else texts(given)


def _compared(name: str, known: Numbers | Categories, present: Any) -> _Raw:
    match known:
        case Numbers():
            measured = value_distance(known.values, known.counts, present)
            return _Raw(name, "ks", len(present), measured, population_stability(*bins(known, present)))
        case Categories():
            counted = cells(known, present)
            return _Raw(name, "tv", len(present), cell_distance(*counted), population_stability(*counted))


def _prediction(known: Baseline, predictions: Any) -> Iterator[_Raw | Undecided]:
    if known.prediction is None:
        yield Undecided("prediction", "", "the baseline has no predictions")
    elif predictions is None or len(predictions) < FEWEST_ROWS:
        yield _few("prediction", "", "predictions", 0 if predictions is None else len(predictions))
    else:
        yield from _column("prediction", "", known.prediction, predictions)


def _concept(known: Baseline, predictions: Any, labels: Any) -> Iterator[_Raw | Undecided]:
    if known.prediction is None or known.mistakes is None:
        yield Undecided("concept", "", "the baseline has no predictions with labels")
        return
    if predictions is None or len(predictions) < FEWEST_ROWS:
        yield _few("concept", "", "predictions", 0 if predictions is None else len(predictions))
        return
    truth = labels if labels is not None else [None] * len(predictions)
    errors = errors_of(known.prediction, predictions, truth)
    there = 0 if errors is None else len(errors)
    if errors is None or there < max(FEWEST_ROWS, LABELLED * len(predictions)):
        reason = f"{there} of {len(predictions)} rows have a label yet"
        yield Undecided("concept", "", reason, pending=True)
        return
    wrong, sizes = known.mistakes.wrong, known.mistakes.sizes
    if wrong is not None:
        risen = share_rise(wrong, known.mistakes.rows, int(np.count_nonzero(errors)), there)
        yield _Raw("", "error_rate", there, risen)
    elif sizes is not None:
        yield _Raw("", "error_size", there, value_rise(sizes.values, sizes.counts, errors))
