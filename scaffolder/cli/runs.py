"""``scaffolder runs``: the runs of pipelines.

Thin: asks and prints. May not know a provider.
"""

from __future__ import annotations

import click

from scaffolder.cli.operations import Session, detach, follow, operation, show_run, tell_registered, token
from scaffolder.cli.terminal import JsonList
from scaffolder.errors import UsageError
from scaffolder.operations.following import short_ref
from scaffolder.operations.members import LISTED
from scaffolder.operations.names import checked_token
from scaffolder.operations.values import FINISHED, Run, RunState
from scaffolder.report.operations import render_line, render_run, render_runs
from scaffolder.report.operations_json import LogsJson, RunDocumentJson, RunsJson, plain

__all__ = ["DOCUMENTS", "command"]

DOCUMENTS = {
    "list": RunsJson,
    "show": RunDocumentJson,
    "logs": LogsJson,
    "cancel": RunDocumentJson,
    "resume": RunDocumentJson,
    "reproduce": RunDocumentJson,
}

run = click.argument("run", metavar="RUN")


@click.group("runs", short_help="List, show, follow, cancel and repeat runs of pipelines.")
def command() -> None:
    r"""List, show, follow, cancel and repeat runs of pipelines.

    RUN is a run's reference, its last part, or the beginning of that.

    \b
    Examples:
      scaffolder runs list
      scaffolder runs logs 3f2a --follow
      scaffolder runs reproduce 3f2a
    """


@command.command("list")
@click.argument("pipeline", metavar="[PIPELINE]", required=False)
@click.option(
    "--limit", type=click.IntRange(min=1), default=LISTED, show_default=True, help="Show so many at most."
)
@operation
def list_(session: Session, pipeline: str | None, limit: int) -> None:
    r"""List runs, the newest first.

    \b
    Examples:
      scaffolder runs list
      scaffolder runs list train --env prod --limit 5
      scaffolder runs list --json | jq '.runs[] | {ref, state}'
    """
    found = [*session.platform.runs.list(pipeline, limit=limit)]
    session.show(lambda: render_runs(found), runs=found)


@command.command("show")
@run
@operation
def show(session: Session, run: str) -> None:
    r"""Show a run: its steps, parameters and metrics.

    \b
    Examples:
      scaffolder runs show 3f2a
      scaffolder runs show 3f2a --json | jq .run.record
    """
    found = session.platform.runs.show(run)
    show_run(session, found, None)
    if found.state in {RunState.FAILED, RunState.STOPPED}:
        short = short_ref(found.ref)
        resume = (f"runs resume {short}",) if session.platform.runs.can_resume else ()
        session.next(f"runs logs {short}", *resume)


@command.command("logs")
@run
@click.option("--step", metavar="STEP", help="Only this step's lines.")
@click.option("--follow", is_flag=True, help="Go on with the lines that come, until the run has ended.")
@click.option("--after", metavar="CURSOR", default="", help="Begin after this line, as --json names it.")
@operation
def logs(session: Session, run: str, step: str | None, after: str, *, follow: bool) -> None:
    r"""Print what the steps of a run printed.

    \b
    Examples:
      scaffolder runs logs 3f2a --follow
      scaffolder runs logs 3f2a --step train
    """
    runs = session.platform.runs
    lines = runs.logs(run, step=step, follow=follow, after=after)
    if not session.as_json:
        for line in lines:
            click.echo(render_line(line))
        return
    document = JsonList(session.document(run=runs.ref(run)), "lines")
    for line in lines:
        document.add(plain(line))
    document.close()


@command.command("cancel")
@run
@operation
def cancel(session: Session, run: str) -> None:
    r"""Ask a run to stop; one that has ended stays as it is.

    \b
    Examples:
      scaffolder runs cancel 3f2a
    """
    show_run(session, session.platform.runs.cancel(run), None)


@command.command("resume")
@run
@detach
@operation
def resume(session: Session, run: str, *, detach: bool) -> None:
    r"""Let a run that failed, was stopped or has died go on after the steps that are done.

    Not every provider can: elsewhere, start the pipeline again, and steps with a cache are not computed again.

    \b
    Examples:
      scaffolder runs resume 3f2a
    """
    runs = session.platform.runs
    ref = runs.resume(run)
    if detach:
        show_run(session, runs.show(ref), None)
        session.next(f"runs logs {short_ref(ref)} --follow")
        return
    done = follow(session, ref, f"run {short_ref(ref)} goes on")
    show_run(session, done, None)
    tell_registered(session, done)


@command.command("reproduce")
@run
@detach
@token
@operation
def reproduce(session: Session, run: str, token: str | None, *, detach: bool) -> None:
    r"""Run a run again from its record, and compare what comes out.

    The code, the data, the parameters and the seeds are those of then. Exits with 0 when every output has the same
    digest, and with 1 when one differs.

    \b
    Examples:
      scaffolder runs reproduce 3f2a
    """
    platform = session.platform
    before = platform.runs.show(run)
    if before.state not in FINISHED:
        raise UsageError(
            f"the run {short_ref(before.ref)} has not ended: there is nothing to compare with yet"
        )
    given = checked_token(token)
    with session.repeatable(given):
        ref = platform.runs.reproduce(run, token=given)
    if detach:
        show_run(session, platform.runs.show(ref), given)
        session.next(f"runs logs {short_ref(ref)} --follow")
        return
    head = f"run {short_ref(ref)} repeats {short_ref(before.ref)}"
    again = follow(session, ref, head, command_token=given)
    session.show(lambda: [*render_run(again), "", *_compared(before, again)], token=given, run=again)
    if _differing(before, again):
        click.get_current_context().exit(1)


def _outputs(run: Run) -> dict[str, object]:
    outputs = run.record.get("outputs")
    return {str(name): digest for name, digest in outputs.items()} if isinstance(outputs, dict) else {}


def _differing(before: Run, again: Run) -> list[str]:
    """The outputs, and metrics, that are not the same in both."""
    old, new = _outputs(before), _outputs(again)
    differing = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    return differing + [
        name
        for name in sorted({*before.metrics, *again.metrics})
        if before.metrics.get(name) != again.metrics.get(name)
    ]


def _compared(before: Run, again: Run) -> list[str]:
    differing = _differing(before, again)
    if not differing:
        return [f"The same came out: {len(_outputs(again))} outputs have the digests of then."]
    return [f"Not the same as {short_ref(before.ref)}: {', '.join(differing)}"]
