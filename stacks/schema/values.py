"""What Terraform converts into what, and how a path, a reference or a value is called in a message.

May not know a schema's blocks or a node.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeAlias

from stacks.graph import JsonText, Ref, RemoteRef, Text, Value
from stacks.schema.model import Collection, ObjectType, Scalar, Type

__all__ = ["Literal", "Path", "converts", "described", "dotted", "literal_fits", "shown"]

Path: TypeAlias = tuple[str | int, ...]
"""Where a value stands in a node: names, and positions in lists."""

Literal: TypeAlias = str | bool | int | float
"""A value that stands in the graph as itself."""

_BOOL_WORDS = frozenset({"true", "false", "1", "0"})
"""The strings that Terraform converts to a bool."""

_SHOWN_CHARACTERS = 40
"""Longer strings are cut in messages."""


def converts(source: Type, target: Type) -> bool:
    """Tell whether Terraform converts a value of one type to another, as far as types say."""
    match source, target:
        case (Scalar(kind="any"), _) | (_, Scalar(kind="any")):
            return True
        case Scalar(kind=given), Scalar(kind=wanted):
            return given == wanted or "string" in (given, wanted)
        case Collection(kind=given, element=element), Collection(kind=wanted, element=into):
            return (given == "map") == (wanted == "map") and converts(element, into)
        case ObjectType(attributes=given), ObjectType(attributes=wanted):
            return all(name in given and converts(given[name], type_) for name, type_ in wanted.items())
        case ObjectType(attributes=given), Collection(kind="map", element=into):
            return all(converts(type_, into) for type_ in given.values())
        case Collection(kind="map", element=element), ObjectType(attributes=wanted):
            return all(converts(element, type_) for type_ in wanted.values())
        case _:
            return False


def literal_fits(type_: Type, value: Literal) -> bool:
    """Tell whether a literal is a value of a type, or one that Terraform converts to it."""
    if not isinstance(type_, Scalar):
        return False
    match type_.kind:
        case "any" | "string":
            return True
        case "bool":
            return value in _BOOL_WORDS if isinstance(value, str) else isinstance(value, bool)
        case "number":
            return _is_number(value) if isinstance(value, str) else not isinstance(value, bool)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and text.strip() == text and "_" not in text
    except ValueError:
        return False


def dotted(path: Path) -> str:
    """Write a path as Terraform would: ``rule[0].filter.prefix``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def shown(ref: Ref) -> str:
    """Write a reference as Terraform would."""
    return f"{ref.address}.{ref.attribute}"


def described(value: Value) -> str:
    """Say what a value is, in a few words."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case str():
            cut = value if len(value) <= _SHOWN_CHARACTERS else value[: _SHOWN_CHARACTERS - 1] + "…"
            return f'"{cut}"'
        case Ref():
            return shown(value)
        case RemoteRef(stack=stack, output=output):
            return f"output {output} of stack {stack}"
        case Text():
            return "a text"
        case JsonText():
            return "a JSON text"
        case Mapping():
            return "a map"
        case _:
            return "a list"
