"""The process that does a run: starts what is ready, reads what steps write, and keeps the state on disk up to date.

One thread and one loop: steps are processes. It may be killed at any moment: what it wrote until then is whole, and a
runner that is started again goes on from there. May not know the platform, the command line or a registry.
"""

from __future__ import annotations

import os
import selectors
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from scaffolder.operations.local.cache import Cache, Entry, key_of
from scaffolder.operations.local.files import explain, read_json
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.live import Live
from scaffolder.operations.local.logs import Log
from scaffolder.operations.local.processes import end, marks_of, reap_orphans
from scaffolder.operations.local.records import RunFolder, State, StepState, at
from scaffolder.operations.local.steps import OUTPUTS, Attempt, Inputs, StepFailedError, Steps, gate_says
from scaffolder.operations.local.trees import BadTreeError, digest_of, remove_tree
from scaffolder.operations.values import RunState
from stacks.pipelines import Register, Run, Step, sources

__all__ = ["REGISTERED", "Runner"]

REGISTERED = "registered.json"
SKIPPED = "skipped"
"""The native state of a step behind a gate that is not met; those that come after it are skipped too."""
REGISTER_TIMEOUT_S = 600
LOOK_S = 0.2
"""How often a runner looks whether it was asked to stop."""
SIGNALS = 4_096


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
        self._live: dict[str, Live] = {}
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

    def tidy(self) -> None:
        """Remove what is not needed once the run has ended, also when somebody goes on with it already."""
        with suppress(OSError):
            self._steps.tidy(self._state)

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
        for name in kept:
            self._say(name, "done already, and kept")
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

    def _say(self, step: str, text: str) -> None:
        """Add a line of our own to a step's."""
        line = f"[scaffolder] {text}".replace("\n", " ")
        self._log.write(step, [line.encode(errors="backslashreplace")], at(self._now()))

    def _finish(self) -> None:
        states = {step.state for step in self._state.steps.values()}
        if self._failed:
            state = RunState.FAILED
        elif states <= {RunState.SUCCEEDED.value}:
            state = RunState.SUCCEEDED
        else:
            state = RunState.STOPPED
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
        before = next((name for name in sources(step) if self._state.steps[name].native == SKIPPED), "")
        why, native = f"it comes after {before}, which is left out" if before else "", SKIPPED
        if not why and step.gate is not None:
            why = gate_says(step.gate, self._state, self._values)
            if why and step.gate.otherwise == "fail":
                raise StepFailedError(why)
        if not why and isinstance(step.action, Register) and self._plan.repeats:
            why, native = f"{self._plan.repeats} has registered what comes out", "not registered again"
        if why:
            self._say(step.name, f"left out: {why}")
            done = {"state": RunState.SUCCEEDED.value, "started": self._now(), "ended": self._now()}
            self._set(step.name, **done, native=native, skipped=True)
        return bool(why)

    def _begin_run(self, step: Step, run: Run) -> None:
        inputs = self._steps.inputs(run, self._state)
        key = self._key(run, inputs) if run.cache_s is not None and not self._plan.repeats else ""
        if not key or not self._taken(step, run, inputs, key):
            self._start(step, self._steps.prepare(step.name, run, inputs), inputs, run.timeout_s, key)

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
            self._say(step.name, text)
        self._say(step.name, "taken from the cache")
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
        marks = marks_of(self._folder.path, step.name)
        variables = {**os.environ, **marks, "PYTHONUNBUFFERED": "1"}
        attempt = Attempt(folder=folder, cwd=folder, command=own, variables=variables)
        self._start(step, attempt, Inputs(), REGISTER_TIMEOUT_S)

    def _start(self, step: Step, attempt: Attempt, inputs: Inputs, timeout_s: float, key: str = "") -> None:
        number = self._attempts[step.name] = self._attempts.get(step.name, 0) + 1
        live = self._live[step.name] = Live(step, attempt, inputs, timeout_s)
        self._selector.register(live.pipe, selectors.EVENT_READ, live)
        self._set(
            step.name,
            state=RunState.RUNNING.value,
            native="running",
            started=self._now(),
            attempt=number,
            error="",
            key=key,
            inputs=inputs.digests,
            uris=inputs.uris,
        )

    # --- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self) -> None:
        """Wait for the next thing to happen, and deal with it."""
        for key, _ in self._selector.select(LOOK_S):
            if isinstance(key.data, Live):
                self._read(key.data)
            else:
                with suppress(BlockingIOError):
                    os.read(key.fd, SIGNALS)
        asked = self._asked_to_stop()
        for live in tuple(self._live.values()):
            if live.process.poll() is not None:
                self._ended(live)
            else:
                live.hurry(asked=asked)

    def wake_with(self, descriptor: int) -> None:
        """Wake up when there is something to read: a signal has come."""
        self._selector.register(descriptor, selectors.EVENT_READ)

    def _read(self, live: Live) -> None:
        lines = live.read()
        if lines is None:
            self._selector.unregister(live.pipe)
        self._log.write(live.step.name, lines or [], at(self._now()))

    # --- ending ------------------------------------------------------------------------------------------------------

    def _ended(self, live: Live) -> None:
        """Bury a step with all that it left behind, and go by how it ended."""
        name = live.step.name
        self._bury(live)
        if live.cancelled:
            self._set(name, state=RunState.STOPPED.value, native="stopped", ended=self._now())
            return
        problem = live.problem() or self._succeed(live)
        if problem and self._attempts[name] <= live.step.retries and not self._failed and not self._stopping:
            self._say(name, f"attempt {self._attempts[name]} failed, and is tried again: {problem}")
            self._set(name, state=RunState.QUEUED.value, native="waiting for another attempt", error=problem)
        elif problem:
            self._fail(name, problem)

    def _bury(self, live: Live) -> None:
        with suppress(KeyError):
            self._selector.unregister(live.pipe)
        self._log.write(live.step.name, live.bury(), at(self._now()))
        del self._live[live.step.name]
        living = frozenset(each.process.pid for each in self._live.values())
        reap_orphans(living, marks_of(self._folder.path, live.step.name))

    def _succeed(self, live: Live) -> str:
        """Take what a step wrote; return what is wrong with it."""
        try:
            self._take(live)
        except StepFailedError as failed:
            return str(failed)
        except OSError as refused:
            return explain(refused)[0]
        return ""

    def _take(self, live: Live) -> None:
        name, folder = live.step.name, live.attempt.folder
        match live.step.action:
            case Run() as run:
                written = self._steps.written(run, folder, live.inputs)
                entry = Entry(outputs=written.outputs, metrics=written.metrics)
                self._keep(live.step, run, folder, entry)
                for text in () if self._plan.repeats else self._steps.publish(run, folder):
                    self._say(name, text)
                self._steps.make_room(folder)
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
            self._say(step.name, f"not kept in the cache: {explain(refused)[0]}")

    def _fail(self, name: str, problem: str) -> None:
        self._failed.append(f"step {name}: {problem}")
        self._say(name, f"failed: {problem}")
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
        reap_orphans(frozenset(), marks_of(self._folder.path))


def _done(folder: Path, run: RunFolder, entry: Entry) -> dict[str, Any]:
    return {
        "state": RunState.SUCCEEDED.value,
        "folder": _relative(folder, run),
        "outputs": entry.outputs,
        "metrics": entry.metrics,
    }


def _relative(folder: Path, run: RunFolder) -> str:
    return folder.relative_to(run.path).as_posix()


def _processors() -> int:
    with suppress(AttributeError):  # Linux only
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
