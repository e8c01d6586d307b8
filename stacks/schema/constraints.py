"""Checks literal values against what the provider's own validators take: lists, ranges, patterns, and what goes together.

May not judge a reference or a text that is put together, nor say anything where a validator's meaning isn't known.
The check of arguments and types is :mod:`stacks.schema.check`; this one goes over the same nodes and reads, for each
type, one record of what ``scripts/update_constraints.py`` found out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from stacks.graph import JsonText, Node, Ref, RemoteRef, Text, Value
from stacks.schema.check import Code, Problem
from stacks.schema.load import nearest, provider_of
from stacks.schema.pack import Pack
from stacks.schema.values import Literal as LiteralValue
from stacks.schema.values import Path as ValuePath
from stacks.schema.values import described, dotted

__all__ = ["Constraints", "Group", "Limits", "check_values", "constraints_of"]

_DATA = Path(__file__).with_name("data")
_LISTED_VALUES = 12
"""A hint lists the values that are taken when there are no more than these and none is similar."""

_FORMS: Mapping[str, tuple[str, str]] = {
    "arn": ("an ARN", r"arn:\S"),
    "cidr": ("a range of addresses such as 10.0.0.0/16", r"[0-9a-fA-F.:]+/\d{1,3}$"),
    "member": (
        "a member such as user:ada@example.com",
        r"(?!deleted)(.+:.+|.*(projectOwners|projectReaders|projectWriters|allUsers|allAuthenticatedUsers))",
    ),
    "uuid": ("a UUID", r"[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"),
}
"""How a form is called and how it begins; JSON is parsed instead."""

GroupKind: TypeAlias = Literal["conflict", "exactly", "at-least", "with"]


class Limits(NamedTuple):
    """What one literal may be. None, or nothing in it, is no limit. ``folds``: upper and lower case are the same."""

    allowed: tuple[str, ...] = ()
    folds: bool = False
    least: float | None = None
    most: float | None = None
    pattern: str = ""
    form: str = ""
    fewest: int = 0
    most_values: int | None = None


class Group(NamedTuple):
    """Arguments that go together or don't: all of ``paths``, or ``owner`` against each of them.

    A conflict and ``with`` hold when the owner is given; the others when what holds the owner is.
    """

    kind: GroupKind
    owner: tuple[str, ...]
    paths: tuple[tuple[str, ...], ...]


class Constraints(NamedTuple):
    """What the validators of one type take, by the dotted path of an argument. ``source``: ``google 8``."""

    source: str
    limits: Mapping[str, Limits]
    groups: Sequence[Group]


def check_values(nodes: Iterable[Node]) -> tuple[Problem, ...]:
    """Check the literal values of nodes, sorted by address and path."""
    problems = [problem for node in nodes for problem in _node_problems(node)]
    return tuple(
        sorted(problems, key=lambda problem: (str(problem.address), dotted(problem.path), problem.code))
    )


def constraints_of(type_name: str) -> Constraints | None:
    """Return what is known of a resource type; None where nothing is."""
    return _constraints_of(provider_of(type_name), type_name)


@cache
def _constraints_of(provider: str, type_name: str) -> Constraints | None:
    pack = _open(provider)
    records = pack.records("resource", type_name) if pack else None
    if pack is None or records is None:
        return None
    record = cast("Mapping[str, Any]", records[0])
    return Constraints(
        f"{provider} {pack.version.partition('.')[0]}",
        {path: _limits(limits) for path, limits in record["values"].items()},
        [_group(*group) for group in record["groups"]],
    )


@cache
def _open(provider: str) -> Pack | None:
    path = _DATA / f"{provider}.constraints"
    return Pack(path) if path.is_file() else None


def _limits(record: Mapping[str, Any]) -> Limits:
    return Limits(
        allowed=tuple(record.get("in", ())),
        folds=record.get("fold", False),
        least=record.get("min"),
        most=record.get("max"),
        pattern=record.get("re", ""),
        form=record.get("form", ""),
        fewest=record.get("fewest", 0),
        most_values=record.get("most"),
    )


def _group(kind: GroupKind, owner: str, paths: Sequence[str]) -> Group:
    return Group(kind, tuple(owner.split(".")), tuple(tuple(path.split(".")) for path in paths))


def _node_problems(node: Node) -> Iterator[Problem]:
    known = constraints_of(node.address.type) if node.address.mode == "resource" else None
    if known is None:
        return
    for path, value in _values(node.arguments, ()):
        limits = known.limits.get(".".join(name for name in path if isinstance(name, str)))
        if limits is not None:
            for code, message, hint in _judged(limits, value, path, known.source):
                yield Problem(node.address, path, code, message, hint)
    for group in known.groups:
        if found := _grouped(group, node):
            path, code, message, hint = found
            yield Problem(node.address, path, code, message, hint)


def _values(value: Value, path: ValuePath) -> Iterator[tuple[ValuePath, Value]]:
    """Yield each list and each literal with its path; what is put together is left out."""
    match value:
        case None | Ref() | RemoteRef() | Text() | JsonText():
            return
        case str() | bool() | int() | float():
            yield path, value
        case Mapping():
            for name, item in value.items():
                yield from _values(item, (*path, name))
        case _:
            yield path, value
            for at, item in enumerate(value):
                yield from _values(item, (*path, at))


_Said: TypeAlias = tuple[Code, str, str]
"""Code, message and hint."""


def _judged(limits: Limits, value: Value, path: ValuePath, source: str) -> Iterator[_Said]:
    match value:
        case str() | bool() | int() | float():
            yield from _judged_literal(limits, value, path, source)
        case Sequence():
            yield from _judged_count(limits, len(value), path)
        case _:
            return


def _judged_count(limits: Limits, count: int, path: ValuePath) -> Iterator[_Said]:
    if limits.most_values is not None and count > limits.most_values:
        yield "too-many-values", f"{dotted(path)} has {count} values, but at most {limits.most_values}", ""
    elif count < limits.fewest:
        yield "too-few-values", f"{dotted(path)} has {count} values, but needs at least {limits.fewest}", ""


def _judged_literal(limits: Limits, value: LiteralValue, path: ValuePath, source: str) -> Iterator[_Said]:
    is_ = f"{dotted(path)} is {described(value)}"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if limits.allowed and not _is_allowed(limits, text):
        yield "not-one-of", f"{is_}, which {source} does not take", _hint(value, text, limits.allowed)
    if (number := _number(value)) is not None and not _is_within(limits, number):
        yield "out-of-range", f"{is_}, but {source} takes {_range(limits)}", ""
    if not isinstance(value, str) or not value:
        return  # a validator for a text often takes an empty one
    if limits.pattern and not re.search(limits.pattern, value, re.ASCII):
        yield "wrong-format", f"{is_}, but {source} takes what matches {limits.pattern}", ""
    if limits.form and not _has_form(limits.form, value):
        what = "a JSON document" if limits.form == "json" else _FORMS[limits.form][0]
        yield "wrong-format", f"{is_}, but must be {what}", ""


def _is_allowed(limits: Limits, text: str) -> bool:
    if limits.folds:
        return text.lower() in map(str.lower, limits.allowed)
    return text in limits.allowed


def _hint(value: LiteralValue, text: str, allowed: Sequence[str]) -> str:
    if not isinstance(value, str | bool) and (numbers := [n for n in map(_number, allowed) if n is not None]):
        return f"The nearest that it takes is {min(numbers, key=lambda number: abs(number - value)):g}."
    same = [word for word in allowed if word.lower() == text.lower()]
    hint = f'Did you mean "{same[0]}"?' if same else nearest(text, allowed)
    if hint or len(allowed) > _LISTED_VALUES:
        return hint
    return f"It takes {', '.join(word or 'an empty text' for word in allowed)}."


def _number(value: LiteralValue) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _is_within(limits: Limits, number: float) -> bool:
    return (limits.least is None or number >= limits.least) and (limits.most is None or number <= limits.most)


def _range(limits: Limits) -> str:
    if limits.least is None:
        return f"at most {limits.most}"
    return f"at least {limits.least}" if limits.most is None else f"{limits.least} to {limits.most}"


def _has_form(form: str, text: str) -> bool:
    if form != "json":
        return re.match(_FORMS[form][1], text, re.ASCII) is not None
    import json  # noqa: PLC0415 - only few values are JSON

    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _grouped(group: Group, node: Node) -> tuple[ValuePath, Code, str, str] | None:
    """Judge one group of one node: path, code, message and hint of the problem, if there is one."""
    given = [path for path in group.paths if _is_given(node.arguments, path)]
    owner = ".".join(group.owner)
    match group.kind:
        case "conflict" if given and _is_given(node.arguments, group.owner):
            return _conflict(group.owner, given[0])
        case "exactly" if len(given) > 1:
            return _conflict(given[0], given[1])
        case "exactly" | "at-least" if not any(_may_be_given(node.arguments, path) for path in group.paths):
            holder = group.owner[:-1]
            if holder and not _is_given(node.arguments, holder):
                return None
            where = f"{'.'.join(holder)} in {node.address.type}" if holder else node.address.type
            count = "one" if group.kind == "exactly" else "at least one"
            return holder, "one-of-needed", f"{where} needs {count} of {_listed(group.paths)}", ""
        case "with" if _is_given(node.arguments, group.owner):
            missing = [path for path in group.paths if not _may_be_given(node.arguments, path)]
            if missing:
                return group.owner, "one-of-needed", f"{owner} needs {_listed(missing)} beside it", ""
    return None


def _conflict(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[ValuePath, Code, str, str]:
    message = f"{'.'.join(one)} cannot be given together with {'.'.join(other)}"
    return one, "conflict", message, "Leave one of them out."


def _listed(paths: Iterable[tuple[str, ...]]) -> str:
    return ", ".join(".".join(path) for path in paths)


def _is_given(value: Value, path: Sequence[str]) -> bool:
    """Tell whether something surely stands at a path; in a list the first counts, as it does for the provider."""
    at = _at(value, path)
    return at is not None and at not in ([], ())


def _may_be_given(value: Value, path: Sequence[str]) -> bool:
    """Tell whether something may stand at a path: an empty list, or inside what a reference stands for."""
    for length in range(len(path)):
        if isinstance(_at(value, path[:length]), Ref | RemoteRef):
            return True
    return _at(value, path) is not None


def _at(value: Value, path: Sequence[str]) -> Value:
    for name in path:
        if isinstance(value, Sequence) and not isinstance(value, str):
            value = value[0] if value else None
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value
