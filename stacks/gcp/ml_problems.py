"""What Vertex AI, or its region, lacks of what a platform asks of notebooks, pipelines, endpoints and models.

May not add a resource or repeat what the spec's own rules say.
"""

from __future__ import annotations

from collections.abc import Iterator

from stacks.adapter import TargetProblem
from stacks.gcp.catalog import zones_of
from stacks.gcp.context import Context
from stacks.gcp.features import feature_problems
from stacks.gcp.instances import Unavailable, Use, machine
from stacks.gcp.jobs import use_of
from stacks.gcp.llm_problems import llm_problems
from stacks.gcp.monitoring import monitoring_problems
from stacks.gcp.pipelines import pipeline_problems, pipeline_warnings
from stacks.gcp.workspace import workspace_problems
from stacks.intents import OnlineEndpoint, TrainingPipeline, Workspace
from stacks.pipelines import Run

__all__ = ["ml_problems"]

NO_MODE = {
    "serverless": "Vertex AI serves models from machines that run all the time, or from none",
    "async": "Vertex AI answers at once or in batches",
}


def ml_problems(context: Context) -> Iterator[TargetProblem]:
    """Yield every problem, in the order of the spec; of machines none, where the region is refused itself."""
    yield from workspace_problems(context)
    yield from feature_problems(context)
    if zones_of(context.region):
        yield from _machines(context)
        yield from _pipelines(context)
    yield from llm_problems(context)
    yield from monitoring_problems(context)


def _machines(context: Context) -> Iterator[TargetProblem]:
    workspace = context.one_of(Workspace)
    if workspace is not None:
        yield from _machine(context, ("workspace", "instance"), workspace.instance, "workbench")
    for endpoint in context.all_of(OnlineEndpoint):
        if endpoint.mode in NO_MODE:
            yield _no_mode(endpoint)
        else:
            path = ("endpoints", endpoint.name, "instance")
            yield from _machine(context, path, endpoint.instance, "serving")
    for pipeline in context.all_of(TrainingPipeline):
        path = ("pipelines", pipeline.name, "instance")
        for use in _uses_of(pipeline):
            yield from _machine(context, path, pipeline.instance, use)


def _no_mode(endpoint: OnlineEndpoint) -> TargetProblem:
    path = ("endpoints", endpoint.name, "mode")
    return TargetProblem(
        path=path,
        code="endpoint-mode",
        message=f"{'.'.join(path)} {endpoint.mode}: {NO_MODE[endpoint.mode]}",
        hint="Set it to realtime, or to batch for what may wait.",
    )


def _uses_of(pipeline: TrainingPipeline) -> tuple[Use, ...]:
    """What a pipeline's own machine is used for: by the steps that name none of their own, or by any in time."""
    runs = [step.action for step in pipeline.steps.steps] if pipeline.steps is not None else []
    uses = {use_of(run) for run in runs if isinstance(run, Run) and run.instance is None}
    return tuple(sorted(uses)) or ("training",)


def _machine(context: Context, path: tuple[str, ...], size: str, use: Use) -> Iterator[TargetProblem]:
    found = machine(size, use, context.region)
    if isinstance(found, Unavailable):
        yield TargetProblem(
            path=path, code="instance", message=f"{'.'.join(path)} {found.message}", hint=found.hint
        )


def _pipelines(context: Context) -> Iterator[TargetProblem]:
    for pipeline in context.all_of(TrainingPipeline):
        path = ("pipelines", pipeline.name, "definition")
        for message, hint in pipeline_problems(pipeline, context.region):
            yield TargetProblem(path=path, code="pipeline", message=f"{'.'.join(path)}: {message}", hint=hint)
        for message, hint in pipeline_warnings(pipeline):
            yield TargetProblem(
                path=path,
                code="pipeline-cache",
                message=f"{'.'.join(path)}: {message}",
                hint=hint,
                warning=True,
            )
