"""``scaffolder score``: files scored in batch.

Thin: starts the job, waits and prints. May not know a provider.
"""

from __future__ import annotations

import click

from scaffolder.cli.operations import Session, detach, operation, token
from scaffolder.operations.following import short_ref
from scaffolder.operations.names import checked_token
from scaffolder.operations.values import BatchJob
from scaffolder.report.operations import render_job
from scaffolder.report.operations_json import JobDocumentJson

__all__ = ["DOCUMENT", "command"]

DOCUMENT = JobDocumentJson


@click.command(name="score", short_help="Score files in batch with a model.")
@click.argument("endpoint", metavar="ENDPOINT")
@click.option(
    "--input", "input_uri", metavar="URI", required=True, help="What to score: BUCKET:PATH, or a URI."
)
@click.option(
    "--output", "output_uri", metavar="URI", required=True, help="Where the scores go: BUCKET:PATH, or a URI."
)
@click.option(
    "--version",
    metavar="VERSION",
    type=click.IntRange(min=1),
    help="The model's version; else the one in production, else the newest approved one.",
)
@detach
@token
@operation
def command(
    session: Session,
    endpoint: str,
    input_uri: str,
    output_uri: str,
    version: int | None,
    token: str | None,
    *,
    detach: bool,
) -> None:
    r"""Score the files below a place with a model, and write the scores to another one.

    ENDPOINT is a name below `endpoints` in the spec, best of `mode: batch`: it says which model, on which machines.

    \b
    Examples:
      scaffolder score scores --input data:raw/2026-11-01 --output data:scores
      scaffolder score scores --input data:raw --output data:scores --env prod
    """
    platform = session.platform
    given = checked_token(token)
    with session.repeatable(given):
        job = platform.score(endpoint, input_uri, output_uri, version=version, token=given, wait=False)
    short = short_ref(job.ref)
    if not detach:
        try:
            session.talk.say(f"scoring job {short} on {platform.provider.name} (token {given})")
            job = platform.wait_for_job(job.ref, on_change=lambda seen: _tell(session, seen))
        except KeyboardInterrupt:
            session.talk.say(f"\nThe job {short} goes on without you.")
            session.talk.say(f"  to wait for it: the same command with --token {given}")
            raise
    session.show(lambda: render_job(job), token=given, job=job)


def _tell(session: Session, job: BatchJob) -> None:
    session.talk.live(f"  {job.endpoint} {job.state.value}")
