"""Renders a built-in template into a new project, whole or not at all.

The project is rendered in a folder beside its place and put there by one rename, so that ``kill -9`` leaves nothing
or all of it. No hook is run, the user's own cookiecutter settings are neither read nor written, and what a template
renders must be plain files inside the project. May not ask a question.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from scaffolder.errors import OutputFolderError, SpecError, TemplateError, UsageError
from scaffolder.projects.template import built_in

__all__ = ["Rendered", "render_platform"]

WORKSHOP = ".scaffolder-new-"
SPEC = "platform.yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A project: its folder and its files by path, sorted."""

    folder: Path
    files: tuple[str, ...]


def render_platform(
    folder: Path, answers: Mapping[str, str], version: str, *, dry_run: bool = False
) -> Rendered:
    """Make a platform project in ``folder``, which must not be there or be empty; ``dry_run`` makes nothing.

    Raises:
        OutputFolderError: the folder holds something, or cannot be made.
        UsageError: the answers make a spec that its target refuses.
        TemplateError: the template cannot be rendered.
    """
    folder = folder.absolute()
    _refuse_occupied(folder)
    with _workshop(folder) as workshop:
        project = workshop / folder.name
        _render(
            built_in("platform"),
            workshop,
            {**answers, "project_slug": folder.name, "scaffolder_version": version},
        )
        files = _plain_files(project)
        _check_spec(project / SPEC)
        if not dry_run:
            try:
                project.rename(folder)
            except OSError as error:
                raise OutputFolderError(f"{folder} cannot be made: {error.strerror}") from error
    return Rendered(folder=folder, files=files)


def _refuse_occupied(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputFolderError(f"{folder} is there already, and is not a folder. Choose another name.")
    if folder.exists():
        found = sorted(path.name for path in folder.iterdir())
        if found:
            some = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
            raise OutputFolderError(
                f"{folder} is not empty: it holds {some}. Choose another folder, or empty it."
            )


@contextmanager
def _workshop(folder: Path) -> Iterator[Path]:
    """A folder beside the project's place, named after this process; those of dead processes are taken away."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for old in folder.parent.glob(f"{WORKSHOP}*"):
            if not _is_alive(old.name.removeprefix(WORKSHOP)):
                shutil.rmtree(old, ignore_errors=True)
        workshop = folder.parent / f"{WORKSHOP}{os.getpid()}"
        workshop.mkdir()
    except OSError as error:
        raise OutputFolderError(f"nothing can be made in {folder.parent}: {error.strerror}") from error
    try:
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _is_alive(process: str) -> bool:
    if not process.isdigit():
        return True
    with suppress(ProcessLookupError):
        try:
            os.kill(int(process), 0)
        except PermissionError:
            return True
        return True
    return False


def _render(template: Path, workshop: Path, context: Mapping[str, str]) -> None:
    from cookiecutter.exceptions import CookiecutterException  # noqa: PLC0415 - a quarter of a second to import
    from cookiecutter.main import cookiecutter  # noqa: PLC0415

    config = workshop / "cookiecutter.yaml"
    own = {"cookiecutters_dir": str(workshop / "cookiecutters"), "replay_dir": str(workshop / "replay")}
    config.write_text(json.dumps(own), encoding="utf-8")
    try:
        cookiecutter(
            str(template),
            no_input=True,
            extra_context=dict(context),
            output_dir=str(workshop),
            config_file=str(config),
            accept_hooks=False,
        )
    except CookiecutterException as error:
        raise TemplateError(f"the template {template.name} cannot be rendered: {error}") from error


def _plain_files(project: Path) -> tuple[str, ...]:
    """List what was rendered; only files and folders are let through, and folders without a file are taken away."""
    found = []
    for path in sorted(project.rglob("*")):
        name = path.relative_to(project).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise TemplateError(f"the template renders {name}, which is neither a file nor a folder")
        if path.is_file():
            found.append(name)
    for folder in sorted((path for path in project.rglob("*") if path.is_dir()), reverse=True):
        if not any(folder.iterdir()):
            folder.rmdir()
    return tuple(found)


def _check_spec(spec: Path) -> None:
    """The project must start valid: what only the target knows (its regions) shows here."""
    from scaffolder.pipeline import synthesize  # noqa: PLC0415 - `new --help` does not need it

    try:
        synthesize(spec)
    except SpecError as error:
        told = "\n".join(f"{item.message}{f' {item.hint}' if item.hint else ''}" for item in error.findings)
        raise UsageError(f"the answers make no valid platform:\n{told}") from error
