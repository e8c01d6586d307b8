"""A machine that a region does not have, or not for its use, is refused with the nearest that can be had."""

from __future__ import annotations

from typing import Any

import pytest

from scaffolder.errors import SpecError
from scaffolder.pipeline import synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.adapter import TargetProblem
from stacks.aws.target import problems_of
from stacks.intents import Platform, StateBackend, Target, TrainingPipeline
from stacks.pipelines import PipelineDefinition, Run, Step
from tests.strategies import spec_text

LEAST: dict[str, Any] = {
    "version": 1,
    "name": "churn",
    "owner": "growth-ml",
    "target": {"provider": "aws", "region": "eu-west-3", "account": "123456789012"},
    "models": {"churn": {}},
}


def refused(changes: dict[str, Any]) -> list[tuple[str, str, str]]:
    with pytest.raises(SpecError) as error:
        synthesize_loaded(parse_spec(spec_text({**LEAST, **changes})))
    return [(each.path, each.message, each.hint) for each in error.value.findings]


def endpoint(**values: Any) -> dict[str, Any]:
    return {"endpoints": {"churn": {"model": "churn", **values}}}


@pytest.mark.parametrize("mode", ["realtime", "async"])
def test_an_endpoint_serves_on_what_the_region_has(mode: str) -> None:
    ((path, message, hint),) = refused(endpoint(mode=mode, instance="ml.g6.xlargee"))
    assert path == "endpoints.churn.instance"
    assert (
        message == 'endpoints.churn.instance "ml.g6.xlargee" is not a machine type of SageMaker for hosting'
    )
    assert hint == 'Did you mean "ml.g6.xlarge"?'


def test_a_size_that_the_region_lacks_is_refused_with_those_that_it_has() -> None:
    ((path, message, hint),) = refused(endpoint(instance="gpu.h100"))
    assert (path, message) == (
        "endpoints.churn.instance",
        'endpoints.churn.instance "gpu.h100" (ml.p5.4xlarge, ml.p5.48xlarge) is not offered for hosting in eu-west-3',
    )
    assert hint.startswith("There is gpu.")


def test_a_batch_endpoint_scores_on_machines_for_transform() -> None:
    ((path, message, _),) = refused(endpoint(mode="batch", instance="ml.c6g.large"))
    assert path == "endpoints.churn.instance"
    assert "is not a machine type of SageMaker for transform" in message


def test_a_serverless_endpoint_has_no_machine() -> None:
    synthesize_loaded(parse_spec(spec_text({**LEAST, **endpoint(mode="serverless")})))


def test_a_pipeline_trains_on_what_the_region_has() -> None:
    ((path, message, hint),) = refused(
        {"pipelines": {"train": {"definition": "pipelines/train.yaml", "instance": "ml.m5.xxlarge"}}}
    )
    assert path == "pipelines.train.instance"
    assert (
        message == 'pipelines.train.instance "ml.m5.xxlarge" is not a machine type of SageMaker for training'
    )
    assert hint


def run(kind: Any, instance: str | None = None) -> Step:
    action = Run(
        kind=kind,
        image="xgboost",
        command=(),
        environment={},
        code=None,
        inputs={},
        outputs={},
        instance=instance,
        instances=1,
        volume_gb=30,
        timeout_s=3600,
        cache_s=None,
        spot=False,
    )
    return Step(name=kind, action=action, after=(), gate=None, retries=0)


def problems(instance: str, *steps: Step) -> list[TargetProblem]:
    definition = PipelineDefinition(description="", parameters=(), steps=steps, code={})
    pipeline = TrainingPipeline(
        name="train", definition="a.yaml", schedule=None, instance=instance, steps=definition
    )
    platform = Platform(
        name="churn",
        environment="dev",
        tags={},
        target=Target(provider="aws", region="us-east-1", account="123456789012"),
        first_in_account=True,
        deletion_protection=False,
        backend=StateBackend(kind="local", settings={}),
        intents=(pipeline,),
        overrides=(),
    )
    return list(problems_of(platform))


def test_a_pipelines_machine_suits_each_step_that_names_none() -> None:
    assert problems("gpu.a100", run("training"), run("job", "cpu.medium")) == []
    (problem,) = problems("gpu.a100", run("training"), run("job"))
    assert problem.path == ("pipelines", "train", "instance")
    assert "is not offered for processing in us-east-1" in problem.message


def test_a_step_may_not_name_a_machine_that_there_is_not() -> None:
    (problem,) = problems("cpu.medium", run("training", "ml.m5.xlargee"))
    assert problem.path == ("pipelines", "train", "definition")
    assert "step training: instance" in problem.message
