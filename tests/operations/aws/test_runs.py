"""What is SageMaker's own about runs and monitors: the deployed definition, metrics, violations."""

from __future__ import annotations

import pytest

from scaffolder.operations.errors import InvalidRequest, NotFound, Unsupported
from scaffolder.operations.values import RunState
from tests.operations.contract import finished, run_request
from tests.operations.worlds.aws import AwsWorld, add_monitor


def test_a_pipeline_that_is_not_deployed_says_what_to_deploy(world: AwsWorld) -> None:
    world.cloud.pipelines.pipelines.clear()
    with pytest.raises(NotFound, match="cdktf deploy churn-dev-ml"):
        world.provider.runs.submit(run_request("one"))
    assert [*world.provider.runs.list()] == []


def test_a_run_has_the_metrics_that_its_steps_wrote(world: AwsWorld) -> None:
    run = world.provider.runs.describe(finished(world, run_request("one")))
    assert run.metrics == {"accuracy": 0.91, "rows": 200.0}


def test_a_run_registers_what_it_trained(world: AwsWorld) -> None:
    finished(world, run_request("one"))
    (version,) = world.provider.registry.list("churn")
    assert version.artifact_uri.endswith("/output/model.tar.gz")
    assert version.image.endswith("/churn-dev/serving:1.0.0")


def test_a_run_goes_on_by_itself(world: AwsWorld) -> None:
    ref = world.provider.runs.submit(run_request("one"))
    world.clock.sleep(150)
    states = {step.name: step.state for step in world.provider.runs.describe(ref).steps}
    assert states == {"prepare": RunState.SUCCEEDED, "train": RunState.RUNNING}
    world.clock.sleep(600)
    assert world.provider.runs.describe(ref).state is RunState.SUCCEEDED


@pytest.mark.parametrize("ref", ["", "nowhere", "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/train"])
def test_what_is_not_a_ref_is_not_asked_for(world: AwsWorld, ref: str) -> None:
    with pytest.raises(InvalidRequest, match="not the ref of a run"):
        world.provider.runs.describe(ref)
    assert world.calls() == 0


def test_a_step_that_is_not_there_has_no_lines(world: AwsWorld) -> None:
    ref = finished(world, run_request("one"))
    with pytest.raises(NotFound, match="no step 'trian'; it has prepare, train"):
        list(world.provider.runs.logs(ref, step="trian"))


def test_what_sagemakers_monitor_found_is_told(world: AwsWorld) -> None:
    add_monitor(world.platform, world.cloud)
    (quiet,) = world.provider.monitoring.list()
    assert (quiet.state, quiet.alarm, quiet.last_window_end) == ("active", False, None)
    world.find_drift("churn")
    first = world.clock.now()
    world.clock.sleep(3600)
    world.find_drift("churn")
    results = [*world.provider.monitoring.results("churn")]
    assert [(one.feature, one.metric, one.value, one.threshold, one.breached) for one in results[:2]] == [
        ("", "violations", 1.0, 1.0, True),
        ("tenure", "distance", 0.4131, 0.2, True),
    ]
    assert results[1].window_end == first
    assert (results[1].window_end - results[1].window_start).total_seconds() == 3600
    assert results[1].report_uri.endswith("/constraint_violations.json")
    assert [one.window_end for one in world.provider.monitoring.results("churn", since=first)] == [
        world.clock.now()
    ] * 2
    (loud,) = world.provider.monitoring.list()
    assert (loud.alarm, loud.last_window_end) == (True, world.clock.now())


def test_a_monitor_of_our_own_is_refused_by_name(world: AwsWorld) -> None:
    with pytest.raises(Unsupported, match=r"monitors\.churn\.baseline") as refused:
        world.provider.monitoring.run("churn", "one")
    assert refused.value.capability == "monitors"
