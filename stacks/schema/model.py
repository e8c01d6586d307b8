"""What a provider says about one of its types: arguments, nesting and the types of values.

May not read a file or know a cloud: :mod:`stacks.schema.load` makes these values from a shipped pack.
Named tuples, since each frozen dataclass adds half a millisecond to the start of every command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Literal, NamedTuple, TypeAlias

__all__ = [
    "Argument",
    "Attribute",
    "BlockSchema",
    "BlockType",
    "Collection",
    "Mode",
    "NestedAttribute",
    "Nesting",
    "ObjectType",
    "Records",
    "Scalar",
    "Type",
    "TypeSchema",
    "block_schema",
    "parse_type",
    "type_of_block",
    "type_of_element",
]

Mode: TypeAlias = Literal["resource", "data", "provider"]

Nesting: TypeAlias = Literal["single", "list", "set", "map", "one"]
"""How often a block may stand. ``one`` is at most once, where the pack's source doesn't say how it nests."""

Records: TypeAlias = "list[dict[str, str | list[str | int]]]"
"""The block bodies of one type as a pack holds them; the type's own body is the first."""

_ANY_DEPTH = 6
"""A block deeper than this counts as any value when a reference takes the whole of its parent."""


class Scalar(NamedTuple):
    """A string, number or bool; ``any`` where the provider accepts every value."""

    kind: Literal["string", "number", "bool", "any"]

    def __str__(self) -> str:
        return {"string": "a string", "number": "a number", "bool": "true or false", "any": "any value"}[
            self.kind
        ]


class Collection(NamedTuple):
    """A list, set or map whose elements are all of one type."""

    kind: Literal["list", "set", "map"]
    element: Type

    def __str__(self) -> str:
        return f"a {self.kind} of {_plural(self.element)}"


class ObjectType(NamedTuple):
    """An object: each attribute has its own type, and all of them have to be given."""

    attributes: Mapping[str, Type]

    def __str__(self) -> str:
        return f"an object with {', '.join(self.attributes)}"


Type: TypeAlias = Scalar | Collection | ObjectType


def _plural(type_: Type) -> str:
    match type_:
        case Scalar(kind=kind):
            return "any values" if kind == "any" else f"{kind}s"
        case Collection(kind=kind, element=element):
            return f"{kind}s of {_plural(element)}"
        case ObjectType(attributes=attributes):
            return f"objects with {', '.join(attributes)}"


class Attribute(NamedTuple):
    """An argument or a computed attribute that holds a value."""

    type: Type
    required: bool
    optional: bool
    computed: bool
    sensitive: bool
    write_only: bool

    @property
    def read_only(self) -> bool:
        """Only the provider sets it."""
        return not (self.required or self.optional)


class NestedAttribute(NamedTuple):
    """An attribute with arguments of its own; written with ``=``, not as a block."""

    nesting: Nesting
    required: bool
    optional: bool
    computed: bool
    sensitive: bool
    bodies: _Bodies
    place: int

    @property
    def read_only(self) -> bool:
        """Only the provider sets it."""
        return not (self.required or self.optional)

    @property
    def body(self) -> BlockSchema:
        """The arguments inside."""
        return self.bodies.body(self.place)


class BlockType(NamedTuple):
    """A nested block. ``max_items`` is None where the provider sets no limit."""

    nesting: Nesting
    min_items: int
    max_items: int | None
    bodies: _Bodies
    place: int

    @property
    def body(self) -> BlockSchema:
        """The arguments inside."""
        return self.bodies.body(self.place)


Argument: TypeAlias = Attribute | NestedAttribute | BlockType


class BlockSchema(NamedTuple):
    """The arguments and attributes of a type or of one of its blocks. ``required`` are those it can't lack."""

    arguments: Mapping[str, Argument]
    required: tuple[str, ...]

    def is_block(self, name: str) -> bool:
        """Tell whether ``name`` is written as a block rather than with ``=``."""
        return isinstance(self.arguments.get(name), BlockType)

    def child(self, name: str) -> BlockSchema | None:
        """Return what is inside the block or nested attribute ``name``; None for plain values."""
        argument = self.arguments.get(name)
        return argument.body if isinstance(argument, BlockType | NestedAttribute) else None

    def settable(self) -> Iterator[str]:
        """Yield the names that a configuration may give."""
        for name, argument in self.arguments.items():
            if isinstance(argument, BlockType) or not argument.read_only:
                yield name


