"""Tells whether changing an argument makes Terraform destroy a resource and make a new one.

May not guess: the answers are the provider's own, measured by ``scripts/update_force_new.py`` or read from its schema or
documentation by ``scripts/update_force_new_documented.py``; what neither found is not known here.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from stacks.schema.load import Schemas, UnknownTypeError, provider_of
from stacks.schema.model import Attribute, BlockType, TypeSchema

__all__ = ["forces_replacement"]

_DATA = Path(__file__).with_name("data")
_POSITION = re.compile(r"\[[^\]]*\]")


def forces_replacement(type_name: str, argument: str) -> bool | None:
    """Tell whether a change of one argument replaces the resource; None when that isn't known.

    ``argument`` is a path such as ``encryption_configuration[0].kms_key``; positions and keys don't matter. At a
    block it tells whether adding or taking away the block replaces: ask for the arguments inside it as well.
    """
    known = _known(provider_of(type_name), type_name)
    if known is None:
        return None
    path = _asked_path(known.schema, _POSITION.sub("", argument).split("."))
    if path is None or path.count(".") >= known.deepest or path in known.unknown:
        return None
    return path in known.forces


class _Known(NamedTuple):
    """What the table has of one type."""

    schema: TypeSchema
    deepest: int
    forces: frozenset[str]
    unknown: frozenset[str]


@cache
def _known(provider: str, type_name: str) -> _Known | None:
    """Parse the section of one type only: a table is long, and reading TOML is slow."""
    text = _table(provider)
    start = text.find(f"\n[types.{type_name}]\n")
    if start < 0:
        return None
    end = text.find("\n[types.", start + 1)
    (answers,) = _parsed(text[start : end if end > 0 else None])["types"].values()
    head = _head(provider)
    versions = dict.fromkeys([provider, *head.get("family", ())], head["version"])
    try:
        schema = Schemas(versions).of("resource", type_name)
    except UnknownTypeError:
        return None
    found = (frozenset(answers.get(key, ())) for key in ("forces", "unknown"))
    return _Known(schema, head["deepest"], *found)


def _asked_path(schema: TypeSchema, names: list[str]) -> str | None:
    """Cut what leads into a value, since values are asked about as a whole; None where nothing was asked."""
    for length in range(1, len(names) + 1):
        match schema.at(names[:length]):
            case Attribute(read_only=False):
                return ".".join(names[:length])
            case BlockType(min_items=0) if length == len(names):
                return ".".join(names)
            case BlockType() if length < len(names):
                continue
            case _:
                return None
    return None


@cache
def _table(provider: str) -> str:
    path = _DATA / f"force_new_{provider}.toml"
    return path.read_text(encoding="utf-8") if path.is_file() else ""


@cache
def _head(provider: str) -> dict[str, Any]:
    text = _table(provider)
    return _parsed(text[: text.index("\n[types.")])


def _parsed(text: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - only a diff needs it

    return tomllib.loads(text)
