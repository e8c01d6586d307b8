"""When drift is an alarm, and when an alarm retrains."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from scaffolder.operations.alarms import (
    Alarm,
    AlarmRule,
    alarm_after,
    reason_of,
    retraining_after,
    windows_of,
)
from scaffolder.operations.values import DriftResult, Run, RunState

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def result(hour: int, *, breached: bool, feature: str = "tenure", kind: str = "data") -> DriftResult:
    return DriftResult(
        monitor="churn",
        kind=kind,  # type: ignore[arg-type]  # one of the three
        feature=feature,
        metric="ks",
        value=0.4 if breached else 0.0,
        threshold=0.2,
        breached=breached,
        window_start=NOON + hour * HOUR,
        window_end=NOON + (hour + 1) * HOUR,
    )


def results(pattern: str) -> Iterator[DriftResult]:
    """Yield an hour's result for each letter: x a breach, . none, - nothing decided."""
    for hour, letter in enumerate(pattern):
        if letter != "-":
            yield result(hour, breached=letter == "x")


@pytest.mark.parametrize(
    ("pattern", "raised"),
    [
        ("", False),
        ("x", False),
        (".x.", False),
        ("xx", True),
        ("x.x", True),
        ("x..x", False),  # two of the last four
        ("x-x", True),  # what was not decided is neither
        ("xx.", True),  # one quiet window ends nothing
        ("xx..", False),
        ("xx.x.x.", True),
        ("xx..x", False),  # the old breaches are over
        ("xx..xx", True),
        ("xx-.-.", False),
        ("--", False),
    ],
)
def test_an_alarm_comes_with_two_breaches_of_three_and_goes_after_two_quiet_windows(
    pattern: str, *, raised: bool
) -> None:
    assert alarm_after(windows_of(results(pattern))).raised is raised


def test_an_alarm_says_since_when_and_what_drifted() -> None:
    found = [result(0, breached=True), result(1, breached=True, feature="charge"), result(2, breached=False)]
    alarm = alarm_after(windows_of(found))
    assert alarm == Alarm(raised=True, since=NOON + 2 * HOUR, what=("tenure", "charge"))


def test_the_same_results_give_the_same_alarm_in_any_order() -> None:
    found = [*results(".x.xx.x")]
    assert alarm_after(windows_of(reversed(found))) == alarm_after(windows_of(found))


def test_only_named_columns_raise_the_alarm_and_predictions_and_errors_always_do() -> None:
    other = [result(hour, breached=True, feature="city") for hour in range(3)]
    assert not alarm_after(windows_of(other, ["tenure"])).raised
    assert alarm_after(windows_of(other)).raised
    for kind, name in (("prediction", "the predictions"), ("concept", "the error")):
        of_all = [result(hour, breached=True, feature="", kind=kind) for hour in range(3)]
        assert alarm_after(windows_of(of_all, ["tenure"])).what == (name,)


def test_rows_count_once_where_windows_overlap() -> None:
    one = result(0, breached=True)
    again = DriftResult(
        **{name: getattr(one, name) for name in one.__dataclass_fields__} | {"window_end": NOON + 1.5 * HOUR}
    )
    assert not alarm_after(windows_of([one, again])).raised


def test_a_rule_may_ask_for_more() -> None:
    rule = AlarmRule(breaches=3, windows=5, clear=1)
    assert not alarm_after(windows_of(results("xx")), rule).raised
    assert alarm_after(windows_of(results("x.x.x")), rule).raised
    assert not alarm_after(windows_of(results("x.x.x.")), rule).raised


def test_what_raised_an_alarm_that_has_ended_does_not_raise_the_next() -> None:
    rule = AlarmRule(breaches=2, windows=5, clear=1)
    assert not alarm_after(windows_of(results("xx.x")), rule).raised
    assert alarm_after(windows_of(results("xx.xx")), rule).raised


RAISED = Alarm(raised=True, since=NOON, what=("tenure",))


def run(
    ref: str, created: datetime, state: RunState = RunState.SUCCEEDED, reason: str = "drift: churn"
) -> Run:
    return Run(ref=ref, pipeline="train", state=state, native_state="", created=created, reason=reason)


def test_an_alarm_retrains_once_however_often_it_is_asked() -> None:
    first = retraining_after("churn", RAISED, [], now=NOON)
    assert first.wanted
    assert first.why == "tenure drifted, since 2026-11-02 12:00 UTC"
    assert retraining_after("churn", RAISED, [], now=NOON + 5 * HOUR).token == first.token
    assert retraining_after("other", RAISED, [], now=NOON).token != first.token


def test_without_an_alarm_nothing_is_retrained() -> None:
    assert not retraining_after("churn", Alarm(), [], now=NOON).wanted


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.RUNNING, RunState.STOPPING, RunState.UNKNOWN])
def test_no_run_is_started_beside_one_that_goes_on(state: RunState) -> None:
    going = run("train-1", NOON - 50 * HOUR, state, "manual")
    decided = retraining_after("churn", RAISED, [going], now=NOON)
    assert (decided.wanted, decided.why) == (False, "run train-1 of the pipeline train is going on")


@pytest.mark.parametrize("state", [RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED])
def test_drift_retrains_once_a_day_whatever_came_of_it(state: RunState) -> None:
    last = run("train-1", NOON - 23 * HOUR, state)
    decided = retraining_after("churn", RAISED, [last], now=NOON)
    assert (decided.wanted, decided.why) == (
        False,
        "drift started run train-1 already; the next may start at 2026-11-02 13:00 UTC",
    )
    later = retraining_after("churn", RAISED, [last], now=NOON + HOUR)
    assert later.wanted
    assert later.token != retraining_after("churn", RAISED, [], now=NOON).token


def test_runs_that_people_or_other_monitors_started_do_not_hold_an_alarm_back() -> None:
    others = [
        run("train-1", NOON - HOUR, reason="manual"),
        run("train-2", NOON - HOUR, reason=reason_of("other")),
    ]
    assert retraining_after("churn", RAISED, others, now=NOON).wanted
