"""How far two distributions are apart, and whether chance alone does as much.

Every distance is a difference of shares, from 0 to 1: no statement about a row ("below 40", "one of these plans", "is
missing", "was wrong") has a share among the window's rows that differs from the baseline's by more. May not know a
column, a file or a threshold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

__all__ = [
    "Measured",
    "adjusted",
    "cell_distance",
    "population_stability",
    "share_rise",
    "share_shift",
    "value_distance",
    "value_rise",
]

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]

FEW = 5.0
"""An expected count below which chi-square's distribution is not trusted (W. G. Cochran, Biometrics 10, 1954)."""
DRAWS = (1_999, 98_000)
"""Permutations at first, and in addition where the first leave open whether chance does it."""
EMPTY_SHARE = 0.0001
"""What an empty cell counts as in the population stability index, whose logarithm it would end."""


@dataclass(frozen=True)
class Measured:
    """A distance from 0 to 1 and the probability that two samples of one distribution are as far apart."""

    distance: float
    p_value: float


def value_distance(values: Floats, counts: Counts, window: Floats) -> Measured:
    """Measure by Kolmogorov and Smirnov: the largest difference between the shares up to any value.

    ``values`` are sorted and stand ``counts`` times each. The probability is that of one sample of the effective size,
    as scipy's ``ks_2samp`` has it with ``method="asymp"``; ties make it too large, never too small.
    """
    gaps = _gaps(values, counts, window)
    distance = float(np.max(np.abs(gaps)))
    size = _effective(int(counts.sum()), len(window))
    return Measured(distance, float(np.clip(stats.kstwo.sf(distance, np.round(size)), 0.0, 1.0)))


def value_rise(values: Floats, counts: Counts, window: Floats) -> Measured:
    """Measure in one direction: how much larger the share above any value has become.

    The probability is Hodges's approximation (Arkiv för Matematik 3, 1958, equation 5.3), as scipy has it.
    """
    distance = max(0.0, float(np.max(_gaps(values, counts, window))))
    large, small = sorted((int(counts.sum()), len(window)), reverse=True)
    scaled = np.sqrt(_effective(large, small)) * distance
    bend = scaled * (large + 2 * small) / np.sqrt(large * small * (large + small)) / 3
    return Measured(distance, float(np.clip(np.exp(-2 * scaled**2 - 2 * bend), 0.0, 1.0)))


def _gaps(values: Floats, counts: Counts, window: Floats) -> Floats:
    """The baseline's share up to each value less the window's."""
    ordered = np.sort(window)
    places = np.concatenate([values, ordered])
    reached = np.concatenate([[0], np.cumsum(counts)])
    baseline = reached[np.searchsorted(values, places, side="right")] / reached[-1]
    gaps: Floats = baseline - np.searchsorted(ordered, places, side="right") / len(ordered)
    return gaps


def _effective(one: int, other: int) -> float:
    return one * other / (one + other)


def cell_distance(baseline: Counts, window: Counts, *, seed: int = 0) -> Measured:
    """Measure categories: half of what all shares differ by, which is what the best set of categories differs by.

    The probability is chi-square's; where cells are expected to hold few, that of two cells is Fisher's, and that of
    more is found by permutation (seeded, so that it is the same each time).
    """
    table = np.stack([baseline, window]).astype(np.int64)
    table = table[:, table.sum(axis=0) > 0]
    shares = table / table.sum(axis=1, keepdims=True)
    distance = float(np.abs(shares[0] - shares[1]).sum() / 2)
    if table.shape[1] < 2:
        return Measured(0.0, 1.0)
    if _expected(table).min() >= FEW:
        found = float(stats.chi2_contingency(table, correction=False).pvalue)
    elif table.shape[1] == 2:
        found = float(stats.fisher_exact(table)[1])
    else:
        found = _permuted(table, seed)
    return Measured(min(distance, 1.0), min(found, 1.0))


def _expected(table: npt.NDArray[np.int64]) -> Floats:
    rows, columns = table.sum(axis=1, keepdims=True), table.sum(axis=0, keepdims=True)
    expected: Floats = rows * columns / table.sum()
    return expected


def _permuted(table: npt.NDArray[np.int64], seed: int) -> float:
    """How often the window's rows, dealt anew from all rows, give as large a chi-square."""
    generator = np.random.default_rng(seed)
    whole, expected = table.sum(axis=0), _expected(table)
    size = int(table[1].sum())
    seen = ((table - expected) ** 2 / expected).sum()
    reached = tried = 0
    for draws in _portions(table.shape[1]):
        dealt = generator.multivariate_hypergeometric(whole, size, size=draws, method="marginals")
        rest = ((dealt - expected[1]) ** 2 / expected[1]).sum(axis=1)
        other = ((whole - dealt - expected[0]) ** 2 / expected[0]).sum(axis=1)
        reached += int(np.count_nonzero(rest + other >= seen * (1 - 1e-9)))
        tried += draws
        if reached > 40:  # of 2,000: chance does it, and more draws would only say so more exactly
            break
    return (reached + 1) / (tried + 1)


def _portions(cells: int) -> Iterator[int]:
    """Yield how many permutations to draw at once: at first those that settle most, then in steps that fit in memory."""
    yield DRAWS[0]
    step = max(1, 500_000 // cells)
    for begin in range(0, DRAWS[1], step):
        yield min(step, DRAWS[1] - begin)


def share_shift(baseline: int, baseline_rows: int, window: int, window_rows: int) -> Measured:
    """Measure one share, in both directions, by Fisher's exact test or chi-square."""
    return cell_distance(
        np.array([baseline, baseline_rows - baseline]), np.array([window, window_rows - window])
    )


def share_rise(baseline: int, baseline_rows: int, window: int, window_rows: int) -> Measured:
    """Measure how much larger one share has become, by Fisher's exact test in one direction."""
    table = [[window, window_rows - window], [baseline, baseline_rows - baseline]]
    found = float(stats.fisher_exact(table, alternative="greater")[1])
    return Measured(max(0.0, window / window_rows - baseline / baseline_rows), min(found, 1.0))


def population_stability(baseline: Counts, window: Counts) -> float:
    """Compute the population stability index of cells; without a bound, and no part of any decision."""
    one, other = (np.where(counts == 0, EMPTY_SHARE, counts / counts.sum()) for counts in (baseline, window))
    return float(((one - other) * np.log(one / other)).sum())


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Adjust for testing many at once, so that of all that is called drift a bounded share is chance.

    Y. Benjamini and Y. Hochberg, Journal of the Royal Statistical Society B 57, 1995.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    ranked = given[order] * len(given) / np.arange(1, len(given) + 1)
    lowest = np.minimum.accumulate(ranked[::-1])[::-1]
    result = np.empty_like(given)
    result[order] = np.minimum(lowest, 1.0)
    return [float(value) for value in result]
