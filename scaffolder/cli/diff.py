"""``scaffolder diff``: what a change of the spec, or a move to another cloud, changes in what is deployed.

Thin: reads specs, compares them and prints. May not write a file; runs git only where a revision is named.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from scaffolder.cli import options
from scaffolder.cli.revision import synthesize_at
from scaffolder.cli.terminal import print_json
from scaffolder.errors import Finding, SpecError, UsageError
from scaffolder.pipeline import Synthesis, synthesize
from scaffolder.report.changes import Changes, compare
from scaffolder.report.changes_text import Style, render_changes
from scaffolder.report.needs import Destination
from scaffolder.spec.load import load_spec
from scaffolder.spec.providers import PROVIDERS

__all__ = ["command"]

CHANGED = 1
LOSES_DATA = 10
"""Apart from every code that an error has: see :mod:`scaffolder.errors`."""

COLOURS: dict[Style, str | None] = {
    "plain": None,
    "heading": None,
    "added": "green",
    "changed": "yellow",
    "replaced": "magenta",
    "removed": "red",
    "danger": "red",
    "note": "cyan",
}
BOLD: frozenset[Style] = frozenset({"heading", "danger"})


@click.command(name="diff", short_help="Show what a change of the spec adds, changes and removes.")
@click.argument("specs", metavar="[OLD] NEW", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--from",
    "revision",
    metavar="REV",
    help="Compare NEW with itself at a git revision, instead of with OLD.",
)
@click.option(
    "--target",
    metavar="CLOUD[:REGION[:ACCOUNT]]",
    help="Compare NEW with itself on another cloud, instead of with OLD.",
)
@options.environments
@options.as_json
@click.option(
    "--exit-code",
    "exit_code",
    is_flag=True,
    help=f"Exit with {CHANGED} if anything changes, with {LOSES_DATA} if data may be lost or left behind.",
)
@click.pass_context
def command(
    context: click.Context,
    specs: Sequence[Path],
    revision: str | None,
    target: str | None,
    environments: Sequence[str],
    *,
    as_json: bool,
    exit_code: bool,
) -> None:
    r"""Show what a change of the spec adds, changes, replaces and removes.

    Marks are Terraform's: + is added, ~ changed in place, -/+ destroyed and made anew, - removed, <= read anew.
    Lines with ! lose data, leave it behind, or take a protection of it away. Compares what `synth` would write,
    without a state, credentials or the network; `terraform plan` says what a deployment would do.

    With --target: what must be given anew because it is the old cloud's own, with its place and the shape that the new
    cloud wants; what the new cloud carries less of or refuses, and why; and how many resources each side has. What is
    needed and not given, a region and an account among it, has a stand-in, and the output names it.

    \b
    Examples:
      scaffolder diff platform.yaml new.yaml
      scaffolder diff --from main platform.yaml
      scaffolder diff --from HEAD~1 platform.yaml --env prod --exit-code
      scaffolder diff --target gcp platform.yaml
      scaffolder diff --target azure:westeurope platform.yaml --env prod --json
    """
    if target is not None:
        if revision is not None or exit_code:
            raise UsageError("--target excludes --from and --exit-code")
        _print_moves(specs, _destination(target), environments, as_json=as_json)
        return
    try:
        old, new = _sides(specs, revision)
    except SpecError as error:
        if not as_json:
            raise
        _print_json(None, error.findings)
        context.exit(SpecError.exit_code)
    changes = _of_environments(compare(old, new), old, new, environments)
    if as_json:
        _print_json(changes, ())
    else:
        _print(changes)
    if exit_code:
        context.exit(_exit_code(changes))


def _destination(text: str) -> Destination:
    """Read a cloud and, if given, its region and account."""
    provider, _, rest = text.partition(":")
    region, _, account = rest.partition(":")
    shapes = PROVIDERS.get(provider)
    if shapes is None:
        raise UsageError(f'--target "{provider}" is no cloud; there are {", ".join(PROVIDERS)}')
    for value, shape in ((region, shapes.region), (account, shapes.account)):
        if value and re.fullmatch(shape.pattern, value) is None:
            raise UsageError(f'--target: "{value}" is not {shape.says}')
    return Destination(provider=provider, region=region or None, account=account or None)


def _print_moves(
    specs: Sequence[Path], to: Destination, environments: Sequence[str], *, as_json: bool
) -> None:
    from scaffolder.report.move import moves_of  # noqa: PLC0415 - only a move needs it
    from scaffolder.report.move_text import moves_as_json, render_moves  # noqa: PLC0415

    if len(specs) != 1:
        raise UsageError("--target takes the place of OLD: name NEW only")
    try:
        moves = moves_of(load_spec(specs[0], environments or None), to)
    except SpecError as error:
        if not as_json:
            raise
        print_json(moves_as_json(str(specs[0]), (), error.findings))
        click.get_current_context().exit(SpecError.exit_code)
    if as_json:
        print_json(moves_as_json(str(specs[0]), moves, ()))
    else:
        click.echo("\n".join(render_moves(str(specs[0]), moves)))


def _sides(specs: Sequence[Path], revision: str | None) -> tuple[Synthesis, Synthesis]:
    match specs, revision:
        case (old, new), None:
            return synthesize(old, policies=()), synthesize(new)
        case (new,), str():
            return synthesize_at(new, revision), synthesize(new)
        case (_,), None:
            raise UsageError(
                "diff compares two specs: name OLD and NEW, or give --from REV or --target CLOUD and NEW"
            )
        case _, str():
            raise UsageError("--from REV takes the place of OLD: name NEW only")
        case _:
            raise UsageError(f"diff compares two specs, not {len(specs)}")


def _of_environments(changes: Changes, old: Synthesis, new: Synthesis, wanted: Sequence[str]) -> Changes:
    """Keep the environments asked for; one of them may be on one side only."""
    known = tuple(dict.fromkeys(each.name for side in (new, old) for each in side.environments))
    for name in wanted:
        if name not in known:
            raise UsageError(f'there is no environment "{name}"; the specs have {", ".join(known)}.')
    if not wanted:
        return changes
    return replace(changes, environments=tuple(each for each in changes.environments if each.name in wanted))


def _print_json(changes: Changes | None, findings: Sequence[Finding]) -> None:
    from scaffolder.report.changes_json import changes_as_json  # noqa: PLC0415 - people don't wait for it

    print_json(changes_as_json(changes, findings))


def _print(changes: Changes) -> None:
    colour = False if os.environ.get("NO_COLOR") else None
    for line in render_changes(changes):
        styled = click.style(line.text, fg=COLOURS[line.style], bold=line.style in BOLD)
        click.echo(styled if line.text else "", color=colour)


def _exit_code(changes: Changes) -> int:
    if changes.totals.data_losing:
        return LOSES_DATA
    return 0 if changes.is_empty else CHANGED
