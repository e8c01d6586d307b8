"""Tells whether changing an argument makes Terraform destroy a resource and make a new one.

May not guess: the answers are the provider's own, measured by ``scripts/update_force_new.py``, and what it did
not answer is not known here.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from stacks.schema.load import UnknownTypeError, provider_of, schema_of
from stacks.schema.model import Attribute, BlockType, TypeSchema

__all__ = ["forces_replacement"]

_DATA = Path(__file__).with_name("data")
_POSITION = re.compile(r"\[[^\]]*\]")


def forces_replacement(type_name: str, argument: str) -> bool | None:
    """Tell whether a change of one argument replaces the resource; None when that isn't known.

    ``argument`` is a path such as ``encryption_configuration[0].kms_key``; positions and keys don't matter. At a
    block it tells whether adding or taking away the block replaces: ask for the arguments inside it as well.
    """
    table = _table(provider_of(type_name))
    answers = table.get("types", {}).get(type_name)
    if answers is None:
        return None
    try:
        schema = schema_of(provider_of(type_name), "resource", type_name, version=table["version"])
    except UnknownTypeError:
        return None
    path = _asked_path(schema, _POSITION.sub("", argument).split("."))
    if path is None or path.count(".") >= table["deepest"] or path in answers.get("unknown", ()):
        return None
    return path in answers.get("forces", ())


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
def _table(provider: str) -> dict[str, Any]:
    import tomllib  # noqa: PLC0415 - only a diff needs it

    path = _DATA / f"force_new_{provider}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
