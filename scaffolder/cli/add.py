"""``scaffolder add``: gives a project one more template, such as CI, or a repository its first.

Thin, as :mod:`scaffolder.cli.update`, with which it shares how a merge is told. May not know a template's files.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from scaffolder import __version__
from scaffolder.cli import answers as asking
from scaffolder.cli import options
from scaffolder.cli.breaches import tell_unseen_pipelines
from scaffolder.cli.new import Templates
from scaffolder.cli.update import UpdateJson, finish, recovered, refuse_unready, say
from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.choosing import Chosen
from scaffolder.projects.record import find_project
from scaffolder.projects.updating import plan_addition

__all__ = ["DOCUMENT", "command"]

DOCUMENT = UpdateJson


class Additions(Templates):
    """A command for each template that can be added."""

    def command_for(self, found: Chosen, name: str) -> click.Command:
        def run(folder: Path, **flags: Any) -> None:
            _add(found, folder, flags)

        manifest = found.template.manifest
        return click.Command(
            name=name,
            callback=run,
            help=(
                f"{manifest.title} ({manifest.name} {found.template.version}), in a project that is there.\n\n"
                "What the project has answered already is not asked again. Nothing may be uncommitted; afterwards the "
                f"new files are staged.\n\n\b\nExamples:\n  scaffolder add {name}\n  scaffolder add {name} --dry-run\n"
            ),
            params=[
                click.Argument(["folder"], metavar="[DIR]", default=Path(), type=click.Path(path_type=Path)),
                *asking.flags_of(manifest),
                *asking.common_options(),
                click.Option(
                    ["--dry-run"], is_flag=True, help="Show what would change as a diff, and change nothing."
                ),
                click.Option(["as_json", "--json"], is_flag=True, help="Print one JSON document."),
            ],
        )


@click.group("add", cls=Additions, subcommand_metavar="TEMPLATE [DIR] [ARGS]...")
@options.catalog
@options.trust
def command(catalog: str | None, trust: bool) -> None:  # noqa: FBT001 - read from the context
    r"""Give a project one more template, such as CI.

    The repository may be one that scaffolder has not made. TEMPLATE is as for `scaffolder new`.

    \b
    Examples:
      scaffolder add ci
      scaffolder add ci --system gitlab
      scaffolder add ci --dry-run
    """


def _add(found: Chosen, folder: Path, flags: Mapping[str, Any]) -> None:
    project = _project(folder)
    recovered(project)
    given = asking.given_by(found.template.manifest, flags)
    asks = not (flags["defaults"] or flags["as_json"] or flags["dry_run"]) and sys.stdin.isatty()
    if asks:
        refuse_unready(project)
    plan = plan_addition(
        project,
        found,
        version=__version__,
        given=given,
        ask=asking.Person() if asks else None,
        say=say,
    )
    if not asks:
        asking.tell_defaults(plan.layers[-plan.own :])
    tell_unseen_pipelines(plan.project, plan.layers[-plan.own :])
    finish(plan, flags)


def _project(folder: Path) -> Path:
    """The folder that is named; where none is, the project that the current folder is in, if it is in one."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}. `scaffolder new` makes one.")
    if folder == Path():
        with suppress(TemplateError):
            return find_project(folder)
    return folder.absolute()
