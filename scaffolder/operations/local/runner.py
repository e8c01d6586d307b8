"""The process that does a run: starts what is ready, reads what steps write, and keeps the state on disk up to date.

One thread and one loop: steps are processes. It may be killed at any moment: what it wrote until then is whole, and a
runner that is started again goes on from there. May not know the platform, the command line or a registry.
"""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from scaffolder.operations.local.cache import Cache, Entry, key_of
from scaffolder.operations.local.files import explain, read_json
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.logs import RUN, Lines, Log
from scaffolder.operations.local.processes import (
    MARK_OF_RUN,
    MARK_OF_STEP,
    adopt_orphans,
    end,
    leftovers,
    reap_orphans,
    start,
)
from scaffolder.operations.local.records import RunFolder, State, StepState, at
from scaffolder.operations.local.steps import OUTPUTS, Attempt, Inputs, StepFailedError, Steps, gate_says
from scaffolder.operations.local.trees import BadTreeError, digest_of, remove_tree
from scaffolder.operations.values import FINISHED, RunState
from stacks.pipelines import Register, Run, Step, sources
from stacks.record import record

__all__ = ["REGISTERED", "Runner", "run_to_the_end"]

REGISTERED = "registered.json"
REGISTER_TIMEOUT_S = 600
LOOK_S = 0.2
"""How often a runner looks whether it was asked to stop."""
GRACE_S = 5.0
"""From asking a step to end to ending it."""
CHUNK = 65_536
MOST_CHUNKS = 64
SCRATCH_S = 86_400


@record
class _Times:
    """When an attempt began, and when it is asked to end and then ended."""

    deadline: float
    killed_at: float | None = None


class _Live:
    """A step whose process runs."""

    def __init__(
        self, step: Step, attempt: Attempt, inputs: Inputs, process: subprocess.Popen[bytes], pipe: int
    ) -> None:
        self.step = step
        self.attempt = attempt
        self.inputs = inputs
        self.process = process
        self.pipe = pipe
        self.lines = Lines()
        self.last = ""
        self.deadline = 0.0
        self.kill_at: float | None = None
        self.timed_out = False


