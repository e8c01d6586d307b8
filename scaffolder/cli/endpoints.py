"""``scaffolder endpoints``: what serves, and asking it.

Thin: asks and prints. May not know a provider.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scaffolder.cli.operations import Session, operation
from scaffolder.errors import UsageError
from scaffolder.report.operations import render_endpoint, render_endpoints
from scaffolder.report.operations_json import AnswerJson, EndpointDocumentJson, EndpointsJson

__all__ = ["DOCUMENTS", "command", "content_type_of", "request_body"]

DOCUMENTS = {"list": EndpointsJson, "show": EndpointDocumentJson, "invoke": AnswerJson}
CONTENT_TYPES = {".csv": "text/csv", ".json": "application/json", ".jsonl": "application/jsonlines"}


@click.group("endpoints", short_help="List and show endpoints, and ask them.")
def command() -> None:
    r"""List and show endpoints, and ask them.

    \b
    Examples:
      scaffolder endpoints list
      scaffolder endpoints show churn
      scaffolder endpoints invoke churn --body '45,70'
    """


@command.command("list")
@operation
def list_(session: Session) -> None:
    r"""List the spec's endpoints, and which deployments have how much of the traffic.

    \b
    Examples:
      scaffolder endpoints list
      scaffolder endpoints list --env prod --json
    """
    found = [*session.platform.endpoints.list()]
    session.show(lambda: render_endpoints(found), endpoints=found)


@command.command("show")
@click.argument("endpoint", metavar="ENDPOINT")
@operation
def show(session: Session, endpoint: str) -> None:
    r"""Show an endpoint and the deployments behind it.

    \b
    Examples:
      scaffolder endpoints show churn
    """
    found = session.platform.endpoints.show(endpoint)
    session.show(lambda: render_endpoint(found), endpoint=found)


@command.command("invoke")
@click.argument("endpoint", metavar="ENDPOINT")
@click.option("--body", metavar="TEXT", help="The request itself.")
@click.option(
    "--file", metavar="FILE", type=click.Path(path_type=Path), help="A file with the request; - is stdin."
)
@click.option(
    "--content-type", metavar="TYPE", help="What the request is, if its file's name does not say it."
)
@click.option("--deployment", metavar="NAME", help="Ask this deployment, whatever its traffic.")
@operation
def invoke(
    session: Session,
    endpoint: str,
    body: str | None,
    file: Path | None,
    content_type: str | None,
    deployment: str | None,
) -> None:
    r"""Send a request to an endpoint and print the answer as it came.

    A request is CSV unless --content-type or the file's name says otherwise.

    \b
    Examples:
      scaffolder endpoints invoke churn --body '45,70'
      scaffolder endpoints invoke churn --file rows.json --deployment v002
      head -5 rows.csv | scaffolder endpoints invoke churn --file -
    """
    answer = session.platform.endpoints.invoke(
        endpoint,
        request_body(body, file),
        content_type=content_type or content_type_of(file),
        deployment=deployment,
    )
    if session.as_json:
        session.show(
            lambda: (),
            endpoint=endpoint,
            body=answer.body,
            content_type=answer.content_type,
            served_by=answer.served_by,
        )
        return
    if answer.served_by:
        session.talk.say(f"answered by {answer.served_by}, {answer.content_type}")
    click.echo(answer.body, nl=not answer.body.endswith(b"\n"))


def request_body(body: str | None, file: Path | None) -> bytes:
    """Read a request.

    Raises:
        UsageError: neither is given, or both.
    """
    if (body is None) == (file is None):
        raise UsageError("give the request with --body TEXT or with --file FILE")
    if body is not None:
        return body.encode()
    if file is None or str(file) == "-":
        return sys.stdin.buffer.read()
    return file.read_bytes()


def content_type_of(file: Path | None) -> str:
    """Tell what a file holds by its name."""
    return CONTENT_TYPES.get(file.suffix.lower() if file else "", "text/csv")
