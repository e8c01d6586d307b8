"""Renders a built-in template into a new project, whole or not at all.

The finished project is copied beside its place and put there by one rename, so that ``kill -9`` leaves nothing or all
of it; the next run takes away what a killed one left. No hook is run, the user's own cookiecutter settings are
neither read nor written, and what a template renders must be plain files inside the project. May not ask a question.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffolder.errors import OutputFolderError, SpecError, TemplateError, UsageError
from scaffolder.projects.template import CONTEXT, built_in
from stacks.record import record

__all__ = ["Rendered", "render_platform"]

SPEC = "platform.yaml"
WORKSHOP = ".scaffolder-new"
"""Beside the project, so that it is put in its place by one rename."""


@record
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
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow a link that we refuse
    _refuse_occupied(folder)
    context = {**answers, "project_slug": _slug(folder, answers), "scaffolder_version": version}
    # Not beside the project: cookiecutter takes braces in the path of its output for markup.
    with TemporaryDirectory(prefix="scaffolder-new-") as scratch:
        project, files = _rendered(built_in("platform"), Path(scratch), context)
        if not dry_run:
            _put(project, folder)
    return Rendered(folder=folder, files=files)


def _slug(folder: Path, answers: Mapping[str, str]) -> str:
    """The project's name in its own files: its folder's, as far as files of every kind can hold that."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.name).strip("-.")
    return slug or f"{answers['name']}-platform"


def _refuse_occupied(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise OutputFolderError(f"{folder} is there already, and is not a folder. Choose another name.")
    if not folder.exists():
        return
    found = sorted(path.name for path in folder.iterdir())
    if found:
        some = ", ".join(found[:3]) + (", ..." if len(found) > 3 else "")
        raise OutputFolderError(
            f"{folder} is not empty: it holds {some}. Choose another folder, or empty it."
        )
    if Path.cwd() == folder.resolve():
        raise OutputFolderError(
            f"{folder} is the current folder, and would be replaced. Run this from outside of it."
        )


def _put(project: Path, folder: Path) -> None:
    """Copy a rendered project to its place."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _workshop(folder.parent / WORKSHOP) as workshop:
            shutil.copytree(project, workshop / "project").rename(folder)
    except OSError as error:
        raise OutputFolderError(f"{folder} cannot be made: {error.strerror}") from error


@contextmanager
def _workshop(workshop: Path) -> Iterator[Path]:
    """A folder that one run at a time uses; it is empty, whatever a killed run left, and gone afterwards."""
    lock = _locked(workshop)
    try:
        for left in workshop.iterdir():
            shutil.rmtree(left)
        yield workshop
    finally:
        shutil.rmtree(workshop, ignore_errors=True)
        os.close(lock)


def _locked(workshop: Path) -> int:
    """Make a folder, or take over the one that is there, and wait for its lock.

    A lock ends with its process. A process's number would not tell: it may be another one's by now.
    """
    while True:
        workshop.mkdir(exist_ok=True)
        try:
            lock = os.open(workshop, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Its last owner may have removed the folder while we waited.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), workshop.stat()):
                return lock
        os.close(lock)


def _rendered(template: Path, workshop: Path, answers: Mapping[str, str]) -> tuple[Path, tuple[str, ...]]:
    """Render and check a project in an empty folder."""
    project = _render(template, workshop, answers)
    if [*workshop.iterdir()] != [project]:
        raise TemplateError(f"the template {template.name} renders files outside of the project")
    files = _plain_files(project)
    _check_spec(project / SPEC)
    return project, files


def _render(template: Path, workshop: Path, answers: Mapping[str, str]) -> Path:
    """Let cookiecutter write the files; its own front end would read the user's settings and keep the answers."""
    from cookiecutter.exceptions import CookiecutterException  # noqa: PLC0415 - a tenth of a second to import
    from cookiecutter.generate import generate_files  # noqa: PLC0415

    links = sorted(path for path in template.rglob("*") if path.is_symlink())
    if links:
        raise TemplateError(
            f"the template {template.name} has a symbolic link: {links[0].relative_to(template)}"
        )
    declared = json.loads((template / CONTEXT).read_bytes())
    settings = {name: value for name, value in declared.items() if name.startswith("_")}
    unknown = answers.keys() ^ (declared.keys() - settings.keys())
    if unknown:
        raise TemplateError(
            f"the template {template.name} and its questions differ: {', '.join(sorted(unknown))}"
        )
    context = {"cookiecutter": {**settings, **answers}}
    try:
        return Path(generate_files(template, context, workshop, accept_hooks=False))
    except CookiecutterException as error:
        raise TemplateError(f"the template {template.name} cannot be rendered: {error}") from error


def _plain_files(project: Path) -> tuple[str, ...]:
    """List what was rendered; only files and folders are let through, and folders without a file are taken away."""
    for compiled in [*project.rglob("__pycache__")]:
        shutil.rmtree(
            compiled
        )  # pip compiles the Python files of an installed wheel, the template's among them
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
