"""``scaffolder status``: how far behind their templates projects are, and whether an update would merge cleanly.

Thin: finds, looks and prints. May not change a project.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict

import click

from scaffolder import __version__
from scaffolder.cli import options
from scaffolder.cli.terminal import print_json
from scaffolder.errors import UsageError
from scaffolder.projects.rendering import processors
from scaffolder.projects.spelling import expanded
from scaffolder.projects.status import Look, ProjectStatusJson, find_projects, statuses
from scaffolder.projects.tree import shown_path
from scaffolder.report.columns import shortened

__all__ = ["DOCUMENT", "command"]

COLUMNS = 80
NAME, TEMPLATE = 26, 34

SAYS = {
    "current": "up to date",
    "clean": "merges cleanly",
    "conflicts": "would conflict",
    "blocked": "blocked",
    "failed": "failed",
}


class StatusJson(TypedDict):
    """What `status --json` prints. `state` is current, clean, conflicts, blocked or failed."""

    projects: list[ProjectStatusJson]


DOCUMENT = StatusJson


@click.command("status")
@click.argument("folders", metavar="[DIR]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "listed",
    "--list",
    type=click.Path(path_type=Path, allow_dash=True),
    metavar="FILE",
    help="A file with a folder on each line; - for standard input.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many projects at a time; as many as there are cores.",
)
@options.catalog
@options.trust
@options.as_json
def command(
    folders: tuple[Path, ...],
    listed: Path | None,
    *,
    jobs: int | None,
    catalog: str | None,
    trust: bool,
    as_json: bool,
) -> None:
    r"""Say how far behind their templates projects are, and whether an update would merge cleanly.

    Projects are looked for in the folders and below them. Nothing is changed: git merges in a place of its own.

    \b
    Examples:
      scaffolder status
      scaffolder status ~/repositories
      scaffolder status --list repositories.txt --json
    """
    places = [*folders, *_listed(listed)] or [Path()]
    look = Look(version=__version__, catalog=catalog or "", trust=trust, jobs=jobs or processors())
    found = list(statuses(find_projects(places), look))
    if as_json:
        print_json({"projects": found})
    else:
        _tell(found)


def _listed(path: Path | None) -> list[Path]:
    """The folders of a list, which are relative to the list's own."""
    if path is None:
        return []
    if str(path) == "-":
        text, base = sys.stdin.read(), Path()
    else:
        try:
            text, base = path.read_text(encoding="utf-8-sig"), path.parent
        except OSError as error:
            raise UsageError(f"the list {path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"the list {path} is not UTF-8. Save it as UTF-8.") from error
    lines = [line.strip() for line in text.splitlines()]
    return [base / expanded(line) for line in lines if line and not line.startswith("#")]


def _tell(found: Sequence[ProjectStatusJson]) -> None:
    for project in found:
        name = shortened(shown_path(project["name"] or Path(project["project"]).name), NAME)
        layers = project["layers"]
        first = _template(project, 0) if layers else ""
        says = SAYS[project["state"]]
        click.echo(f"{name:<{NAME}} {first:<{TEMPLATE}} {says}".rstrip())
        for number in range(1, len(layers)):
            click.echo(f"{'':<{NAME}} {_template(project, number)}")
        for path in project["conflicts"]:
            click.echo(shortened(f"  C {shown_path(path)}", COLUMNS))
        for line in project["message"].splitlines():
            click.echo(f"  {line}")
    behind = sum(1 for project in found if any(layer["behind"] for layer in project["layers"]))
    click.echo(f"{len(found)} project{'' if len(found) == 1 else 's'}, {behind} behind")


def _template(project: ProjectStatusJson, number: int) -> str:
    layer = project["layers"][number]
    told = f"{layer['template']} {layer['version']}"
    if layer["behind"]:
        told += f" → {layer['newest']} ({layer['behind']} behind)"
    return shortened(shown_path(told), TEMPLATE)
