"""The kinds that the vocabulary's keys have, how a tree of nodes is read by them, and ``key``, which declares one.

A closed union of frozen values. May not know which keys there are.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from functools import cache
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, assert_never

from scaffolder.spec.nodes import (
    List,
    Mark,
    Node,
    Path,
    Report,
    Scalar,
    Tree,
    dotted,
    is_hidden,
    nearest,
    plain,
    printable,
    quoted,
    shown,
)
from scaffolder.spec.scalars import (
    Boolean,
    Choice,
    Cidr,
    Cron,
    Duration,
    Email,
    Instance,
    Integer,
    Number,
    Refused,
    RelativePath,
    ScalarKind,
    Str,
)
from stacks.record import record

__all__ = [
    "INVALID",
    "Anything",
    "Boolean",
    "Choice",
    "Cidr",
    "Cron",
    "Duration",
    "Each",
    "Either",
    "Email",
    "Instance",
    "Integer",
    "Key",
    "Kind",
    "Number",
    "RelativePath",
    "ScalarKind",
    "Section",
    "Str",
    "Table",
    "default_of",
    "key",
    "keys_of",
    "read",
    "summary_of",
    "valid",
]


class _Invalid(Enum):
    """What is read from a node that has findings."""

    INVALID = "invalid"


INVALID: Final = _Invalid.INVALID
Invalid: TypeAlias = Literal[_Invalid.INVALID]


@dataclass(frozen=True, slots=True)
class Anything:
    """Any value, as it is written."""


@record
class Each:
    """A list of one kind; read as a tuple."""

    kind: Kind
    minimum: int = 0
    maximum: int
    unique: bool = False

    def __init__(self, kind: Kind, *, minimum: int = 0, maximum: int, unique: bool = False) -> None:
        for name, value in (("kind", kind), ("minimum", minimum), ("maximum", maximum), ("unique", unique)):
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True, init=False)
class Either:
    """One of several kinds, the first that fits."""

    kinds: tuple[Kind, ...]

    def __init__(self, *kinds: Kind) -> None:
        object.__setattr__(self, "kinds", kinds)


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with the keys of one class of the vocabulary. ``elsewhere`` are keys that were read before."""

    model: type[object]
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A mapping with names of the user's own; read as an immutable mapping in the file's order."""

    name: Str
    kind: Kind
    minimum: int = 0
    maximum: int = 1000


Kind: TypeAlias = "Anything | Each | Either | Section | Table | ScalarKind"


@record
class Key:
    """A key of a section: its kind, its sentence of documentation, and whether it must be there."""

    name: str
    kind: Kind
    doc: str
    required: bool
    default: object


def key(
    kind: Kind, doc: str, *, required: bool = False, default: object = MISSING
) -> Any:  # the field's own type
    """Declare a key of the vocabulary.

    A class or an empty mapping as ``default`` is made anew for each use.
    """
    metadata = {"kind": kind, "doc": doc, "required": required}
    if required:
        return field(metadata=metadata)
    if isinstance(default, type):
        return field(default_factory=default, metadata=metadata)
    if isinstance(default, dict):
        return field(default_factory=_nothing, metadata=metadata)
    return field(default=default, metadata=metadata)


def _nothing() -> Mapping[str, object]:
    return MappingProxyType({})


def keys_of(model: type[object]) -> Mapping[str, Key]:
    """The keys of a section, in the order of its class."""
    return _keys_of(model)  # type: ignore[arg-type]  # a class can be hashed


@cache
def _keys_of(model: Hashable) -> Mapping[str, Key]:
    keys = {}
    for item in fields(model):  # type: ignore[arg-type]  # a section's model is a dataclass
        default = item.default_factory() if item.default_factory is not MISSING else item.default
        default = None if default is MISSING else default
        keys[item.name] = Key(
            name=item.name,
            kind=item.metadata["kind"],
            doc=item.metadata["doc"],
            required=item.metadata["required"],
            default=default,
        )
    return MappingProxyType(keys)


def default_of(key: Key) -> object:
    """A key's default as JSON has it; ``None`` where leaving it out is a state of its own, or a value is required."""
    default = key.default
    if isinstance(key.kind, Section):
        return {} if default is not None else None
    if isinstance(default, Mapping):
        return dict(default)
    return list(default) if isinstance(default, tuple) else default


