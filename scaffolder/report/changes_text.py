"""Writes changes for people: Terraform's marks, at most 80 columns, ASCII apart from the spec's own words.

May not compare anything, nor know a terminal: each line says what it is, and the command line colours it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Literal, TypeAlias

from scaffolder.report.arguments import ArgumentChange, Kind, ValueChange
from scaffolder.report.changes import (
    Action,
    BackendChange,
    Changes,
    EnvironmentChange,
    ResourceChange,
    StackChange,
)
from scaffolder.report.columns import shortened, width_of
from stacks.emit.expressions import bare

__all__ = ["COLUMNS", "Line", "Style", "render_changes"]

COLUMNS = 80
Style: TypeAlias = Literal["plain", "heading", "added", "changed", "replaced", "removed", "danger", "note"]
MARKS: dict[Action, str] = {"added": "+", "changed": "~", "replaced": "-/+", "removed": "-"}
_STACK, _RESOURCE, _ARGUMENT = 2, 4, 10
_GLUE = "\0"  # a space at which no line breaks; no text that we write has this character


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its line break, and what it is."""

    text: str
    style: Style = "plain"


UNCARRIED = {
    "Of the spec, and made in part:": True,
    "Of the spec, but in no stack of this version:": False,
}


def render_changes(changes: Changes) -> Iterator[Line]:
    """Yield the lines of a report, the totals last."""
    yield from _texts(f"{changes.old} -> {changes.new}", 0, "heading")
    for environment in changes.environments:
        yield Line("")
        yield from _environment(environment)
    yield Line("")
    yield from _totals(changes)


def _environment(environment: EnvironmentChange) -> Iterator[Line]:
    if environment.action == "changed":
        yield Line(f"environment {environment.name}", "heading")
    else:
        yield Line(f"{MARKS[environment.action]} environment {environment.name}", environment.action)
    for stack in environment.stacks:
        yield from _stack(stack)
    for head, in_part in UNCARRIED.items():
        intents = [intent for intent in environment.uncarried if intent.in_part is in_part]
        yield from _texts(head, _STACK, "note") if intents else ()
        for intent in intents:
            yield from _texts(f"{MARKS[intent.action]} {intent.intent}", _RESOURCE, "note")


def _stack(stack: StackChange) -> Iterator[Line]:
    yield Line(f"{' ' * _STACK}{MARKS[stack.action]} stack {stack.name}", stack.action)
    for path in stack.leaves_behind:
        text = f"! {path} changes: all that is deployed is in the old place; it stays there or is destroyed"
        yield from _texts(text, _RESOURCE, "danger")
    if stack.backend is not None:
        yield from _backend(stack.backend)
    for setting in stack.settings:
        yield from _value(setting, _RESOURCE, f"{MARKS[setting.kind]} {setting.path}")
    if stack.action == "changed":
        yield from _resources(stack.resources)
    else:
        yield from _whole(stack)
    for output in stack.outputs:
        yield from _value(output, _RESOURCE, f"{MARKS[output.kind]} output {output.path}")


def _backend(backend: BackendChange) -> Iterator[Line]:
    for change in backend.arguments:
        yield from _value(change, _RESOURCE, f"{MARKS[change.kind]} backend {change.path}")
    note = "The state moves: run `terraform init -migrate-state` in this stack before its next plan."
    yield from _texts(note, _ARGUMENT, "note")


def _resources(resources: Sequence[ResourceChange]) -> Iterator[Line]:
    """Show resources one by one; of data sources only those that are written otherwise."""
    for resource in resources:
        if resource.address.mode == "resource":
            yield _marked(resource, MARKS[resource.action])
            yield from _details(resource)
        elif any(not change.follows for change in resource.arguments):
            yield _marked(resource, "<=")
            yield from _details(resource)


def _marked(resource: ResourceChange, mark: str) -> Line:
    return Line(f"{' ' * _RESOURCE}{mark:>3} {resource.address}", resource.action)


def _whole(stack: StackChange) -> Iterator[Line]:
    """Show a stack that comes or goes as counts, and one by one only what there is more to say about."""
    counts: dict[str, int] = {}
    for resource in stack.resources:
        if resource.address.mode == "resource":
            counts[resource.address.type] = counts.get(resource.address.type, 0) + 1
    words = (f"{count}{_GLUE}{type_name}" for type_name, count in sorted(counts.items()))
    yield from _texts(f"{_counted(sum(counts.values()), 'resource')}: {', '.join(words)}", _RESOURCE)
    for resource in stack.resources:
        if details := [*_details(resource)]:
            yield _marked(resource, MARKS[resource.action])
            yield from details