class TypeSchema(NamedTuple):
    """One resource type, data source type or provider configuration, at one provider version."""

    provider: str
    version: str
    mode: Mode
    name: str
    block: BlockSchema

    def at(self, path: Sequence[str]) -> Argument | None:
        """Find the argument at a path of names, such as ``("rule", "filter", "prefix")``."""
        body: BlockSchema | None = self.block
        for name in path[:-1]:
            body = body.child(name) if body else None
        return body.arguments.get(path[-1]) if body and path else None

    def is_block(self, path: Sequence[str]) -> bool:
        """Tell whether the argument at a path of names is written as a block."""
        return isinstance(self.at(path), BlockType)


class _Bodies:
    """The block bodies of one type, each built when it is first asked for; a block may hold itself."""

    __slots__ = ("_built", "_records")

    def __init__(self, records: Records) -> None:
        self._records = records
        self._built: dict[int, BlockSchema] = {}

    def body(self, index: int) -> BlockSchema:
        built = self._built.get(index)
        if built is None:
            built = self._built[index] = self._build(self._records[index])
        return built

    def _build(self, record: dict[str, str | list[str | int]]) -> BlockSchema:
        arguments: dict[str, Argument] = {}
        required: list[str] = []
        for name, code in record.items():
            argument = _attribute(code) if isinstance(code, str) else self._nested(code)
            arguments[name] = argument
            if argument.min_items if isinstance(argument, BlockType) else argument.required:
                required.append(name)
        return BlockSchema(arguments, tuple(required))

    def _nested(self, code: list[str | int]) -> NestedAttribute | BlockType:
        match code:
            case [str(nesting), str(flags), int(index)]:
                return NestedAttribute(
                    _nesting(nesting), "r" in flags, "o" in flags, "c" in flags, "s" in flags, self, index
                )
            case [str(nesting), int(least), int(most), int(index)]:
                return BlockType(_nesting(nesting), least, most or None, self, index)
            case _:
                raise ValueError(f"not the code of a block: {code!r}")


def block_schema(records: Records) -> BlockSchema:
    """Build the schema of a type from its records."""
    return _Bodies(records).body(0)


def _nesting(word: str) -> Nesting:
    match word:
        case "single" | "list" | "set" | "map" | "one":
            return word
        case _:
            raise ValueError(f"not a nesting mode: {word!r}")


@cache
def _attribute(code: str) -> Attribute:
    """Read ``oc list(string)``: flags required, optional, computed, sensitive, write-only, then the type."""
    flags, _, type_ = code.partition(" ")
    return Attribute(parse_type(type_), "r" in flags, "o" in flags, "c" in flags, "s" in flags, "w" in flags)


@cache
def parse_type(code: str) -> Type:
    """Read a type constraint: ``string``, ``set(number)``, ``list(object({a=string,b=map(bool)}))``."""
    match code:
        case "string" | "number" | "bool" | "any":
            return Scalar(code)
    kind, _, inner = code[:-1].partition("(")
    match kind:
        case "list" | "set" | "map":
            return Collection(kind, parse_type(inner))
        case "object":
            pairs = (pair.partition("=") for pair in _split(inner[1:-1]))
            return ObjectType({name: parse_type(type_) for name, _, type_ in pairs})
        case _:
            raise ValueError(f"not a type: {code!r}")


def _split(text: str) -> Iterator[str]:
    """Split at the commas that are in no bracket."""
    depth = start = 0
    for at, char in enumerate(text):
        if char in "({":
            depth += 1
        elif char in ")}":
            depth -= 1
        elif char == "," and not depth:
            yield text[start:at]
            start = at + 1
    if text:
        yield text[start:]


def type_of_block(block: BlockType | NestedAttribute, depth: int = 0) -> Type:
    """Return the type of the value that a reference to all of a block's occurrences has."""
    match block.nesting:
        case "single":
            return type_of_element(block, depth)
        case "list" | "set" | "map":
            return Collection(block.nesting, type_of_element(block, depth))
        case "one":
            return Scalar("any")


def type_of_element(block: BlockType | NestedAttribute, depth: int = 0) -> Type:
    """Return the type of the value that a reference to one occurrence of a block has."""
    if depth == _ANY_DEPTH:
        return Scalar("any")
    arguments = block.body.arguments
    return ObjectType({name: _type_of(argument, depth + 1) for name, argument in arguments.items()})


def _type_of(argument: Argument, depth: int) -> Type:
    return argument.type if isinstance(argument, Attribute) else type_of_block(argument, depth)
