"""Who works on this machine, and whether it has what operations need.

Looks, and changes nothing but for a file that it writes and removes. May not import what an extra installs.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from scaffolder.errors import MissingExtraError
from scaffolder.operations.errors import Unsupported
from scaffolder.operations.local.files import explain
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Capability, Ensured, Lock, Outcome, Principal, Probe
from stacks.intents import ModelRegistry, TrainingPipeline
from stacks.pipelines import Run

__all__ = ["REGISTRY", "LocalIdentity", "LocalPreflight", "NoState", "require"]

ENOUGH_BYTES = 2 * 1024**3
"""Room for a small project's runs, models and reports; below it a doctor warns."""
OLDEST_PYTHON = (3, 11)
EXTRA = "pip install 'scaffolder[local]'"
REGISTRY = "the registry"
PARTS = {
    REGISTRY: {"mlflow": "mlflow-skinny", "sqlalchemy": "sqlalchemy", "alembic": "alembic"},
    "endpoints": {"uvicorn": "uvicorn"},
    "drift": {"numpy": "numpy", "scipy": "scipy", "evidently": "evidently"},
}
"""What of the extra ``local`` is for what: the module, and the package that has it."""


def require(what: str) -> None:
    """Refuse at once what would fail for want of a package after a long time.

    Raises:
        MissingExtraError: a part of the extra is not installed.
    """
    for module in PARTS[what]:
        if find_spec(module) is None:
            raise MissingExtraError("local", module)


class LocalIdentity:
    """The user of the operating system."""

    def whoami(self) -> Principal:
        return Principal(principal=_user(), account=platform.node() or "localhost")


def _user() -> str:
    import getpass  # noqa: PLC0415 - slow

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user that nobody has entered, as in many containers
        return f"uid {os.getuid()}"


class LocalPreflight:
    """What ``doctor`` asks this machine."""

    def __init__(self, opening: Opening, layout: Layout) -> None:
        self._opening = opening
        self._layout = layout

    def credentials(self) -> Iterator[Probe]:
        who = LocalIdentity().whoami()
        yield Probe(
            group="credentials",
            subject="this machine",
            outcome=Outcome.PASS,
            detail=f"{who.principal} on {who.account}; none are needed",
        )

    def permissions(self) -> Iterator[Probe]:
        root = self._layout.root
        place = next(each for each in (root, *root.parents) if each.exists())
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as refused:
            message, remedy = explain(refused)
            yield _probe("permissions", f"write to {root}", Outcome.FAIL, message, remedy)
        else:
            yield _probe("permissions", f"write to {root}", Outcome.PASS, "writable")

    def services(self) -> Iterator[Probe]:
        yield self._python()
        for what, modules in PARTS.items():
            missing = [package for module, package in modules.items() if find_spec(module) is None]
            if missing:
                detail = f"not installed: {', '.join(missing)}"
                yield _probe("services", what, Outcome.FAIL, detail, EXTRA)
            else:
                detail = ", ".join(f"{package} {_version(package)}" for package in modules.values())
                yield _probe("services", what, Outcome.PASS, detail)
        yield _git()
        yield from self._pipelines()

    def _python(self) -> Probe:
        detail = f"{platform.python_implementation()} {platform.python_version()}, {sys.executable}"
        if sys.version_info[:2] >= OLDEST_PYTHON:
            return _probe("services", "Python", Outcome.PASS, detail)
        return _probe("services", "Python", Outcome.FAIL, detail, "Install Python 3.11 or later.")

    def _pipelines(self) -> Iterator[Probe]:
        """Say of each pipeline whether it can run here, and what is ignored."""
        for pipeline in self._opening.platform.intents:
            if not isinstance(pipeline, TrainingPipeline):
                continue
            subject = f"pipeline {pipeline.name}"
            if pipeline.steps is None:
                yield _probe("services", subject, Outcome.FAIL, pipeline.lacks, pipeline.remedy)
                continue
            actions = [(step.name, step.action) for step in pipeline.steps.steps]
            in_images = [
                name
                for name, one in actions
                if isinstance(one, Run) and (one.code is None or not one.command)
            ]
            if in_images:
                detail = f"runs in images only: {', '.join(in_images)}"
                remedy = "Give these steps a code folder and a command, or run the pipeline on a cloud."
                yield _probe("services", subject, Outcome.FAIL, detail, remedy)
            else:
                detail = "runs with this Python; images, instances, volumes and spot mean nothing here"
                yield _probe("services", subject, Outcome.PASS, detail)

    def quotas(self) -> Iterator[Probe]:
        root = self._layout.root
        place = next(each for each in (root, *root.parents) if each.exists())
        free = shutil.disk_usage(place).free
        outcome = Outcome.PASS if free >= ENOUGH_BYTES else Outcome.FAIL
        remedy = "" if outcome is Outcome.PASS else "Make room: runs keep what their steps write."
        yield _probe("quota", "disk", outcome, f"{free / 1024**3:.1f} GiB free at {place}", remedy)
        yield _probe("quota", "processors", Outcome.PASS, f"{os.cpu_count() or 1}: so many steps run at once")

    def names(self) -> Iterator[Probe]:
        """Names are this folder's own: none is taken."""
        models = [each.name for each in self._opening.platform.intents if isinstance(each, ModelRegistry)]
        detail = f"models {', '.join(models)}" if models else "no models"
        yield _probe("names", str(self._layout.root), Outcome.PASS, f"{detail}: nobody else's")


def _probe(group: str, subject: str, outcome: Outcome, detail: str, remedy: str = "") -> Probe:
    return Probe(group=group, subject=subject, outcome=outcome, detail=detail, remedy=remedy)


def _version(package: str) -> str:
    """A package's version; that of mlflow, where all of it is installed and not the part that is needed."""
    for name in (package, package.removesuffix("-skinny")):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "of unknown version"


def _git() -> Probe:
    git = shutil.which("git")
    if git is None:
        remedy = "Install git, so that a run's record names its commit."
        return _probe(
            "tools", "git", Outcome.UNKNOWN, "not installed; runs are recorded without a commit", remedy
        )
    try:
        done = subprocess.run([git, "--version"], capture_output=True, text=True, timeout=10, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError) as problem:
        return _probe("tools", "git", Outcome.UNKNOWN, str(problem), f"See what is wrong with {Path(git)}.")
    return _probe("tools", "git", Outcome.PASS, done.stdout.strip())


class NoState:
    """Terraform's state is a cloud's: this machine has nothing that Terraform deploys."""

    def ensure(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        del dry_run
        _refuse()

    def acquire(self, name: str, owner: str) -> Lock:
        del name, owner
        _refuse()

    def release(self, lock: Lock) -> None:
        del lock
        _refuse()


def _refuse() -> NoReturn:
    raise Unsupported(
        Capability.STATE.value,
        "this machine keeps no Terraform state: nothing of the platform is deployed here",
        remedy="Name an environment of the spec: --env dev.",
    )
