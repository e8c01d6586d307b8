"""The drift code on Google Cloud: it reads logged requests, remembers in Cloud Storage and writes to Cloud Logging."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.operations.fakes.gcp.project import Logging, Storage
from tests.operations.gcp.watched import Watched
from tests.operations.worlds.gcp import GcpWorld


@pytest.fixture
def watched(world: GcpWorld) -> Watched:
    return Watched(world)


def test_what_drifted_is_logged_where_the_alert_and_the_workflow_look(watched: Watched) -> None:
    for number in range(3):
        watched.hour(number, shift=20)
        watched.job.figures(watched.after(number))
    assert watched.told("drift_alarm") == [0, 1, 1]
    assert watched.told("drift_retrain") == [0, 1, 0]
    assert all(score > 0.5 for score in watched.told("drift_score"))
    (entry,) = watched.world.cloud.part(Logging).entries[1:2]
    assert (entry["severity"], entry["jsonPayload"]["monitor"]) == ("WARNING", "churn")
    assert [window["rows"] for window in watched.job.said["windows"]] == [60]
    names = {name for _, name in watched.world.cloud.part(Storage).objects if name.startswith("monitoring/")}
    assert names == {
        *(f"monitoring/churn/windows/20261102T{hour}0000Z.json" for hour in (12, 13, 14)),
        "monitoring/churn/retrainings/00000001.json",
    }


def test_an_endpoint_that_was_asked_nothing_yet_has_no_table_and_that_is_no_failure(watched: Watched) -> None:
    assert watched.job.run(watched.after(0)) == 0, watched.job.error
    assert watched.job.said["notes"] == ["data: not enough rows: 0 of at least 30"]
    assert watched.told("drift_score") == []


@pytest.mark.parametrize("fault", ["throttled", "server error", "timeout", "half a reply"])
@pytest.mark.parametrize("after", [0, 3])
def test_what_passes_is_tried_again_and_nothing_is_doubled(watched: Watched, fault: Any, after: int) -> None:
    watched.hour(0, shift=20)
    watched.world.inject(fault, times=2, after=after)
    assert watched.job.figures(watched.after(0)) == (0, 0)
    assert watched.told("drift_score") == [watched.job.said["drift_score"]]


def test_a_retraining_whose_answer_is_lost_is_not_asked_for_again(watched: Watched) -> None:
    for number in range(2):
        watched.hour(number, shift=20)
    watched.job.figures(watched.after(0))
    before = watched.world.calls()
    watched.job.figures(watched.after(1))
    last = watched.world.calls() - before - 1
    watched.world.cloud.part(Logging).entries.clear()
    objects = watched.world.cloud.part(Storage).objects
    for _, name in [*objects]:
        if "13" in name or "retrainings" in name:
            del objects[watched.bucket, name]
    watched.world.inject("timeout", after=last)
    assert watched.job.run(watched.after(1)) == 2
    assert "a retraining was recorded, and perhaps never started" in watched.job.error
    assert watched.told("drift_retrain") == [1]
    assert watched.job.figures(watched.after(1) + timedelta(minutes=5)) == (1, 0)


def test_what_is_refused_ends_the_job_with_the_services_words_and_no_secret(watched: Watched) -> None:
    watched.world.inject("denied")
    assert watched.job.run(watched.after(0)) == 2
    assert watched.job.error.startswith(
        f"drift: cannot list gs://{watched.bucket}/monitoring/churn/windows: "
    )
    assert "Permission denied" in watched.job.error
    assert not any(secret in watched.job.error for secret in watched.world.secrets())