class Runner:
    """One run, from wherever it is to its end."""

    def __init__(self, layout: Layout, folder: RunFolder, now: Callable[[], float] = time.time) -> None:
        self._folder = folder
        self._layout = layout
        self._now = now
        self._plan = folder.plan()
        self._values = folder.head().parameters
        self._steps = Steps(layout, folder, self._plan)
        self._cache = Cache(layout)
        self._log = Log(folder.log)
        self._selector = selectors.DefaultSelector()
        self._live: dict[str, _Live] = {}
        self._attempts: dict[str, int] = {}
        self._failed: list[str] = []
        self._stopping = False
        self._state = State()
        self._by_name = {step.name: step for step in self._plan.definition.steps}
        self._most = _processors()

    def run(self) -> None:
        """Do what is left to do, and write how it ended."""
        self._take_over()
        try:
            while True:
                self._start_ready()
                if not self._live:
                    break
                self._wait()
        finally:
            self._end_all()
        self._finish()

    # --- state -------------------------------------------------------------------------------------------------------

    def _take_over(self) -> None:
        """Keep the steps of an earlier runner that are done, whose files are what it wrote, and all before them too."""
        earlier = self._folder.state()
        kept: dict[str, StepState] = {}
        for name, step in self._by_name.items():
            old = earlier.steps.get(name, StepState())
            done = old.state == RunState.SUCCEEDED.value and not old.skipped
            whole = done and all(source in kept for source in sources(step)) and self._is_whole(old)
            if whole:
                kept[name] = old
        steps = {name: kept.get(name, StepState()) for name in self._by_name}
        if kept:
            self._say(f"goes on after {', '.join(kept)}")
        started = earlier.started or self._now()
        self._state = State(state=RunState.RUNNING.value, started=started, runner=os.getpid(), steps=steps)
        self._save()

    def _is_whole(self, step: StepState) -> bool:
        outputs = self._folder.path / step.folder / OUTPUTS
        try:
            return all(digest_of(outputs / name) == digest for name, digest in step.outputs.items())
        except (OSError, BadTreeError):
            return False

    def _save(self) -> None:
        self._folder.write_state(self._state)

    def _set(self, name: str, **changes: Any) -> None:
        step = replace(self._state.steps[name], **changes)
        self._state = replace(self._state, steps={**self._state.steps, name: step})
        self._save()

    def _say(self, text: str) -> None:
        self._log.write(RUN, [text.encode(errors="backslashreplace")], at(self._now()))

    def _finish(self) -> None:
        states = {step.state for step in self._state.steps.values()}
        if self._failed:
            state = RunState.FAILED
        elif states <= {RunState.SUCCEEDED.value}:
            state = RunState.SUCCEEDED
        else:
            state = RunState.STOPPED
        self._say(state.value)
        self._state = replace(
            self._state, state=state.value, ended=self._now(), error="; ".join(self._failed)
        )
        self._save()

    # --- starting ----------------------------------------------------------------------------------------------------

    def _start_ready(self) -> None:
        """Start every step that may, as far as there are processors; what needs none is done at once."""
        changed = True
        while changed and not self._failed and not self._asked_to_stop():
            changed = False
            for step in self._by_name.values():
                if len(self._live) < self._most and self._is_ready(step) and not self._failed:
                    self._begin(step)
                    changed = True

    def _is_ready(self, step: Step) -> bool:
        if self._state.steps[step.name].state != RunState.QUEUED.value:
            return False
        return all(self._state.steps[source].state == RunState.SUCCEEDED.value for source in sources(step))

    def _asked_to_stop(self) -> bool:
        self._stopping = self._stopping or self._folder.cancel.exists()
        return self._stopping

    def _begin(self, step: Step) -> None:
        try:
            if self._left_out(step):
                return
            match step.action:
                case Run() as run:
                    self._begin_run(step, run)
                case Register() as register:
                    self._begin_register(step, register)
        except StepFailedError as failed:
            self._fail(step.name, str(failed))
        except OSError as refused:
            self._fail(step.name, "\n  ".join(part for part in explain(refused) if part))

    def _left_out(self, step: Step) -> bool:
        """Leave a step out that stands behind a gate that is not met, or that a repeated run must not do again."""
        before = [name for name in sources(step) if self._state.steps[name].skipped]
        why = f"it comes after {before[0]}, which is left out" if before else ""
        if not why and step.gate is not None:
            why = gate_says(step.gate, self._state, self._values)
            if why and step.gate.otherwise == "fail":
                raise StepFailedError(why)
        if not why and isinstance(step.action, Register) and self._plan.repeats:
            why = f"{self._plan.repeats} has registered what comes out"
        if why:
            self._say(f"{step.name} is left out: {why}")
            now = self._now()
            self._set(
                step.name,
                state=RunState.SUCCEEDED.value,
                native="skipped",
                skipped=True,
                started=now,
                ended=now,
            )
        return bool(why)

    def _begin_run(self, step: Step, run: Run) -> None:
        inputs = self._steps.inputs(run, self._state)
        if run.cache_s is not None and not self._plan.repeats:
            key = self._key(run, inputs)
            if self._taken(step, run, inputs, key):
                return
            self._set(step.name, key=key)
        self._start(step, self._steps.prepare(step.name, run, inputs), inputs, run.timeout_s)

    def _key(self, run: Run, inputs: Inputs) -> str:
        code = self._plan.definition.code[run.code].digest if run.code is not None else ""
        environment = self._plan.environment
        return key_of(
            run, code=code, parameters=self._steps.texts, inputs=inputs.digests, environment=environment
        )

    def _taken(self, step: Step, run: Run, inputs: Inputs, key: str) -> bool:
        """Take a step's result from the cache, if there is one."""
        folder = self._steps.new_folder(step.name)
        now = self._now()
        entry = self._cache.take(key, folder / OUTPUTS, oldest=now - (run.cache_s or 0), now=now)
        if entry is None:
            folder.rmdir()
            return False
        for text in self._steps.publish(run, folder):
            self._say(f"{step.name}: {text}")
        self._say(f"{step.name} is taken from the cache")
        self._set(
            step.name,
            **_done(folder, self._folder, entry),
            native="cached",
            cached=True,
            key=key,
            started=now,
            ended=self._now(),
            inputs=inputs.digests,
            uris=inputs.uris,
        )
        return True

    def _begin_register(self, step: Step, register: Register) -> None:
        folder = self._steps.new_folder(step.name)
        self._steps.artifact(register, self._state, folder)
        own = (
            sys.executable,
            "-P",
            "-m",
            "scaffolder.operations.local.register",
            str(self._folder.path),
            step.name,
            str(folder),
        )
        variables = {
            **os.environ,
            MARK_OF_RUN: self._folder.ref,
            MARK_OF_STEP: step.name,
            "PYTHONUNBUFFERED": "1",
        }
        attempt = Attempt(folder=folder, cwd=folder, command=own, variables=variables)
        self._start(step, attempt, Inputs(), REGISTER_TIMEOUT_S)

    def _start(self, step: Step, attempt: Attempt, inputs: Inputs, timeout_s: float) -> None:
        number = self._attempts[step.name] = self._attempts.get(step.name, 0) + 1
        pipe, output = os.pipe()
        try:
            process = start(attempt.command, cwd=attempt.cwd, variables=attempt.variables, output=output)
        except OSError as refused:
            os.close(pipe)
            raise StepFailedError(f"{attempt.command[0]} cannot be started: {refused.strerror}") from refused
        finally:
            os.close(output)
        os.set_blocking(pipe, False)
        live = _Live(step, attempt, inputs, process, pipe)
        live.deadline = time.monotonic() + timeout_s
        self._live[step.name] = live
        self._selector.register(pipe, selectors.EVENT_READ, live)
        self._set(
            step.name,
            state=RunState.RUNNING.value,
            native="running",
            started=self._now(),
            attempt=number,
            error="",
            inputs=inputs.digests,
            uris=inputs.uris,
        )

    # --- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Wait for the next thing to happen, and deal with it."""
        for key, _ in self._selector.select(LOOK_S):
            if key.data is None:
                with suppress(BlockingIOError):
                    os.read(key.fd, CHUNK)
            else:
                self._read(key.data, chunks=1)
        asked = self._asked_to_stop()
        for live in tuple(self._live.values()):
            if live.process.poll() is not None:
                self._ended(live)
            else:
                self._hurry(live, asked=asked)

    def wake_with(self, descriptor: int) -> None:
        """Wake up when there is something to read: a signal has come."""
        self._selector.register(descriptor, selectors.EVENT_READ, None)

    def _read(self, live: _Live, *, chunks: int) -> None:
        """Read what a step has written; what is written on after its end is not waited for."""
        with suppress(BlockingIOError):
            for _ in range(chunks):
                content = os.read(live.pipe, CHUNK)
                if not content:
                    with suppress(KeyError):
                        self._selector.unregister(live.pipe)
                    return
                self._note(live, live.lines.add(content))

    def _note(self, live: _Live, lines: list[bytes]) -> None:
        shown = [line for line in lines if line.strip()]
        live.last = shown[-1].decode() if shown else live.last
        self._log.write(live.step.name, lines, at(self._now()))

    def _hurry(self, live: _Live, *, asked: bool) -> None:
        """Ask a step to end that takes too long or is not wanted any more, and end it when it does not."""
        now = time.monotonic()
        if live.kill_at is None and (asked or now > live.deadline):
            live.timed_out = not asked
            live.kill_at = now + GRACE_S
            end(live.process.pid, signal.SIGTERM)
        elif live.kill_at is not None and now > live.kill_at:
            end(live.process.pid, signal.SIGKILL)

    # --- ending ------------------------------------------------------------------------------------------------------

    def _ended(self, live: _Live) -> None:
        """Bury a step with all that it left behind, and go by how it ended."""
        name = live.step.name
        self._bury(live)
        problem = _problem(live)
        if self._stopping and live.kill_at is not None and not live.timed_out:
            self._set(name, state=RunState.STOPPED.value, native="stopped", ended=self._now())
            return
        if not problem:
            try:
                self._succeed(live)
            except StepFailedError as failed:
                problem = str(failed)
            except OSError as refused:
                problem = explain(refused)[0]
        if problem and self._attempts[name] <= live.step.retries and not self._failed and not self._stopping:
            self._say(f"{name} is tried again (attempt {self._attempts[name]}): {problem}")
            self._set(name, state=RunState.QUEUED.value, native="waiting for another attempt", error=problem)
        elif problem:
            self._fail(name, problem)

    def _bury(self, live: _Live) -> None:
        end(live.process.pid, signal.SIGKILL)
        self._read(live, chunks=MOST_CHUNKS)
        self._note(live, live.lines.end())
        with suppress(KeyError):
            self._selector.unregister(live.pipe)
        os.close(live.pipe)
        del self._live[live.step.name]
        living = frozenset(each.process.pid for each in self._live.values())
        reap_orphans(living, *_marks(self._folder.ref, live.step.name))

    def _succeed(self, live: _Live) -> None:
        name, folder = live.step.name, live.attempt.folder
        match live.step.action:
            case Run() as run:
                written = self._steps.written(run, folder, live.inputs)
                entry = Entry(outputs=written.outputs, metrics=written.metrics)
                self._keep(live.step, run, folder, entry)
                for text in () if self._plan.repeats else self._steps.publish(run, folder):
                    self._say(f"{name}: {text}")
                self._steps.tidy(folder)
                self._set(name, **_done(folder, self._folder, entry), native="succeeded", ended=self._now())
            case Register():
                found = read_json(folder / REGISTERED)
                if found is None:
                    raise StepFailedError("the registry's answer is not there")
                remove_tree(folder / "artifact")
                done = {"state": RunState.SUCCEEDED.value, "native": "succeeded", "ended": self._now()}
                self._set(name, **done, registered=str(found["ref"]), folder=_relative(folder, self._folder))

    def _keep(self, step: Step, run: Run, folder: Path, entry: Entry) -> None:
        key = self._state.steps[step.name].key
        if run.cache_s is None or not key:
            return
        now = self._now()
        try:
            self._cache.keep(key, folder / OUTPUTS, entry, oldest=now - run.cache_s, now=now)
        except OSError as refused:  # a run does not fail for want of a cache
            self._say(f"{step.name} is not kept in the cache: {explain(refused)[0]}")

    def _fail(self, name: str, problem: str) -> None:
        self._failed.append(f"step {name}: {problem}")
        self._say(f"{name} failed: {problem}")
        now = self._now()
        started = self._state.steps[name].started or now
        self._set(
            name, state=RunState.FAILED.value, native="failed", started=started, ended=now, error=problem
        )

    def _end_all(self) -> None:
        """Leave nothing behind, whatever happens."""
        for live in tuple(self._live.values()):
            end(live.process.pid, signal.SIGKILL)
            with suppress(OSError):
                live.process.wait()
        reap_orphans(frozenset(), *_marks(self._folder.ref))


