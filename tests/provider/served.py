"""The schema of a provider in the plugin protocol's form, out of the packs that the product ships.

May not know what a type means; what the packs' sources lost (whether a lone block is a list or a set) is taken from
an exact pack of another version of the provider, or from the data beside this module.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from typing import TypeAlias

from tf.gen import tfplugin_pb2 as pb

from stacks.schema.load import UnknownTypeError, open_pack, schema_of, shipped_versions
from stacks.schema.model import (
    Argument,
    Attribute,
    BlockSchema,
    BlockType,
    Collection,
    Mode,
    NestedAttribute,
    Nesting,
    ObjectType,
    Scalar,
    Type,
    TypeSchema,
)
from tests.provider.rules import Refusals

__all__ = ["Served", "is_computed_block"]

Path: TypeAlias = "tuple[str, ...]"

WRITE_ONLY = bytes([11 << 3, 1])
"""Field 11 of ``Schema.Attribute``, which the generated classes are too old to know."""
DEEPEST = 2
"""How often a block that holds itself is served inside itself."""
NESTED = pb.Schema.NestedBlock
OBJECT = pb.Schema.Object


class Served:
    """What one provider at one version serves. ``only`` names the types, of any mode; all where it is None."""

    def __init__(self, provider: str, version: str, only: Iterable[str] | None = None) -> None:
        self.provider = provider
        self.version = version
        self._only = None if only is None else frozenset(only)
        self._refusals = Refusals.of(provider)

    def names(self, mode: Mode) -> Iterator[str]:
        """The types of a mode that are served."""
        for name in open_pack(self.provider, self._version(mode)).names(mode):
            if self._only is None or name in self._only:
                yield name

    def of(self, mode: Mode, name: str) -> BlockSchema:
        """The arguments of a type; none where the provider's own configuration is in no pack."""
        if mode == "provider" and not open_pack(self.provider, self._version(mode)).names(mode):
            return BlockSchema({}, ())
        return schema_of(self.provider, mode, name, version=self._version(mode)).block

    def message(self, mode: Mode, name: str) -> pb.Schema:
        """The schema of a type as Terraform wants it."""
        return pb.Schema(version=0, block=self._block(mode, name, self.of(mode, name), (), ()))

    def _version(self, mode: Mode) -> str:
        """This version, or the newest whose pack has anything of that mode."""
        candidates = (self.version, *reversed(_versions(self.provider)))
        return next((v for v in candidates if open_pack(self.provider, v).names(mode)), self.version)

    def _block(
        self, mode: Mode, name: str, body: BlockSchema, path: Path, above: tuple[int, ...]
    ) -> pb.Schema.Block:
        block = pb.Schema.Block(version=0)
        for key, argument in body.arguments.items():
            match argument:
                case BlockType(place=place) if above.count(place) == DEEPEST:
                    continue
                case BlockType() if not is_computed_block(argument):
                    block.block_types.append(self._nested(mode, name, argument, (*path, key), above))
                case _:
                    block.attributes.append(_attribute(key, argument))
        return block

    def _nested(
        self, mode: Mode, name: str, block: BlockType, path: Path, above: tuple[int, ...]
    ) -> pb.Schema.NestedBlock:
        nesting, most = block.nesting, block.max_items or 0
        if nesting == "one":
            nesting, most = self._exact(mode, name, path)
        return NESTED(
            type_name=path[-1],
            block=self._block(mode, name, block.body, path, (*above, block.place)),
            nesting={"single": NESTED.SINGLE, "set": NESTED.SET, "map": NESTED.MAP}.get(nesting, NESTED.LIST),
            min_items=0 if nesting in ("single", "map") else block.min_items,
            max_items=0 if nesting in ("single", "map") else most,
        )

    def _exact(self, mode: Mode, name: str, path: Path) -> tuple[Nesting, int]:
        for version in _versions(self.provider):
            found = _exact_type(self.provider, version, mode, name)
            if found and isinstance(block := found.at(path), BlockType) and block.nesting != "one":
                return block.nesting, block.max_items or 0
        return ("set" if self._refusals.is_set(name, path) else "list"), 1


_versions = cache(shipped_versions)


@cache
def _exact_type(provider: str, version: str, mode: Mode, name: str) -> TypeSchema | None:
    if not open_pack(provider, version).exact:
        return None
    try:
        return schema_of(provider, mode, name, version=version)
    except UnknownTypeError:
        return None


def is_computed_block(block: BlockType, above: tuple[int, ...] = ()) -> bool:
    """Tell whether nothing in a block can be set: providers' older SDK serves it as a computed attribute."""
    arguments = block.body.arguments.values()
    inside = (*above, block.place)
    return block.nesting != "single" and bool(arguments) and all(_is_read_only(a, inside) for a in arguments)


def _is_read_only(argument: Argument, above: tuple[int, ...]) -> bool:
    if isinstance(argument, BlockType):
        return argument.place in above or is_computed_block(argument, above)
    return argument.read_only


def _attribute(name: str, argument: Argument) -> pb.Schema.Attribute:
    match argument:
        case BlockType():
            return pb.Schema.Attribute(name=name, type=_json(_type_of(argument, ())), computed=True)
        case NestedAttribute(read_only=True):
            return pb.Schema.Attribute(name=name, type=_json(_type_of(argument, ())), computed=True)
    flags = {
        "required": argument.required,
        "optional": argument.optional,
        "computed": argument.computed,
        "sensitive": argument.sensitive,
    }
    if isinstance(argument, NestedAttribute):
        return pb.Schema.Attribute(name=name, nested_type=_object(argument), **flags)
    attribute = pb.Schema.Attribute(name=name, type=_json(_cty(argument.type)), **flags)
    if argument.write_only:
        attribute.MergeFromString(WRITE_ONLY)
    return attribute


def _object(argument: NestedAttribute) -> pb.Schema.Object:
    nesting = {"set": OBJECT.SET, "list": OBJECT.LIST, "map": OBJECT.MAP}.get(argument.nesting, OBJECT.SINGLE)
    return OBJECT(
        nesting=nesting,
        attributes=[_attribute(name, inner) for name, inner in argument.body.arguments.items()],
    )


def _json(type_: object) -> bytes:
    return json.dumps(type_).encode()


def _type_of(argument: Argument, above: tuple[int, ...]) -> object:
    """The type of an argument's value; anything where a block would hold itself."""
    if isinstance(argument, Attribute):
        return _cty(argument.type)
    if argument.place in above:
        return "dynamic"
    inside = (*above, argument.place)
    inner = {name: _type_of(of, inside) for name, of in argument.body.arguments.items()}
    match argument.nesting:
        case "single":
            return ["object", inner]
        case "set" | "map":
            return [argument.nesting, ["object", inner]]
        case _:
            return ["list", ["object", inner]]


def _cty(type_: Type) -> object:
    """Write a type as Terraform's own JSON form. A collection of anything is anything: its elements may differ."""
    match type_:
        case Scalar(kind=kind):
            return "dynamic" if kind == "any" else kind
        case Collection(element=Scalar(kind="any")):
            return "dynamic"
        case Collection(kind=kind, element=element):
            return [kind, _cty(element)]
        case ObjectType(attributes=attributes):
            return ["object", {name: _cty(of) for name, of in attributes.items()}]
