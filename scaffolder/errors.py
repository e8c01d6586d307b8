"""The error tree and the findings that errors carry.

A leaf: imports nothing of this project and prints nothing. Each class is one way to fail and has its own exit
code; ``scaffolder.cli.main`` is the only place that turns it into one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "Finding",
    "MissingExtraError",
    "OutputFolderError",
    "ProjectError",
    "ScaffolderError",
    "SpecError",
    "TemplateError",
    "UnsupportedError",
    "UsageError",
]

Severity: TypeAlias = Literal["error", "warning"]


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Finding:
    """One thing that is wrong in a file, and how to mend it. Lines and columns count from 1.

    ``message`` says what is wrong with the offending value and what would be right; ``hint`` (may be empty)
    names the nearest match or the next step.
    """

    file: str
    line: int
    column: int
    code: str
    path: str
    message: str
    hint: str = ""
    severity: Severity = "error"

    def __str__(self) -> str:
        head = f"{self.file}:{self.line}:{self.column}: {self.severity}[{self.code}]: {self.message}"
        return f"{head}\n  {self.hint}" if self.hint else head


class ScaffolderError(Exception):
    """Anything this program refuses or fails at on purpose."""

    exit_code = 1


class SpecError(ScaffolderError):
    """A platform spec has findings; all of them are in ``findings``, sorted."""

    exit_code = 2

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(set(findings)))
        super().__init__("\n".join(map(str, self.findings)))


class UsageError(ScaffolderError):
    """The command line or an argument of the Python interface does not fit."""

    exit_code = 64


class OutputFolderError(ScaffolderError):
    """An output folder holds files that are not ours, or cannot be written."""

    exit_code = 3


class UnsupportedError(ScaffolderError):
    """The target cannot do what the spec asks, or this version does not do it yet."""

    exit_code = 4


class MissingExtraError(ScaffolderError):
    """An optional dependency is not installed."""

    exit_code = 5

    def __init__(self, extra: str, module: str) -> None:
        self.extra = extra
        self.module = module
        super().__init__(
            f"this needs the Python package {module!r}, which the extra {extra!r} installs: "
            f"pip install 'scaffolder[{extra}]'"
        )


class TemplateError(ScaffolderError):
    """A project template cannot be found or rendered."""

    exit_code = 6


class ProjectError(ScaffolderError):
    """A project, or the git that it is in, is in no state to be updated."""

    exit_code = 7