def _done(folder: Path, run: RunFolder, entry: Entry) -> dict[str, Any]:
    return {
        "state": RunState.SUCCEEDED.value,
        "folder": _relative(folder, run),
        "outputs": entry.outputs,
        "metrics": entry.metrics,
    }


def _relative(folder: Path, run: RunFolder) -> str:
    return folder.relative_to(run.path).as_posix()


def _marks(ref: str, step: str = "") -> tuple[str, ...]:
    return (f"{MARK_OF_RUN}={ref}", *([f"{MARK_OF_STEP}={step}"] if step else []))


def _problem(live: _Live) -> str:
    """Say how a process ended, with the last that it said; empty where it ended well."""
    code = live.process.returncode
    said = f": {live.last[:300]}" if live.last else ""
    if live.timed_out:
        return f"it took longer than its timeout{said}"
    if code < 0:
        name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
        memory = " (the machine may be out of memory)" if name == "SIGKILL" else ""
        return f"it was ended by {name}{memory}{said}"
    return f"it ended with exit code {code}{said}" if code else ""


def _processors() -> int:
    with suppress(AttributeError):  # Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


# --- the process -----------------------------------------------------------------------------------------------------


def run_to_the_end(path: str, lock: int) -> int:
    """Be the runner of a run whose lock this process holds; what goes wrong with the runner itself is the run's error."""
    folder = RunFolder(Path(path))
    os.set_inheritable(lock, False)  # noqa: FBT003
    if RunState(folder.state().state) in FINISHED - {RunState.FAILED, RunState.STOPPED}:
        return 0
    try:
        for process in leftovers(*_marks(folder.ref)):  # of a runner that was killed
            with suppress(OSError):
                os.kill(process, signal.SIGKILL)
        adopt_orphans()
        layout = Layout(folder.path.parent.parent.parent)
        _sweep(layout.scratch)
        runner = Runner(layout, folder)
        runner.wake_with(_signals(folder))
        runner.run()
    except Exception as problem:  # noqa: BLE001 - there is nobody to raise it to
        traceback.print_exc()
        said = explain(problem)[0] if isinstance(problem, OSError) else f"{type(problem).__name__}: {problem}"
        state = folder.state()
        error = f"the runner failed: {said}"
        folder.write_state(replace(state, state=RunState.FAILED.value, ended=time.time(), error=error))
        return 1
    return 0


def _signals(folder: RunFolder) -> int:
    """Wake up when a child ends; being asked to end is being asked to stop the run. Return what to read from."""
    ours, theirs = os.pipe()
    for each in (ours, theirs):
        os.set_blocking(each, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: folder.cancel.touch())
    signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    return ours


def _sweep(scratch: Path) -> None:
    """Remove what programs that were killed have left half made, a day ago."""
    with suppress(OSError):
        for each in scratch.iterdir():
            if each.stat().st_mtime < time.time() - SCRATCH_S:
                remove_tree(each)
