"""One pipeline twice: as this project's definition, and as its author would write it with ``kfp.dsl``."""

# mypy: disable-error-code="no-untyped-def, untyped-decorator, valid-type"
# ruff: noqa: I002 - kfp reads the types of functions, which must not be texts.

from pathlib import Path

from kfp import compiler, dsl

from stacks.pipelines import (
    BucketPath,
    Gate,
    Output,
    PathOf,
    PipelineDefinition,
    Register,
    Run,
    Step,
    StepOutput,
    ValueOf,
)
from stacks.pipelines import Parameter as Named

__all__ = ["DEFINITION", "write"]


def _run(
    inputs: dict[str, BucketPath | StepOutput], outputs: dict[str, Output], *words: PathOf | ValueOf
) -> Run:
    return Run(
        kind="job",
        image="training:1.0.0",
        command=(("go",), *((word,) for word in words)),
        environment={},
        code=None,
        inputs=inputs,
        outputs=outputs,
        instance="gpu.t4",
        instances=1,
        volume_gb=30,
        timeout_s=60,
        cache_s=None,
        spot=False,
    )


DEFINITION = PipelineDefinition(
    description="",
    parameters=(Named(name="day", default="today"), Named(name="floor", default=0.6)),
    steps=(
        Step(
            name="prepare",
            action=_run(
                {"raw": BucketPath(bucket="data", path=("raw",))},
                {"model": Output(kind="model", place=None)},
                ValueOf("day"),
            ),
            after=(),
            gate=None,
            retries=2,
        ),
        Step(
            name="evaluate",
            action=_run(
                {"model": StepOutput(step="prepare", output="model")},
                {"accuracy": Output(kind="metrics", place=None)},
            ),
            after=(),
            gate=None,
            retries=0,
        ),
        Step(
            name="register",
            action=Register(
                model="churn",
                source=StepOutput(step="prepare", output="model"),
                image="serving:1.0.0",
                content_type="text/csv",
                metrics=None,
            ),
            after=(),
            gate=Gate(
                step="evaluate",
                output="accuracy",
                metric="accuracy",
                comparison="at_least",
                bound=ValueOf("floor"),
                otherwise="skip",
            ),
            retries=0,
        ),
    ),
    code={},
)


@dsl.container_component
def prepare(day: str, raw: dsl.Input[dsl.Artifact], model: dsl.Output[dsl.Model]):
    return dsl.ContainerSpec(image="training", command=["go"], args=[day, raw.path, model.path])


@dsl.container_component
def evaluate(
    model: dsl.Input[dsl.Model], accuracy: dsl.Output[dsl.Metrics], accuracy_text: dsl.OutputPath(str)
):
    return dsl.ContainerSpec(
        image="training", command=["go"], args=[model.path, accuracy.path, accuracy_text]
    )


@dsl.container_component
def register(
    run_id: str,
    source: dsl.Input[dsl.Model],
    model: dsl.Output[dsl.Model],
    record: dsl.Output[dsl.Artifact],
):
    return dsl.ContainerSpec(
        image="training", command=["go"], args=[run_id, source.path, model.path, record.path]
    )


def write(path: Path) -> str:
    """Compile what is written with ``kfp.dsl``, and return the text."""

    @dsl.pipeline(name="theirs")
    def pipeline(day: str = "today", floor: float = 0.6) -> None:
        raw = dsl.importer(artifact_uri="s3://acme-data/raw", artifact_class=dsl.Artifact)
        prepared = prepare(day=day, raw=raw.output).set_retry(2, "60s", 2, "3600s")
        evaluated = evaluate(model=prepared.outputs["model"])
        for task in (prepared, evaluated):
            task.set_cpu_request("4").set_cpu_limit("4").set_memory_request("15Gi").set_memory_limit("15Gi")
            task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1)
        with dsl.If(evaluated.outputs["accuracy_text"] >= floor):
            register(run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER, source=prepared.outputs["model"])

    compiler.Compiler().compile(pipeline, str(path))
    return path.read_text()
