"""``scaffolder destroy``: what operations made goes, so that Terraform can take the rest.

Thin: lists, asks, removes and prints. May not remove what it did not list.
"""

from __future__ import annotations

import sys

import click

from scaffolder.cli.operations import Session, operation
from scaffolder.errors import UsageError
from scaffolder.report.operations import render_removables
from scaffolder.report.operations_json import DestroyJson

__all__ = ["DOCUMENT", "command"]

DOCUMENT = DestroyJson


@click.command(name="destroy", short_help="Remove what operations made, before Terraform removes the rest.")
@click.option(
    "--yes", "confirmed", metavar="NAME", help="The platform's name, instead of asking for it: for CI."
)
@click.option("--dry-run", is_flag=True, help="List what would be removed, in order, and remove nothing.")
@operation
def command(session: Session, confirmed: str | None, *, dry_run: bool) -> None:
    r"""Remove what operations made: jobs, endpoints, and what else stands in Terraform's way.

    Lists everything in the order in which it goes, marks what holds data that is nowhere else, and asks for the
    platform's name. What Terraform made stays: the command that takes it away is printed at the end.

    \b
    Examples:
      scaffolder destroy --dry-run
      scaffolder destroy --env dev
      scaffolder destroy --env dev --yes churn
    """
    platform = session.platform
    items = platform.inventory()
    after = platform.after_destroy()
    if dry_run or not items:
        session.show(lambda: render_removables(items), dry_run=dry_run, removed=items, next=after)
    else:
        if not session.as_json:
            for line in render_removables(items):
                session.talk.say(line)
        name = _confirmation(session, confirmed)
        gone = platform.destroy(confirm=name, items=items, tell=session.talk.say)
        session.show(lambda: [f"{len(gone)} removed."], dry_run=False, removed=gone, next=after)
    if after and not session.as_json:
        session.talk.say("Next:")
        for line in after:
            session.talk.say(f"  {line}")


def _confirmation(session: Session, given: str | None) -> str:
    if given is not None:
        return given
    name = session.platform.name
    if session.as_json or not sys.stdin.isatty():
        raise UsageError(
            f"destroy asks for the platform's name, and there is nobody to ask: add --yes {name} to remove these"
        )
    typed: str = click.prompt(f"Type the platform's name ({name}) to remove all of these", err=True)
    return typed
