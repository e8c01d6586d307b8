"""What a provider refuses beyond its schema: enumerations, ranges, patterns, ids of the wrong kind, conflicts.

The rules are data (``data/*.json.gz``, made by :mod:`tests.provider.extract`, and ``shapes.toml``). Like the real ones, which are written
with the older plugin SDK, this looks at nothing inside a block that also holds a value not known yet; at apply all
are known. May not know a type of its own: what only azapi does is in :mod:`tests.provider.azapi`.
"""

from __future__ import annotations

import gzip
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from stacks.schema.model import Attribute, BlockSchema, BlockType, NestedAttribute
from tests.provider.values import Value, has_unknown, is_unknown

__all__ = ["Refusal", "Refusals"]

DATA = Path(__file__).with_name("data")
SHAPES = Path(__file__).with_name("shapes.toml")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
VAULT_ITEM = re.compile(r"https://[^/]+/(keys|secrets|certificates)/[^/]+(/[^/]+)?")
RESOURCE_ID = re.compile(r"(/[^/]+/[^/]+)+")

Steps: TypeAlias = "tuple[str | int, ...]"
Rule: TypeAlias = "list[Any]"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong, and the way to it: names of arguments, and places in lists."""

    steps: Steps
    message: str


class Refusals:
    """The rules of one provider."""

    def __init__(self, document: Mapping[str, Any], shapes: Mapping[str, list[str]]) -> None:
        self._rules: Mapping[str, Mapping[str, list[Rule]]] = document.get("rules", {})
        self._groups: Mapping[str, list[list[Any]]] = document.get("groups", {})
        self._named = {
            name: ["id", *(part for of in listed for part in (name, of))] for name, listed in shapes.items()
        }
        self._sets: Mapping[str, list[str]] = document.get("sets", {})
        self.ids: Mapping[str, str] = document.get("ids", {})

    @staticmethod
    def of(provider: str) -> Refusals:
        """The rules of a provider, or of the one whose family it is of; none where there is no data."""
        return _loaded(provider.partition("-")[0])

    def is_set(self, type_name: str, path: Iterable[str]) -> bool:
        """Tell whether a block that stands at most once is a set nonetheless."""
        return ".".join(path) in self._sets.get(type_name, ())

    def values_of(self, type_name: str, path: str) -> tuple[Value, ...]:
        """The enumeration that an argument is held to, if any."""
        rules = self._rules.get(type_name, {}).get(path, ())
        return next((tuple(rule[1:]) for rule in rules if rule[0] == "one_of"), ())

    def check(self, type_name: str, body: BlockSchema, config: Mapping[str, Value]) -> Iterator[Refusal]:
        """Find all that the provider would refuse in the configuration of one resource."""
        match body.arguments.get("id"):
            case Attribute(optional=True, computed=True) if config.get("id") is not None:
                yield Refusal(("id",), "Invalid or unknown key")
        yield from self._inside(self._rules.get(type_name, {}), body, config, ())
        for kind, path, members in self._groups.get(type_name, ()):
            if (message := _together(kind, path, members, config)) is not None:
                yield Refusal((path.partition(".")[0],), message)

    def _inside(
        self, rules: Mapping[str, list[Rule]], body: BlockSchema, config: Mapping[str, Value], steps: Steps
    ) -> Iterator[Refusal]:
        for name, argument in body.arguments.items():
            value, here = config.get(name), (*steps, name)
            if value is None or is_unknown(value):
                continue
            if isinstance(argument, BlockType | NestedAttribute):
                for at, block in _blocks(value):
                    if not has_unknown(block):
                        yield from self._inside(
                            rules, argument.body, block, here if at is None else (*here, at)
                        )
            else:
                own = rules.get(_dotted(here), ())
                named = [self._named[name]] if name in self._named else []
                yield from _value([*own, *named], value, here)


@cache
def _loaded(name: str) -> Refusals:
    path = DATA / f"{name}.json.gz"
    shapes = tomllib.loads(SHAPES.read_text(encoding="utf-8")).get(name, {})
    return Refusals(json.loads(gzip.decompress(path.read_bytes())) if path.is_file() else {}, shapes)


def _dotted(steps: Steps) -> str:
    return ".".join(step for step in steps if isinstance(step, str))


def _blocks(value: Value) -> Iterator[tuple[int | None, Mapping[str, Value]]]:
    """The occurrences of a block, with their places where they have any."""
    match value:
        case Mapping():
            yield None, value
        case list():
            yield from ((at, item) for at, item in enumerate(value) if isinstance(item, Mapping))


def _value(rules: Iterable[Rule], value: Value, steps: Steps) -> Iterator[Refusal]:
    values = value if isinstance(value, list) else value.values() if isinstance(value, Mapping) else [value]
    for one in values:
        for rule in rules:
            if isinstance(one, str | int | float) and (message := _refused(rule, one, _dotted(steps))):
                yield Refusal(steps, message)


def _refused(rule: Rule, value: Value, name: str) -> str | None:
    match rule:
        case ["one_of", *allowed] if value not in allowed:
            return f"expected {name} to be one of {json.dumps(allowed)}, got {value}"
        case ["between", least, most] if not _is_between(value, least, most):
            return f"expected {name} to be in the range ({least} - {most}), got {value}"
        case ["pattern", str(expression)] if not re.search(expression, str(value)):
            return f'"{name}" ("{value}") doesn\'t match regexp "{expression}"'
        case ["uuid"] if not UUID.fullmatch(str(value)):
            return f'expected "{name}" to be a valid UUID, got {value}'
        case ["vault_item"] if not VAULT_ITEM.fullmatch(str(value)):
            return f'expected "{name}" to be the id of a vault\'s key, secret or certificate, got {value}'
        case ["resource_id"] if not RESOURCE_ID.fullmatch(str(value)):
            return f'cannot parse "{name}" as a resource id: {value}'
        case ["id", *kinds] if not any(_has_shape(str(value), shape) for shape in kinds[1::2]):
            wanted = " or ".join(
                f"{kind} ID ({shape})" for kind, shape in zip(kinds[::2], kinds[1::2], strict=True)
            )
            return f'parsing "{value}": "{name}" takes a {wanted}'
        case _:
            return None


def _is_between(value: Value, least: float | None, most: float | None) -> bool:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return False
    return (least is None or number >= least) and (most is None or number <= most)


def _has_shape(value: str, shape: str) -> bool:
    parts, wanted = value.split("/"), shape.split("/")
    return len(parts) == len(wanted) and all(
        part == want or (want == "*" and bool(part)) for part, want in zip(parts, wanted, strict=True)
    )


def _together(kind: str, path: str, members: list[str], config: Mapping[str, Value]) -> str | None:
    """Judge arguments that stand together or exclude each other; none where their block is not there."""
    above = path.rpartition(".")[0]
    if above and not _at(config, above.split(".")):
        return None
    if kind in ("exactly_one_of", "at_least_one_of"):
        # The plugin SDK adds the argument that says it to the group, where the group leaves it out.
        members = list(dict.fromkeys([*members, path]))
    found = {member: _at(config, member.split(".")) for member in members}
    given = [member for member, value in found.items() if _is_given(value)]
    known = [member for member in given if not is_unknown(found[member])]
    listed = ",".join(members)
    match kind:
        case "exactly_one_of" if len(known) > 1:
            return f"only one of `{listed}` can be specified, but `{','.join(known)}` were specified"
        case "exactly_one_of" | "at_least_one_of" if not given:
            return f"one of `{listed}` must be specified"
        case "conflicts" if known and _is_given(_at(config, path.split("."))):
            return f'"{path}": conflicts with {known[0]}'
        case "required_with" if _is_given(_at(config, path.split("."))) and len(given) < len(members):
            return f'"{path}": all of `{listed}` must be specified'
        case _:
            return None


def _is_given(value: Value) -> bool:
    return value not in (None, [], {})


def _at(config: Value, path: list[str]) -> Value:
    """Follow names into first occurrences of blocks."""
    for name in path:
        if isinstance(config, list):
            config = config[0] if config else None
        if is_unknown(config):
            return config
        config = config.get(name) if isinstance(config, Mapping) else None
    return config
