"""``scaffolder run``: a pipeline, from its start to its end.

Thin: starts it, follows it and prints. May not know a provider.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from scaffolder.cli.operations import Session, detach, follow, operation, show_run, tell_registered, token
from scaffolder.operations.following import short_ref
from scaffolder.operations.names import checked_token
from scaffolder.report.operations_json import RunDocumentJson

__all__ = ["DOCUMENT", "command"]

DOCUMENT = RunDocumentJson


@click.command(name="run", short_help="Run a pipeline and follow it to its end.")
@click.argument("pipeline", metavar="PIPELINE")
@click.option(
    "-s",
    "--set",
    "settings",
    metavar="NAME=VALUE",
    multiple=True,
    help="Give a parameter of the definition another value; may be repeated.",
)
@detach
@click.option("--logs", is_flag=True, help="Print what the steps print, too.")
@token
@operation
def command(
    session: Session,
    pipeline: str,
    settings: Sequence[str],
    token: str | None,
    *,
    detach: bool,
    logs: bool,
) -> None:
    r"""Run a pipeline of the spec and follow it to its end.

    PIPELINE is a name below `pipelines` in the spec. On this machine its steps are processes; with --env ENV it runs on
    that environment's cloud. Ctrl-C leaves the run going.

    \b
    Examples:
      scaffolder run train
      scaffolder run train --set max_depth=8 --logs
      scaffolder run train --env dev --detach
      scaffolder run train --json | jq .run.metrics
    """
    platform = session.platform
    parameters = platform.parameters(pipeline, settings)
    given = checked_token(token)
    with session.repeatable(given):
        ref = platform.submit(pipeline, parameters, token=given)
    if detach:
        show_run(session, platform.runs.show(ref), given)
        session.next(f"runs logs {short_ref(ref)} --follow", f"runs show {short_ref(ref)}")
        return
    head = f"run {short_ref(ref)} of {pipeline} on {platform.provider.name}"
    run = follow(session, ref, head, command_token=given, logs=logs)
    show_run(session, run, given)
    tell_registered(session, run)
