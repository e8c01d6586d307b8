"""Where the rows are that a version was trained on, and those that its run held out.

Found by the pipeline's own words: what the step that made the model read, and what the step that measured it read. May
not read a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from scaffolder.operations.errors import NotFound, OperationError
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.records import Plan, RunFolder, State, find_run
from scaffolder.operations.local.steps import Steps
from scaffolder.operations.values import ModelVersion
from stacks.pipelines import BucketPath, Input, Register, Run, StepOutput
from stacks.record import record

__all__ = ["TrainingData", "training_data"]


@record
class TrainingData:
    """Folders of rows; ``lacks`` says why there are none."""

    rows: tuple[Path, ...] = ()
    held_out: tuple[Path, ...] = ()
    lacks: str = ""


def training_data(layout: Layout, version: ModelVersion) -> TrainingData:
    """Find the rows of a version: by its run, else by the data that it was registered with."""
    if version.run:
        try:
            folder = find_run(layout, version.run)
        except NotFound:
            lacks = f"its run {version.run} was removed"
        else:
            found = _of_run(layout, folder, version.model)
            if found.rows:
                return found
            lacks = f"its run {version.run} trained on no folder of rows that is there"
    else:
        lacks = "it was registered by no run"
    rows = tuple(path for path in _named(layout, version.data_uri) if path.exists())
    return TrainingData(rows=rows, lacks="" if rows else lacks)


def _of_run(layout: Layout, folder: RunFolder, model: str) -> TrainingData:
    plan, state = folder.plan(), folder.state()
    actions = {step.name: step.action for step in plan.definition.steps}
    for action in actions.values():
        if isinstance(action, Register) and action.model == model:
            trained = _read_by(actions.get(action.source.step))
            measured = _read_by(actions.get(action.metrics.step)) if action.metrics is not None else []
            held_out = [each for each in measured if each not in trained]
            places = [
                tuple(_places(layout, folder, plan, state, of))
                for of in (_rows(plan, trained), _rows(plan, held_out))
            ]
            return TrainingData(rows=places[0], held_out=places[1])
    return TrainingData()


def _read_by(action: Run | Register | None) -> list[Input]:
    return [*action.inputs.values()] if isinstance(action, Run) else []


def _rows(plan: Plan, inputs: list[Input]) -> list[Input]:
    """Leave out models and metrics, which hold no rows."""
    kinds = {
        StepOutput(step=step.name, output=name): output.kind
        for step in plan.definition.steps
        if isinstance(step.action, Run)
        for name, output in step.action.outputs.items()
    }
    return [each for each in inputs if isinstance(each, BucketPath) or kinds.get(each) == "folder"]


def _places(
    layout: Layout, folder: RunFolder, plan: Plan, state: State, inputs: list[Input]
) -> Iterator[Path]:
    uris = {
        source: step.uris[name]
        for each in plan.definition.steps
        if isinstance(each.action, Run) and (step := state.steps.get(each.name)) is not None
        for name, source in each.action.inputs.items()
        if isinstance(source, BucketPath) and name in step.uris
    }
    for source in inputs:
        match source:
            case StepOutput(step=name) if name in state.steps:
                place = Steps(layout, folder, plan).output(source, state)
            case BucketPath() if source in uris:
                place = layout.place(uris[source])
            case _:
                continue
        if place.exists():
            yield place


def _named(layout: Layout, data_uri: str) -> Iterator[Path]:
    """Find what a version says it was trained on: URIs with spaces between, each with its digest or without."""
    for uri in data_uri.split():
        try:
            yield layout.place(uri.partition("@")[0])
        except OperationError:
            continue
