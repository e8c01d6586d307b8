"""What the cloud would answer for what only it sets: ids of the documented format, addresses, e-mails, identities.

The same arguments give the same answers, without a clock or chance. May not change anything that is known.
"""

from __future__ import annotations

import json
import re
import tomllib
import uuid
from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from stacks.schema.model import (
    Argument,
    Attribute,
    BlockSchema,
    BlockType,
    Collection,
    Mode,
    NestedAttribute,
    ObjectType,
    Scalar,
    Type,
)
from tests.provider import azapi
from tests.provider.rules import Refusals
from tests.provider.served import is_computed_block
from tests.provider.values import UNKNOWN, Value, is_unknown

__all__ = ["Answers", "with_unknowns"]

TABLE = Path(__file__).with_name("answers.toml")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
NAMESPACE = uuid.UUID("00000000-0000-0000-0000-000000000000")
ENDINGS = (
    (("_arn",), "arn:aws:mock:eu-west-1:123456789012:mock/mock"),
    (("_time", "_timestamp", "_date", "_at", "_on"), "2026-11-01T00:00:00Z"),
    (("endpoint", "uri", "url", "link"), "https://mock.example.net/"),
    (("host", "hostname", "fqdn", "host_name"), "mock.example.net"),
    (("ip_address", "_ip"), "10.0.0.9"),
    (("cidr", "range"), "10.0.0.0/24"),
)
"""What a text looks like, by the end of its name, where the table doesn't say."""


class Answers:
    """The answers of one provider, configured as its block says."""

    def __init__(self, provider: str, configuration: Mapping[str, Value]) -> None:
        family = provider.partition("-")[0]
        table = _table().get(family, {})
        self._refusals = Refusals.of(provider)
        self._arguments = {**table.get("arguments", {}), **_texts(configuration)}
        self._names: Mapping[str, str] = table.get("names", {})
        self._types: Mapping[Mode, Mapping[str, Any]] = {
            "resource": table.get("types", {}),
            "data": {**table.get("types", {}), **table.get("data", {})},
        }

    def fill(
        self, mode: Mode, type_name: str, body: BlockSchema, value: Mapping[str, Value]
    ) -> dict[str, Value]:
        """Answer all that is not known in a planned resource, or in the configuration of a data source."""
        return _Answer(self, mode, type_name, body, value).filled()

    def text(self, mode: Mode, type_name: str, path: tuple[str, ...]) -> str | None:
        """What the table has for an attribute; text with placeholders."""
        of_type = self._types.get(mode, {}).get(type_name, {})
        for name in path:
            of_type = of_type.get(name, {}) if isinstance(of_type, Mapping) else {}
        if isinstance(of_type, str):
            return of_type
        if path == ("id",):
            return self._refusals.ids.get(type_name)
        if allowed := self._refusals.values_of(type_name, ".".join(path)):
            return str(next((value for value in allowed if value), ""))
        return self._names.get(path[-1])

    def argument(self, name: str) -> str | None:
        """What the provider's block says, or what stands in for an account's default."""
        return self._arguments.get(name)


class _Answer:
    """The answer for one resource: texts may refer to each other."""

    def __init__(
        self, answers: Answers, mode: Mode, type_name: str, body: BlockSchema, value: Mapping[str, Value]
    ) -> None:
        self._answers = answers
        self._mode: Mode = mode
        self._type = type_name
        self._body = body
        self._value = value
        self._open: list[str] = []

    def filled(self) -> dict[str, Value]:
        special = azapi.answers(self._type, self._value)
        return {**self._block(self._body, self._value, ()), **special}

    def _block(
        self, body: BlockSchema, value: Mapping[str, Value], path: tuple[str, ...]
    ) -> dict[str, Value]:
        return {
            name: self._argument(argument, value.get(name), (*path, name))
            for name, argument in body.arguments.items()
        }

    def _argument(self, argument: Argument, value: Value, path: tuple[str, ...]) -> Value:
        match argument:
            case Attribute():
                return self._made(argument.type, path) if is_unknown(value) else value
            case BlockType() | NestedAttribute() if is_unknown(value):
                return self._made_block(argument, path)
            case BlockType() | NestedAttribute():
                return _each(value, lambda block: self._block(argument.body, block, path))

    def _made_block(
        self, block: BlockType | NestedAttribute, path: tuple[str, ...], above: tuple[int, ...] = ()
    ) -> Value:
        """Make an occurrence of what can't be set; nothing where it would hold itself."""
        if block.place in above:
            return None
        inside = (*above, block.place)
        made: dict[str, Value] = {
            name: self._made(argument.type, (*path, name))
            if isinstance(argument, Attribute)
            else self._made_block(argument, (*path, name), inside)
            for name, argument in block.body.arguments.items()
        }
        match block.nesting:
            case "single":
                return made
            case "map":
                return {}
            case _:
                return [made]

    def _made(self, type_: Type, path: tuple[str, ...]) -> Value:
        match type_:
            case Scalar(kind="string"):
                return self._text(path)
            case Scalar(kind="number"):
                return 1
            case Scalar(kind="bool"):
                return False
            case Scalar(kind="any") | Collection(element=Scalar(kind="any")):
                return None
            case Collection(kind="map"):
                return {}
            case Collection(element=element):
                return [self._made(element, path)]
            case ObjectType(attributes=attributes):
                return {name: self._made(of, (*path, name)) for name, of in attributes.items()}

    def _text(self, path: tuple[str, ...]) -> str:
        name = path[-1]
        text = self._answers.text(self._mode, self._type, path)
        if text is None:
            text = self._answers.argument(name) or _by_ending(name)
        self._open.append(name)
        made = PLACEHOLDER.sub(lambda found: self._named(found[1]), text)
        self._open.pop()
        return made

    def _named(self, name: str) -> str:
        """The text of an argument of this resource, or of the provider's."""
        value = self._value.get(name)
        if name == "uuid":
            return str(uuid.uuid5(NAMESPACE, self._type + json.dumps(_texts(self._value), sort_keys=True)))
        if isinstance(value, str):
            return value
        if is_unknown(value) and name not in self._open and name in self._body.arguments:
            return self._text((name,))
        return self._answers.argument(name) or f"mock-{name.replace('_', '-')}"


def _by_ending(name: str) -> str:
    for endings, text in ENDINGS:
        if name.endswith(endings):
            return text
    return f"mock-{name.replace('_', '-')}"


def _each(value: Value, fill: Callable[[Mapping[str, Value]], Value]) -> Value:
    match value:
        case Mapping():
            return fill(value)
        case list():
            return [fill(item) for item in value]
        case _:
            return value


def with_unknowns(body: BlockSchema, proposed: Mapping[str, Value]) -> dict[str, Value]:
    """Mark what the cloud will set: each computed attribute that has no value yet. Write-only ones are not kept."""
    planned: dict[str, Value] = {}
    for name, argument in body.arguments.items():
        value = proposed.get(name)
        match argument:
            case Attribute(write_only=True):
                planned[name] = None
            case Attribute(computed=computed) | NestedAttribute(computed=computed) if value is None:
                planned[name] = UNKNOWN if computed else None
            case BlockType() if value is None and is_computed_block(argument):
                planned[name] = UNKNOWN
            case BlockType() if not is_computed_block(argument):
                planned[name] = _each(value, partial(with_unknowns, argument.body))
            case _:
                planned[name] = value
    return planned


def _texts(value: Mapping[str, Value]) -> dict[str, str]:
    return {name: item for name, item in value.items() if isinstance(item, str)}


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
