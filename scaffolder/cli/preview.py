"""``scaffolder preview``: what a spec becomes, before anything is written.

Thin: synthesizes and prints. May not write a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from scaffolder.cli import options
from scaffolder.cli.terminal import print_json, tell_findings
from scaffolder.errors import SpecError
from scaffolder.pipeline import Synthesis, synthesize
from scaffolder.report.findings import promoted
from scaffolder.report.preview import PreviewJson, preview_as_json, render_preview

__all__ = ["DOCUMENT", "command"]

DOCUMENT = PreviewJson


@click.command(name="preview", short_help="Show the stacks and resources that a spec becomes.")
@options.spec
@options.environments
@click.option("--resources", is_flag=True, help="List every resource by its address, with what it is for.")
@options.findings_style()
@options.strict
@options.as_json
@click.pass_context
def command(
    context: click.Context,
    spec: Path,
    environments: Sequence[str],
    style: options.FindingsStyle,
    *,
    resources: bool,
    strict: bool,
    as_json: bool,
) -> None:
    r"""Show the stacks and resources that a spec becomes, and what it asks for that no stack carries.

    SPEC is platform.yaml when it is left out. Stacks are in deployment order. Needs no credentials and no network.

    \b
    Examples:
      scaffolder preview
      scaffolder preview platform.yaml --env dev --resources
      scaffolder preview --json | jq '.environments[].types'
    """
    synthesis: Synthesis | None = None
    try:
        synthesis = synthesize(spec, environments or None)
        findings = promoted(synthesis.warnings) if strict else synthesis.warnings
    except SpecError as error:
        findings = promoted(error.findings) if strict else error.findings
    refused = any(finding.severity == "error" for finding in findings)
    shown = None if refused else synthesis
    if as_json:
        print_json(preview_as_json(str(spec), shown, findings))
    else:
        if shown:
            click.echo("\n".join(render_preview(shown, resources=resources)).rstrip())
        tell_findings(findings, style, err=True)
    context.exit(SpecError.exit_code if refused else 0)
