"""Runs of the in-memory provider: where a run is follows from its request and the time that has gone by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.values import (
    FINISHED,
    Capability,
    LogLine,
    ParameterValue,
    Run,
    RunRequest,
    RunState,
    StepRun,
)
from stacks.intents import TrainingPipeline
from stacks.pipelines import PipelineDefinition, Step, ValueOf, sources
from tests.operations.memory.cloud import PACE_S, Cloud, Memories, Submitted, named

__all__ = ["MEASURED", "MONITOR_PREFIX", "MemoryRuns", "definition_of", "run_of", "start"]

MEASURED = {"accuracy": 0.9}
"""What a step's metrics say, so that a gate can be met or not."""
MONITOR_PREFIX = "monitor-"
NATIVE = {
    RunState.QUEUED: "Waiting",
    RunState.RUNNING: "Thinking",
    RunState.STOPPING: "Forgetting",
    RunState.SUCCEEDED: "Remembered",
    RunState.FAILED: "Mistaken",
    RunState.STOPPED: "Forgotten",
}


def start(memories: Memories, cloud: Cloud, request: RunRequest) -> str:
    """Remember a run, once for each token."""

    def make() -> str:
        ref = f"run-{cloud.number():06d}"
        cloud.runs[ref] = Submitted(request=request, created=memories.now())
        return ref

    return memories.once(cloud, "run", request.token, make)


class MemoryRuns:
    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def submit(self, request: RunRequest) -> str:
        with self._memories.open(Capability.RUNS) as cloud:
            _check(request.parameters, definition_of(self._memories, request.pipeline))
            return start(self._memories, cloud, request)

    def describe(self, ref: str) -> Run:
        with self._memories.open(Capability.RUNS) as cloud:
            return run_of(self._memories, ref, named("run", ref, cloud.runs))

    def list(self, pipeline: str | None = None) -> Iterator[Run]:
        with self._memories.open(Capability.RUNS) as cloud:
            runs = [run_of(self._memories, ref, one) for ref, one in cloud.runs.items()]
        yield from (run for run in reversed(runs) if pipeline in {None, run.pipeline})

    def logs(self, ref: str, *, step: str | None = None, after: str = "") -> Iterator[LogLine]:
        with self._memories.open(Capability.LOGS) as cloud:
            run = run_of(self._memories, ref, named("run", ref, cloud.runs))
        for line in _lines(run):
            if line.cursor > after and step in {None, line.step}:
                yield line

    def cancel(self, ref: str) -> None:
        with self._memories.open(Capability.CANCEL) as cloud:
            submitted = named("run", ref, cloud.runs)
            if submitted.stopped is None and run_of(self._memories, ref, submitted).state not in FINISHED:
                submitted.stopped = self._memories.now()


def definition_of(memories: Memories, pipeline: str) -> PipelineDefinition | None:
    """Look a pipeline's steps up; a monitor's run has none.

    Raises:
        NotFound: there is no such pipeline.
    """
    if pipeline.startswith(MONITOR_PREFIX):
        return None
    return named("pipeline", pipeline, memories.intents(TrainingPipeline)).steps


def run_of(memories: Memories, ref: str, submitted: Submitted) -> Run:
    """Say where a run is by now."""
    definition = definition_of(memories, submitted.request.pipeline)
    parameters = {each.name: each.default for each in definition.parameters} if definition else {}
    parameters |= submitted.request.parameters
    until = submitted.stopped or memories.now()
    steps = tuple(_steps(definition, parameters, submitted.created, until))
    state = _state(submitted, steps, memories)
    if state is RunState.STOPPED:
        steps = tuple(_ended(step, until) for step in steps)
    times = [step.ended for step in steps if step.ended]
    errors = [f"step {step.name}: {step.error}" for step in steps if step.error]
    return Run(
        ref=ref,
        pipeline=submitted.request.pipeline,
        state=state,
        native_state=NATIVE[state],
        created=submitted.created,
        started=steps[0].started if steps else None,
        ended=max(times, default=until) if state in FINISHED else None,
        parameters=parameters,
        reason=submitted.request.reason,
        error="; ".join(errors),
        steps=steps,
        metrics=MEASURED if state is RunState.SUCCEEDED else {},
    )


