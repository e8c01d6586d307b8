"""Monitors on Google Cloud, those with a job of their own and Vertex AI's, and the way down."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scaffolder.operations.errors import InvalidRequest, NotFound, Unsupported
from scaffolder.operations.values import RunState
from stacks.intents import ModelMonitor
from stacks.pipelines import CodeFolder
from tests.operations.contract import deployed, run_request
from tests.operations.fakes.gcp.cloud import stamp
from tests.operations.fakes.gcp.endpoints import Endpoints
from tests.operations.fakes.gcp.jobs import Monitors, Schedules
from tests.operations.fakes.gcp.pipelines import Pipelines
from tests.operations.fakes.gcp.project import Storage
from tests.operations.fakes.gcp.specs import payload_of
from tests.operations.gcp.others import other
from tests.operations.gcp.watched import HOUR, Watched
from tests.operations.watching import NOON
from tests.operations.worlds.gcp import GcpWorld

DRIFT = CodeFolder(path="drift", files={"drift/__main__.py": "print()"}, digest="0123456789abcdef" * 4)


def _monitor(world: GcpWorld, deployed_id: str) -> str:
    (endpoint,) = world.cloud.part(Endpoints).shells
    name = f"{world.cloud.home}/modelDeploymentMonitoringJobs/77"
    ends = [world.cloud.now() - timedelta(hours=hours) for hours in (2, 1)]
    world.cloud.part(Monitors).jobs[name] = {
        "name": name,
        "displayName": "churn",
        "endpoint": endpoint,
        "state": "JOB_STATE_RUNNING",
        "modelDeploymentMonitoringObjectiveConfigs": [{"deployedModelId": deployed_id}],
    }
    world.cloud.part(Endpoints).shells[endpoint]["modelDeploymentMonitoringJob"] = name
    windows = [
        {
            "distributionDeviation": value,
            "anomalyDetectionThreshold": 0.3,
            "startTime": stamp(end - timedelta(hours=1)),
            "endTime": stamp(end),
        }
        for value, end in zip((0.1, 0.4), ends, strict=True)
    ]
    stats = {"featureDisplayName": "tenure", "threshold": {"value": 0.3}, "predictionStats": windows}
    world.cloud.part(Monitors).found[name] = [
        {"objective": "RAW_FEATURE_DRIFT", "deployedModelId": deployed_id, "featureStats": [stats]}
    ]
    return name


def test_what_vertex_ais_own_monitor_found_is_read(world: GcpWorld) -> None:
    deployed(world, "blue")
    (shell,) = world.cloud.part(Endpoints).shells.values()
    _monitor(world, shell["deployedModels"][0]["id"])
    found = [*world.provider.monitoring.results("churn")]
    assert [(it.feature, it.metric, it.value, it.breached) for it in found] == [
        ("tenure", "drift", 0.1, False),
        ("tenure", "drift", 0.4, True),
    ]
    (status,) = world.provider.monitoring.list()
    assert (status.state, status.alarm, status.last_window_end) == ("active", True, found[-1].window_end)


def test_a_monitor_is_neither_made_nor_run(world: GcpWorld) -> None:
    (monitor,) = (it for it in world.platform.intents if isinstance(it, ModelMonitor))
    for refused in (
        lambda: world.provider.monitoring.ensure(monitor),
        lambda: world.provider.monitoring.run("churn", "1"),
    ):
        with pytest.raises(Unsupported):
            refused()


@pytest.fixture
def watching(world: GcpWorld) -> Any:
    """The provider of a platform whose monitor has a job of its own."""
    (monitor,) = (it for it in world.platform.intents if isinstance(it, ModelMonitor))
    own = replace(monitor, image="training:1.0.0", baseline="2026-11", code=DRIFT)
    return other(world, intents=tuple(own if it is monitor else it for it in world.platform.intents))


def test_a_monitor_with_a_job_of_its_own_looks_now_and_once(world: GcpWorld, watching: Any) -> None:
    ref = watching.monitoring.run("churn", "one")
    assert watching.monitoring.run("churn", "one") == ref
    run = watching.runs.describe(ref)
    assert (run.pipeline, run.reason) == ("churn--monitor", "monitor: churn")
    assert [it.ref for it in watching.runs.list()] == [ref]
    (job,) = world.cloud.part(Pipelines).jobs.values()
    payload = payload_of(job["pipelineSpec"]["deploymentSpec"]["executors"]["exec-look"])
    assert payload is not None
    assert payload["job_spec"]["service_account"] == world.context.account_email("monitoring")
    stored = {name for _, name in world.cloud.part(Storage).objects}
    assert f"code/churn--monitor/{DRIFT.digest[:16]}/drift/__main__.py" in stored


def test_a_monitor_with_a_job_of_its_own_is_there_once_the_stacks_have_its_schedule(
    world: GcpWorld, watching: Any
) -> None:
    (monitor,) = (it for it in world.platform.intents if isinstance(it, ModelMonitor))
    own = replace(monitor, image="training:1.0.0", baseline="2026-11", code=DRIFT)
    with pytest.raises(NotFound, match="no schedule of monitor churn"):
        watching.monitoring.ensure(own)
    with pytest.raises(NotFound, match="nothing to compare with yet"):
        watching.monitoring.ensure(replace(own, baseline=None))
    (planned,) = watching.monitoring.list()
    assert (planned.state, planned.last_window_end, planned.alarm) == ("planned", None, False)
    display = world.context.name("display", "churn--monitor")
    schedule = {"name": f"{world.cloud.home}/schedules/1", "displayName": display, "state": "ACTIVE"}
    world.cloud.part(Schedules).schedules.append(schedule)
    assert watching.monitoring.ensure(own).action == "unchanged"
    assert next(watching.monitoring.list()).state == "active"


def test_what_the_job_kept_of_its_windows_is_told(world: GcpWorld, watching: Any) -> None:
    job = Watched(world)
    for number, shift in enumerate((20, 0, 20, 20)):
        job.hour(number, shift=shift)
        job.job.figures(job.after(number))
    found = [*watching.monitoring.results("churn")]
    assert [it.window_start for it in found if it.feature == "tenure"] == [NOON + n * HOUR for n in range(4)]
    assert [it.breached for it in found if it.feature == "tenure"] == [True, False, True, True]
    assert {it.metric for it in found} == {"ks", "tv"}
    bucket = world.context.bucket("artifacts")
    assert found[-1].report_uri == f"gs://{bucket}/monitoring/churn/windows/20261102T150000Z.json"
    (status,) = watching.monitoring.list()
    assert (status.last_window_end, status.alarm) == (NOON + 4 * HOUR, True)
    assert {it.window_start for it in watching.monitoring.results("churn", since=NOON + 3 * HOUR)} == {
        NOON + 3 * HOUR
    }
    assert [*watching.monitoring.results("churn", since=NOON + 4 * HOUR)] == []


def test_a_window_that_is_none_is_named(world: GcpWorld, watching: Any) -> None:
    bucket = world.context.bucket("artifacts")
    world.cloud.part(Storage).put(bucket, "monitoring/churn/windows/20261102T120000Z.json", b"{}")
    with pytest.raises(InvalidRequest, match="is no window of a monitor's job"):
        [*watching.monitoring.results("churn")]


def test_what_goes_on_is_stopped_before_what_serves_goes(world: GcpWorld) -> None:
    deployed(world, "blue", "green")
    world.provider.serving.set_traffic("churn", {"blue": 70, "green": 30})
    (shell,) = world.cloud.part(Endpoints).shells.values()
    _monitor(world, shell["deployedModels"][0]["id"])
    ref = world.provider.runs.submit(run_request("one"))
    items = [*world.provider.teardown.inventory()]
    assert [it.kind for it in items] == ["run", "monitor", "deployment", "deployment", "model"]
    assert [it.holds_data for it in items] == [False, False, False, False, True]
    for item in items:
        assert not world.provider.teardown.is_gone(item)
        world.provider.teardown.remove(item)
        if item.kind == "run":
            world.finish(ref, RunState.STOPPED)
        world.settle("churn")
        assert world.provider.teardown.is_gone(item)
    assert [*world.provider.teardown.inventory()] == []


def test_a_model_that_serves_is_not_deleted(world: GcpWorld) -> None:
    deployed(world, "blue")
    model = [*world.provider.teardown.inventory()][-1]
    with pytest.raises(InvalidRequest, match="deployed"):
        world.provider.teardown.remove(model)
