"""``scaffolder support``: what each cloud carries of what a spec may ask, and what operations do on each provider.

Thin: asks and prints. May not read a spec.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from scaffolder.cli import options
from scaffolder.cli.terminal import print_json
from scaffolder.errors import UsageError
from scaffolder.operations.adapters import BUILT_IN
from scaffolder.operations.matrix import SENTENCES, tables_of
from scaffolder.report.support import (
    OPERATIONS,
    STACKS_CARRY,
    Line,
    SupportJson,
    lines_of,
    render_support,
    support_as_json,
    support_as_markdown,
    support_of,
)
from stacks.adapter import STACKS

__all__ = ["DOCUMENT", "command"]

DOCUMENT = SupportJson


@click.command(name="support", short_help="Show what each cloud carries of what a spec may ask.")
@click.option(
    "--provider",
    "providers",
    metavar="NAME",
    multiple=True,
    help="Only this cloud, or local; may be repeated.",
)
@click.option("--markdown", is_flag=True, help="Print the tables and the reasons as Markdown.")
@options.as_json
def command(providers: tuple[str, ...], *, markdown: bool, as_json: bool) -> None:
    r"""Show what each cloud carries of what a spec may ask, what operations do there, and why something is not whole.

    The first table is of the stacks that Terraform deploys, the second of operations: running, registering, serving,
    watching. Reads no spec: `preview` says what is skipped of yours, and `diff --target` what a move to another cloud
    would lose.

    \b
    Examples:
      scaffolder support
      scaffolder support --provider aws
      scaffolder support --provider local
      scaffolder support --markdown > support.md
      scaffolder support --json | jq '.operations[] | {capability, support}'
    """
    if markdown and as_json:
        raise UsageError("--json and --markdown exclude each other")
    stacks = _stacks(providers)
    asked = [name for name in dict.fromkeys(providers) if name in BUILT_IN]
    operations = lines_of(tables_of(asked), SENTENCES) if asked or not providers else ()
    if as_json:
        print_json(support_as_json(stacks, operations))
        return
    click.echo("\n".join(_as_markdown(stacks, operations) if markdown else _as_text(stacks, operations)))


def _stacks(providers: Sequence[str]) -> tuple[Line, ...]:
    """Read what the stacks carry; the provider of this machine has none.

    Raises:
        UsageError: nothing of this name has stacks or operations.
    """
    named = [name for name in providers if name in STACKS or name not in BUILT_IN]
    return support_of(named) if named or not providers else ()


def _as_text(stacks: Sequence[Line], operations: Sequence[Line]) -> Iterator[str]:
    yield from render_support(stacks)
    if stacks and operations:
        yield ""
    yield from render_support(operations)


def _as_markdown(stacks: Sequence[Line], operations: Sequence[Line]) -> Iterator[str]:
    yield from support_as_markdown(stacks, meaning=STACKS_CARRY)
    if stacks and operations:
        yield ""
    yield from support_as_markdown(operations, of="operation", meaning=OPERATIONS)
