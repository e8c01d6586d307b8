"""Reads as much of a template as there is, so that everything that is wrong with it can be told at once.

May not judge what a template says, nor change anything.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from scaffolder.errors import Finding, TemplateError, UsageError
from scaffolder.projects.checking import check_template
from scaffolder.projects.manifest import Manifest
from scaffolder.projects.sources import BuiltIn, Folder, Source, open_template, sibling
from scaffolder.projects.template import LEFT_BESIDE, built_in
from scaffolder.projects.tree import LIMITS, File, Limits, shown_path
from stacks.record import record

__all__ = ["Checked", "check_source"]


@record
class Checked:
    """What a check found, and in how many files of the template."""

    where: str
    files: int
    findings: tuple[Finding, ...]


def check_source(source: Source, version: str = "") -> Checked:
    """Check a template where it is: a folder as it is now, anything else at a version.

    Raises:
        TemplateError: it is not there.
        UsageError: the version is none, or not allowed.
    """

    def part(name: str) -> Manifest:
        return open_template(sibling(source, name)).manifest

    folder = _folder(source, version)
    if folder is None:
        template = open_template(source, version=version)
        where = template.source
        return Checked(
            where=where, files=len(template.files), findings=check_template(template.files, where, part)
        )
    where = shown_path(min(str(folder), os.path.relpath(folder), key=len))
    files, problems = _surveyed(folder, LIMITS)
    findings = [
        Finding(file=f"{where}/{path}", line=1, column=1, code="path", path="", message=problem)
        for path, problem in problems.items()
    ]
    findings += check_template(files, where, part)
    return Checked(where=where, files=len(files), findings=tuple(sorted({*findings})))


def _folder(source: Source, version: str) -> Path | None:
    """The folder to check, where what is in it is what is asked for."""
    if version:
        return None
    if isinstance(source, BuiltIn):
        return built_in(source.name)
    if not isinstance(source, Folder):
        return None
    if not source.path.is_dir():
        open_template(source)  # says that it is not there, with what is
        raise UsageError(f"{shown_path(str(source.path))} is no folder")
    return source.path


def _surveyed(folder: Path, limits: Limits) -> tuple[Mapping[str, File], Mapping[str, str]]:
    """The files of a folder, and what is wrong with what is no file, or too large, by path.

    Raises:
        TemplateError: it holds far more than a template may.
    """
    files: dict[str, File] = {}
    problems: dict[str, str] = {}
    total = 0
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if Path(root, name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in LEFT_BESIDE and name not in links)
        for name in sorted([*names, *links]):
            path = Path(root, name)
            shown = path.relative_to(folder).as_posix()
            size = path.lstat().st_size
            if path.is_symlink():
                problems[shown_path(shown)] = "this is a symbolic link, and only files are let through"
            elif not path.is_file():
                problems[shown_path(shown)] = "this is neither a file nor a folder"
            elif size > limits.file_bytes:
                problems[shown_path(shown)] = f"this has {size} bytes, and may have {limits.file_bytes}"
            else:
                total += size
                if len(files) > 2 * limits.files or total > 2 * limits.total_bytes:
                    raise TemplateError(
                        f"{shown_path(str(folder))} holds far more than the {limits.files} files and "
                        f"{limits.total_bytes} bytes of a template. Name the template's own folder."
                    )
                content = path.read_bytes()
                files[shown] = File(content=content, executable=bool(path.stat().st_mode & 0o100))
    return files, problems
