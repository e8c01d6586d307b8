"""The drift code on AWS: it reads what SageMaker captured, remembers in S3 and publishes to CloudWatch."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.operations.aws.watched import Watched
from tests.operations.worlds.aws import SECRET, TOKEN, AwsWorld


@pytest.fixture
def watched(world: AwsWorld, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(world, monkeypatch)


def test_what_drifted_is_published_where_the_alarms_look(watched: Watched) -> None:
    for number in range(2):
        watched.hour(number, shift=20)
        watched.job.figures(watched.after(number))
    first, second = watched.after(0), watched.after(1)
    assert [watched.maximum(name, first) for name in ("drift_alarm", "drift_retrain")] == [0, 0]
    assert [watched.maximum(name, second) for name in ("drift_alarm", "drift_retrain")] == [1, 1]
    assert watched.maximum("drift_score", second) == watched.job.said["drift_score"] > 0.5
    watched.job.figures(second + timedelta(minutes=5))
    assert watched.job.said["drift_retrain"] == 0


def test_only_the_windows_hours_are_read(watched: Watched) -> None:
    for number in range(4):
        watched.hour(number)
    watched.world.cloud.calls.clear()
    watched.job.figures(watched.after(1))
    # Two hours, that of the window and that of its end; the baseline; nothing else.
    assert watched.world.cloud.calls.count("s3:GetObject") == 3


def test_a_job_that_dies_before_it_publishes_starts_no_retraining_and_none_twice(watched: Watched) -> None:
    for number in range(2):
        watched.hour(number, shift=20)
    watched.job.figures(watched.after(0))
    good, watched.job.publish = watched.job.publish, "cloudwatch:eu-west-1::no-namespace"
    assert watched.job.run(watched.after(1)) == 2
    assert watched.job.error.startswith(
        "drift: a retraining was recorded, and perhaps never started: cannot publish"
    )
    watched.job.publish = good
    assert watched.job.figures(watched.after(1) + timedelta(minutes=5)) == (1, 0)


@pytest.mark.parametrize("fault", ["throttled", "server error", "timeout", "half a reply"])
def test_what_passes_is_tried_again(watched: Watched, fault: Any) -> None:
    watched.hour(0, shift=20)
    watched.world.inject(fault, after=2)
    assert watched.job.figures(watched.after(0)) == (0, 0)


def test_what_is_refused_ends_the_job_with_a_word_and_no_secret(watched: Watched) -> None:
    watched.world.inject("expired credentials", times=9)
    assert watched.job.run(watched.after(0)) == 2
    assert "AWS answered ExpiredToken" in watched.job.error
    assert not any(secret in watched.job.error for secret in (SECRET, TOKEN))
