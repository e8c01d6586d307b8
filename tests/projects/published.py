"""Templates as tests need them: small, as files, in folders and in real git repositories."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scaffolder.projects.tree import File, Tree

__all__ = ["Published", "small_template", "write"]

ENVIRONMENT = {
    "GIT_AUTHOR_NAME": "An Author",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "An Author",
    "GIT_COMMITTER_EMAIL": "author@example.com",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "PATH": os.environ["PATH"],
}


def small_template(
    version: str = "1.0.0", *, name: str = "small", files: Mapping[str, str] | None = None
) -> dict[str, str]:
    """A template with one question; ``files`` are in its project's folder, or beside it where they begin with ``/``."""
    manifest = (
        f"template: 1\nname: {name}\nversion: {version}\ntitle: A small one\nowner: its team\n"
        "questions:\n  name: {ask: Name, default: churn}\n"
    )
    context = json.dumps({"name": "churn", "project_slug": "{{ cookiecutter.name }}"})
    inside = files or {"README.md": f"# {{{{ cookiecutter.name }}}}, of {version}\n"}
    return {
        "cookiecutter.json": context,
        "template.yaml": manifest,
        **{
            (path[1:] if path.startswith("/") else f"{{{{ cookiecutter.project_slug }}}}/{path}"): text
            for path, text in inside.items()
        },
    }


def as_tree(files: Mapping[str, str]) -> Tree:
    return {path: File(content=text.encode()) for path, text in files.items()}


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@dataclass(frozen=True, slots=True)
class Published:
    """A git repository on this machine, as a platform team pushes to it."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> Published:
        folder.mkdir(parents=True)
        made = cls(folder)
        made.git("init", "--quiet", "--initial-branch=main")
        return made

    def git(self, *arguments: str, stdin: str = "") -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env={**ENVIRONMENT, "HOME": str(self.folder)},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str | bytes], *, tag: str = "", below: str = "") -> str:
        """Make a commit of exactly these files below a folder; its id."""
        self.git("rm", "-r", "-f", "-q", "--ignore-unmatch", "--", below or ".")
        write(self.folder / below, files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a version")
        if tag:
            self.git("tag", tag)
        return self.git("rev-parse", "HEAD")

    @property
    def source(self) -> str:
        return f"git+{self.folder.as_uri()}"
