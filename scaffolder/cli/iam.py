"""``scaffolder iam``: who may do what on a platform.

Thin: synthesizes, reads and prints. May not write a file, nor ask a cloud.
"""

from __future__ import annotations

from pathlib import Path

import click

from scaffolder.cli import options
from scaffolder.cli.terminal import print_json, tell_findings
from scaffolder.errors import Finding, SpecError, UsageError
from scaffolder.pipeline import synthesize
from scaffolder.report.access import AccessJson, EnvironmentAccess, access_as_json, accesses_of
from scaffolder.report.access_text import access_as_markdown, render_access

__all__ = ["DOCUMENT", "command"]

DOCUMENT = AccessJson


@click.command(name="iam", short_help="List who may do what: roles, actions and resources.")
@options.spec
@options.environments
@click.option("--role", "roles", metavar="ROLE", multiple=True, help="Only this role; may be repeated.")
@click.option("--markdown", is_flag=True, help="Print tables with a row for each action and resource.")
@options.as_json
@click.pass_context
def command(
    context: click.Context,
    spec: Path,
    environments: tuple[str, ...],
    roles: tuple[str, ...],
    *,
    markdown: bool,
    as_json: bool,
) -> None:
    r"""List who may do what on a platform.

    For each role: who may assume it, what it is allowed on which resources, and under which conditions; policies that
    are attached to a role are folded into it. Then the policies of buckets, keys, topics and network endpoints, and the
    ceilings over roles. Read from the stacks, overrides included; needs no account and no network.

    \b
    Examples:
      scaffolder iam
      scaffolder iam platform.yaml --env prod --role ci-deploy
      scaffolder iam --markdown > iam.md
      scaffolder iam --json | jq '.environments[].roles[] | {role, trust}'
    """
    if markdown and as_json:
        raise UsageError("--json and --markdown exclude each other")
    accesses: tuple[EnvironmentAccess, ...] = ()
    findings: tuple[Finding, ...]
    try:
        synthesis = synthesize(spec, environments or None)
    except SpecError as error:
        findings, code = tuple(error.findings), error.exit_code
    else:
        findings, code = synthesis.warnings, 0
        accesses = accesses_of(synthesis, roles)
    if as_json:
        print_json(access_as_json(str(spec), accesses, findings))
    else:
        lines = access_as_markdown(accesses) if markdown else render_access(accesses)
        if text := "\n".join(lines).rstrip():
            click.echo(text)
        tell_findings(findings, "human", err=True)
    context.exit(code)
