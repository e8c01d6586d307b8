"""The ml stack: compute clusters, models, features and endpoints.

May not make a workload's identity or a bucket, nor know what watches over it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stacks.adapter import Skipped, TargetProblem
from stacks.azure.compute import add_clusters
from stacks.azure.context import Context, Learning, Surroundings, Workplace
from stacks.azure.endpoints import add_endpoints, endpoint_problems
from stacks.azure.features import add_features
from stacks.azure.instances import Unavailable, Use, machine
from stacks.azure.models import add_models
from stacks.azure.pipelines import pipeline_problems, pipeline_warnings
from stacks.azure.timing import schedule_fault
from stacks.graph import StackBuilder
from stacks.intents import ModelMonitor, OnlineEndpoint, TrainingPipeline, Workspace, describe
from stacks.pipelines import Run

__all__ = ["lower", "machine_problems"]


def machine_problems(context: Context) -> Iterator[TargetProblem]:
    """Refuse modes of endpoints that Azure ML does not have, machines that it lacks, and what a pipeline cannot be told."""
    yield from endpoint_problems(context)
    yield from _pipelines(context)
    for path, size, use in _machines(context):
        found = machine(size, use)
        if isinstance(found, Unavailable):
            yield TargetProblem(
                path=path, code="instance", message=f"{'.'.join(path)} {found.message}", hint=found.hint
            )


def lower(
    around: Surroundings, workplace: Workplace | None
) -> tuple[StackBuilder, Learning, Sequence[Skipped]]:
    """Make what the platform asks for; the stack is empty when it asks for nothing.

    Return also what it made that others watch, and what is left to do or cannot be.
    """
    stack = StackBuilder("ml")
    if workplace is None:
        return stack, Learning(), ()
    clusters = add_clusters(stack, around, workplace)
    add_models(stack, around, workplace)
    unkept = add_features(stack, around)
    online, batch, unserved = add_endpoints(stack, around, workplace)
    if clusters:
        stack.export("compute_clusters", clusters)
    if online or batch:
        stack.export("endpoint_names", {name: served.name for name, served in {**online, **batch}.items()})
    learning = Learning(endpoints={name: served.id for name, served in online.items()})
    return stack, learning, (*unkept, *unserved, *_unwritten(around.context))


def _pipelines(context: Context) -> Iterator[TargetProblem]:
    for pipeline in context.all_of(TrainingPipeline):
        fault = schedule_fault(pipeline.schedule) if pipeline.schedule else ""
        if fault:
            name = f"pipelines.{pipeline.name}.schedule"
            yield TargetProblem(
                path=("pipelines", pipeline.name, "schedule"),
                code="schedule",
                message=f'{name} "{pipeline.schedule}" is not a schedule of azure: {fault}',
                hint="Leave the month at *, and one of the two fields for days.",
            )
        path = ("pipelines", pipeline.name, "definition")
        for said, warning in ((pipeline_problems, False), (pipeline_warnings, True)):
            for message, hint in said(pipeline):
                yield TargetProblem(
                    path=path,
                    code="pipeline",
                    message=f"{'.'.join(path)}: {message}",
                    hint=hint,
                    warning=warning,
                )


def _unwritten(context: Context) -> Iterator[Skipped]:
    """Pipelines whose definition, code or image is not there."""
    for intent in context.all_of(TrainingPipeline):
        if intent.steps is None:
            yield Skipped(intent=describe(intent), reason=intent.lacks, remedy=intent.remedy)


def _machines(context: Context) -> Iterator[tuple[tuple[str, ...], str, Use]]:
    """Every machine that the platform asks for, with its place in the spec and its use."""
    workspace = context.one_of(Workspace)
    if workspace is not None:
        yield ("workspace", "instance"), workspace.instance, "compute"
    for endpoint in context.all_of(OnlineEndpoint):
        use: Use = "compute" if endpoint.mode == "batch" else "serving"
        if endpoint.mode in ("realtime", "batch"):
            yield ("endpoints", endpoint.name, "instance"), endpoint.instance, use
    for monitor in context.all_of(ModelMonitor):
        if monitor.image is not None:
            yield ("monitors", monitor.name, "instance"), monitor.instance, "compute"
    for pipeline in context.all_of(TrainingPipeline):
        yield ("pipelines", pipeline.name, "instance"), pipeline.instance, "compute"
        runs = [step.action for step in pipeline.steps.steps] if pipeline.steps else []
        for run in runs:
            if isinstance(run, Run) and run.instance is not None:
                yield ("pipelines", pipeline.name, "definition"), run.instance, "compute"
