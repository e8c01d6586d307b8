"""``scaffolder bootstrap``: where Terraform's state will be, before the first deployment.

Thin: asks for it and prints. May not delete anything.
"""

from __future__ import annotations

import click

from scaffolder.cli.operations import Session, operation
from scaffolder.report.operations import render_ensured
from scaffolder.report.operations_json import BootstrapJson

__all__ = ["DOCUMENT", "command"]

DOCUMENT = BootstrapJson


@click.command(name="bootstrap", short_help="Make the place where Terraform's state will be.")
@click.option("--dry-run", is_flag=True, help="Say what would be made or changed, and do nothing.")
@operation
def command(session: Session, *, dry_run: bool) -> None:
    r"""Make the place where Terraform's state will be: encrypted, versioned, private and with a lock.

    Run again, it changes nothing, or mends what differs. It never deletes a state.

    \b
    Examples:
      scaffolder bootstrap --env dev --dry-run
      scaffolder bootstrap --env dev
    """
    found = [*session.platform.bootstrap(dry_run=dry_run)]
    session.show(lambda: render_ensured(found, dry_run=dry_run), dry_run=dry_run, ensured=found)
