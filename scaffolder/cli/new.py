"""``scaffolder new``: a project from a built-in template.

Thin: collects answers from flags, from a person at a terminal, or from the defaults, and renders. May not know a
template's files.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import click

from scaffolder import __version__
from scaffolder.cli import options
from scaffolder.cli.terminal import print_json
from scaffolder.projects.answers import (
    NO_CI,
    PLATFORM,
    Question,
    checked,
    default_answers,
    platform_questions,
)
from scaffolder.projects.render import Rendered, render_platform

__all__ = ["DOCUMENT", "command"]


class NewJson(TypedDict):
    """What `new --json` prints; `files` are paths in `folder`. `dry_run` says that nothing was written."""

    template: str
    folder: str
    answers: dict[str, str]
    files: list[str]
    dry_run: bool


DOCUMENT = NewJson


@click.group("new")
def command() -> None:
    """Start a project from a template."""


ANY_CLOUD = {
    "region": "Region, as the cloud spells it",
    "account": "AWS account, GCP project or Azure subscription",
}
"""What asks otherwise on each cloud, for the help."""


def _flag(question: Question) -> click.Option:
    kind = click.Choice(question.choices) if question.choices else None
    asks = ANY_CLOUD.get(question.name, question.asks)
    return click.Option([f"--{question.name}"], type=kind, help=f"{asks}.", metavar=None if kind else "TEXT")


@click.command("platform")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--defaults", is_flag=True, help="Ask nothing: take the default where no flag answers.")
@click.option("--dry-run", is_flag=True, help="Show what would be made, and make nothing.")
@options.as_json
def platform(folder: Path, defaults: bool, dry_run: bool, as_json: bool, **flags: str | None) -> None:  # noqa: FBT001
    r"""Start a platform: a spec, a CDKTF app, a training pipeline, CI, and tests of its own.

    What no flag answers is asked at a terminal; elsewhere, and with --defaults, the default is taken and said.

    \b
    Examples:
      scaffolder new platform churn
      scaffolder new platform churn --account 123456789012 --region eu-west-1
      scaffolder new platform churn --provider gcp --account acme-ml-prod
      scaffolder new platform churn --ci none --engine cdktn --defaults
    """
    given = {name: value for name, value in flags.items() if value is not None}
    asks = not defaults and not as_json and sys.stdin.isatty()
    provider = given.get("provider") or _default_provider(ask=asks)
    given_or_asked = {**given, "provider": provider} if asks else given
    questions = platform_questions(provider)
    answers = {**default_answers(questions, folder.absolute().name), **given_or_asked}
    if asks:
        answers = _asked(questions, answers, given_or_asked)
    else:
        _tell_defaults(answers, given)
    answers = checked(questions, answers)
    rendered = render_platform(folder, answers, __version__, dry_run=dry_run)
    if as_json:
        document = NewJson(
            template="platform",
            folder=str(rendered.folder),
            answers=answers,
            files=list(rendered.files),
            dry_run=dry_run,
        )
        print_json({**document})
    else:
        _tell(folder, rendered, answers, dry_run=dry_run)


for question in PLATFORM:
    platform.params.append(_flag(question))
command.add_command(platform)


def _default_provider(*, ask: bool) -> str:
    """The cloud, which comes first: what else is asked depends on it."""
    (question,) = (each for each in PLATFORM if each.name == "provider")
    if not ask:
        return question.example
    chosen: str = click.prompt(
        question.asks, default=question.example, type=click.Choice(question.choices), err=True
    )
    return chosen


def _asked(questions: Sequence[Question], answers: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    """Ask what no flag answers, until the answer fits."""
    result = dict(answers)
    for question in questions:
        if question.name in given or (question.name == "repository" and result["ci"] == NO_CI):
            continue
        while True:
            result[question.name] = click.prompt(question.asks, default=answers[question.name], err=True)
            refusal = question.refusal(result[question.name])
            if not refusal:
                break
            click.echo(refusal, err=True)
    return result


def _tell_defaults(answers: dict[str, str], given: dict[str, str]) -> None:
    taken = [
        f"{name} {value}"
        for name, value in answers.items()
        if name not in given and not (name == "repository" and answers["ci"] == NO_CI)
    ]
    if taken:
        click.echo(f"Taken by default, and yours to change in platform.yaml: {', '.join(taken)}", err=True)


def _tell(folder: Path, rendered: Rendered, answers: dict[str, str], *, dry_run: bool) -> None:
    click.echo(f"{folder}{' would be made with' if dry_run else ':'} {len(rendered.files)} files")
    for name in rendered.files:
        click.echo(f"  {name}")
    if dry_run:
        return
    engine = answers["engine"]
    click.echo("Next:")
    for line in (
        f"cd {folder}",
        "pip install -r requirements.txt",
        "scaffolder preview",
        f"{engine} deploy {answers['name']}-dev-state   # once: the others keep their state there",
        f"{engine} deploy '{answers['name']}-dev-*'",
    ):
        click.echo(f"  {line}")