def _details(resource: ResourceChange) -> Iterator[Line]:
    for lost in resource.loses:
        yield from _texts(f"! loses {lost}", _ARGUMENT, "danger")
    for path in resource.lowered:
        yield from _texts(f"! protection lowered: {path}", _ARGUMENT, "danger")
    for note in _notes(resource):
        yield from _texts(note, _ARGUMENT, "note")
    for change in resource.arguments:
        if not change.follows:
            ending = (
                "forces replacement"
                if change.forces
                else "ignored by ignore_changes"
                if change.ignored
                else ""
            )
            yield from _value(change, _ARGUMENT, f"{MARKS[change.kind]} {change.path}", ending)
    yield from _followed(resource.arguments)


def _notes(resource: ResourceChange) -> Iterator[str]:
    if resource.refused:
        yield "Terraform refuses this while the resource has prevent_destroy."
    if resource.moved_to:
        keep = (
            " To keep it: `terraform import` there, `terraform state rm` here." if resource.importable else ""
        )
        yield f"Moves to stack {resource.moved_to}, where it is made anew.{keep}"
    if resource.moved_from:
        yield f"Moves from stack {resource.moved_from}."
    if resource.renamed_to is not None:
        yield (
            f"Same arguments as the new {resource.renamed_to}. To keep it: `terraform state mv "
            f"{resource.address} {resource.renamed_to}` before the next plan."
        )


def _followed(arguments: Iterable[ArgumentChange]) -> Iterator[Line]:
    """One line for each argument that replaces by following, and one for the sources of all others."""
    others: dict[str, None] = {}
    for change in arguments:
        if change.follows and change.forces:
            yield from _forced_by(change)
        elif change.follows:
            others[change.follows] = None
    if others:
        first, *more = others
        rest = f" and {len(more)} more" if more else ""
        yield from _texts(f"~ follows {first}{rest}", _ARGUMENT, "plain")


def _forced_by(change: ArgumentChange) -> Iterator[Line]:
    head, source, tail = (
        f"{' ' * _ARGUMENT}~ {change.path}",
        f"follows {change.follows}",
        "  # forces replacement",
    )
    if len(head) + 1 + len(source) + len(tail) <= COLUMNS:
        yield Line(f"{head} {source}{tail}")
    else:
        yield Line(f"{head}:{tail}")
        yield Line(f"{' ' * (_ARGUMENT + 5)}{source}")


def _value(change: ValueChange, indent: int, head: str, ending: str = "") -> Iterator[Line]:
    """Show a path and its values on one line where they fit, else below each other."""
    style: Style = "plain" if indent == _ARGUMENT else change.kind
    tail = f"  # {ending}" if ending else ""
    values = _values(change)
    line = f"{' ' * indent}{head}: {' -> '.join(values)}{tail}"
    if width_of(line) <= COLUMNS:
        yield Line(line, style)
        return
    room = COLUMNS - indent - width_of(tail) - 1
    yield Line(f"{' ' * indent}{shortened(head, room)}:{tail}", style)
    for value, arrow in zip(values, ("   ", "-> "), strict=False):
        yield Line(f"{' ' * (indent + 2)}{arrow}{shortened(value, COLUMNS - indent - 5)}")


def _values(change: ValueChange) -> tuple[str, ...]:
    kinds: dict[Kind, tuple[str, ...]] = {
        "added": (bare(change.new),),
        "changed": (bare(change.old), bare(change.new)),
        "removed": (bare(change.old),),
    }
    return kinds[change.kind]


def _texts(text: str, indent: int, style: Style = "plain") -> Iterator[Line]:
    """Wrap words; what follows the first line is indented past its mark."""
    first, later = " " * indent, " " * (indent + 2)
    for line in wrap(text, COLUMNS, initial_indent=first, subsequent_indent=later, break_on_hyphens=False):
        yield Line(line.replace(_GLUE, " "), style)


def _totals(changes: Changes) -> Iterator[Line]:
    totals = changes.totals
    if changes.is_empty:
        yield Line("No changes to any stack.", "heading")
        return
    words = (
        f"{totals.added} to add, {totals.changed} to change, {totals.replaced} to replace, "
        f"{totals.removed} to remove."
    )
    yield Line(f"Resources: {words}", "heading")
    if totals.data_losing:
        yield Line(f"! {_counted(totals.data_losing, 'change')} may lose data or leave it behind.", "danger")
    if totals.lowered:
        yield Line(f"! {_counted(totals.lowered, 'protection')} lowered.", "danger")
    removed = [s for e in changes.environments for s in e.stacks if s.action == "removed"]
    if removed:
        note = (
            "A removed stack stays deployed until it is destroyed: run `terraform destroy` in the old output, "
            "the last stack first."
        )
        yield from _texts(note, 0, "note")


def _counted(number: int, noun: str) -> str:
    """Say how many of a noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
