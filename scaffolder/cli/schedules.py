"""``scaffolder schedules``: what starts pipelines by the clock, where Terraform does not make it.

Thin: asks and prints. May not know a provider.
"""

from __future__ import annotations

import click

from scaffolder.cli.operations import Session, operation
from scaffolder.report.operations import render_ensured, render_schedules
from scaffolder.report.operations_json import SchedulesAppliedJson, SchedulesJson

__all__ = ["DOCUMENTS", "command"]

DOCUMENTS = {"list": SchedulesJson, "apply": SchedulesAppliedJson}


@click.group(
    "schedules", short_help="Make pipelines' schedules where Terraform cannot (Azure), and list them."
)
def command() -> None:
    r"""Make pipelines' schedules where Terraform cannot (Azure), and list them.

    \b
    Examples:
      scaffolder schedules apply --env prod
      scaffolder schedules list --env prod
    """


@command.command("list")
@operation
def list_(session: Session) -> None:
    r"""List the schedules that operations have made.

    \b
    Examples:
      scaffolder schedules list --env prod
      scaffolder schedules list --env prod --json | jq '.schedules[].cron'
    """
    found = [*session.platform.schedules.list()]
    session.show(lambda: render_schedules(found), schedules=found)


@command.command("apply")
@click.option("--dry-run", is_flag=True, help="Say what would be made, changed or removed, and do nothing.")
@operation
def apply(session: Session, *, dry_run: bool) -> None:
    r"""Make each schedule what the spec says, with the pipeline as it is now, and remove those that the spec has no more.

    Run it after each deployment: a schedule starts the code of then. Again, and it changes nothing.

    \b
    Examples:
      scaffolder schedules apply --env prod --dry-run
      scaffolder schedules apply --env prod
    """
    found = [*session.platform.schedules.apply(dry_run=dry_run)]
    session.show(lambda: render_ensured(found, dry_run=dry_run), dry_run=dry_run, ensured=found)
