"""A step that registers a model, as a process of its own: what a registry imports is slow, and no runner needs it.

    python -m scaffolder.operations.local.register RUN STEP FOLDER

RUN is a run's folder, FOLDER the attempt's, in which ``artifact/`` is what to register. A third of the time goes into
packages that MLflow takes along where they are there and a registry does without: they are kept out. May not run pipelines.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from scaffolder.errors import ScaffolderError
from scaffolder.operations.local.files import write_json
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.records import Plan, RunFolder, State, at, metrics_of
from scaffolder.operations.local.runner import REGISTERED
from scaffolder.operations.local.steps import OUTPUTS
from scaffolder.operations.local.trees import digest_of
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Registration
from stacks.pipelines import Register, StepOutput

if TYPE_CHECKING:
    from scaffolder.operations.local.registry import LocalRegistry

__all__ = ["registration_of"]

KEPT_OUT = ("numpy", "pandas", "pyarrow", "scipy", "sklearn")
"""What mlflow-skinny does not require; a registration without them takes 1.8 s of a processor, with them 3.3 s (3.17)."""

WHOLE = "whole"
"""The last argument of a registration with all packages."""


def registration_of(run: RunFolder, step: str, artifact: Path) -> Registration:
    """Say what a step registers. Its token is the run's and the step's: a run that goes on registers once."""
    plan, state = run.plan(), run.state()
    register = next(each.action for each in plan.definition.steps if each.name == step)
    if not isinstance(register, Register):
        raise TypeError(f"step {step} registers nothing")
    metrics = register.metrics
    return Registration(
        model=register.model,
        artifact_uri=str(artifact),
        token=f"{run.ref}/{step}",
        image=register.image,
        content_type=register.content_type,
        metrics=state.steps[metrics.step].metrics[metrics.output] if metrics else {},
        report_uri=str(_output(run, state, metrics)) if metrics else "",
        run=run.ref,
        source_commit=_commit(plan),
        data_uri=_data(state),
        digest=digest_of(artifact),
    )


def _output(run: RunFolder, state: State, source: StepOutput) -> Path:
    return run.path / state.steps[source.step].folder / OUTPUTS / source.output


def _commit(plan: Plan) -> str:
    return f"{plan.commit}+{plan.changes}" if plan.changes else plan.commit


def _data(state: State) -> str:
    """Every input of the run that is in a bucket, with its digest."""
    read = {f"{uri}@{step.inputs[name]}" for step in state.steps.values() for name, uri in step.uris.items()}
    return " ".join(sorted(read))


def _main(run: str, step: str, folder: str) -> int:
    from scaffolder.operations.local.registry import LocalRegistry  # noqa: PLC0415 - imports its own, slowly

    of = RunFolder(Path(run))
    layout = Layout(of.path.parent.parent.parent)
    plan = of.plan()
    registry = LocalRegistry(Opening(platform=plan.platform, folder=layout.folder, sleep=time.sleep), layout)
    registration = registration_of(of, step, Path(folder) / "artifact")
    try:
        _track(registry, of, registration)
        version = registry.register(registration)
    except ScaffolderError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"version {version.version} of {version.model}: {version.approval}\n")
    write_json(Path(folder) / REGISTERED, {"ref": version.ref, "version": version.version})
    return 0


def _track(registry: LocalRegistry, run: RunFolder, registration: Registration) -> None:
    """Keep the run beside its model, so that MLflow shows where a version comes from."""
    head, state = run.head(), run.state()
    tags = {"commit": registration.source_commit, "data": registration.data_uri, "reason": head.reason}
    registry.log_run(
        head.pipeline,
        head.ref,
        parameters=head.parameters,
        metrics=metrics_of(state),
        tags={name: value for name, value in tags.items() if value},
        started=at(state.started or head.created),
        ended=at(time.time()),
    )


def _lean(*given: str) -> int:
    """Register without what is kept out; where this MLflow cannot, with it: a registration may be made twice."""
    if given[-1] == WHOLE:
        return _main(*given[:-1])
    absent: dict[str, object] = dict.fromkeys(KEPT_OUT)
    sys.modules.update(absent)  # type: ignore[arg-type]  # None is how the import system is told that there is none
    try:
        return _main(*given)
    except ImportError:
        again = [sys.executable, "-P", "-m", "scaffolder.operations.local.register", *given, WHOLE]
        os.execv(sys.executable, again)  # noqa: S606 - the same program


if __name__ == "__main__":
    code = _lean(*sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # what was imported takes seconds to be taken down