def summary_of(model: type[object]) -> str:
    """The first line of a section's docstring."""
    return (model.__doc__ or "").partition("\n")[0]


def valid(kind: Kind) -> str:
    """Say in a few words what is valid."""
    match kind:
        case Anything():
            return "any value"
        case Each(minimum=minimum, maximum=maximum):
            return f"a list of {minimum} to {maximum} items, each {valid(kind.kind)}"
        case Either(kinds=kinds):
            return ", or ".join(map(valid, kinds))
        case Section(model=model):
            return f"a mapping with {', '.join(sorted(keys_of(model)))}"
        case Table(kind=Section()):
            return "a mapping of names to mappings"
        case Table():
            return f"a mapping of names to {valid(kind.kind)}"
        case _:
            return kind.valid


def read(kind: Kind, node: Node, path: Path, report: Report) -> object:
    """Read a node; ``INVALID`` when it, or anything in it, is reported."""
    match kind:
        case Anything():
            return _read_anything(node, path, report)
        case Either():
            return _read_either(kind, node, path, report)
        case Each():
            return _read_each(kind, node, path, report)
        case Section():
            return _read_section(kind, node, path, report)
        case Table():
            return _read_table(kind, node, path, report)
        case (
            Str()
            | Boolean()
            | Integer()
            | Number()
            | Choice()
            | Cidr()
            | Cron()
            | Duration()
            | Email()
            | Instance()
            | RelativePath()
        ):
            return _read_scalar(kind, node, path, report)
        case _:
            assert_never(kind)


def _refuse(kind: Kind, node: Node, path: Path, report: Report, refused: Refused) -> Invalid:
    """Report a node that is not of its kind."""
    where = dotted(path) or report.whole
    if isinstance(node, Scalar) and node.value is None and not node.doubt:
        hint = "Write {} for its defaults, or leave it out." if isinstance(kind, Section | Table) else ""
        report.add(
            node.mark,
            "empty",
            path,
            f"{where} is empty: it must be {valid(kind)}",
            hint or refused.hint or "Give it a value, or leave it out.",
        )
        return INVALID
    because = f": {refused.because}" if refused.because else ""
    hint = "" if isinstance(node, Scalar) and is_hidden(node.text, path) else printable(refused.hint)
    report.add(
        node.mark, "value", path, f"{where} must be {valid(kind)}, not {shown(node, path)}{because}", hint
    )
    return INVALID


def _read_scalar(kind: ScalarKind, node: Node, path: Path, report: Report) -> object:
    try:
        if isinstance(node, Scalar):
            return kind.read(node)
        refused = Refused()
    except Refused as caught:
        refused = caught
    return _refuse(kind, node, path, report, refused)


def _read_anything(node: Node, path: Path, report: Report) -> object:
    doubtful = list(_doubtful(node, path))
    for scalar, where in doubtful:
        report.add(
            scalar.mark,
            "quotes",
            where,
            f"{dotted(where)} {shown(scalar, where)} is {scalar.doubt} to some YAML readers and text to others",
            "" if is_hidden(scalar.text, where) else f'If it is text, put it in quotes: "{scalar.text}"',
        )
    return INVALID if doubtful else plain(node)


def _doubtful(node: Node, path: Path) -> Iterator[tuple[Scalar, Path]]:
    match node:
        case Scalar():
            if node.doubt:
                yield node, path
        case List(items=items):
            for number, item in enumerate(items):
                yield from _doubtful(item, (*path, number))
        case Tree(entries=entries):
            for name, entry in entries.items():
                yield from _doubtful(entry.value, (*path, name))


