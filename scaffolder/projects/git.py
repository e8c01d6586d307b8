"""Runs git so that nothing of the caller's environment, no hook and no question can steer it.

The user's own configuration counts: it says how the user's files become blobs. May not know what a template or a
project is, nor reach a network unless a caller names the protocols.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from functools import cache
from pathlib import Path

from scaffolder.errors import ProjectError
from stacks.record import record

__all__ = ["Around", "GitFailed", "Running", "check_git", "git", "git_environment", "start_git"]

OLDEST = (2, 38)
"""`git merge-tree --write-tree` came with it (git's Documentation/RelNotes/2.38.0.txt, 2022-10)."""

KEPT = re.compile(r"GIT_CONFIG_[A-Z0-9_]+|GIT_EXEC_PATH")
"""What says how git is set up; all other GIT_ variables say where it works, which is said here."""

SETTINGS: Mapping[str, str] = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "protocol.ext.allow": "never",
    "submodule.recurse": "false",
    "advice.detachedHead": "false",
}


@record
class Around:
    """What is added to git's environment, and to its configuration."""

    variables: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)


class GitFailed(Exception):
    """git ended with another code than 0; ``told`` is what it said, in its first lines."""

    def __init__(self, arguments: Sequence[str], code: int, told: str) -> None:
        self.command = tuple(arguments)
        self.code = code
        self.told = told or f"git {' '.join(arguments[:1])} ended with code {code}"
        super().__init__(self.told)


class Running:
    """A git that was started."""

    def __init__(
        self, process: subprocess.Popen[bytes], command: Sequence[str], stdin: bytes, good: Iterable[int]
    ) -> None:
        self._process = process
        self._command = command
        self._stdin = stdin
        self._good = frozenset(good)

    def result(self) -> bytes:
        """Wait for its end; what it wrote.

        Raises:
            GitFailed: it ended with a code that is not good.
        """
        try:
            output, errors = self._process.communicate(self._stdin)
        except BaseException:
            self._process.kill()
            self._process.communicate()
            raise
        if self._process.returncode not in self._good:
            raise GitFailed(self._command, self._process.returncode, _told(errors))
        return output


def git(
    folder: Path | None,
    arguments: Sequence[str],
    *,
    stdin: bytes = b"",
    around: Around | None = None,
    protocols: str = "none",
    good: Iterable[int] = (0,),
    descriptors: Sequence[int] = (),
) -> bytes:
    """Run git in a folder, or in the current one, and return what it wrote.

    ``protocols`` are those that it may speak, with a colon between; ``good`` are the codes that it may end with; it
    inherits ``descriptors``.

    Raises:
        GitFailed: it ended with a code that is not good.
        ProjectError: there is no git.
    """
    running = start_git(
        folder,
        arguments,
        stdin=stdin,
        around=around,
        protocols=protocols,
        good=good,
        descriptors=descriptors,
    )
    return running.result()


def start_git(
    folder: Path | None,
    arguments: Sequence[str],
    *,
    stdin: bytes = b"",
    around: Around | None = None,
    protocols: str = "none",
    good: Iterable[int] = (0,),
    descriptors: Sequence[int] = (),
) -> Running:
    """Start what :func:`git` runs, and do not wait for it.

    Raises:
        ProjectError: there is no git.
    """
    around = around or Around()
    configuration = {**SETTINGS, **around.settings}
    options = [option for item in configuration.items() for option in ("-c", "=".join(item))]
    environment = {**git_environment(), "GIT_ALLOW_PROTOCOL": protocols, **around.variables}
    try:
        process = subprocess.Popen(  # noqa: S603 - what is run is git, without a shell
            ("git", *options, *arguments),  # noqa: S607 - the git that the user runs
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=descriptors,
        )
    except FileNotFoundError as error:
        if folder is not None and not folder.is_dir():
            raise
        raise ProjectError(
            f"git is not installed, or not on PATH. Install git {_dotted(OLDEST)} or newer."
        ) from error
    return Running(process, arguments, stdin, good)


def git_environment() -> dict[str, str]:
    """The environment of this process without what would steer git."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or KEPT.fullmatch(name)
    }
    return {
        **kept,
        "LC_ALL": "C",
        "LANGUAGE": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_LITERAL_PATHSPECS": "1",
    }


@cache
def check_git() -> None:
    """Refuse a git that is too old to merge without a work tree; looks once in a process.

    Raises:
        ProjectError: git is not there, or older.
    """
    told = git(None, ("version",)).decode("utf-8", "replace").strip()
    found = re.search(r"([0-9]+)\.([0-9]+)", told)
    if not found or (int(found[1]), int(found[2])) < OLDEST:
        raise ProjectError(
            f"updates need git {_dotted(OLDEST)} or newer, and this is {told.removeprefix('git version ') or 'none'}. "
            "Install a newer git (git-scm.com/downloads)."
        )


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _told(errors: bytes) -> str:
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return "\n".join(line for line in lines[:5] if not line.startswith(("hint:", "warning:"))) or "\n".join(
        lines[:5]
    )
