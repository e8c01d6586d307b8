"""What windows and columns of every kind come to."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from scaffolder.drift.baseline import Baseline, baseline, dumped, parse
from scaffolder.drift.check import FEWEST_ROWS, Finding, Thresholds, Undecided, check
from scaffolder.drift.columns import LARGEST, POINTS, Categories, Numbers, Skipped, sketch
from tests.unit.drift.shapes import rows

ALL = Thresholds(data=0.2, prediction=0.2, concept=0.2)


def known(**columns: Any) -> Baseline:
    """Make a baseline, and read it back from the text that it is kept as."""
    return parse(json.loads(dumped(baseline(pd.DataFrame(columns)))))


def looked(base: Baseline, window: Any, **others: Any) -> tuple[list[Finding], list[Undecided]]:
    return check(base, pd.DataFrame(window), thresholds=others.pop("thresholds", Thresholds()), **others)


def scores(base: Baseline, window: Any) -> dict[str, float]:
    findings, _ = looked(base, window)
    return {f"{each.feature} {each.metric}": round(each.value, 2) for each in findings}


def spread(size: int) -> list[float]:
    return [number / size for number in range(size)]


# --- windows ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, FEWEST_ROWS - 1])
def test_a_window_of_too_few_rows_is_not_decided(size: int) -> None:
    findings, undecided = looked(known(a=spread(300)), {"a": [9.0] * size})
    assert findings == []
    (note,) = undecided
    assert (note.reason, note.pending) == (f"not enough rows: {size} of at least 30", False)


def test_a_window_of_just_enough_rows_is() -> None:
    assert scores(known(a=spread(300)), {"a": [9.0] * FEWEST_ROWS}) == {"a ks": 1.0}


def test_an_empty_window_without_columns_is_not_decided() -> None:
    findings, undecided = check(known(a=spread(300)), pd.DataFrame(), thresholds=ALL)
    assert findings == []
    assert [note.kind for note in undecided] == ["data", "prediction", "concept"]


def test_a_small_shift_of_a_large_window_is_no_drift_however_certain_it_is() -> None:
    dice = np.random.default_rng(3)
    window = dice.normal(0.2, 1, 200_000)
    (found,), _ = looked(known(a=dice.normal(0, 1, 50_000)), {"a": window})
    assert found.p_value < 1e-100
    assert 0.05 < found.value < 0.1
    assert not found.breached


def test_a_large_difference_that_chance_makes_is_no_drift() -> None:
    base = known(a=[f"kind {number % 40}" for number in range(4_000)])
    dice = np.random.default_rng(5)
    (found,), _ = looked(base, {"a": [f"kind {number}" for number in dice.integers(0, 40, 60)]})
    assert found.distance > 0.2
    assert (found.value, found.breached) == (0.0, False)


@pytest.mark.parametrize("threshold", [0.0, 0.1, 0.383, 0.5, 1.0])
def test_the_threshold_is_reached_by_the_score(threshold: float) -> None:
    dice = np.random.default_rng(7)
    base = known(a=dice.normal(0, 1, 20_000))
    (found,), _ = looked(base, {"a": dice.normal(1, 1, 20_000)}, thresholds=Thresholds(data=threshold))
    assert found.value == pytest.approx(0.383, abs=0.01)  # 2Φ(1/2) - 1
    assert found.breached is (found.value >= threshold)


def test_what_is_off_is_not_looked_at() -> None:
    off = Thresholds(data=None, prediction=None, concept=None)
    assert looked(known(a=spread(300)), {"a": [9.0] * 100}, thresholds=off) == ([], [])


# --- columns ---------------------------------------------------------------------------------------------------------


def test_a_constant_column_drifts_when_it_changes_only() -> None:
    base = known(number=[1.5] * 300, word=["a"] * 300)
    assert scores(base, {"number": [1.5] * 50, "word": ["a"] * 50}) == {"number ks": 0.0, "word tv": 0.0}
    assert scores(base, {"number": [1.6] * 50, "word": ["b"] * 50}) == {"number ks": 1.0, "word tv": 1.0}


def test_gaps_drift_by_their_share() -> None:
    base = known(a=spread(270) + [None] * 30, b=["x", "y", "z"] * 100)
    window = {"a": spread(60) + [None] * 40, "b": ["x", None, "y", "z"] * 25}
    found = scores(base, window)
    assert found["a missing"] == 0.3
    assert found["b missing"] == 0.25
    assert found["b tv"] == 0.0


def test_a_column_that_is_gone_and_one_that_holds_nothing_are_missing_and_their_values_are_not_judged() -> (
    None
):
    base = known(a=spread(300), b=["x", "y"] * 150)
    findings, undecided = looked(base, {"a": [None] * 50})
    assert {(each.feature, each.metric, each.breached) for each in findings} == {
        ("a", "missing", True),
        ("b", "missing", True),
    }
    assert {note.reason for note in undecided} == {"not enough values: 0 of at least 30"}


def test_a_column_that_was_empty_drifts_when_it_fills() -> None:
    base = known(a=[None] * 300)
    assert scores(base, {"a": [None] * 50}) == {"a missing": 0.0}
    assert scores(base, {"a": [1.0] * 50}) == {"a missing": 1.0}


def test_new_categories_are_drift_by_their_share() -> None:
    base = known(plan=["basic", "plus"] * 200)
    assert scores(base, {"plan": ["basic", "plus"] * 30 + ["gratis"] * 40}) == {"plan tv": 0.4}


def test_rare_and_unknown_categories_are_one_cell_so_that_their_number_is_bounded() -> None:
    names = [f"kind {min(number % 400, 80)}" for number in range(8_000)]
    found = sketch(names)
    assert isinstance(found, Categories)
    assert len(found.counts) == 50
    assert found.other == 31 * 20
    assert sum(found.counts.values()) + found.other == 8_000


def test_infinities_are_the_largest_numbers() -> None:
    base = known(a=[*spread(200), float("inf"), float("-inf")])
    column = base.columns["a"]
    assert isinstance(column, Numbers)
    assert (column.values[0], column.values[-1], column.missing) == (-LARGEST, LARGEST, 0)
    assert scores(base, {"a": [float("inf")] * 50})["a ks"] == 1.0
    assert scores(base, {"a": [*spread(200), float("inf")]}) == {"a ks": 0.0}


def test_what_is_no_number_in_a_column_of_numbers_is_missing() -> None:
    base = known(a=[*map(str, spread(300)), "unknown"])
    assert scores(base, {"a": ["1 €"] * 60 + ["0.5", 0.25, True, None] * 10})["a missing"] == 0.7


@pytest.mark.parametrize(
    ("told", "given"),
    [
        ([True, False] * 100, ["true", "false"] * 50),
        (["True", "False"] * 100, [False, True] * 50),
        (["1", "a"] * 100, [1, "a"] * 50),
        (["1", "a"] * 100, [1.0, "a"] * 50),
        (["müller", "größe"] * 100, ["größe ", " müller"] * 50),
        (["日本", "ελ"] * 100, ["ελ", "日本"] * 50),
    ],
)
def test_the_same_values_are_the_same_whether_they_come_by_csv_or_by_json(
    told: list[object], given: list[object]
) -> None:
    assert scores(known(a=told), {"a": pd.Series(given, dtype=object)}) == {"a tv": 0.0}


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pd.date_range("2026-01-01", periods=200, freq="h"), "times, which move by themselves"),
        ([f"2026-01-{day % 28 + 1:02d}T10:00:00Z" for day in range(200)], "times, which move by themselves"),
        (list(range(1_000, 1_200)), "numbers that count the rows"),
        ([f"customer {number}" for number in range(200)], "names or free text: most values stand once"),
        ([None, float("nan"), "", "  ", pd.NaT] * 40, "holds nothing"),
    ],
)
def test_what_moves_by_itself_is_not_compared_and_it_is_said_why(column: Any, reason: str) -> None:
    found = sketch(column)
    assert isinstance(found, Skipped)
    assert found.reason == reason


def test_ignored_columns_are_not_compared() -> None:
    base = parse(baseline({"a": spread(300), "b": spread(300)}, ignore=["b"]))
    findings, undecided = looked(base, {"a": spread(100), "b": [9.0] * 100})
    assert [each.feature for each in findings] == ["a"]
    assert [(note.feature, note.reason) for note in undecided] == [("b", "ignored")]


# --- the baseline ----------------------------------------------------------------------------------------------------


def test_a_baseline_is_the_same_bytes_whatever_the_order_of_its_rows() -> None:
    one = rows(1, 3_000)
    other = one.sample(frac=1, random_state=2)
    assert dumped(baseline(one)) == dumped(baseline(other))


def test_a_baseline_is_small_and_holds_no_row() -> None:
    text = dumped(baseline(rows(1, 20_000)))
    assert len(text) < 400_000
    for column in json.loads(text)["columns"]:
        if column["kind"] == "numbers":
            assert column["values"] == sorted(column["values"])
            assert len(column["values"]) <= POINTS
            assert sum(column["counts"]) == column["rows"] - column["missing"]


def test_a_baseline_needs_rows() -> None:
    with pytest.raises(ValueError, match="a baseline needs rows"):
        baseline([])


@pytest.mark.parametrize("document", [[], {}, {"version": 2}])
def test_what_is_no_baseline_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="this is no drift baseline of version 1"):
        parse(document)


# --- predictions and errors ------------------------------------------------------------------------------------------


def with_answers(predictions: Any, labels: Any = None) -> Baseline:
    return parse(json.loads(dumped(baseline({"a": spread(300)}, predictions=predictions, labels=labels))))


@pytest.mark.parametrize(
    ("before", "now", "metric", "value"),
    [
        (["yes", "no", "no", "no"] * 50, ["yes", "no"] * 50, "tv", 0.25),
        ([1, 0, 0, 0] * 50, ["1", "0"] * 50, "tv", 0.25),
        ([1.0, 0.0, 0.0, 0.0] * 50, ["1.0", "0"] * 20 + [1, 0] * 30, "tv", 0.25),
        (spread(200), [0.5 + value / 2 for value in spread(100)], "ks", 0.5),
    ],
)
def test_predictions_drift_as_columns_do(before: Any, now: Any, metric: str, value: float) -> None:
    given = pd.Series(now, dtype=object)
    findings, _ = check(
        with_answers(before),
        pd.DataFrame({"a": [0.5] * len(now)}),
        predictions=given,
        thresholds=Thresholds(data=None, prediction=0.2),
    )
    (found,) = findings
    assert (found.kind, found.feature, found.metric, found.breached) == ("prediction", "", metric, True)
    assert found.value == pytest.approx(value, abs=0.06)


CONCEPT = Thresholds(data=None, concept=0.2)


def concept(base: Baseline, predictions: Any, labels: Any) -> tuple[list[Finding], list[Undecided]]:
    window = pd.DataFrame({"a": [0.5] * len(predictions)})
    return check(base, window, predictions=predictions, labels=labels, thresholds=CONCEPT)


def test_a_risen_error_is_drift_by_what_it_has_risen() -> None:
    base = with_answers(["yes", "no"] * 100, ["yes", "no"] * 90 + ["no", "yes"] * 10)  # one of ten is wrong
    (found,), undecided = concept(base, ["yes"] * 100, ["yes"] * 60 + ["no"] * 40)
    assert undecided == []
    assert (found.metric, round(found.value, 3), found.rows, found.breached) == ("error_rate", 0.3, 100, True)


def test_an_error_that_has_fallen_is_no_drift() -> None:
    base = with_answers(["yes", "no"] * 100, ["no", "yes"] * 100)
    (found,), _ = concept(base, ["yes"] * 100, ["yes"] * 100)
    assert (found.value, found.breached) == (0.0, False)


def test_larger_errors_of_numbers_are_drift() -> None:
    dice = np.random.default_rng(11)
    truth = dice.normal(0, 1, 500)
    base = with_answers(truth + dice.normal(0, 0.1, 500), truth)
    (same,), _ = concept(base, list(truth[:200] + dice.normal(0, 0.1, 200)), list(truth[:200]))
    (worse,), _ = concept(base, list(truth[:200] + dice.normal(0, 0.5, 200)), list(truth[:200]))
    assert (same.breached, worse.breached, worse.metric) == (False, True, "error_size")


@pytest.mark.parametrize(
    ("there", "decided"), [(0, False), (29, False), (49, False), (50, True), (100, True)]
)
def test_a_window_whose_labels_are_not_there_yet_is_pending_and_not_fine(
    there: int, *, decided: bool
) -> None:
    base = with_answers(["yes", "no"] * 100, ["yes", "no"] * 100)
    labels = ["yes"] * there + [None] * (100 - there)
    findings, undecided = concept(base, ["yes"] * 100, labels)
    assert bool(findings) is decided
    assert [(note.pending, note.reason) for note in undecided] == (
        [] if decided else [(True, f"{there} of 100 rows have a label yet")]
    )


def test_labels_that_are_not_of_the_predictions_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="2 predictions and 3 labels are not of the same rows"):
        with_answers([1, 2], [1, 2, 3])
