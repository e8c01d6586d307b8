"""Tables of what runs fit 80 columns with the longest names that a spec may have; references and texts stay whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from scaffolder.operations.values import (
    Approval,
    BatchJob,
    Deployment,
    DriftResult,
    EndpointState,
    EndpointStatus,
    ModelVersion,
    MonitorStatus,
    Outcome,
    Probe,
    Run,
    RunState,
    Stage,
    StepRun,
)
from scaffolder.report.operations import (
    duration,
    render_drift,
    render_endpoint,
    render_job,
    render_monitors,
    render_probes,
    render_run,
    render_runs,
    render_undecided,
    render_versions,
    split_words,
    table,
)

NAME = "a-name-of-20-letters"
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/churn-dev-train/execution/abc123def456"
WORDS = "the service said a lot of words about it, and every one of them has to be read by somebody " * 2

VERSION = ModelVersion(
    ref="r",
    model=NAME,
    version=1234567,
    approval=Approval.APPROVED,
    stage=Stage.PRODUCTION,
    created=NOON,
    artifact_uri="s3://b/p",
    metrics={"accuracy": 0.91234567, "auc": 0.9, "loss": 0.123},
)
ENDPOINT = EndpointStatus(
    name=NAME,
    ref="e",
    state=EndpointState.IN_SERVICE,
    native_state="InService",
    deployments=(
        Deployment(
            name="v001",
            model=NAME,
            version=1,
            traffic_percent=100,
            state=EndpointState.IN_SERVICE,
            native_state="",
            instance="cpu.medium",
            replicas=12,
        ),
    ),
    error=WORDS,
)
RUN = Run(
    ref=ARN,
    pipeline=NAME,
    state=RunState.FAILED,
    native_state="Failed",
    created=NOON,
    started=NOON,
    ended=NOON + timedelta(seconds=75),
    parameters={f"parameter_{n}": "a value" for n in range(8)},
    error=WORDS,
    steps=(
        StepRun(
            name="prepare",
            state=RunState.SUCCEEDED,
            native_state="",
            started=NOON,
            ended=NOON + timedelta(hours=3),
            cached=True,
        ),
        StepRun(
            name=NAME,
            state=RunState.FAILED,
            native_state="",
            started=NOON,
            ended=NOON,
            attempt=3,
            error=WORDS,
        ),
        StepRun(name="register", state=RunState.SUCCEEDED, native_state="", skipped=True),
    ),
)
DRIFT = DriftResult(
    monitor=NAME,
    kind="prediction",
    feature="f" * 63,
    metric="drift_score",
    value=0.123456789,
    threshold=0.2,
    breached=True,
    window_start=NOON,
    window_end=NOON,
    rows=1_000_000,
)
MONITOR = MonitorStatus(
    name=NAME,
    endpoint=NAME,
    state="planned",
    native_state="",
    last_window_end=NOON,
    alarm=True,
    detail=WORDS,
)
JOB = BatchJob(ref=ARN, endpoint=NAME, state=RunState.FAILED, native_state="", created=NOON, error=WORDS)
PROBE = Probe(group="permissions", subject="sagemaker", outcome=Outcome.UNKNOWN, detail=WORDS, remedy=WORDS)


@pytest.mark.parametrize(
    "lines",
    [
        lambda: render_versions([VERSION]),
        lambda: render_endpoint(ENDPOINT),
        lambda: render_runs([RUN]),
        lambda: render_run(RUN),
        lambda: render_drift([DRIFT]),
        lambda: render_monitors([MONITOR]),
        lambda: render_undecided(MONITOR),
        lambda: render_job(JOB),
        lambda: render_probes([PROBE]),
    ],
    ids=["versions", "endpoint", "runs", "run", "drift", "monitors", "undecided", "job", "probes"],
)
def test_every_table_fits_80_columns(lines: Callable[[], Iterable[str]]) -> None:
    written = [*lines()]
    assert written
    assert [line for line in written if len(line) > 80 and ARN not in line] == []


def test_a_clouds_long_reference_is_whole_once_and_short_in_the_list() -> None:
    assert sum(ARN in line for line in render_run(RUN)) == 1
    assert [*render_runs([RUN])][1].endswith("  abc123def456")


def test_what_a_service_said_is_whole() -> None:
    assert " ".join(WORDS.split()) in " ".join(" ".join(render_job(JOB)).split())


def test_steps_say_what_was_cached_tried_again_or_skipped() -> None:
    told = "\n".join(render_run(RUN))
    assert "succeeded (cached)" in told
    assert "failed (attempt 3)" in told
    assert "skipped             -  " in told


def test_wide_characters_are_measured() -> None:
    lines = [*table(["name", "x"], [["日本", "1"], ["abcd", "2"]])]
    assert lines == ["name  x", "日本  1", "abcd  2"]


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (61, "1 min 1 s"), (3_725, "1 h 2 min"), (200_000, "2 d 7 h")],
)
def test_a_duration_has_its_two_largest_units(seconds: float, told: str) -> None:
    assert duration(seconds) == told


def test_a_split_names_who_gets_something() -> None:
    assert split_words({"v001": 90, "v002": 10, "v000": 0}) == "90 % v001, 10 % v002"
    assert split_words({"v001": 0}) == "no traffic"


def test_what_a_metric_counts_is_written_whole() -> None:
    counted = replace(VERSION, model="churn", metrics={"auc": 0.71271, "rows": 5851.0})
    assert "auc=0.713, rows=5851" in " ".join("\n".join(render_versions([counted])).split())


def test_a_line_to_copy_is_not_wrapped() -> None:
    line = "0 * * * * cd '/a folder/with a long name/that goes on' && /bin/scaffolder monitors run churn --env local"
    status = MonitorStatus(
        name="churn", endpoint="churn", state="active", native_state="", detail=f"to look:\n{line}"
    )
    assert [*render_monitors([status])][-2:] == ["churn: to look:", f"  {line}"]


def test_what_chance_explains_is_a_zero_that_is_told() -> None:
    told = "A value of 0 is a difference that chance makes as well."
    assert told in [*render_drift([replace(DRIFT, value=0.0, breached=False)])]
    assert told not in [*render_drift([replace(DRIFT, value=0.3)])]
