"""What AWS's descriptions say against a value: keys, required members, types, words, patterns, sizes.

botocore checks keys, required members, types and minima before it sends; patterns, words and maxima nobody checks but
AWS. May not know a service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

__all__ = ["problems"]

Shape: TypeAlias = Any
"""A shape of botocore's, which publishes no types."""

_CLASSES = {
    r"\p{L}": r"a-zA-Z\u00aa-\uffff",
    r"\p{M}": r"\u0300-\u036f",
    r"\p{Z}": r" \u00a0\u2028\u2029",
    r"\p{N}": r"0-9",
    r"\p{S}": r"$+<=>^`|~",
    r"\p{P}": r"!-#%-*,-/:;?@\[-\]_{}",
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (int, float, str, datetime),
    "blob": (str, bytes, bytearray),
}


def problems(shape: Shape, value: object, path: str = "") -> Iterator[str]:
    """Yield what is wrong with a value, each with its path."""
    match shape.type_name:
        case "structure":
            yield from _structure(shape, value, path)
        case "list":
            yield from _list(shape, value, path)
        case "map":
            yield from _map(shape, value, path)
        case _:
            yield from _scalar(shape, value, path)


def _structure(shape: Shape, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path} is {type(value).__name__}, not an object"
        return
    if getattr(shape, "is_document_type", False):
        return
    for name in shape.required_members:
        if name not in value:
            yield f"{path}.{name} is missing"
    for name, one in value.items():
        if name not in shape.members:
            yield f"{path}.{name} is unknown"
        elif one is not None:
            yield from problems(shape.members[name], one, f"{path}.{name}")
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        yield f"{path} has {len(value)} members: exactly one is allowed"


def _list(shape: Shape, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, Sequence) or isinstance(value, str | bytes):
        yield f"{path} is {type(value).__name__}, not a list"
        return
    yield from _size(shape, len(value), path, "items")
    for number, one in enumerate(value):
        yield from problems(shape.member, one, f"{path}[{number}]")


def _map(shape: Shape, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path} is {type(value).__name__}, not an object"
        return
    yield from _size(shape, len(value), path, "entries")
    for name, one in value.items():
        yield from problems(shape.key, name, f"{path} key {name!r}")
        yield from problems(shape.value, one, f"{path}[{name!r}]")


def _scalar(shape: Shape, value: object, path: str) -> Iterator[str]:
    allowed = _TYPES[shape.type_name]
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        yield f"{path} is {type(value).__name__}, not {shape.type_name}"
        return
    if isinstance(value, str) and shape.type_name == "string":
        words = getattr(shape, "enum", ())
        if words and value not in words:
            yield f"{path} {value!r} is not one of {', '.join(words[:8])} …"
        yield from _size(shape, len(value), path, "characters")
        pattern = shape.metadata.get("pattern")
        if pattern and not _matches(pattern, value):
            yield f"{path} {value!r} does not match {pattern}"
    elif isinstance(value, int | float) and not isinstance(value, bool) and shape.type_name != "timestamp":
        yield from _size(shape, value, path, "")


def _size(shape: Shape, size: float, path: str, unit: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        yield f"{path} has {size} {unit}: at least {least}"
    if most is not None and size > most:
        yield f"{path} has {size} {unit}: at most {most}"


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """A pattern as Python has it; ``None`` for the few that it cannot read."""
    for java, python in _CLASSES.items():
        pattern = pattern.replace(java, python)
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None
