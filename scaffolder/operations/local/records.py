"""What is kept of a run: a plan that never changes, and a state that its runner replaces as it goes.

    runs/REF/run.json     for lists: pipeline, parameters, reason, time
    runs/REF/plan.json    the steps, where the code came from and what they run in
    runs/REF/state.json   where each step is, what it read and wrote
    runs/REF/log          a line for each line of a step
    runs/REF/lock         held by the runner for as long as it lives
    runs/REF/cancel       there when somebody asked the run to stop
    runs/REF/reserve      room for the last state, should the disk be full by then
    runs/REF/code/        the code folders as they were
    runs/REF/steps/       a folder for each attempt of each step

May not run anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, fields
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from scaffolder.operations.errors import NotFound, Unavailable
from scaffolder.operations.local.environment import Environment
from scaffolder.operations.local.files import is_locked, read_json, write_json
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.wire import from_json, to_json
from scaffolder.operations.values import FINISHED, ParameterValue, Run, RunState, StepRun
from stacks.intents import Platform
from stacks.pipelines import PipelineDefinition
from stacks.record import record

__all__ = [
    "Head",
    "Plan",
    "RunFolder",
    "State",
    "StepState",
    "at",
    "find_run",
    "metrics_of",
    "ref_of",
    "run_of",
]

FORMAT = 1
QUEUED, RUNNING = RunState.QUEUED.value, RunState.RUNNING.value


def at(time_s: float) -> datetime:
    return datetime.fromtimestamp(time_s, UTC)


@record
class Head:
    """What a list of runs shows; times are seconds since 1970."""

    ref: str
    pipeline: str
    created: float
    parameters: Mapping[str, ParameterValue]
    reason: str


@record
class Plan:
    """What a run does. ``expected`` are the digests that a repeated run's data has to have, by ``BUCKET:PATH``.

    ``commit`` and ``changes`` are what git says of the spec's folder: ``changes`` is a digest of what is not committed,
    empty where all is. ``own`` marks a command of ours, which has this machine's variables.
    """

    definition: PipelineDefinition
    platform: Platform
    interpreter: str
    environment: Environment
    commit: str = ""
    changes: str = ""
    repeats: str = ""
    expected: Mapping[str, str] = field(default_factory=dict)
    own: bool = False


@record
class StepState:
    """Where a step is. ``inputs`` and ``outputs`` are digests by name; ``uris`` names the inputs that are in buckets.
    ``metrics`` are by the output that has them.

    ``folder`` is that of the attempt whose outputs count, relative to the run's.
    """

    state: str = QUEUED
    native: str = "waiting"
    started: float | None = None
    ended: float | None = None
    attempt: int = 1
    cached: bool = False
    skipped: bool = False
    error: str = ""
    folder: str = ""
    group: int = 0
    key: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    uris: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    registered: str = ""


@record
class State:
    """Where a run is, as its runner wrote it last."""

    state: str = QUEUED
    started: float | None = None
    ended: float | None = None
    runner: int = 0
    error: str = ""
    steps: Mapping[str, StepState] = field(default_factory=dict)


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.ref = path.name
        self.log = path / "log"
        self.lock = path / "lock"
        self.cancel = path / "cancel"
        self.reserve = path / "reserve"
        self.talk = path / "runner.log"
        """What the runner itself says, which is nothing unless something is wrong with it."""

    def write_plan(self, head: Head, plan: Plan) -> None:
        values = {name: getattr(head, name) for name in _names(Head)}
        write_json(self.path / "run.json", {"format": FORMAT, **values}, durable=True)
        encoded = {name: to_json(getattr(plan, name)) for name in _names(Plan) if name != "environment"}
        encoded["environment"] = plan.environment.to_json()
        write_json(self.path / "plan.json", {"format": FORMAT, **encoded}, durable=True)

    def head(self) -> Head:
        return Head(**_read(self.path / "run.json", Head))

    def plan(self) -> Plan:
        found = _read(self.path / "plan.json", Plan)
        environment = Environment.from_json(found.pop("environment"))
        return Plan(**{name: from_json(each) for name, each in found.items()}, environment=environment)

    def write_state(self, state: State) -> None:
        """Replace the state; the last one outlives a power failure too."""
        values = {name: getattr(state, name) for name in _names(State) if name != "steps"}
        steps = {
            name: {each: getattr(step, each) for each in _names(StepState)}
            for name, step in state.steps.items()
        }
        write_json(
            self.path / "state.json", {**values, "steps": steps}, durable=RunState(state.state) in FINISHED
        )

    def state(self) -> State:
        found: Any = read_json(self.path / "state.json")
        if found is None:
            return State()
        steps = {name: StepState(**_known(StepState, each)) for name, each in found.pop("steps", {}).items()}
        return State(**_known(State, found), steps=steps)

    def is_held(self) -> bool:
        """Whether a runner lives."""
        return is_locked(self.lock)


def find_run(layout: Layout, ref: str) -> RunFolder:
    """Find a run.

    Raises:
        NotFound: there is none.
    """
    if ref and "/" not in ref and not ref.startswith("."):
        folder = layout.runs / ref
        if (folder / "run.json").exists():
            return RunFolder(folder)
    raise NotFound(
        f"there is no run {ref!r} on this machine", remedy="`scaffolder runs list` names those there are."
    )


def run_of(folder: RunFolder, *, whole: bool = True) -> Run:
    """Say where a run is; one whose runner is dead has failed. ``whole`` adds its record."""
    head = folder.head()
    held = folder.is_held()
    state = folder.state()  # after the lock: who gave it back has written its last state
    finished = RunState(state.state) in FINISHED
    asked = folder.cancel.exists()
    shown = RunState(state.state)
    native, error = state.state, state.error
    if not finished and not held:
        shown, native, error = RunState.FAILED, "died", _died(folder, state)
    elif not finished and asked:
        shown, native = RunState.STOPPING, "stopping"
    ended = state.ended
    if shown is RunState.FAILED and not finished:
        ended = _last_sign(folder)
    plan = folder.plan() if whole or not state.steps else None
    order = [step.name for step in plan.definition.steps] if plan else list(state.steps)
    steps = tuple(_step_run(name, state.steps.get(name, StepState()), shown, ended) for name in order)
    return Run(
        ref=head.ref,
        pipeline=head.pipeline,
        state=shown,
        native_state=native,
        created=at(head.created),
        started=None if state.started is None else at(state.started),
        ended=None if ended is None else at(ended),
        parameters=head.parameters,
        reason=head.reason,
        error=error,
        steps=steps,
        metrics=metrics_of(state),
        record=record_of(head, plan, state) if whole and plan else {},
    )


def record_of(head: Head, plan: Plan, state: State) -> Mapping[str, object]:
    """What it takes to run a run again, and to tell whether the same came out."""
    data = {
        uri: step.inputs[name]
        for step in state.steps.values()
        for name, uri in step.uris.items()
        if name in step.inputs
    }
    outputs = {
        f"{name}.{output}": digest
        for name, step in state.steps.items()
        for output, digest in step.outputs.items()
    }
    return {
        "commit": plan.commit,
        "uncommitted": plan.changes,
        "code": {name: f"sha256:{folder.digest}" for name, folder in plan.definition.code.items()},
        "data": data,
        "parameters": dict(head.parameters),
        "seeds": {name: value for name, value in head.parameters.items() if "seed" in name.split("_")},
        "environment": plan.environment.to_json(),
        "metrics": {
            f"{name}.{output}": dict(numbers)
            for name, step in state.steps.items()
            for output, numbers in step.metrics.items()
        },
        "outputs": outputs,
        "registered": [step.registered for step in state.steps.values() if step.registered],
        "repeats": plan.repeats,
    }


def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind))


def _known(kind: type[Any], found: Mapping[str, Any]) -> dict[str, Any]:
    names = _names(kind)
    return {name: value for name, value in found.items() if name in names}


def _read(path: Path, kind: type[Any]) -> dict[str, Any]:
    found: Any = read_json(path)
    if found is None or found.get("format") != FORMAT:
        said = "is damaged" if found is None else "was written by another version of scaffolder"
        raise Unavailable(f"{path} {said}", remedy="Remove the run's folder, or use that version.")
    return _known(kind, found)


def _died(folder: RunFolder, state: State) -> str:
    whom = f"its runner (process {state.runner})" if state.runner else "its runner"
    said = ""
    if folder.talk.exists():
        lines = folder.talk.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        said = f". Its last words: {lines[-1]}" if lines else ""
    return f"{whom} is gone without an end: it was killed, or the machine went down{said}"


def _last_sign(folder: RunFolder) -> float:
    signs = [place.stat().st_mtime for place in (folder.path / "state.json", folder.log) if place.exists()]
    return max(signs, default=folder.path.stat().st_mtime)


def _step_run(name: str, step: StepState, run: RunState, ended: float | None) -> StepRun:
    state, native, error = RunState(step.state), step.native, step.error
    end = step.ended
    if run in FINISHED and state not in FINISHED:
        lost = run is RunState.FAILED and state is RunState.RUNNING
        state, native = (RunState.FAILED, "died") if lost else (RunState.STOPPED, "not started")
        error = "the runner was gone before it ended" if lost else ""
        end = ended if lost else None
    return StepRun(
        name=name,
        state=state,
        native_state=native,
        started=None if step.started is None else at(step.started),
        ended=None if end is None else at(end),
        attempt=step.attempt,
        cached=step.cached,
        skipped=step.skipped,
        error=error,
    )


def metrics_of(state: State) -> Mapping[str, float]:
    """The numbers of all steps; where two have one name, the later step's."""
    found: dict[str, float] = {}
    for step in state.steps.values():
        for numbers in step.metrics.values():
            found |= numbers
    return found


def ref_of(pipeline: str, token: str) -> str:
    """Name the run of a token: the same whenever it is asked for."""
    return f"{pipeline}-{sha256(token.encode(errors='surrogateescape')).hexdigest()[:12]}"
