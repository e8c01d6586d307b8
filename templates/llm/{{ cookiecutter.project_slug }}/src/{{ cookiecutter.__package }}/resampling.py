"""Confidence intervals by resampling questions: of a mean, and of the difference of two runs on the same questions.

A question asked several times is one question: its runs are averaged first, so that repeating adds no false confidence.
The same numbers and seed give the same interval. May not know what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Interval", "mean_interval", "paired_difference", "spread_between_runs"]

RESAMPLES = 10_000


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate, and the bounds between which it lies with the asked confidence."""

    estimate: float
    low: float
    high: float


def mean_interval(values: Sequence[float], *, confidence: float = 0.95, seed: int = 7) -> Interval:
    """The mean of values, one for each question."""
    return _bootstrap(np.asarray(values, dtype=np.float64), confidence, seed)


def paired_difference(
    before: Sequence[float], after: Sequence[float], *, confidence: float = 0.95, seed: int = 7
) -> Interval:
    """The mean of what each question gained (after minus before)."""
    if len(before) != len(after):
        raise ValueError(f"{len(before)} values cannot be paired with {len(after)}")
    return _bootstrap(
        np.asarray(after, dtype=np.float64) - np.asarray(before, dtype=np.float64), confidence, seed
    )


def spread_between_runs(runs: Sequence[Sequence[float]]) -> float:
    """The standard deviation of the runs' means: what comes from asking again, and not from other questions."""
    if len(runs) < 2:
        return 0.0
    return float(np.std([np.mean(run) for run in runs], ddof=1))


def _bootstrap(values: NDArray[np.float64], confidence: float, seed: int) -> Interval:
    if not len(values):
        raise ValueError("there is no value to resample")
    if not 0.5 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0.5 and 1")
    random = np.random.default_rng(seed)
    means = np.concatenate(
        [
            values[random.integers(0, len(values), size=(RESAMPLES // 10, len(values)))].mean(axis=1)
            for _ in range(10)
        ]
    )
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(values.mean()), float(low), float(high))
