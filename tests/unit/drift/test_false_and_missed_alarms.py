"""How often windows without a shift are called drifted, and how often a shift of one feature is found."""

from __future__ import annotations

from functools import cache

import pytest

from scaffolder.drift.baseline import Baseline, baseline, parse
from scaffolder.drift.check import Finding, Thresholds, check
from tests.unit.drift.shapes import NUMBERS, rows

SIZES = (100, 500, 5_000)
pytestmark = pytest.mark.slow


@cache
def known() -> Baseline:
    return parse(baseline(rows(1, 4_000)))


def found(seed: int, size: int, shifted: str = "") -> list[Finding]:
    findings, _ = check(known(), rows(seed, size, shifted=shifted), thresholds=Thresholds())
    return [each for each in findings if each.breached]


@pytest.mark.parametrize("size", SIZES)
def test_at_most_two_of_a_hundred_windows_without_a_shift_are_called_drifted(size: int) -> None:
    alarms = [seed for seed in range(1_000, 1_100) if found(seed, size)]
    assert len(alarms) <= 2, alarms


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("feature", [name for name in NUMBERS if name != "other_normal"])
def test_a_shift_of_a_standard_deviation_in_one_of_ten_features_is_found(feature: str, size: int) -> None:
    windows = range(2_000, 2_100 if size < 5_000 else 2_020)  # the large ones miss none: fewer show it
    drifted = [[each.feature for each in found(seed, size, feature)] for seed in windows]
    assert sum(feature in names for names in drifted) >= 0.95 * len(windows)
    assert sum(names != [feature] for names in drifted if feature in names) <= 0.02 * len(windows)


def test_of_windows_of_thirty_rows_most_shifts_are_found_and_chance_is_still_held_back() -> None:
    hits = [
        seed
        for seed in range(4_000, 4_050)
        if any(each.feature == "normal" for each in found(seed, 30, "normal"))
    ]
    alarms = [seed for seed in range(5_000, 5_050) if found(seed, 30)]
    assert len(hits) >= 40
    assert len(alarms) <= 1
