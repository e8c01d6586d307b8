"""Monitors on AWS with a job of their own: it is Terraform's, looks now when it is told to, and what it kept is read."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from scaffolder.operations.aws.provider import Aws
from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.port import Opening
from stacks.aws.pipelines import compiled
from stacks.aws.watching import job_of, watched_by
from stacks.intents import ModelMonitor
from stacks.pipelines import CodeFolder
from tests.operations.aws.watched import HOUR, Watched
from tests.operations.watching import NOON
from tests.operations.worlds.aws import AwsWorld, surroundings

DRIFT = CodeFolder(path="drift", files={"drift/__main__.py": "print()"}, digest="0123456789abcdef" * 4)


def _monitor(world: AwsWorld) -> ModelMonitor:
    (monitor,) = (it for it in world.platform.intents if isinstance(it, ModelMonitor))
    return replace(monitor, image="training:1.0.0", baseline="2026-11", code=DRIFT)


@pytest.fixture
def watching(world: AwsWorld, tmp_path: Any) -> Aws:
    """The provider of a platform whose monitor has a job of its own."""
    own = _monitor(world)
    intents = tuple(own if isinstance(it, ModelMonitor) else it for it in world.platform.intents)
    platform = replace(world.platform, intents=intents)
    return Aws(Opening(platform=platform, folder=tmp_path, sleep=world.clock.sleep, now=world.clock.now))


def _deploy(world: AwsWorld) -> None:
    """Make the job, as the stack ml does."""
    job = job_of(world.context, _monitor(world))
    assert job is not None
    assert job.steps is not None
    around = watched_by(surroundings(world.context, "arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d"))
    world.cloud.client("sagemaker").create_pipeline(
        PipelineName=world.context.watching("churn"),
        PipelineDefinition=json.dumps(compiled(job, job.steps, around)),
        RoleArn=str(around.roles["pipelines"]),
        ClientRequestToken=f"{job.name:-<32}",
    )


def test_a_monitor_with_a_job_of_its_own_is_there_once_the_stacks_have_made_it(
    world: AwsWorld, watching: Aws
) -> None:
    with pytest.raises(NotFound, match="there is no job of monitor churn"):
        watching.monitoring.ensure(_monitor(world))
    with pytest.raises(NotFound, match="nothing to compare with yet"):
        watching.monitoring.ensure(replace(_monitor(world), baseline=None))
    assert next(watching.monitoring.list()).state == "planned"
    _deploy(world)
    assert watching.monitoring.ensure(_monitor(world)).action == "unchanged"
    assert next(watching.monitoring.list()).state == "active"


def test_it_looks_now_and_once_for_a_token(world: AwsWorld, watching: Aws) -> None:
    with pytest.raises(NotFound, match="there is no job of monitor churn"):
        watching.monitoring.run("churn", "one")
    _deploy(world)
    ref = watching.monitoring.run("churn", "one")
    assert watching.monitoring.run("churn", "one") == ref
    run = watching.runs.describe(ref)
    assert (run.pipeline, run.reason) == ("churn--monitor", "monitor: churn")


def test_sagemakers_own_monitor_looks_by_its_schedule_only(world: AwsWorld) -> None:
    with pytest.raises(Unsupported, match="by their schedule only") as refused:
        world.provider.monitoring.run("churn", "one")
    assert refused.value.remedy == "Set monitors.churn.image and monitors.churn.baseline."


def test_what_the_job_kept_of_its_windows_is_told(
    world: AwsWorld, watching: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Watched(world, monkeypatch)
    for number, shift in enumerate((20, 0, 20, 20)):
        job.hour(number, shift=shift)
        job.job.figures(job.after(number))
    found = [*watching.monitoring.results("churn")]
    assert [it.window_start for it in found if it.feature == "tenure"] == [NOON + n * HOUR for n in range(4)]
    assert [it.breached for it in found if it.feature == "tenure"] == [True, False, True, True]
    bucket = world.context.bucket("artifacts")
    assert found[-1].report_uri == f"s3://{bucket}/monitoring/churn/windows/20261102T150000Z.json"
    (status,) = watching.monitoring.list()
    assert (status.last_window_end, status.alarm) == (NOON + 4 * HOUR, True)
    assert {it.window_start for it in watching.monitoring.results("churn", since=NOON + 3 * HOUR)} == {
        NOON + 3 * HOUR
    }
