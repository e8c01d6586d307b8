"""The drift code's numbers beside those of scipy and Evidently on the same rows."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from scaffolder.drift.baseline import baseline, parse
from scaffolder.drift.check import Thresholds, check
from scaffolder.drift.columns import POINTS, Numbers, numbers_sketch
from scaffolder.drift.measures import (
    adjusted,
    cell_distance,
    population_stability,
    share_rise,
    value_distance,
    value_rise,
)

SHAPES = ("normal", "lognormal", "integers", "constant")


def drawn(shape: str, size: int, seed: int, shift: float = 0.0) -> Any:
    dice = np.random.default_rng(seed)
    match shape:
        case "normal":
            return dice.normal(shift, 1, size)
        case "lognormal":
            return dice.lognormal(0, 1, size) + shift
        case "integers":
            return dice.poisson(3 + shift, size).astype(np.float64)
        case _:
            return np.full(size, 2.0)


def sketched(values: Any) -> Numbers:
    return numbers_sketch(len(values), values)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("before", "now"), [(1_500, 30), (1_500, 400), (300, 5_000)])
def test_kolmogorov_and_smirnov_are_scipys(shape: str, shift: float, before: int, now: int) -> None:
    one, other = drawn(shape, before, 1), drawn(shape, now, 2, shift)
    known = sketched(one)
    found = value_distance(known.values, known.counts, other)
    wanted = stats.ks_2samp(one, other, method="asymp")
    assert found.distance == pytest.approx(wanted.statistic)
    assert found.p_value == pytest.approx(wanted.pvalue, rel=1e-6, abs=1e-300)
    risen = value_rise(known.values, known.counts, other)
    wanted = stats.ks_2samp(one, other, method="asymp", alternative="greater")
    assert risen.distance == pytest.approx(max(0.0, wanted.statistic))
    assert risen.p_value == pytest.approx(wanted.pvalue, rel=1e-6, abs=1e-300)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sketch_of_many_rows_is_as_good_as_the_rows(shape: str) -> None:
    one, other = drawn(shape, 50_000, 1), drawn(shape, 700, 2, 0.2)
    known = sketched(one)
    assert len(known.values) <= POINTS
    found = value_distance(known.values, known.counts, other)
    assert found.distance == pytest.approx(stats.ks_2samp(one, other).statistic, abs=1 / POINTS)


@pytest.mark.parametrize(
    "counts", [([50, 30, 20], [30, 30, 40]), ([500, 500], [40, 60]), ([900, 50, 50], [80, 10, 10])]
)
def test_chi_square_is_scipys(counts: tuple[list[int], list[int]]) -> None:
    found = cell_distance(np.array(counts[0]), np.array(counts[1]))
    assert found.p_value == pytest.approx(stats.chi2_contingency(counts, correction=False).pvalue)


@pytest.mark.parametrize("counts", [([990, 10], [28, 2]), ([5, 0], [0, 5]), ([99_990, 10], [90, 10])])
def test_two_cells_of_few_are_fishers(counts: tuple[list[int], list[int]]) -> None:
    found = cell_distance(np.array(counts[0]), np.array(counts[1]))
    assert found.p_value == pytest.approx(stats.fisher_exact(counts)[1])
    risen = share_rise(counts[0][1], sum(counts[0]), counts[1][1], sum(counts[1]))
    wanted = stats.fisher_exact(np.array(counts)[::-1, ::-1], alternative="greater")[1]
    assert risen.p_value == pytest.approx(wanted)


@pytest.mark.parametrize("counts", [([600, 390, 6, 4], [20, 15, 2, 1]), ([600, 390, 6, 4], [20, 15, 0, 0])])
def test_permutation_agrees_with_scipys(counts: tuple[list[int], list[int]]) -> None:
    table = np.array(counts)
    rows = np.repeat([0, 1], table.sum(axis=1))
    cells = np.concatenate([np.repeat(np.arange(table.shape[1]), row) for row in table])
    dice = np.random.default_rng(3)
    seen = stats.chi2_contingency(table, correction=False).statistic
    dealt = [stats.contingency.crosstab(rows, dice.permutation(cells)).count for _ in range(1_000)]
    wanted = np.mean(
        [stats.chi2_contingency(each, correction=False).statistic >= seen - 1e-9 for each in dealt]
    )
    assert cell_distance(*table).p_value == pytest.approx(wanted, abs=0.05)


def test_permutation_calls_what_is_impossible_by_chance_impossible() -> None:
    assert cell_distance(np.array([5_000, 4_990, 10, 0]), np.array([30, 30, 0, 40])).p_value < 1e-4


@pytest.mark.parametrize("size", [1, 2, 10, 100])
def test_benjamini_and_hochberg_are_scipys(size: int) -> None:
    given = np.random.default_rng(size).beta(0.3, 1, size)
    assert adjusted(given.tolist()) == pytest.approx(stats.false_discovery_control(given))


def test_the_stability_index_is_the_divergence_both_ways() -> None:
    one, other = np.array([500, 300, 200]), np.array([20, 50, 30])
    both = stats.entropy(one / 1000, other / 100) + stats.entropy(other / 100, one / 1000)
    assert population_stability(one, other) == pytest.approx(both)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Evidently's own, when it is imported and when it computes
def test_evidently_says_the_same_of_the_same_rows() -> None:
    os.environ["DO_NOT_TRACK"] = "1"
    from evidently import DataDefinition, Dataset, Report  # noqa: PLC0415 - seconds
    from evidently.metrics import ValueDrift  # noqa: PLC0415

    dice = np.random.default_rng(4)
    before = pd.DataFrame(
        {
            "still": dice.normal(0, 1, 1_800),
            "moved": dice.normal(0, 1, 1_800),
            "plan": dice.choice(["basic", "plus", "pro"], 1_800, p=[0.6, 0.3, 0.1]),
        }
    )
    now = pd.DataFrame(
        {
            "still": dice.normal(0, 1, 400),
            "moved": dice.normal(0.8, 1, 400),
            "plan": dice.choice(["basic", "plus", "pro"], 400, p=[0.3, 0.4, 0.3]),
        }
    )
    definition = DataDefinition(numerical_columns=["still", "moved"], categorical_columns=["plan"])
    sets = [Dataset.from_pandas(each, data_definition=definition) for each in (now, before)]
    asked = [("still", "ks"), ("moved", "ks"), ("moved", "psi"), ("plan", "psi"), ("plan", "chisquare")]
    report = Report([ValueDrift(column=column, method=method) for column, method in asked])
    told = [float(each["value"]) for each in report.run(*sets).dict()["metrics"]]
    theirs = dict(zip(asked, told, strict=True))

    findings, _ = check(parse(baseline(before)), now, thresholds=Thresholds())
    ours = {each.feature: each for each in findings}
    for column in (
        "still",
        "moved",
    ):  # theirs is the exact probability, ours its limit; before any adjustment
        values = [each.sort_values().to_numpy() for each in (before[column], now[column])]
        found = value_distance(values[0], np.ones(len(values[0]), dtype=np.int64), values[1])
        assert found.p_value == pytest.approx(theirs[column, "ks"], rel=0.15)
        assert found.distance == ours[column].distance
    assert ours["plan"].stability == pytest.approx(theirs["plan", "psi"])
    edges = np.histogram_bin_edges(np.concatenate([before["moved"], now["moved"]]), bins="sturges")
    binned = [np.histogram(each["moved"], edges)[0] for each in (before, now)]
    assert population_stability(*binned) == pytest.approx(theirs["moved", "psi"])
    assert max(ours["plan"].p_value, theirs["plan", "chisquare"]) < 1e-9
    drifted = {column for column, method in asked if method != "psi" and theirs[column, method] < 0.01}
    assert {each.feature for each in findings if each.breached} == drifted == {"moved", "plan"}
