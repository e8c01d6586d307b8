"""Reads the path of a reference (``endpoint[0].arn``) and finds the type of the value it stands for.

May not know a node or a value: only schemas and the text of a path.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

from stacks.schema.load import nearest
from stacks.schema.model import (
    Attribute,
    BlockSchema,
    BlockType,
    Collection,
    NestedAttribute,
    ObjectType,
    Scalar,
    Type,
    TypeSchema,
    type_of_block,
    type_of_element,
)

__all__ = ["AttributePathError", "Found", "attribute_at"]

_STEP = re.compile(r'\.?(?P<name>[A-Za-z_][\w-]*)|\[(?:(?P<index>\d+|\*)|"(?P<key>[^"]+)")\]')


class AttributePathError(Exception):
    """A type has nothing at a path. ``hint`` names the nearest match or the way to write it."""

    def __init__(self, message: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(message)


class Found(NamedTuple):
    """What a reference's path stands for. ``sensitive`` when any part of the way there is."""

    type: Type
    sensitive: bool


class _Name(NamedTuple):
    name: str


class _Index(NamedTuple):
    """A position (a number, or a star for every element), or else a quoted key, which is its name."""

    position: str
    name: str


_Step: TypeAlias = _Name | _Index


def attribute_at(schema: TypeSchema, path: str) -> Found:
    """Find what ``path`` stands for in a value of the type.

    Raises:
        AttributePathError: nothing is there, or Terraform cannot index it so.
    """
    steps = _steps(path)
    if not steps:
        raise AttributePathError("the path names no attribute")
    return _inside(schema.block, schema.name, steps)


def _steps(path: str) -> Sequence[_Step]:
    steps: list[_Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None or (at == 0 and not match["name"]) or path[0] == ".":
            raise AttributePathError(
                f'"{path}" is not a path', 'Write it as name, name[0].name or name["key"].'
            )
        steps.append(
            _Name(match["name"]) if match["name"] else _Index(match["index"] or "", match["key"] or "")
        )
        at = match.end()
    return steps


def _inside(body: BlockSchema, holder: str, steps: Sequence[_Step]) -> Found:
    step = steps[0]
    if not isinstance(step, _Name):
        raise AttributePathError(f"{holder} cannot be indexed", f"Name one of its attributes after {holder}.")
    argument = body.arguments.get(step.name)
    if argument is None:
        raise AttributePathError(
            f'{holder} has no attribute "{step.name}"', nearest(step.name, body.arguments)
        )
    if not isinstance(argument, Attribute):
        return _of_block(argument, step.name, steps[1:])
    if argument.write_only:
        raise AttributePathError(f'"{step.name}" of {holder} is write-only, so it cannot be read')
    return Found(_of_type(argument.type, step.name, steps[1:]), argument.sensitive)


def _of_block(block: BlockType | NestedAttribute, name: str, steps: Sequence[_Step]) -> Found:
    if not steps:
        return Found(type_of_block(block), sensitive=False)
    step, rest = steps[0], steps[1:]
    match block.nesting, step:
        case ("single", _) | ("one", _Name()):
            return _inside_or_whole(block, name, steps)
        case ("one" | "list", _Index(position=str(position))) if position.isdigit():
            return _inside_or_whole(block, name, rest)
        case ("one" | "list" | "set", _Index(position="*")):
            found = _inside_or_whole(block, name, rest)
            return Found(Collection("list", found.type), found.sensitive)
        case ("map", _Name()) | ("map", _Index(position="")):
            return _inside_or_whole(block, name, rest)
        case _:
            raise _cannot_step(f"a {block.nesting}", name, step)


def _inside_or_whole(block: BlockType | NestedAttribute, name: str, steps: Sequence[_Step]) -> Found:
    if steps:
        return _inside(block.body, name, steps)
    return Found(type_of_element(block), sensitive=False)


def _of_type(type_: Type, name: str, steps: Sequence[_Step]) -> Type:
    if not steps:
        return type_
    step, rest = steps[0], steps[1:]
    match type_:
        case Scalar(kind="any"):
            return type_
        case Collection(kind="map", element=element) if isinstance(step, _Name) or not step.position:
            return _of_type(element, name, rest)
        case Collection(kind="list", element=element) if isinstance(step, _Index) and step.position.isdigit():
            return _of_type(element, name, rest)
        case Collection(kind="list" | "set", element=element) if (
            isinstance(step, _Index) and step.position == "*"
        ):
            return Collection("list", _of_type(element, name, rest))
        case ObjectType(attributes=attributes) if isinstance(step, _Name) or not step.position:
            if step.name not in attributes:
                raise AttributePathError(
                    f'{name} has no attribute "{step.name}"', nearest(step.name, attributes)
                )
            return _of_type(attributes[step.name], step.name, rest)
        case _:
            raise _cannot_step(str(type_), name, step)


def _cannot_step(what: str, name: str, step: _Step) -> AttributePathError:
    wanted = f'".{step.name}"' if isinstance(step, _Name) else "an index"
    hint = ""
    if what.startswith("a list") and isinstance(step, _Name):
        hint = f"Write {name}[0].{step.name}."
    elif what.startswith("a set"):
        hint = f"The elements of a set have no order: write {name}[*]."
    return AttributePathError(f"{name} is {what}, which {wanted} cannot follow", hint)
