"""A new version takes the old one's place only when it is better on rows that neither was trained on."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from scipy import stats

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.promotion import Measure, Paired, compared, measure_of, promotion_of
from scaffolder.operations.values import Approval, ModelVersion, Stage
from stacks.pipelines import Gate, PipelineDefinition, Register, Step, StepOutput

ACCURACY = Measure(metric="accuracy")


def version(number: int, digest: str = "", **metrics: float) -> ModelVersion:
    return ModelVersion(
        ref=f"churn:{number}",
        model="churn",
        version=number,
        approval=Approval.PENDING,
        stage=Stage.NONE,
        created=datetime(2026, 11, 2, tzinfo=UTC),
        artifact_uri="",
        metrics=metrics,
        digest=digest,
    )


def wrong(rows: int, *places: int) -> list[float]:
    return [float(place in places) for place in range(rows)]


def test_the_first_version_takes_an_empty_place() -> None:
    assert promotion_of(None, version(1), None).promote


def test_the_same_files_are_not_promoted() -> None:
    decided = promotion_of(
        version(1, "sha256:a", accuracy=0.5), version(2, "sha256:a", accuracy=0.9), ACCURACY
    )
    assert (decided.promote, decided.why) == (False, "its files are those of version 1")


@pytest.mark.parametrize(
    ("after", "promote"),
    [(0.9, True), (0.8, False), (0.7, False), (float("nan"), False), (float("inf"), False)],
)
def test_without_rows_in_common_the_metric_decides(after: float, *, promote: bool) -> None:
    assert promotion_of(version(1, accuracy=0.8), version(2, accuracy=after), ACCURACY).promote is promote


def test_a_smaller_error_is_better() -> None:
    measure = measure_of(None, "churn", metric="rmse")
    assert measure is not None
    assert promotion_of(version(1, rmse=2.0), version(2, rmse=1.5), measure).promote
    assert not promotion_of(version(1, rmse=1.5), version(2, rmse=2.0), measure).promote


def test_a_gain_that_is_too_small_is_not_enough() -> None:
    measure = Measure(metric="accuracy", least_gain=0.05)
    decided = promotion_of(version(1, accuracy=0.80), version(2, accuracy=0.84), measure)
    assert not decided.promote
    assert decided.why == (
        "accuracy was 0.8 with version 1 and is 0.84, each on the rows that its own run held out: too little"
    )


def test_a_version_without_the_metric_stays_pending_and_says_so() -> None:
    decided = promotion_of(version(1, accuracy=0.8), version(2), ACCURACY)
    assert (decided.promote, decided.why) == (False, "version 2 has no accuracy to compare")
    assert not promotion_of(version(1), version(2), None).promote


def test_the_gate_of_the_registering_step_names_the_metric() -> None:
    report = StepOutput(step="evaluate", output="report")
    gate = Gate(
        step="evaluate", output="report", metric="mae", comparison="at_most", bound=1.0, otherwise="skip"
    )
    register = Register(
        model="churn",
        source=StepOutput(step="train", output="model"),
        image="",
        content_type="text/csv",
        metrics=report,
    )
    step = Step(name="register", action=register, after=(), gate=gate, retries=0)
    definition = PipelineDefinition(description="", parameters=(), steps=(step,), code={})
    assert measure_of(definition, "churn") == Measure(metric="mae", smaller_is_better=True)
    assert measure_of(definition, "other") is None


def test_mistakes_on_the_same_rows_decide_before_any_metric() -> None:
    better = compared(wrong(100, *range(20)), wrong(100, *range(5)))
    decided = promotion_of(version(1, accuracy=0.99), version(2, accuracy=0.5), ACCURACY, better)
    assert decided.promote
    assert decided.why == (
        "on the same 100 rows version 1 is wrong by 0.2 and this one by 0.05 (McNemar: p = 6.1e-05)"
    )


@pytest.mark.parametrize(
    ("candidate", "says"),
    [(range(4), "that may be chance"), (range(5), "it is not better"), (range(30), "it is not better")],
)
def test_what_may_be_chance_is_not_promoted(candidate: range, says: str) -> None:
    decided = promotion_of(
        version(1), version(2), ACCURACY, compared(wrong(100, *range(5)), wrong(100, *candidate))
    )
    assert not decided.promote
    assert decided.why.endswith(says)


@pytest.mark.parametrize(("mended", "broken"), [(0, 0), (1, 0), (5, 5), (12, 3), (40, 61), (400, 300)])
def test_mcnemar_is_scipys_binomial_test(mended: int, broken: int) -> None:
    champion = [1.0] * mended + [0.0] * broken + [0.0]
    candidate = [0.0] * mended + [1.0] * broken + [0.0]
    found = compared(champion, candidate)
    wanted = stats.binomtest(mended, mended + broken).pvalue if mended + broken else 1.0
    assert found.p_value == pytest.approx(wanted, rel=1e-9)


def _numbers(rows: int, gain: float) -> Paired:
    dice = np.random.default_rng(rows)
    champion = dice.exponential(1, rows)
    return compared(champion.tolist(), (champion - dice.normal(gain, 0.5, rows)).tolist())


@pytest.mark.parametrize("rows", [60, 1_500])
def test_the_bootstrap_agrees_with_scipys_test_of_pairs(rows: int) -> None:
    dice = np.random.default_rng(rows)
    champion = dice.exponential(1, rows)
    candidate = champion - dice.normal(0.1, 0.5, rows)
    found = compared(champion.tolist(), candidate.tolist())
    wanted = stats.ttest_rel(champion, candidate)
    low, high = wanted.confidence_interval()
    assert found.gain == pytest.approx(wanted.statistic * stats.sem(champion - candidate))
    assert [found.low, found.high] == pytest.approx([low, high], abs=0.02)
    assert found.p_value == pytest.approx(wanted.pvalue, abs=0.02)


def test_the_bootstrap_is_the_same_each_time() -> None:
    assert _numbers(80, 0.1) == _numbers(80, 0.1)


def test_mistakes_of_other_rows_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="3 and 2 mistakes are not of the same rows"):
        compared(wrong(3), wrong(2))
