"""``scaffolder bootstrap``: where Terraform's state will be, before the first deployment.

Thin: asks for it and prints. May not delete anything.
"""

from __future__ import annotations

import click

from scaffolder.cli.operations import Session, operation
from scaffolder.report.operations import render_ensured
from scaffolder.report.operations_json import BootstrapJson
from stacks.intents import StateStore

__all__ = ["DOCUMENT", "command"]

DOCUMENT = BootstrapJson


@click.command(name="bootstrap", short_help="Make the place where Terraform's state will be.")
@click.option("--dry-run", is_flag=True, help="Say what would be made or changed, and do nothing.")
@operation
def command(session: Session, *, dry_run: bool) -> None:
    r"""Make the place where Terraform's state will be: encrypted, versioned, private and with a lock.

    Run again, it changes nothing, or mends what differs. It never deletes a state. With state.create: false in the
    spec, no stack makes the place, and this command does.

    \b
    Examples:
      scaffolder bootstrap --env dev --dry-run
      scaffolder bootstrap --env dev
    """
    found = [*session.platform.bootstrap(dry_run=dry_run)]
    session.show(lambda: render_ensured(found, dry_run=dry_run), dry_run=dry_run, ensured=found)
    if any(isinstance(one, StateStore) and one.create for one in session.platform.intents.intents):
        session.talk.say(
            "The stack `state` would make the same place: use one of the two. Set state.create to false in"
        )
        session.talk.say("the spec, or deploy that stack instead of this command.")
