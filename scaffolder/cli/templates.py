"""``scaffolder templates``: which templates there are, what one asks, and what is wrong with one.

Thin: asks and prints. May not make a project, nor run anything of a template.
"""

from __future__ import annotations

from typing import TypedDict

import click

from scaffolder.cli import options
from scaffolder.cli.terminal import print_json, tell_findings
from scaffolder.errors import SpecError
from scaffolder.projects.catalog import Catalog, default_version, deprecation_of, entry_of
from scaffolder.projects.catalogs import chosen_catalog
from scaffolder.projects.choosing import split_version
from scaffolder.projects.listing import (
    ListedJson,
    TemplateJson,
    listed_as_json,
    listed_as_text,
    listed_templates,
    template_as_json,
    template_as_text,
)
from scaffolder.projects.sources import CatalogEntry, Source, named, open_catalog, open_template, versions
from scaffolder.projects.surveying import check_source
from scaffolder.report.findings import FindingJson, finding_as_json, promoted

__all__ = ["DOCUMENTS", "command"]


class TemplatesJson(TypedDict):
    """What `templates list --json` prints."""

    templates: list[ListedJson]


class TemplateCheckJson(TypedDict):
    """What `templates check --json` prints; a template is valid when no finding is an error."""

    template: str
    valid: bool
    files: int
    findings: list[FindingJson]


DOCUMENTS = {"list": TemplatesJson, "show": TemplateJson, "check": TemplateCheckJson}


@click.group("templates", short_help="List templates, show what one asks, and check one.")
def command() -> None:
    r"""List templates, show what one asks, and check one.

    A template is named as for `scaffolder new`: by its name, a folder (./model), a git repository
    (git+https://host/owner/name.git@v1.2.0#subdirectory=model), or the name of an entry of a catalog.

    \b
    Examples:
      scaffolder templates list
      scaffolder templates show model
      scaffolder templates check ./our-template
    """


@command.command("list")
@options.catalog
@options.as_json
def list_(catalog: str | None, *, as_json: bool) -> None:
    r"""List the templates of the catalog, and those that come with scaffolder.

    \b
    Examples:
      scaffolder templates list
      scaffolder templates list --catalog git+https://git.acme.io/catalog.git
      scaffolder templates list --json | jq -r '.templates[].name'
    """
    place = chosen_catalog(catalog or "")
    listed = listed_templates(place, _catalog(place))
    for each in listed:
        if each.problem:
            _say(f"{each.name}: {each.problem}")
    if as_json:
        print_json({"templates": listed_as_json(listed)})
    else:
        click.echo("\n".join(listed_as_text(listed)))


@command.command("show")
@click.argument("template", metavar="TEMPLATE[@VERSION]")
@options.catalog
@options.as_json
def show(template: str, catalog: str | None, *, as_json: bool) -> None:
    r"""Show a template: its questions with what is valid and the defaults, its versions, parts and files.

    \b
    Examples:
      scaffolder templates show model
      scaffolder templates show model@1.0.0 --json
      scaffolder templates show git+https://git.acme.io/t.git#subdirectory=model
    """
    place = chosen_catalog(catalog or "")
    name, version = split_version(template)
    source = named(name, catalog=place, say=_say)
    owner, instead, default = _published(source, version)
    found = open_template(source, version=version or default, say=_say)
    known = versions(source)
    if as_json:
        print_json({**template_as_json(found, known, owner=owner, deprecated=instead)})
    else:
        click.echo("\n".join(template_as_text(found, known, owner=owner, deprecated=instead)))


@command.command("check")
@click.argument("template", metavar="TEMPLATE[@VERSION]")
@options.catalog
@options.findings_style()
@options.strict
@options.as_json
@click.pass_context
def check(
    context: click.Context,
    template: str,
    catalog: str | None,
    style: options.FindingsStyle,
    *,
    strict: bool,
    as_json: bool,
) -> None:
    r"""Check a template and print everything that is wrong with it.

    A folder is checked as it is now, committed or not. Nothing of the template is run: it is rendered in a sandbox,
    with the defaults and with each choice.

    \b
    Examples:
      scaffolder templates check ./our-template
      scaffolder templates check ./our-template --strict --findings github
      scaffolder templates check gh:acme/templates#subdirectory=model
    """
    name, version = split_version(template)
    checked = check_source(named(name, catalog=chosen_catalog(catalog or ""), say=_say), version)
    findings = promoted(checked.findings) if strict else checked.findings
    wrong = any(finding.severity == "error" for finding in findings)
    if as_json:
        print_json(
            {
                "template": checked.where,
                "valid": not wrong,
                "files": checked.files,
                "findings": [finding_as_json(finding) for finding in findings],
            }
        )
    else:
        tell_findings(findings, style, err=False)
        if not findings:
            click.echo(f"{checked.where} is valid: {checked.files} files, nothing to say.")
    context.exit(SpecError.exit_code if wrong else 0)


def _say(told: str) -> None:
    click.echo(told, err=True)


def _catalog(place: str) -> Catalog | None:
    return open_catalog(place, say=_say) if place else None


def _published(source: Source, version: str) -> tuple[str, str, str]:
    """What a catalog says of a template: its owner, what to use instead, and the version of new projects."""
    if not isinstance(source, CatalogEntry):
        return "", "", ""
    catalog = open_catalog(source.catalog, say=_say)
    entry = entry_of(catalog, source.name)
    default = version or default_version(entry)
    return entry.owner or catalog.owner, deprecation_of(entry, default), default
