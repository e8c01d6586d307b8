"""``scaffolder retrain``: a turn of a monitor's loop, from the alarm to the version that is better.

Thin: asks, starts, follows and prints. May not know a provider.
"""

from __future__ import annotations

from collections.abc import Callable

import click

from scaffolder.cli.operations import Session, detach, follow, operation, tell_registered, token
from scaffolder.errors import UsageError
from scaffolder.operations.alarms import Retraining
from scaffolder.operations.following import short_ref
from scaffolder.operations.names import checked_token
from scaffolder.operations.retraining import Turn
from scaffolder.operations.values import Run
from scaffolder.report.operations import render_run
from scaffolder.report.operations_json import RetrainJson

__all__ = ["DOCUMENT", "command"]

DOCUMENT = RetrainJson


@click.command(name="retrain", short_help="Train again where a monitor asks for it.")
@click.argument("monitor", metavar="MONITOR")
@click.option("--force", is_flag=True, help="Train again, alarm or not.")
@click.option("--dry-run", is_flag=True, help="Say whether it is due, and start nothing.")
@click.option("--metric", metavar="NAME", default="", help="Compare by this number, not by the gate's.")
@detach
@token
@operation
def command(
    session: Session,
    monitor: str,
    metric: str,
    token: str | None,
    *,
    force: bool,
    dry_run: bool,
    detach: bool,
) -> None:
    r"""Train again where a monitor's alarm asks for it, and judge what comes out.

    The alarm needs several windows with drift, and after a retraining a cool-down passes: `monitors` in the spec says
    how many and how long. A version that is better than what serves goes to production, or waits for its approval where
    people approve. The command starts nothing that it started before, so that a scheduler may call it at any time.

    \b
    Examples:
      scaffolder retrain churn --dry-run
      scaffolder retrain churn
      scaffolder retrain churn --force --env prod --detach
    """
    if token is not None and not force:
        raise UsageError(
            "--token is for --force: else the alarm itself keeps a retraining from starting twice"
        )
    platform = session.platform
    if dry_run:
        _show(session, monitor, platform.retraining_due(monitor), [], None, None)
        return
    told: list[str] = []
    given = checked_token(token) if force else None
    if given is not None:
        with session.repeatable(given):
            started = platform.retrain_anyway(monitor, token=given)
        decided, turn = Retraining(wanted=False, why="it was forced"), None
    else:
        turn = platform.retrain(monitor, metric=metric, tell=_teller(session, told))
        decided, started = turn.retraining, turn.started
    run: Run | None = None
    if started and detach:
        run = platform.runs.show(started)
    elif started:
        run = follow(session, started, f"run {short_ref(started)} trains again", command_token=given)
        turn = platform.retrain(monitor, metric=metric, tell=_teller(session, told))
    _show(session, monitor, decided, told, run, turn)
    if run is not None and not detach:
        tell_registered(session, run)


def _teller(session: Session, told: list[str]) -> Callable[[str], None]:
    """Say notices as they come, and keep them for the document."""

    def tell(text: str) -> None:
        told.append(text)
        session.talk.say(text)

    return tell


def _show(
    session: Session,
    monitor: str,
    decided: Retraining,
    told: list[str],
    run: Run | None,
    turn: Turn | None,
) -> None:
    candidate, promotion = (turn.candidate, turn.promotion) if turn else (None, None)
    words = "due" if decided.wanted else "not due"
    lines = [*render_run(run)] if run else [f"{monitor}: retraining is {words}: {decided.why}"]
    session.show(
        lambda: lines,
        monitor=monitor,
        due=decided.wanted,
        why=decided.why,
        run=run,
        candidate=candidate,
        promoted=promotion.promote if promotion else None,
        told=told,
    )
