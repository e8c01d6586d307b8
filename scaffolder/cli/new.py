"""``scaffolder new``: a project from a template, with a command of its own for each.

A template's questions are its command's options. Thin: collects answers from flags, from a file, from a person at a
terminal or from the defaults, and lets the project be made. May not know a template's files.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

import click

from scaffolder import __version__
from scaffolder.cli import answers as asking
from scaffolder.cli import options
from scaffolder.cli.breaches import tell_breaches, tell_unseen_pipelines
from scaffolder.cli.terminal import print_json
from scaffolder.errors import ScaffolderError
from scaffolder.projects.checkout import top_of
from scaffolder.projects.choosing import Chosen, chosen
from scaffolder.projects.making import Made, make_project
from scaffolder.projects.template import built_in_names

__all__ = ["DOCUMENT", "Templates", "command"]


class LayerJson(TypedDict):
    """A template of the project: where it is from, its version and the answers to its questions."""

    template: str
    source: str
    version: str
    commit: str
    answers: dict[str, str | bool]


class NewJson(TypedDict):
    """What `new --json` prints; `files` are paths in `folder`. `dry_run` says that nothing was written."""

    template: str
    folder: str
    answers: dict[str, str | bool]
    layers: list[LayerJson]
    files: list[str]
    dry_run: bool


DOCUMENT = NewJson

COMMITTING = 'git init && git add --all && git commit -m "Start"   # updates need git'


class Templates(click.Group):
    """A command for each template; one that is not listed is named by its source."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return [*built_in_names()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        given = ctx.params
        found = chosen(
            cmd_name,
            catalog=given.get("catalog") or "",
            trust=bool(given.get("trust")),
            say=lambda told: click.echo(told, err=True),
        )
        made = self.command_for(found, cmd_name)
        made.params += [option for option in self.params if option.name == "debug"]
        return made

    def command_for(self, found: Chosen, name: str) -> click.Command:
        """The command of one template."""
        return _command_for(found, name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from scaffolder.projects.sources import BuiltIn, open_template  # noqa: PLC0415 - only for the help

        with formatter.section("Templates"):
            formatter.write_dl(
                [(name, open_template(BuiltIn(name=name)).manifest.title) for name in self.list_commands(ctx)]
            )

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return args[0], self.get_command(ctx, args[0]), args[1:]
        except ScaffolderError:
            if ctx.resilient_parsing:  # a shell completes what is not written yet
                return None, None, []
            raise


@click.group("new", cls=Templates, subcommand_metavar="TEMPLATE DIR [ARGS]...")
@options.catalog
@options.trust
def command(catalog: str | None, trust: bool) -> None:  # noqa: FBT001 - read from the context
    r"""Start a project from a template.

    TEMPLATE is a name below or in the catalog, a folder (./model), or a git repository:
    git+https://host/owner/name.git@v1.2.0#subdirectory=model. Its questions are options: see TEMPLATE --help.

    \b
    Examples:
      scaffolder new platform churn
      scaffolder new model --help
      scaffolder new ./our-template churn --defaults
      scaffolder new --catalog ./catalog.yaml model churn
    """


def _command_for(found: Chosen, name: str) -> click.Command:
    def run(folder: Path, **flags: Any) -> None:
        _make(found, folder, flags)

    manifest = found.template.manifest
    return click.Command(
        name=name,
        callback=run,
        help=_help(found, name),
        params=[
            click.Argument(["folder"], metavar="DIR", type=click.Path(path_type=Path)),
            *asking.flags_of(manifest),
            *asking.common_options(),
            click.Option(["--dry-run"], is_flag=True, help="Show what would be made, and make nothing."),
            click.Option(["as_json", "--json"], is_flag=True, help="Print one JSON document."),
        ],
    )


def _help(found: Chosen, name: str) -> str:
    manifest = found.template.manifest
    shown = found.template.version
    return (
        f"{manifest.title} ({manifest.name} {shown}).\n\n"
        "What no flag answers is asked at a terminal; elsewhere, and with --defaults, the default is taken and said.\n\n"
        f"\b\nExamples:\n  scaffolder new {name} churn\n  scaffolder new {name} churn --defaults --dry-run\n"
        f"  scaffolder new {name} churn --answers answers.yaml\n"
    )


def _make(found: Chosen, folder: Path, flags: Mapping[str, Any]) -> None:
    manifest = found.template.manifest
    given = asking.given_by(manifest, flags)
    as_json, dry_run = bool(flags["as_json"]), bool(flags["dry_run"])
    asks = not flags["defaults"] and not as_json and sys.stdin.isatty()
    made = make_project(
        folder.absolute(),
        found,
        version=__version__,
        given=given,
        ask=asking.Person() if asks else None,
        dry_run=dry_run,
        called=str(folder),
    )
    if not asks:
        asking.tell_defaults(made.layers)
    tell_breaches(made.breaches)
    tell_unseen_pipelines(folder, made.layers)
    if as_json:
        print_json({**_document(made, dry_run=dry_run)})
    else:
        _tell(folder, made, dry_run=dry_run)


def _document(made: Made, *, dry_run: bool) -> NewJson:
    layers = [
        LayerJson(
            template=layer.template.name,
            source=layer.template.source,
            version=layer.template.version,
            commit=layer.template.commit,
            answers=dict(layer.answers),
        )
        for layer in made.layers
    ]
    return NewJson(
        template=layers[0]["template"],
        folder=str(made.folder),
        answers=layers[0]["answers"],
        layers=layers,
        files=list(made.files),
        dry_run=dry_run,
    )


def _tell(folder: Path, made: Made, *, dry_run: bool) -> None:
    click.echo(f"{folder}{' would be made with' if dry_run else ':'} {len(made.files)} files")
    for name in made.files:
        click.echo(f"  {name}")
    next_steps = _next_steps(folder, made)
    if dry_run or not next_steps:
        return
    click.echo("Next:")
    for line in next_steps:
        click.echo(f"  {line}")


def _next_steps(folder: Path, made: Made) -> list[str]:
    """What the template says, and to begin a repository where there is none: `update` needs one."""
    steps = asking.printable_lines(made.next)
    if top_of(folder):
        return steps
    enter = " ".join(asking.printable_lines(f"cd {shlex.quote(str(folder))}"))
    if enter not in steps:
        steps.insert(0, enter)
    steps.insert(steps.index(enter) + 1, COMMITTING)
    return steps
