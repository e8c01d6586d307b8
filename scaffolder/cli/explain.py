"""``scaffolder explain``: what a key of the spec is for.

Thin: prints what the reference says. May not know a key.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TypedDict

import click

from scaffolder.cli import options
from scaffolder.cli.terminal import print_json
from scaffolder.spec.reference import Explanation, all_paths, explain

__all__ = ["DOCUMENT", "command"]

COLUMNS = 80


class KeyJson(TypedDict):
    """A key below the one that is explained."""

    name: str
    doc: str


class ExplainJson(TypedDict):
    """What `explain --json` prints; `*` in `path` is a name of the user's, `default` is null where there is none."""

    path: str
    doc: str
    type: str
    required: bool
    default: str | None
    valid: str
    example: str
    keys: list[KeyJson]


DOCUMENT = ExplainJson


def _complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    return [path for path in all_paths() if path.startswith(incomplete)]


@click.command(name="explain", short_help="Explain a key of the spec.")
@click.argument("field", metavar="[FIELD]", default="", shell_complete=_complete)
@options.as_json
def command(field: str, *, as_json: bool) -> None:
    r"""Explain a key of the spec: its type, default, what is valid, and an example.

    FIELD is a path with dots; names of your own, or *, stand for any. Without FIELD, all keys of the spec are listed.

    \b
    Examples:
      scaffolder explain
      scaffolder explain network.zones
      scaffolder explain endpoints.churn.replicas --json
    """
    explanation = explain(field)
    if as_json:
        document: ExplainJson = {
            "path": explanation.path,
            "doc": explanation.doc,
            "type": explanation.type,
            "required": explanation.required,
            "default": explanation.default or None,
            "valid": explanation.valid,
            "example": explanation.example,
            "keys": [{"name": name, "doc": doc} for name, doc in explanation.keys],
        }
        print_json(document)
    else:
        click.echo("\n".join(_lines(explanation)))


def _lines(explanation: Explanation) -> Iterator[str]:
    yield explanation.path or "the spec"
    yield from wrap(explanation.doc, COLUMNS, initial_indent="  ", subsequent_indent="  ")
    yield ""
    yield from _row("  type      ", explanation.type)
    if explanation.path:
        yield from _row("  required  ", "yes" if explanation.required else "no")
    if explanation.default:
        yield from _row("  default   ", explanation.default)
    yield from _row("  valid     ", explanation.valid)
    if explanation.keys:
        yield ""
        yield "  keys"
        width = max(len(name) for name, _ in explanation.keys)
        for name, doc in explanation.keys:
            yield from _row(f"    {name:<{width}}  ", doc)
    if explanation.path:
        yield ""
        yield "  example"
        yield from (f"    {line}" for line in explanation.example.splitlines())


def _row(head: str, text: str) -> Iterator[str]:
    indent = " " * len(head)
    yield from wrap(
        text,
        COLUMNS,
        initial_indent=head,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
