"""What each cloud carries of what a spec may ask, and each provider of operations: matrices as text, Markdown and JSON.

Pure: reads what each lowering declares, and is given what providers do. May not know a cloud, a platform, or print.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from textwrap import wrap
from typing import TypeAlias, TypedDict, TypeVar

from scaffolder.errors import UsageError
from stacks.adapter import STACKS, idle_of, lowering_of
from stacks.intents import INTENT_TYPES, Support, SupportLevel, words_of
from stacks.record import record

__all__ = [
    "OPERATIONS",
    "STACKS_CARRY",
    "Line",
    "Meaning",
    "SupportJson",
    "lines_of",
    "render_support",
    "support_as_json",
    "support_as_markdown",
    "support_of",
]

One = TypeVar("One")
COLUMNS = 80
GAP = 2
FEW = 3
"""Columns that have place for the levels' own words."""
IN_FULL: Mapping[SupportLevel, str] = {level: level.value for level in SupportLevel}
IN_SHORT: Mapping[SupportLevel, str] = {
    **IN_FULL,
    SupportLevel.NOT_IMPLEMENTED: "not yet",
    SupportLevel.NOT_POSSIBLE: "cannot",
}
Meaning: TypeAlias = Mapping[SupportLevel, str]
STACKS_CARRY: Meaning = {
    SupportLevel.FULL: "the stacks carry it, and every key of it",
    SupportLevel.PARTIAL: "the stacks make a part of it; the reason names the rest",
    SupportLevel.NOT_POSSIBLE: "the cloud has nothing of the sort, or its provider no resource for it",
    SupportLevel.NOT_IMPLEMENTED: "this version does not",
}
OPERATIONS: Meaning = {
    SupportLevel.FULL: "it works, whole",
    SupportLevel.PARTIAL: "a part of it works; the reason names the rest",
    SupportLevel.NOT_POSSIBLE: "there is nothing of the sort; asked for, it is refused by name",
    SupportLevel.NOT_IMPLEMENTED: "this version does not do it there; asked for, it is refused by name",
}


