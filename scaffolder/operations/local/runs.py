"""Runs on this machine, as the port has them, and what only this machine does: resume, reproduce, compare.

A run is a folder that appears at once, and a process that leaves this one. May not run a step itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from scaffolder.operations.errors import Conflict, InvalidRequest, NotFound, Unavailable
from scaffolder.operations.local.environment import commit_of, environment_of
from scaffolder.operations.local.files import disk_errors, open_lock, take_lock
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.logs import log_lines
from scaffolder.operations.local.preflight import REGISTRY, require
from scaffolder.operations.local.processes import end_leftovers, unmarked
from scaffolder.operations.local.records import (
    Head,
    Plan,
    RunFolder,
    State,
    StepState,
    find_run,
    ref_of,
    run_of,
)
from scaffolder.operations.local.requests import parameters_of, runnable
from scaffolder.operations.local.trees import BadTreeError, digest_of, remove_tree
from scaffolder.operations.port import Opening
from scaffolder.operations.values import FINISHED, LogLine, ParameterValue, Run, RunRequest, RunState
from stacks.intents import Platform, TrainingPipeline
from stacks.pipelines import CodeFolder, PipelineDefinition, Register, Step
from stacks.pipelines import Run as Command
from stacks.record import record

__all__ = ["Compared", "LocalRuns"]

RESERVE = 65_536
"""Bytes; the state of fifty steps takes half of it."""
LEAVING_TRIES = 60
"""Seconds that a runner may take from the end of its run to its own, on a machine that is busy."""


@record
class Compared:
    """One output (``STEP.OUTPUT``) of two runs: digests, empty where a run has none."""

    output: str
    first: str
    second: str

    @property
    def equal(self) -> bool:
        return bool(self.first) and self.first == self.second


class LocalRuns:
    """Pipelines that run as processes of this machine."""

    def __init__(self, opening: Opening, layout: Layout) -> None:
        self._opening = opening
        self._layout = layout

    # --- the port ----------------------------------------------------------------------------------------------------

    def submit(self, request: RunRequest) -> str:
        """Start a run in a process of its own.

        Raises:
            NotFound: there is no such pipeline.
            InvalidRequest: it cannot run here, or a parameter does not fit.
            MissingExtraError: its last step would find no registry.
        """
        pipeline = self._pipeline(request.pipeline)
        definition = runnable(pipeline)
        if any(isinstance(step.action, Register) for step in definition.steps):
            require(REGISTRY)
        parameters = parameters_of(pipeline.name, definition, request.parameters)
        ref = ref_of(pipeline.name, request.token)
        if (self._layout.runs / ref).exists():
            return self._started(ref)
        return self._start(ref, pipeline.name, definition, parameters, request.reason)

    def describe(self, ref: str) -> Run:
        return run_of(find_run(self._layout, ref))

    def list(self, pipeline: str | None = None) -> Iterator[Run]:
        found = []
        with suppress(FileNotFoundError):
            for each in self._layout.runs.iterdir():
                with suppress(NotFound, Unavailable):
                    folder = find_run(self._layout, each.name)
                    head = folder.head()
                    if pipeline in {None, head.pipeline}:
                        found.append((head.created, head.ref, folder))
        for _, _, folder in sorted(found, key=lambda one: one[:2], reverse=True):
            with suppress(NotFound, FileNotFoundError):  # removed meanwhile
                yield run_of(folder, whole=False)

    def logs(self, ref: str, *, step: str | None = None, after: str = "") -> Iterator[LogLine]:
        return log_lines(find_run(self._layout, ref).log, step=step, after=after)

    def cancel(self, ref: str) -> None:
        folder = find_run(self._layout, ref)
        if run_of(folder, whole=False).state not in FINISHED:
            with disk_errors(f"run {ref} cannot be stopped"):
                folder.cancel.touch()

    # --- this machine only -------------------------------------------------------------------------------------------

    def start(self, name: str, token: str, command: Sequence[str], *, reason: str) -> str:
        """Run one command of our own as a run of one step, ``look``; it has this process's variables.

        ``python`` is this interpreter. With the token of an earlier call, that run's ref.
        """
        ref = ref_of(name, token)
        if (self._layout.runs / ref).exists():
            return self._started(ref)
        run = Command(
            kind="job",
            image="",
            command=tuple((word,) for word in command),
            environment={},
            code=None,
            inputs={},
            outputs={},
            instance=None,
            instances=1,
            volume_gb=1,
            timeout_s=14_400,
            cache_s=None,
            spot=False,
        )
        step = Step(name="look", action=run, after=(), gate=None, retries=0)
        definition = PipelineDefinition(description="", parameters=(), steps=(step,), code={})
        return self._start(ref, name, definition, {}, reason, own=True)

    def resume(self, ref: str) -> str:
        """Let a run that has failed, was stopped or has died go on after the steps that are done.

        Raises:
            Conflict: it goes on already.
            InvalidRequest: it has succeeded.
        """
        folder = find_run(self._layout, ref)
        with disk_errors(f"run {ref} cannot go on"):
            lock = open_lock(folder.lock)
            try:
                if not self._take(folder, lock):
                    raise Conflict(
                        f"run {ref} is going on", remedy=f"`scaffolder runs show {ref}` shows where it is."
                    )
                state = folder.state()
                if state.state == RunState.SUCCEEDED.value:
                    raise InvalidRequest(
                        f"run {ref} has succeeded",
                        remedy="`scaffolder run` starts another one of its pipeline.",
                    )
                folder.cancel.unlink(missing_ok=True)
                folder.write_state(_to_go_on(state))
                self._launch(folder, lock)
            finally:
                os.close(lock)
        return ref

    def reproduce(self, ref: str, token: str = "") -> str:
        """Run a run again from its own copy of the code, on the same data, in the same environment, without the cache.

        Nothing is registered again and no place in a bucket is overwritten: ``compare`` tells whether the same comes out.

        Raises:
            InvalidRequest: it did not succeed, or its data or environment are not what they were; the message says which.
        """
        folder = find_run(self._layout, ref)
        earlier = run_of(folder)
        if earlier.state is not RunState.SUCCEEDED:
            raise InvalidRequest(
                f"run {ref} is {earlier.state}: only one that has succeeded can be reproduced",
                remedy=f"`scaffolder runs resume {ref}` lets it go on.",
            )
        plan, expected = folder.plan(), _data(folder.state())
        differences = [
            *(f"data: {each}" for each in self._changed(expected)),
            *(
                f"environment: {each}"
                for each in plan.environment.differences(environment_of(self._layout.folder))
            ),
        ]
        if differences:
            raise InvalidRequest(
                "\n  ".join(
                    [
                        f"run {ref} cannot be reproduced: what it read or ran in is not what it was",
                        *differences,
                    ]
                ),
                remedy="Bring that back as it was, or run the pipeline anew with `scaffolder run`.",
            )
        return self._start(
            ref_of(earlier.pipeline, token or uuid4().hex),
            earlier.pipeline,
            plan.definition,
            earlier.parameters,
            f"reproduce: {ref}",
            again=(folder, expected),
        )

    def compare(self, first: str, second: str) -> tuple[Compared, ...]:
        """Compare what two runs wrote, output by output."""
        one, other = (_outputs(find_run(self._layout, ref).state()) for ref in (first, second))
        return tuple(
            Compared(output=name, first=one.get(name, ""), second=other.get(name, ""))
            for name in sorted({*one, *other})
        )

    def remove(self, ref: str) -> None:
        """Remove a run that has ended, with all that it wrote; one that is gone is fine.

        Raises:
            Conflict: it goes on.
        """
        try:
            folder = find_run(self._layout, ref)
        except NotFound:
            return
        with disk_errors(f"run {ref} cannot be removed"):
            lock = open_lock(folder.lock)
            try:
                if not self._take(folder, lock):
                    raise Conflict(
                        f"run {ref} is going on", remedy=f"`scaffolder runs cancel {ref}` stops it."
                    )
                end_leftovers(folder.path)
                away = self._layout.made(self._layout.scratch) / uuid4().hex
                folder.path.rename(away)
            finally:
                os.close(lock)
            remove_tree(away)

    # --- within ------------------------------------------------------------------------------------------------------

    def _pipeline(self, name: str) -> TrainingPipeline:
        pipelines = [each for each in self._opening.platform.intents if isinstance(each, TrainingPipeline)]
        for each in pipelines:
            if each.name == name:
                return each
        has = f"it has {', '.join(each.name for each in pipelines)}" if pipelines else "it has none"
        raise NotFound(f"the spec has no pipeline {name!r}; {has}")

    def _start(
        self,
        ref: str,
        pipeline: str,
        definition: PipelineDefinition,
        parameters: Mapping[str, ParameterValue],
        reason: str,
        *,
        own: bool = False,
        again: tuple[RunFolder, Mapping[str, str]] | None = None,
    ) -> str:
        """Write a run's folder, let it appear at once, and start its runner. Who comes second finds the first one's."""
        now = self._opening.now().timestamp()
        head = Head(ref=ref, pipeline=pipeline, created=now, parameters=parameters, reason=reason)
        with disk_errors(f"the run of {pipeline} cannot be started"):
            half = self._layout.made(self._layout.scratch) / uuid4().hex / ref
            half.mkdir(parents=True)
            try:
                made = RunFolder(half)
                if again is not None:
                    before, expected = again
                    plan = replace(
                        before.plan(), repeats=before.ref, expected=expected, interpreter=sys.executable
                    )
                    shutil.copytree(before.path / "code", half / "code")
                else:
                    plan = self._plan(definition, own=own)
                    _write_code(definition, half / "code")
                made.write_plan(head, plan)
                made.write_state(State(state=RunState.QUEUED.value))
                lock = open_lock(made.lock)
                try:
                    take_lock(lock)
                    self._layout.made(self._layout.runs)
                    if not _appears(half, self._layout.runs / ref):
                        return self._started(ref)
                    self._launch(RunFolder(self._layout.runs / ref), lock)
                finally:
                    os.close(lock)
            finally:
                remove_tree(half.parent)
        return ref

    def _plan(self, definition: PipelineDefinition, *, own: bool) -> Plan:
        commit, changes = commit_of(self._layout.folder)
        return Plan(
            definition=replace(
                definition,
                code={
                    name: CodeFolder(path=each.path, files={}, digest=each.digest)
                    for name, each in definition.code.items()
                },
            ),
            platform=_without_code(self._opening.platform),
            interpreter=sys.executable,
            environment=environment_of(self._layout.folder),
            commit=commit,
            changes=changes,
            own=own,
        )

    def _started(self, ref: str) -> str:
        """Take the run that is there; one that never got a runner, since who made it was killed, gets it now."""
        folder = find_run(self._layout, ref)
        if folder.state().state != RunState.QUEUED.value or folder.is_held():
            return ref
        with disk_errors(f"run {ref} cannot begin"):
            lock = open_lock(folder.lock)
            try:
                if take_lock(lock, self._opening.sleep) and folder.state().state == RunState.QUEUED.value:
                    self._launch(folder, lock)
            finally:
                os.close(lock)
        return ref

    def _take(self, folder: RunFolder, lock: int) -> bool:
        """Take a run's lock, unless the run goes on; a runner that has written how its run ended is about to leave."""
        for _ in range(LEAVING_TRIES):
            if take_lock(lock, self._opening.sleep):
                return True
            if RunState(folder.state().state) not in FINISHED:
                break
        return False

    def _launch(self, folder: RunFolder, lock: int) -> None:
        """Start a runner that has the lock from its first moment on, and leave it."""
        folder.reserve.write_bytes(os.urandom(RESERVE))
        with folder.talk.open("ab") as talk:
            done = subprocess.run(  # noqa: S603 - ourselves
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "scaffolder.operations.local.detached",
                    str(folder.path),
                    str(lock),
                ],
                cwd=folder.path,
                env=unmarked(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=talk,
                stderr=talk,
                pass_fds=(lock,),
                start_new_session=True,
                check=False,
            )
        if done.returncode:
            raise Unavailable(
                f"the runner of {folder.ref} does not start",
                text=folder.talk.read_text(errors="replace")[-2000:],
            )

    def _changed(self, expected: Mapping[str, str]) -> Iterator[str]:
        for uri, digest in expected.items():
            try:
                if digest_of(self._layout.place(uri), follow=True) != digest:
                    yield f"{uri} is not the same"
            except FileNotFoundError:
                yield f"{uri} is not there any more"
            except BadTreeError as bad:
                yield f"{uri}: {bad}"


def _to_go_on(state: State) -> State:
    """A run's state before its next runner takes it: what is done stands, all else waits."""
    done = {name: step for name, step in state.steps.items() if step.state == RunState.SUCCEEDED.value}
    steps = {name: done.get(name, StepState()) for name in state.steps}
    return replace(state, state=RunState.QUEUED.value, ended=None, error="", steps=steps)


def _appears(half: Path, place: Path) -> bool:
    try:
        half.rename(place)
    except OSError:
        if place.exists():
            return False
        raise
    return True


def _write_code(definition: PipelineDefinition, top: Path) -> None:
    top.mkdir()
    for folder in definition.code.values():
        for name, text in folder.files.items():
            file = top / folder.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())


def _without_code(platform: Platform) -> Platform:
    """A run has its own pipeline in its plan, and needs no other."""
    return replace(
        platform, intents=tuple(each for each in platform.intents if not isinstance(each, TrainingPipeline))
    )


def _data(state: State) -> dict[str, str]:
    return {uri: step.inputs[name] for step in state.steps.values() for name, uri in step.uris.items()}


def _outputs(state: State) -> dict[str, str]:
    return {
        f"{name}.{each}": digest
        for name, step in state.steps.items()
        for each, digest in step.outputs.items()
    }
