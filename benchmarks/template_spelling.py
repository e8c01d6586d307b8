"""Spells one template for several tools, and keeps its versions as tags of a git repository for each.

May not run a tool that is measured, nor know what it makes of a template.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scaffolder.projects.tree import File
from stacks.record import record

__all__ = [
    "OWN_FILES",
    "Question",
    "Version",
    "commit_all",
    "commit_version",
    "cookiecutters",
    "copiers",
    "write",
]

OWN_FILES = (".scaffolder-project.json", ".copier-answers.yml", ".cruft.json")
"""Where each tool keeps what a project was made of."""

_ROOT = "{{ cookiecutter.project_slug }}"


@record
class Question:
    """A question of a template; more than one value is a choice, whose first is the default."""

    values: tuple[str, ...]

    @property
    def default(self) -> str:
        return self.values[0]


@record
class Version:
    """One version of a template: its questions and its files, whose markup names answers as ``cookiecutter.NAME``.

    ``renames`` are paths of a project and what this version calls them. ``literal`` says that no file has markup.
    """

    number: str
    files: Mapping[str, File]
    questions: Mapping[str, Question]
    renames: Mapping[str, str]
    literal: bool = False


def cookiecutters(version: Version) -> dict[str, File]:
    """Spell a version for cookiecutter, cruft and scaffolder; the first two do not read ``template.yaml``."""
    context: dict[str, object] = {"project_slug": "churn"}
    manifest = ["template: 1", "name: model", f"version: {version.number}", "title: A model project"]
    manifest += ["questions:"] if version.questions else []
    for name, question in version.questions.items():
        is_choice = len(question.values) > 1
        context[name] = list(question.values) if is_choice else question.default
        manifest += [f"  {name}:", f"    ask: The {name}", f"    type: {'choice' if is_choice else 'text'}"]
        if is_choice:
            manifest.append(f"    choices: {json.dumps({value: value for value in question.values})}")
        manifest.append(f"    default: {json.dumps(question.default)}")
    if version.literal:
        context["_copy_without_render"] = ["*"]
    if version.renames:
        manifest += ["migrations:", f"  - to: {version.number}", f"    rename: {json.dumps(version.renames)}"]
    return {
        "cookiecutter.json": _text(json.dumps(context, indent=2)),
        "template.yaml": _text("\n".join(manifest)),
        **{f"{_ROOT}/{path}": file for path, file in version.files.items()},
    }


def copiers(version: Version, *, migrations: bool = True) -> dict[str, File]:
    """Spell a version for copier, which renders only what ends with ``.jinja``."""
    lines = ["_subdirectory: template"]
    if version.renames and migrations:
        lines += ["_migrations:", f"  - version: v{version.number}", "    when: \"{{ _stage == 'before' }}\""]
        moves = [
            f"mkdir -p {str(Path(to).parent)!r} && git mv {path!r} {to!r}"
            for path, to in version.renames.items()
        ]
        lines.append(f"    command: {json.dumps(' && '.join(moves))}")
    for name, question in version.questions.items():
        lines += [f"{name}:", "  type: str", f"  default: {json.dumps(question.default)}"]
        if len(question.values) > 1:
            lines.append(f"  choices: {json.dumps(list(question.values))}")
    files = {
        "copier.yml": _text("\n".join(lines)),
        "template/{{ _copier_conf.answers_file }}.jinja": _text("{{ _copier_answers|to_nice_yaml }}"),
    }
    for path, file in version.files.items():
        markup = not version.literal and b"cookiecutter." in file.content
        content = file.content.replace(b"cookiecutter.", b"") if markup else file.content
        name = path if version.literal else path.replace("cookiecutter.", "")
        files[f"template/{name}{'.jinja' if markup else ''}"] = File(
            content=content, executable=file.executable
        )
    return files


def _text(content: str) -> File:
    return File(content=f"{content}\n".encode())


def commit_version(repository: Path, number: str, files: Mapping[str, File]) -> None:
    """Commit a version of a template to its repository, which is made if it is not there, under the tag ``vNUMBER``."""
    if repository.is_dir():
        _git(repository, "rm", "-q", "-r", "-f", ".")
    else:
        repository.mkdir(parents=True)
        _git(repository, "init", "-q", "-b", "main")
        # The bytes as they are, whatever the attributes of the files that are templates say.
        (repository / ".git/info").mkdir(exist_ok=True)
        (repository / ".git/info/attributes").write_text("* -text\n", encoding="utf-8")
    write(repository, files)
    commit_all(repository, f"Version {number}")
    _git(repository, "tag", f"v{number}")


def write(folder: Path, files: Mapping[str, File]) -> None:
    """Write files, and the folders that they are in."""
    for path, file in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(file.content)
        place.chmod(0o755 if file.executable else 0o644)


def commit_all(folder: Path, message: str) -> None:
    """Commit everything in a repository, also what it ignores: a template has files to be ignored in its projects."""
    _git(folder, "add", "--all", "--force", ".")
    _git(folder, "commit", "-q", "--allow-empty", "-m", message)


def _git(folder: Path, *arguments: str) -> None:
    command = ("git", "-c", "core.safecrlf=false", *arguments)
    subprocess.run(command, cwd=folder, check=True, env=os.environ, stdout=subprocess.DEVNULL)