def _read_either(kind: Either, node: Node, path: Path, report: Report) -> object:
    """Try each kind; where none fits, report by the one that takes this sort of node, or by all."""
    hint = ""
    for choice in kind.kinds:
        trial = Report(report.file)
        value = read(choice, node, path, trial)
        if value is not INVALID:
            return value
        if isinstance(node, List) and isinstance(choice, Each):
            report.findings += trial.findings
            return INVALID
        if not isinstance(choice, Each):
            hint = hint or next((finding.hint for finding in trial.findings), "")
    return _refuse(kind, node, path, report, Refused(hint))


def _read_each(kind: Each, node: Node, path: Path, report: Report) -> object:
    if not isinstance(node, List):
        one = isinstance(node, Scalar) and node.value is not None
        return _refuse(kind, node, path, report, Refused("Write it as a list, in [ ]." if one else ""))
    values = [read(kind.kind, item, (*path, number), report) for number, item in enumerate(node.items)]
    sound = INVALID not in values
    if not kind.minimum <= len(values) <= kind.maximum:
        report.add(
            node.mark,
            "length",
            path,
            f"{dotted(path)} must have {kind.minimum} to {kind.maximum} items, not {len(values)}",
        )
        sound = False
    if kind.unique and not _are_unique(values, node, path, report):
        sound = False
    return tuple(values) if sound else INVALID


def _are_unique(values: list[object], node: List, path: Path, report: Report) -> bool:
    first: dict[object, int] = {}
    for number, value in enumerate(values):
        if value is not INVALID and first.setdefault(value, number) != number:
            where = (*path, number)
            report.add(
                node.items[number].mark,
                "repeated",
                where,
                f"{dotted(where)} {shown(node.items[number], where)} is in the list already, as {dotted((*path, first[value]))}",
            )
    return len(first) == len(values) - values.count(INVALID)


def _read_section(kind: Section, node: Node, path: Path, report: Report) -> object:
    if not isinstance(node, Tree):
        return _refuse(kind, node, path, report, Refused())
    keys = keys_of(kind.model)
    known = set(keys)
    sound = True
    for name, entry in node.entries.items():
        if name not in known:
            _refuse_key(name, entry.mark, (*keys, *kind.elsewhere), path, report)
            sound = False
    values: dict[str, object] = {}
    for name, declared in keys.items():
        if name in node.entries:
            values[name] = read(declared.kind, node.entries[name].value, (*path, name), report)
        elif declared.required:
            where = (*path, name)
            report.add(
                node.removed.get(name, node.mark),
                "missing",
                where,
                f"{dotted(where)} is missing: it must be {valid(declared.kind)}",
            )
            sound = False
    if not sound or INVALID in values.values():
        return INVALID
    return kind.model(**values)


def _refuse_key(name: str, mark: Mark, keys: Sequence[str], path: Path, report: Report) -> None:
    where = (*path, name)
    owner = dotted(path) or report.whole
    report.add(
        mark,
        "unknown-key",
        where,
        f"{dotted(where)} is not a key of {owner}; it has {', '.join(sorted(keys))}",
        nearest(name, keys),
    )


def _read_table(kind: Table, node: Node, path: Path, report: Report) -> object:
    if not isinstance(node, Tree):
        return _refuse(kind, node, path, report, Refused())
    values: dict[str, object] = {}
    sound = True
    for name, entry in node.entries.items():
        where = (*path, name)
        if not kind.name.fits(name):
            report.add(
                entry.mark,
                "name",
                where,
                f"{dotted(path)} has the name {quoted(name)}; a name there must be {kind.name.valid}",
                kind.name.mended(name),
            )
            sound = False
        values[name] = read(kind.kind, entry.value, where, report)
    if not kind.minimum <= len(values) <= kind.maximum:
        report.add(
            node.mark,
            "length",
            path,
            f"{dotted(path)} must have {kind.minimum} to {kind.maximum} names, not {len(values)}",
        )
        sound = False
    return MappingProxyType(values) if sound and INVALID not in values.values() else INVALID
