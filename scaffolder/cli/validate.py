"""``scaffolder validate``: everything that is wrong with specs.

Thin: checks as far as ``synth`` would and prints. May not write a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypedDict

import click

from scaffolder.cli import options
from scaffolder.cli.terminal import JsonList, Progress, tell_findings
from scaffolder.errors import Finding, ScaffolderError, SpecError
from scaffolder.pipeline import check
from scaffolder.report.findings import FindingJson, finding_as_json, promoted
from stacks.record import record

__all__ = ["DOCUMENT", "command"]


class CheckedJson(TypedDict):
    """One spec; `error` is what kept it from being checked to the end, other than a finding, or null."""

    spec: str
    valid: bool
    platform: str | None
    environments: list[str]
    findings: list[FindingJson]
    error: str | None


class ValidateJson(TypedDict):
    """What `validate --json` prints."""

    specs: list[CheckedJson]


DOCUMENT = ValidateJson


@record
class Checked:
    """What a check found; ``error`` is a refusal that has no place in the file."""

    spec: Path
    platform: str | None = None
    environments: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: ScaffolderError | None = None

    @property
    def exit_code(self) -> int:
        if any(finding.severity == "error" for finding in self.findings):
            return SpecError.exit_code
        return self.error.exit_code if self.error else 0


@click.command(name="validate", short_help="Check specs and print everything that is wrong with them.")
@options.specs
@options.environments
@options.findings_style("--format")
@options.strict
@options.as_json
@click.pass_context
def command(
    context: click.Context,
    specs: Sequence[Path],
    environments: Sequence[str],
    style: options.FindingsStyle,
    *,
    strict: bool,
    as_json: bool,
) -> None:
    r"""Check specs and print everything that is wrong with them.

    SPEC is platform.yaml when it is left out. What is valid can be synthesized: names are held to the services'
    limits, and overrides to the provider's schema, without credentials or the network. The whole file is checked;
    with --env, what only the target's services refuse is looked for in those environments.

    \b
    Examples:
      scaffolder validate
      scaffolder validate teams/*/platform.yaml --strict
      scaffolder validate --format github
    """
    checks = _checks(specs or (options.DEFAULT_SPEC,), environments, strict=strict)
    codes = [*_as_json(checks)] if as_json else [*_in_words(checks, style)]
    context.exit(SpecError.exit_code if SpecError.exit_code in codes else max(codes))


def _checks(specs: Sequence[Path], environments: Sequence[str], *, strict: bool) -> Iterator[Checked]:
    progress = Progress(len(specs))
    for number, spec in enumerate(specs):
        progress.step(number, str(spec))
        checked = _checked(spec, environments)
        progress.clear()
        yield replace(checked, findings=promoted(checked.findings)) if strict else checked


def _checked(spec: Path, environments: Sequence[str]) -> Checked:
    try:
        synthesis = check(spec, environments or None)
    except SpecError as error:
        return Checked(spec=spec, findings=error.findings)
    except ScaffolderError as error:
        return Checked(spec=spec, error=error)
    return Checked(
        spec=spec,
        platform=synthesis.environments[0].platform.name,
        environments=tuple(environment.name for environment in synthesis.environments),
        findings=synthesis.warnings,
    )


def _as_json(checks: Iterator[Checked]) -> Iterator[int]:
    """Print the document and yield each spec's exit code."""
    document = JsonList({}, "specs")
    for checked in checks:
        item: CheckedJson = {
            "spec": str(checked.spec),
            "valid": not checked.exit_code,
            "platform": checked.platform,
            "environments": [*checked.environments],
            "findings": [finding_as_json(finding) for finding in checked.findings],
            "error": str(checked.error) if checked.error else None,
        }
        document.add(item)
        yield checked.exit_code
    document.close()


def _in_words(checks: Iterator[Checked], style: options.FindingsStyle) -> Iterator[int]:
    """Print each spec's findings, or that it is valid, and yield its exit code."""
    for checked in checks:
        tell_findings(checked.findings, style, err=False)
        if checked.error:
            click.echo(f"{checked.spec}: error: {checked.error}", err=True)
        elif not checked.exit_code:
            click.echo(f"{checked.spec} is valid: {checked.platform} ({', '.join(checked.environments)})")
        yield checked.exit_code