def _check(parameters: Mapping[str, ParameterValue], definition: PipelineDefinition | None) -> None:
    known = {each.name: type(each.default) for each in definition.parameters} if definition else {}
    for name, value in parameters.items():
        if name not in known:
            raise InvalidRequest(f"the pipeline has no parameter {name!r}; it has {', '.join(known)}")
        if type(value) is not known[name] and (known[name], type(value)) != (float, int):
            raise InvalidRequest(f"the parameter {name!r} is {known[name].__name__}, and not {value!r}")


def _steps(
    definition: PipelineDefinition | None,
    parameters: Mapping[str, ParameterValue],
    created: datetime,
    until: datetime,
) -> Iterator[StepRun]:
    """Yield the steps that have begun until a moment: one after another, after one pace of queueing."""
    pace = timedelta(seconds=PACE_S)
    starts = created + pace
    skipped: set[str] = set()
    for name, step in _named_steps(definition):
        if starts > until:
            return
        if step and (_unmet(step, parameters) or skipped & {*sources(step)}):
            skipped.add(name)
            yield StepRun(
                name=name, state=RunState.SUCCEEDED, native_state=NATIVE[RunState.SUCCEEDED], skipped=True
            )
            continue
        fails = step is not None and name == "train" and parameters.get("fail") == "yes"
        over = starts + pace <= until
        state = RunState.RUNNING if not over else RunState.FAILED if fails else RunState.SUCCEEDED
        yield StepRun(
            name=name,
            state=state,
            native_state=NATIVE[state],
            started=starts,
            ended=starts + pace if over else None,
            error="told to fail" if state is RunState.FAILED else "",
        )
        if state is RunState.FAILED:
            return
        starts += pace


def _named_steps(definition: PipelineDefinition | None) -> list[tuple[str, Step | None]]:
    return [(step.name, step) for step in definition.steps] if definition else [("look", None)]


def _unmet(step: Step, parameters: Mapping[str, ParameterValue]) -> bool:
    gate = step.gate
    if gate is None:
        return False
    bound = parameters[gate.bound.parameter] if isinstance(gate.bound, ValueOf) else gate.bound
    measured = MEASURED[gate.metric]
    return measured < float(bound) if gate.comparison == "at_least" else measured > float(bound)


def _state(submitted: Submitted, steps: tuple[StepRun, ...], memories: Memories) -> RunState:
    total = len(_named_steps(definition_of(memories, submitted.request.pipeline)))
    if any(step.state is RunState.FAILED for step in steps):
        return RunState.FAILED
    if len(steps) == total and all(step.state is RunState.SUCCEEDED for step in steps):
        return RunState.SUCCEEDED
    if submitted.stopped is not None:
        return RunState.STOPPED if memories.steps_since(submitted.stopped) >= 1 else RunState.STOPPING
    return RunState.RUNNING if steps else RunState.QUEUED


def _ended(step: StepRun, at: datetime) -> StepRun:
    if step.state in FINISHED:
        return step
    stopped = RunState.STOPPED
    return StepRun(
        name=step.name, state=stopped, native_state=NATIVE[stopped], started=step.started, ended=at
    )


def _lines(run: Run) -> Iterator[LogLine]:
    """Yield two lines for each step that has run: one at its beginning, one at its end."""
    for place, step in enumerate(run.steps):
        moments = [(step.started, f"{step.name} begins"), (step.ended, step.error or f"{step.name} ends")]
        for number, (moment, text) in enumerate(moments):
            if moment is not None:
                yield LogLine(time=moment, step=step.name, text=text, cursor=f"{place:04d}.{number}")
