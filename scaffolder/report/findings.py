"""Writes findings for people, for other programs and as annotations of GitHub Actions; may not print anything."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypedDict

from scaffolder.errors import Finding

__all__ = ["FindingJson", "finding_as_json", "github_annotation", "promoted", "tally"]


class FindingJson(TypedDict):
    """One finding. Lines and columns count from 1; `path` is the key's place in the spec; `hint` may be empty."""

    file: str
    line: int
    column: int
    severity: str
    code: str
    path: str
    message: str
    hint: str


def finding_as_json(finding: Finding) -> FindingJson:
    """Make a document of JSON values."""
    return {
        "file": finding.file,
        "line": finding.line,
        "column": finding.column,
        "severity": finding.severity,
        "code": finding.code,
        "path": finding.path,
        "message": finding.message,
        "hint": finding.hint,
    }


def github_annotation(finding: Finding, workspace: str) -> str:
    """Write a workflow command; the file's path is told from ``workspace`` on, where it is below it.

    The syntax and what has to be escaped: actions/toolkit, packages/core/src/command.ts (November 2026).
    """
    properties = {
        "file": _below(workspace, finding.file),
        "line": str(finding.line),
        "col": str(finding.column),
        "title": finding.code,
    }
    written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    text = f"{finding.message}\n{finding.hint}" if finding.hint else finding.message
    return f"::{finding.severity} {written}::{_data(text)}"


def promoted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Make errors of warnings."""
    return tuple(replace(finding, severity="error") for finding in findings)


def tally(findings: Sequence[Finding]) -> str:
    """Count findings: ``2 errors, 1 warning``."""
    counts = {word: sum(finding.severity == word for finding in findings) for word in ("error", "warning")}
    return ", ".join(f"{count} {word}{'s' if count > 1 else ''}" for word, count in counts.items() if count)


def _below(workspace: str, file: str) -> str:
    if not workspace:
        return file
    path = os.path.relpath(file, workspace)
    return file if path.startswith(os.pardir) else path.replace(os.sep, "/")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
