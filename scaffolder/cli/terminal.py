"""What commands print: results on stdout, talk on stderr. May not decide an exit code."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TextIO, assert_never

import click

from scaffolder.cli.options import FindingsStyle
from scaffolder.errors import Finding
from scaffolder.report.columns import shortened
from scaffolder.report.findings import github_annotation, tally

__all__ = ["JsonList", "Progress", "print_json", "tell_findings"]

COLUMNS = 80
PATIENCE_S = 1.0
ERASE_LINE = "\r\033[K"
COLOURS = {"error": "red", "warning": "yellow"}


def print_json(document: Mapping[str, object]) -> None:
    """Print one document, in UTF-8 whatever the terminal's encoding is."""
    click.echo(_utf_8(_dumped(document)))


def _dumped(document: Mapping[str, object]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False)


def _utf_8(text: str) -> bytes:
    """Encode; of a file's name that is no text, JSON has an escape for each byte."""
    return text.encode("utf-8", "backslashreplace")


class JsonList:
    """One JSON document that ends with a list, printed item by item, so that no item is kept."""

    def __init__(self, head: Mapping[str, object], name: str) -> None:
        start = _dumped(head).removesuffix("\n}").removesuffix("{}") or "{"
        self._before = f"{start}{',' if head else ''}\n  {json.dumps(name)}: ["

    def add(self, item: Mapping[str, object]) -> None:
        """Print one more item."""
        indented = _dumped(item).replace("\n", "\n    ")
        click.echo(_utf_8(f"{self._before}\n    {indented}"), nl=False)
        self._before = ","

    def close(self) -> None:
        """Print the end of the document."""
        before = "\n  " if self._before == "," else self._before
        click.echo(f"{before}]\n}}".encode())


def tell_findings(findings: Sequence[Finding], style: FindingsStyle, *, err: bool) -> None:
    """Write findings, on stderr if ``err``; how many there are is talk, and for people only."""
    if not findings:
        return
    match style:
        case "github":
            workspace = os.environ.get("GITHUB_WORKSPACE", "")
            lines = [github_annotation(finding, workspace) for finding in findings]
        case "human":
            lines = [_coloured(finding) for finding in findings]
        case _:
            assert_never(style)
    click.echo("\n".join(lines), err=err)
    if style == "human":
        click.echo(tally(findings), err=True)


def _coloured(finding: Finding) -> str:
    """As ``str`` writes it, with colours that are taken away where they would not be seen."""
    place = f"{finding.file}:{finding.line}:{finding.column}:"
    rest = str(finding).removeprefix(place)
    kind = f"{finding.severity}[{finding.code}]"
    coloured = click.style(kind, fg=COLOURS[finding.severity], bold=True)
    return click.style(place, bold=True) + rest.replace(kind, coloured, 1)


class Progress:
    """Says on a terminal how far a command is with a number of things, once it takes longer than a second."""

    def __init__(
        self, total: int, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._start = clock()
        self._shown = False

    def step(self, number: int, name: str) -> None:
        """Say that ``number`` are done, and which one comes next."""
        slow = self._clock() - self._start >= PATIENCE_S
        if slow and self._total > 1 and self._stream.isatty():
            line = shortened(f"{number} of {self._total} done, now {name}", COLUMNS - 1)
            self._shown = True  # before it is: an interrupt between the two would leave the line there
            click.echo(f"{ERASE_LINE}{line}", file=self._stream, nl=False, color=True)

    def clear(self) -> None:
        """Take the line away, before anything else is printed."""
        if self._shown:
            click.echo(ERASE_LINE, file=self._stream, nl=False, color=True)
            self._shown = False
