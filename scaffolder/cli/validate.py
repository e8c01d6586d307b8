"""``scaffolder validate``: everything that is wrong with specs.

Thin: checks as far as ``synth`` would and prints. May not write a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import click
from click.core import ParameterSource

from scaffolder.cli import options
from scaffolder.cli.terminal import JsonList, Progress, tell_findings
from scaffolder.errors import Finding, ScaffolderError, SpecError, UsageError
from scaffolder.pipeline import check
from scaffolder.report.findings import FindingJson, finding_as_json, promoted
from stacks.record import record

if TYPE_CHECKING:
    from scaffolder.policies.model import Policy

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
@click.option(
    "--catalog",
    metavar="PLACE",
    envvar=options.CATALOG_VARIABLE,
    show_envvar=True,
    help="Hold specs to the policies of a catalog's file or folder, not to those that their projects keep.",
)
@options.findings_style("--format")
@options.strict
@options.as_json
@click.pass_context
def command(
    context: click.Context,
    specs: Sequence[Path],
    environments: Sequence[str],
    catalog: str | None,
    style: options.FindingsStyle,
    *,
    strict: bool,
    as_json: bool,
) -> None:
    r"""Check specs and print everything that is wrong with them.

    SPEC is platform.yaml when it is left out. What is valid can be synthesized: names are held to the services'
    limits, and overrides to the provider's schema, without credentials or the network. The whole file is checked;
    with --env, what only the target's services refuse is looked for in those environments.

    A project that was made from a catalog keeps that catalog's policies, and its specs are held to them. With
    --catalog, a platform team's CI holds any spec to the catalog itself, whatever a project keeps.

    \b
    Examples:
      scaffolder validate
      scaffolder validate teams/*/platform.yaml --strict
      scaffolder validate --format github
      scaffolder validate teams/*/platform.yaml --catalog ../catalog
    """
    policies = _policies(context, catalog)
    checks = _checks(specs or (options.DEFAULT_SPEC,), environments, policies, strict=strict)
    codes = [*_as_json(checks)] if as_json else [*_in_words(checks, style)]
    context.exit(SpecError.exit_code if SpecError.exit_code in codes else max(codes))


def _policies(context: click.Context, catalog: str | None) -> Sequence[Policy] | None:
    """A catalog's policies; ``None`` for those that each project keeps.

    Raises:
        SpecError: the catalog has findings.
        UsageError: it is in a repository, which is not fetched here. The variable may name such a one for ``new``.
    """
    if catalog is None:
        return None
    from scaffolder.projects.catalog import read_catalog  # noqa: PLC0415 - few have one
    from scaffolder.projects.spelling import catalog_place  # noqa: PLC0415

    place = Path(catalog_place(catalog))
    if not place.is_absolute():
        if context.get_parameter_source("catalog") is ParameterSource.ENVIRONMENT:
            return None
        raise UsageError(
            f"--catalog {catalog} is a repository, and validate fetches nothing. Clone it, and name its folder."
        )
    loaded = read_catalog(Path(catalog))
    tell_findings(loaded.warnings, "human", err=True)
    return loaded.catalog.policies


def _checks(
    specs: Sequence[Path], environments: Sequence[str], policies: Sequence[Policy] | None, *, strict: bool
) -> Iterator[Checked]:
    progress = Progress(len(specs))
    for number, spec in enumerate(specs):
        progress.step(number, str(spec))
        checked = _checked(spec, environments, policies)
        progress.clear()
        yield replace(checked, findings=promoted(checked.findings)) if strict else checked


def _checked(spec: Path, environments: Sequence[str], policies: Sequence[Policy] | None) -> Checked:
    try:
        synthesis = check(spec, environments or None, policies=policies)
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