@record
class Line:
    """A type of intent, or a capability, in words and in one sentence, and how far each column carries it."""

    subject: str
    doc: str
    support: Mapping[str, Support]
    idle: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Column → the fields that change nothing there, each with its reason."""


class CloudSupportJson(TypedDict):
    """How far a cloud carries an intent. `reason` is empty where `level` is `full`; `idle` fields change nothing."""

    level: str
    reason: str
    idle: dict[str, str]


class IntentSupportJson(TypedDict):
    """An intent, as `preview` names it, and the clouds by the name that `target.provider` has."""

    intent: str
    doc: str
    support: dict[str, CloudSupportJson]


class CapabilitySupportJson(TypedDict):
    """A capability of operations, and the providers by their names."""

    capability: str
    doc: str
    support: dict[str, CloudSupportJson]


class SupportJson(TypedDict):
    """Both matrices. `clouds` are those that have stacks in this version, `providers` those that have operations."""

    clouds: list[str]
    intents: list[IntentSupportJson]
    providers: list[str]
    operations: list[CapabilitySupportJson]


def support_of(providers: Sequence[str] = ()) -> tuple[Line, ...]:
    """Read what some clouds declare, or all that have stacks.

    Raises:
        UsageError: one of them has none.
    """
    declared = {}
    for provider in dict.fromkeys(providers or STACKS):
        lowering = lowering_of(provider)
        if lowering is None:
            raise UsageError(
                f'there are no stacks for "{provider}" in this version; there are for {", ".join(STACKS)}'
            )
        declared[provider] = lowering.support()
    idle = {provider: idle_of(provider) for provider in declared}
    return tuple(
        Line(
            subject=words_of(kind),
            doc=(kind.__doc__ or "").splitlines()[0].replace("``", "`"),
            support={provider: table[kind] for provider, table in declared.items()},
            idle={provider: table[kind] for provider, table in idle.items() if kind in table},
        )
        for kind in INTENT_TYPES
    )


def lines_of(tables: Mapping[str, Mapping[One, Support]], sentences: Mapping[One, str]) -> tuple[Line, ...]:
    """Turn tables of operations, by provider, into lines, by capability."""
    return tuple(
        Line(
            subject=str(capability),
            doc=sentence,
            support={provider: table[capability] for provider, table in tables.items()},
        )
        for capability, sentence in sentences.items()
    )


def render_support(lines: Sequence[Line]) -> Iterator[str]:
    """Write the table for people, and below it why something is not carried whole; nothing where there is no line."""
    if not lines:
        return
    clouds = [*lines[0].support]
    first = max(len(line.subject) for line in lines)
    shown = IN_FULL if len(clouds) <= FEW else IN_SHORT
    width = max(map(len, shown.values()))
    yield _row("", clouds, first, width)
    for line in lines:
        yield _row(line.subject, [shown[line.support[cloud].level] for cloud in clouds], first, width)
    for line in _not_whole(lines):
        yield ""
        yield line.subject
        for cloud, said in _said(line):
            yield from wrap(
                f"{cloud}, {said}",
                COLUMNS,
                initial_indent="  ",
                subsequent_indent="    ",
                break_long_words=False,
                break_on_hyphens=False,
            )


def _row(head: str, cells: Sequence[str], first: int, width: int) -> str:
    return "".join([f"{head:<{first}}", *(f"{'':{GAP}}{cell:<{width}}" for cell in cells)]).rstrip()


def _not_whole(lines: Sequence[Line]) -> Iterator[Line]:
    for line in lines:
        if line.idle or any(support.level is not SupportLevel.FULL for support in line.support.values()):
            yield line


def _said(line: Line, quote: str = "") -> Iterator[tuple[str, str]]:
    """Yield each column, and why it does not carry the line whole, or what of it changes nothing there."""
    for column, support in line.support.items():
        if support.level is not SupportLevel.FULL:
            yield column, f"{support.level}: {support.reason}"
        reasons: dict[str, list[str]] = {}
        for name, reason in line.idle.get(column, {}).items():
            reasons.setdefault(reason, []).append(f"{quote}{name}{quote}")
        for reason, names in reasons.items():
            yield (
                column,
                f"{', '.join(names)} {'changes' if len(names) == 1 else 'change'} nothing in the stacks: {reason}",
            )


def support_as_markdown(
    lines: Sequence[Line], *, of: str = "intent", meaning: Meaning = STACKS_CARRY, reasons: bool = True
) -> Iterator[str]:
    """Write the table for a page; with ``reasons``, what its words mean and why something is not carried whole."""
    if not lines:
        return
    clouds = [*lines[0].support]
    yield f"| {of} | " + " | ".join(f"`{cloud}`" for cloud in clouds) + " |"
    yield "|---|" + "---|" * len(clouds)
    for line in lines:
        yield f"| {line.subject} | " + " | ".join(_emphasized(line.support[cloud]) for cloud in clouds) + " |"
    if reasons:
        yield ""
        for level in SupportLevel:
            yield f"- {level}: {meaning[level]}"
        yield from _reasons(lines)


def _emphasized(support: Support) -> str:
    return support.level if support.level is SupportLevel.FULL else f"**{support.level}**"


def _reasons(lines: Sequence[Line]) -> Iterator[str]:
    for line in _not_whole(lines):
        yield ""
        yield f"## {line.subject}"
        yield ""
        yield line.doc
        yield ""
        for cloud, said in _said(line, "`"):
            yield f"- `{cloud}`, {said}"


def support_as_json(lines: Sequence[Line], operations: Sequence[Line]) -> SupportJson:
    """Make a document of JSON values."""
    return {
        "clouds": _columns(lines),
        "intents": [{"intent": line.subject, "doc": line.doc, "support": _levels(line)} for line in lines],
        "providers": _columns(operations),
        "operations": [
            {"capability": line.subject, "doc": line.doc, "support": _levels(line)} for line in operations
        ],
    }


def _columns(lines: Sequence[Line]) -> list[str]:
    return [*lines[0].support] if lines else []


def _levels(line: Line) -> dict[str, CloudSupportJson]:
    return {
        cloud: {
            "level": support.level.value,
            "reason": support.reason,
            "idle": {**line.idle.get(cloud, {})},
        }
        for cloud, support in line.support.items()
    }
