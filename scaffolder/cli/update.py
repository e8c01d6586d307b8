"""``scaffolder update`` and ``scaffolder add``: a project gets newer or further templates, and keeps its owners' work.

Thin: plans, merges, tells and applies. May not know how git merges.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

import click

from scaffolder import __version__
from scaffolder.cli import answers as asking
from scaffolder.cli import options
from scaffolder.cli.breaches import tell_breaches
from scaffolder.cli.terminal import print_json
from scaffolder.projects import checkout
from scaffolder.projects.applying import apply, recover
from scaffolder.projects.making import breaches_of
from scaffolder.projects.merge import Merge, three_way
from scaffolder.projects.record import find_project
from scaffolder.projects.tree import shown_path
from scaffolder.projects.updating import Plan, Wish, plan_update
from scaffolder.report.columns import shortened

__all__ = ["CONFLICTS", "DOCUMENT", "command", "finish", "recovered", "refuse_unready"]

WOULD_CHANGE, CONFLICTS = 1, 8
COLUMNS = 80
MARKS = {"added": "A", "changed": "M", "deleted": "D", "moved": "R"}


class StepJson(TypedDict):
    """A template of the project: its version before and after, empty where it comes or goes."""

    template: str
    before: str
    after: str
    says: list[str]


class ChangeJson(TypedDict):
    """A file that changes; `origin` is where a moved one was."""

    path: str
    kind: str
    origin: str


class ConflictJson(TypedDict):
    """A file that both sides changed so that git does not know what is right."""

    path: str
    kind: str
    message: str


class UpdateJson(TypedDict):
    """What `update --json` and `add --json` print. `state` is current, clean or conflicts."""

    project: str
    state: str
    steps: list[StepJson]
    changes: list[ChangeJson]
    conflicts: list[ConflictJson]
    notes: list[str]
    applied: bool


DOCUMENT = UpdateJson


@click.command("update")
@click.argument("folder", metavar="[DIR]", default=Path(), type=click.Path(path_type=Path))
@click.option("--to", metavar="VERSION", default="", help="The version to go to; the newest, when left out.")
@click.option(
    "--check",
    is_flag=True,
    help="Only say whether an update would change something: exit code 1, or 8 with conflicts.",
)
@click.option("--dry-run", is_flag=True, help="Show what would change as a diff, and change nothing.")
@click.option(
    "answers_file",
    "--answers",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A YAML file of other answers.",
)
@click.option(
    "pairs",
    "--set",
    multiple=True,
    metavar="NAME=VALUE",
    help="Another answer to a question; may be repeated.",
)
@click.option("--defaults", is_flag=True, help="Ask nothing: take the default of what a newer template asks.")
@options.catalog
@options.trust
@options.as_json
def command(folder: Path, **flags: Any) -> None:
    r"""Bring a project to newer templates, and keep what its owners changed.

    The project is rendered as it was and as it would be now; git merges the difference into it, as it merges a branch.
    Nothing may be uncommitted. Afterwards the changes are staged: look at them with git diff --cached, and commit.
    Where both sides changed the same lines, git's own markers stand in the file, and the exit code is 8.

    \b
    Examples:
      scaffolder update --check
      scaffolder update --dry-run
      scaffolder update
      scaffolder update --to 2.0.0
      scaffolder update --set ci=gitlab
    """
    project = find_project(folder)
    recovered(project)
    asks = _asks(flags)
    if asks:
        refuse_unready(project)
    wish = Wish(
        to=flags["to"],
        given=asking.loose_answers(flags),
        ask=asking.Person() if asks else None,
        catalog=flags["catalog"] or "",
        trust=flags["trust"],
    )
    plan = plan_update(project, wish, __version__, say)
    finish(plan, flags)


def say(told: str) -> None:
    """Talk, on stderr."""
    click.echo(shown_path(told) if len(told) < 100 else told, err=True)


def _asks(flags: Mapping[str, Any]) -> bool:
    quiet = flags["defaults"] or flags["as_json"] or flags.get("check") or flags["dry_run"]
    return not quiet and sys.stdin.isatty()


def recovered(project: Path) -> None:
    """Finish what a killed update left half done, and say so."""
    told = recover(project)
    if told == "finished":
        click.echo("An update that was interrupted has been finished: look at it with git status.", err=True)


def refuse_unready(project: Path) -> None:
    """Refuse a project that cannot be updated before anybody is asked a question."""
    found = checkout.find_checkout(project)
    checkout.refuse_unready(found, checkout.tracked_files(found))


def finish(plan: Plan, flags: Mapping[str, Any]) -> None:
    """Merge a plan with the project, tell what changes, and apply it unless that is not wanted."""
    only_look = bool(flags.get("check") or flags["dry_run"])
    if plan.is_idle:
        checkout.refuse_unresolved(plan.project)  # what an update before this one left is not "up to date"
        if flags["as_json"]:
            print_json({**_document(plan, None, applied=False)})
        else:
            click.echo(f"{_named(plan)} is up to date.")
        return
    with three_way(plan.project, plan.base, plan.new, plan.renames, label_new=plan.label) as merge:
        applied = not only_look and bool(merge.changes or merge.conflicts)
        if flags["dry_run"] and not flags["as_json"]:
            click.echo(merge.diff(), nl=False)
        if applied:
            apply(merge)
        if flags["as_json"]:
            print_json({**_document(plan, merge, applied=applied)})
        else:
            _tell(plan, merge, applied=applied, quiet=flags["dry_run"])
        if applied:
            tell_breaches(breaches_of(plan.project))
        context = click.get_current_context()
        if not merge.clean:
            context.exit(CONFLICTS)
        if flags.get("check") and merge.changes:
            context.exit(WOULD_CHANGE)


def _named(plan: Plan) -> str:
    layers = [f"{layer.template.name} {layer.template.version}" for layer in plan.layers if not layer.part]
    return f"{plan.after.project} ({', '.join(layers)})"


def _document(plan: Plan, merge: Merge | None, *, applied: bool) -> UpdateJson:
    state = "current" if merge is None or not merge.changes else "clean" if merge.clean else "conflicts"
    return UpdateJson(
        project=str(plan.project),
        state=state,
        steps=[
            StepJson(template=step.template, before=step.before, after=step.after, says=list(step.says))
            for step in plan.steps
        ],
        changes=[
            ChangeJson(path=change.path, kind=change.kind, origin=change.origin)
            for change in (merge.changes if merge else ())
        ],
        conflicts=[
            ConflictJson(path=conflict.path, kind=conflict.kind, message=conflict.message)
            for conflict in (merge.conflicts if merge else ())
        ],
        notes=list(merge.notes) if merge else [],
        applied=applied,
    )


def _tell(plan: Plan, merge: Merge, *, applied: bool, quiet: bool) -> None:
    """What the update does, for people: on stdout, but with a diff there on stderr."""

    def tell(line: str = "") -> None:
        click.echo(line, err=quiet)

    for step in plan.steps:
        tell(_step(step.template, step.before, step.after))
        for words in step.says:
            for line in asking.printable_lines(words):
                tell(f"  {line}")
    conflicting = {conflict.path for conflict in merge.conflicts}
    changes = [change for change in merge.changes if change.path not in conflicting]
    tell(f"{_counted(len(changes), 'file')} {'changed' if applied else 'would change'}")
    for change in changes:
        origin = f" (was {change.origin})" if change.origin else ""
        tell(shortened(f"  {MARKS[change.kind]} {shown_path(change.path)}{origin}", COLUMNS))
    if merge.conflicts:
        verb = "would conflict" if not applied else "conflicts" if len(conflicting) == 1 else "conflict"
        tell(f"{_counted(len(conflicting), 'file')} {verb}")
        for conflict in merge.conflicts:
            tell(f"  C {shown_path(conflict.path)}")
            tell(f"    {shown_path(conflict.message)}")
    for note in merge.notes:
        tell(f"note: {note}")
    if merge.left_out:
        tell(
            f"note: left out, since git ignores {'it' if len(merge.left_out) == 1 else 'them'} here: {', '.join(merge.left_out)}"
        )
    if not applied:
        return
    if merge.clean:
        tell("Next: look at it with git diff --cached, and commit it. To undo it: git reset --hard")
    else:
        tell("Next: solve the conflicts (git status lists them), git add the files, and commit.")
        tell("To undo the whole update: git reset --hard")


def _step(template: str, before: str, after: str) -> str:
    if not before:
        return f"{template} {after}, which is new here"
    if not after:
        return f"{template} {before} goes"
    return f"{template} {before}" if before == after else f"{template} {before} → {after}"


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
