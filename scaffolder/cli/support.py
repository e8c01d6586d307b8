"""``scaffolder support``: what each cloud carries of what a spec may ask.

Thin: asks and prints. May not read a spec.
"""

from __future__ import annotations

from collections.abc import Iterable

import click

from scaffolder.cli import options
from scaffolder.cli.terminal import print_json
from scaffolder.errors import UsageError
from scaffolder.report.support import (
    SupportJson,
    render_support,
    support_as_json,
    support_as_markdown,
    support_of,
)

__all__ = ["DOCUMENT", "command"]

DOCUMENT = SupportJson


@click.command(name="support", short_help="Show what each cloud carries of what a spec may ask.")
@click.option(
    "--provider", "providers", metavar="CLOUD", multiple=True, help="Only this cloud; may be repeated."
)
@click.option("--markdown", is_flag=True, help="Print the table and the reasons as Markdown.")
@options.as_json
def command(providers: tuple[str, ...], *, markdown: bool, as_json: bool) -> None:
    r"""Show what each cloud carries of what a spec may ask, and why something is not carried whole.

    Reads no spec: `preview` says what is skipped of yours, and `diff --target` what a move to another cloud would lose.

    \b
    Examples:
      scaffolder support
      scaffolder support --provider aws
      scaffolder support --markdown > support.md
      scaffolder support --json | jq '.intents[] | {intent, support}'
    """
    if markdown and as_json:
        raise UsageError("--json and --markdown exclude each other")
    lines = support_of(providers)
    if as_json:
        print_json(support_as_json(lines))
        return
    written: Iterable[str] = support_as_markdown(lines) if markdown else render_support(lines)
    click.echo("\n".join(written))
