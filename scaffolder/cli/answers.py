"""How a command collects answers to a template's questions: flags, a file, a person at a terminal.

May not decide what is valid: the questions do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from scaffolder.errors import SpecError, UsageError
from scaffolder.projects.answering import Given, Question
from scaffolder.projects.layers import Planned
from scaffolder.projects.manifest import Answer, Manifest, QuestionSpec
from scaffolder.projects.tree import shown_path
from scaffolder.spec.nodes import nearest

__all__ = [
    "Person",
    "common_options",
    "flags_of",
    "given_by",
    "loose_answers",
    "printable_lines",
    "tell_defaults",
]

TAKEN = frozenset({"answers", "catalog", "debug", "defaults", "dry-run", "help", "json", "set", "trust"})
"""Options of the command itself; a question of such a name is answered by --set."""

PREFIX = "answer_"
COLUMNS = 80


class Choice(click.Choice[str]):
    """One of some values; a misspelt one is told the nearest."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter as error:
            hint = nearest(str(value), [*self.choices])
            if not hint:
                raise
            raise click.BadParameter(f"{error.message} {hint}", ctx, param) from error


def flags_of(manifest: Manifest) -> list[click.Option]:
    """An option for each question."""
    flags = []
    for name, question in manifest.questions.items():
        flag = name.replace("_", "-").lower()
        if flag in TAKEN:
            continue
        spelt = f"--{flag}/--no-{flag}" if question.type == "flag" else f"--{flag}"
        kind = Choice([*question.choices]) if question.type == "choice" else None
        flags.append(
            click.Option(
                [f"{PREFIX}{name}", spelt],
                type=kind,
                default=None,
                help=f"{shown_path(question.ask)}.",
                metavar=None if kind or question.type == "flag" else _metavar(question),
            )
        )
    return flags


def _metavar(question: QuestionSpec) -> str:
    return "NUMBER" if question.type == "integer" else "TEXT"


def common_options() -> list[click.Option]:
    """The other ways to answer."""
    return [
        click.Option(
            ["answers_file", "--answers"],
            type=click.Path(path_type=Path),
            metavar="FILE",
            help="A YAML file of answers; flags win over it.",
        ),
        click.Option(
            ["pairs", "--set"],
            multiple=True,
            metavar="NAME=VALUE",
            help="An answer by its name; may be repeated.",
        ),
        click.Option(
            ["--defaults"], is_flag=True, help="Ask nothing: take the default where nothing answers."
        ),
    ]


def given_by(manifest: Manifest, flags: Mapping[str, Any]) -> dict[str, Given]:
    """The answers that a command line gives: its file's, then ``--set``, then each question's own option.

    Raises:
        UsageError: ``--set`` without a value, or a file that is none of answers.
    """
    given = loose_answers(flags)
    by_flag = {name: flags.get(f"{PREFIX}{name}") for name in manifest.questions}
    return {**given, **{name: value for name, value in by_flag.items() if value is not None}}


def loose_answers(flags: Mapping[str, Any]) -> dict[str, Given]:
    """The answers of ``--answers`` and ``--set``, the latter over the former.

    Raises:
        UsageError: ``--set`` without a value.
        SpecError: the file is none of answers.
    """
    given: dict[str, Given] = dict(_file_answers(flags["answers_file"])) if flags["answers_file"] else {}
    for pair in flags["pairs"]:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise UsageError(f'--set takes NAME=VALUE, not "{shown_path(pair)}"')
        given[name] = value
    return given


def _file_answers(path: Path) -> Mapping[str, Given]:
    """Read a file of answers: names and values in YAML, or in JSON, which is YAML."""
    from scaffolder.spec.fields import Boolean, Either, Integer, Str, Table, read  # noqa: PLC0415 - few name a file
    from scaffolder.spec.nodes import Report  # noqa: PLC0415
    from scaffolder.spec.source import read_source  # noqa: PLC0415

    report = Report(str(path), "the file of answers", begins="name: churn")
    tree = read_source(path, report)
    kind = Table(
        Str(pattern=r"[A-Za-z][A-Za-z0-9_]*", minimum=1, maximum=60, says="a question's name"),
        Either(Boolean(), Integer(), Str(minimum=0, maximum=1000)),
    )
    answers = None if tree is None else read(kind, tree, (), report)
    if any(finding.severity == "error" for finding in report.findings) or not isinstance(answers, Mapping):
        raise SpecError(report.findings)
    return answers


class Person:
    """Somebody at the terminal, who is told once how to answer."""

    def __init__(self) -> None:
        self._told = False

    def __call__(self, question: Question) -> Answer:
        """Ask until the answer fits; ``?`` shows more about the question."""
        if not self._told:
            click.echo("Enter takes what is in brackets; ? says more about a question.", err=True)
            self._told = True
        for value, title in question.choices.items():
            click.echo(f"  {shown_path(value)}{f'  {shown_path(title)}' if title else ''}", err=True)
        asks = shown_path(question.asks)
        default = _shown(question.default) if isinstance(question.default, bool) else question.default
        while True:
            said = str(click.prompt(asks, default=default, type=str, err=True, show_default=default != ""))
            if said == "?" and "?" not in question.choices:
                for line in printable_lines(question.help or f"It must be {question.valid}."):
                    click.echo(click.wrap_text(line, width=COLUMNS), err=True)
                continue
            try:
                return question.read(said)
            except UsageError as error:
                click.echo(click.wrap_text(str(error), width=COLUMNS), err=True)


def tell_defaults(layers: Sequence[Planned]) -> None:
    """Say on stderr which answers nobody gave, and what they are, in lines of a terminal's width."""
    taken: dict[str, str] = {}
    for layer in layers:
        taken |= {name: _shown(layer.answers[name]) for name in layer.defaulted}
    if taken:
        told = f"Taken by default: {', '.join(f'{name} {value}' for name, value in taken.items())}"
        click.echo(click.wrap_text(told, width=COLUMNS, subsequent_indent="  "), err=True)


def _shown(value: Answer) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return shown_path(value)


def printable_lines(text: str) -> list[str]:
    """A template's text in lines that cannot steer a terminal."""
    return [
        "".join(letter for letter in line if letter.isprintable()) for line in text.strip("\n").splitlines()
    ]
