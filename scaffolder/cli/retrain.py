"""``scaffolder retrain``: a new model, where a monitor asks for one.

Thin: asks, starts and prints. May not know a provider.
"""

from __future__ import annotations

import click

from scaffolder.cli.operations import Session, detach, follow, operation, tell_registered, token
from scaffolder.operations.following import short_ref
from scaffolder.operations.names import checked_token
from scaffolder.report.operations import render_run
from scaffolder.report.operations_json import RetrainJson

__all__ = ["DOCUMENT", "command"]

DOCUMENT = RetrainJson


@click.command(name="retrain", short_help="Train again where a monitor asks for it.")
@click.argument("monitor", metavar="MONITOR")
@click.option("--force", is_flag=True, help="Train again whether the monitor asks for it or not.")
@click.option("--dry-run", is_flag=True, help="Say whether it is due, and start nothing.")
@detach
@token
@operation
def command(
    session: Session, monitor: str, token: str | None, *, force: bool, dry_run: bool, detach: bool
) -> None:
    r"""Train again where a monitor asks for it, by the pipeline that the spec gives it.

    A monitor asks when it raises an alarm. The run keeps the monitor as its reason.

    \b
    Examples:
      scaffolder retrain churn --dry-run
      scaffolder retrain churn
      scaffolder retrain churn --force --env prod --detach
    """
    platform = session.platform
    due, why = platform.retraining_due(monitor)
    if dry_run or not (due or force):
        lines = [f"{monitor}: {'due' if due else 'not due'}: {why}"]
        session.show(lambda: lines, monitor=monitor, due=due, why=why, token=None, run=None)
        if not due and not dry_run:
            session.next(f"retrain {monitor} --force")
        return
    given = checked_token(token)
    with session.repeatable(given):
        ref = platform.retrain(monitor, force=force, token=given)
    session.talk.say(f"{monitor}: {why}" if due else f"{monitor}: forced, though {why}")
    session.talk.say(f"run {short_ref(ref)} trains again (token {given})")
    run = platform.runs.show(ref) if detach else follow(session, ref, command_token=given)
    session.show(lambda: render_run(run), monitor=monitor, due=due, why=why, token=given, run=run)
    if not detach:
        tell_registered(session, run)
