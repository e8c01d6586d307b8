"""Pipelines of the tests: each step is a script in Python, given as text, in one code folder."""

from __future__ import annotations

import os
import textwrap
import time
from collections.abc import Iterator, Mapping
from dataclasses import field
from hashlib import sha256
from pathlib import Path

from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.runs import LocalRuns
from scaffolder.operations.port import Opening
from scaffolder.operations.values import FINISHED, ParameterValue, RunRequest
from scaffolder.operations.values import Run as Seen
from scaffolder.operations.waiting import Polling, wait_until
from stacks.intents import ModelRegistry, Platform, StateBackend, Target, TrainingPipeline
from stacks.pipelines import (
    CodeFolder,
    Gate,
    Input,
    Output,
    Parameter,
    PathOf,
    PipelineDefinition,
    Register,
    Run,
    Step,
    StepOutput,
    Template,
)
from stacks.record import record

__all__ = [
    "PATIENCE_S",
    "POLLING",
    "Script",
    "ended",
    "ended_runs",
    "platform_of",
    "processes_of",
    "processes_that_stay",
    "register",
    "runs_of",
    "submitted",
]

PATIENCE_S = 300.0
"""What a busy machine may take for anything; a test that passes waits for none of it."""
POLLING = Polling(start_s=0.02, factor=1.2, most_s=0.2, timeout_s=PATIENCE_S)


FOLDER = Output(kind="folder", place=None)


@record
class Script:
    """A step: ``text`` is its program, which finds its folders in the variables ``IN_NAME`` and ``OUT_NAME``.

    ``inputs`` are ``STEP.OUTPUT``, or inputs as the neutral pipeline has them.
    """

    text: str
    inputs: Mapping[str, str | Input] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=lambda: {"out": FOLDER})
    variables: Mapping[str, Template] = field(default_factory=dict)
    after: tuple[str, ...] = ()
    gate: Gate | None = None
    retries: int = 0
    cache_s: int | None = None
    timeout_s: int = 600
    command: tuple[Template, ...] | None = None
    code: str | None = "code"


def runs_of(
    folder: Path,
    scripts: Mapping[str, Script | Register],
    parameters: Mapping[str, ParameterValue] | None = None,
) -> LocalRuns:
    """Open the runs of a platform with one pipeline, ``p``."""
    opening = Opening(platform=platform_of(scripts, parameters), folder=folder, sleep=time.sleep)
    return LocalRuns(opening, Layout(folder))


def platform_of(
    scripts: Mapping[str, Script | Register], parameters: Mapping[str, ParameterValue] | None = None
) -> Platform:
    """A platform with a model ``m``, and a pipeline ``p`` of these steps in an order in which they can run."""
    files = {
        f"{name}.py": _program(script.text) for name, script in scripts.items() if isinstance(script, Script)
    }
    digest = sha256(repr(sorted(files.items())).encode()).hexdigest()
    definition = PipelineDefinition(
        description="",
        parameters=tuple(Parameter(name=name, default=value) for name, value in (parameters or {}).items()),
        steps=tuple(_step(name, script) for name, script in scripts.items()),
        code={"code": CodeFolder(path="code", files=files, digest=digest)},
    )
    return _platform(definition)


def register(model: str, artifact: str, metrics: str | None = None) -> Register:
    return Register(
        model=model,
        source=_output(artifact),
        image="serving:1",
        content_type="text/csv",
        metrics=_output(metrics) if metrics else None,
    )


def submitted(runs: LocalRuns, token: str = "one", **parameters: ParameterValue) -> str:  # noqa: S107
    return runs.submit(RunRequest(pipeline="p", token=token, parameters=parameters))


def ended(runs: LocalRuns, token: str = "one", **parameters: ParameterValue) -> Seen:  # noqa: S107
    """Run the pipeline to its end."""
    return ended_runs(runs, submitted(runs, token, **parameters))


def ended_runs(runs: LocalRuns, ref: str) -> Seen:
    return wait_until(
        lambda: runs.describe(ref),
        lambda run: run.state in FINISHED,
        what=ref,
        sleep=time.sleep,
        polling=POLLING,
    )


def processes_of(folder: Path) -> Iterator[tuple[int, bool]]:
    """The processes of runs below a folder, and whether each is a runner."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
            cwd = (entry / "cwd").readlink()
        except OSError:
            continue
        if cwd.is_relative_to(folder):
            yield int(entry.name), b"scaffolder.operations.local.detached" in words


def processes_that_stay(folder: Path) -> list[int]:
    """The processes of runs below a folder that do not end: a runner lives on for a moment after its run has ended."""
    end = time.monotonic() + PATIENCE_S
    while (left := [process for process, _ in processes_of(folder)]) and time.monotonic() < end:
        time.sleep(0.02)
    return left


def _program(text: str) -> str:
    head = "import json, os, pathlib, sys, time\nout = pathlib.Path(os.environ.get('OUT_OUT', '.'))\n"
    return head + textwrap.dedent(text)


def _output(text: str) -> StepOutput:
    step, _, output = text.partition(".")
    return StepOutput(step=step, output=output)


def _step(name: str, script: Script | Register) -> Step:
    if isinstance(script, Register):
        return Step(name=name, action=script, after=(), gate=None, retries=0)
    inputs = {
        each: _output(source) if isinstance(source, str) else source for each, source in script.inputs.items()
    }
    folders: dict[str, Template] = {
        **{f"IN_{each.upper()}": (PathOf("inputs", each),) for each in inputs},
        **{f"OUT_{each.upper()}": (PathOf("outputs", each),) for each in script.outputs},
    }
    run = Run(
        kind="job",
        image="training:1",
        command=(("python",), (f"{name}.py",)) if script.command is None else script.command,
        environment={**folders, **script.variables},
        code=script.code,
        inputs=inputs,
        outputs=script.outputs,
        instance=None,
        instances=1,
        volume_gb=1,
        timeout_s=script.timeout_s,
        cache_s=script.cache_s,
        spot=False,
    )
    return Step(name=name, action=run, after=script.after, gate=script.gate, retries=script.retries)


def _platform(definition: PipelineDefinition) -> Platform:
    pipeline = TrainingPipeline(
        name="p", definition="pipelines/p.yaml", schedule=None, instance="cpu.small", steps=definition
    )
    model = ModelRegistry(
        name="m", approval="manual", version=None, image=None, data=None, approval_pipeline=None
    )
    return Platform(
        name="tests",
        environment="local",
        tags={},
        target=Target(provider="aws", region="eu-west-1", account="123456789012"),
        first_in_account=True,
        deletion_protection=False,
        backend=StateBackend(kind="local", settings={}),
        intents=(model, pipeline),
        overrides=(),
    )
