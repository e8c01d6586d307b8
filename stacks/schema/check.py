"""Checks every argument of a node, at every depth, against the schema of its type.

May not know a cloud, nor judge what a value means: only whether the provider takes such an argument there.
"""

from __future__ import annotations

import math
from collections.abc import Collection as AnyCollection
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from stacks.graph import Address, JsonText, Node, ProviderBlock, Ref, RemoteRef, Text, Value
from stacks.schema.load import Schemas, UnknownTypeError, nearest
from stacks.schema.model import (
    Attribute,
    BlockSchema,
    BlockType,
    Collection,
    Mode,
    NestedAttribute,
    ObjectType,
    Scalar,
    Type,
    TypeSchema,
    type_of_block,
)
from stacks.schema.paths import AttributePathError, Found, attribute_at
from stacks.schema.values import Path, converts, described, dotted, literal_fits, shown

__all__ = ["Code", "Path", "Problem", "check_node", "check_nodes", "check_provider"]

Code: TypeAlias = Literal[
    "unknown-type",
    "unknown-argument",
    "missing-argument",
    "wrong-type",
    "read-only",
    "too-many-blocks",
    "too-few-blocks",
    "unknown-attribute",
    "unknown-address",
    "meta-argument",
    "not-one-of",
    "out-of-range",
    "wrong-format",
    "too-many-values",
    "too-few-values",
    "conflict",
    "one-of-needed",
]
"""From ``not-one-of`` on, :mod:`stacks.schema.constraints` finds them."""

_META_ARGUMENTS: Mapping[str, str] = {
    "count": "Make one node for each instead.",
    "for_each": "Make one node for each instead.",
    "provider": "Give it as the node's provider.",
    "providers": "A stack has one provider of each name.",
    "depends_on": "Give it as the node's depends_on.",
    "lifecycle": "Give it as the node's lifecycle.",
    "connection": "A node has no provisioners.",
    "provisioner": "A node has no provisioners.",
}
"""Names that Terraform keeps for itself at the top of a resource, and what to do instead."""

_LISTED_NAMES = 12
"""A hint lists the valid names when there are no more than these and none is similar."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One argument that the provider would refuse.

    ``address`` is a node's, or ``provider.<name>``. ``path`` leads to the value; numbers are positions in
    lists. ``hint`` may be empty.
    """

    address: Address | str
    path: Path
    code: Code
    message: str
    hint: str = ""

    def __str__(self) -> str:
        head = f"{self.address}: error[{self.code}]: {self.message}"
        return f"{head}\n  {self.hint}" if self.hint else head


def check_nodes(nodes: Iterable[Node], versions: Mapping[str, str]) -> tuple[Problem, ...]:
    """Check all nodes of a platform, sorted by address and path.

    ``versions`` has the version of each provider by its name: ``{"aws": "5.100.0"}``.

    Raises:
        UnknownProviderError: no schema is shipped for a provider's version.
    """
    nodes = tuple(nodes)
    schemas = Schemas(versions)
    known: dict[_Target, Found] = {}
    refs = {node.address for node in nodes}
    problems = [
        problem for node in nodes for problem in _NodeCheck(node.address, schemas, refs, known).node(node)
    ]
    return tuple(sorted(problems, key=_order))


def check_node(node: Node, schemas: Schemas, refs: AnyCollection[Address]) -> list[Problem]:
    """Check one node. ``refs`` are the addresses that references and ``depends_on`` may name."""
    return sorted(_NodeCheck(node.address, schemas, refs, {}).node(node), key=_order)


def check_provider(block: ProviderBlock, schemas: Schemas) -> list[Problem]:
    """Check the configuration of a provider; it may hold no references to nodes."""
    address = f"provider.{block.name}"
    return sorted(_NodeCheck(address, schemas, (), {}).provider(block), key=_order)


def _order(problem: Problem) -> tuple[str, tuple[tuple[str, int], ...], str]:
    path = tuple((part, 0) if isinstance(part, str) else ("", part) for part in problem.path)
    return str(problem.address), path, problem.code


_Target: TypeAlias = tuple[Mode, str, str]
"""Mode and name of a type, and a path of attributes in it."""


class _NodeCheck:
    """Collects the problems of one node."""

    def __init__(
        self,
        address: Address | str,
        schemas: Schemas,
        refs: AnyCollection[Address],
        known: dict[_Target, Found],
    ) -> None:
        self._address = address
        self._schemas = schemas
        self._refs = refs
        self._known = known
        self._problems: list[Problem] = []

    def node(self, node: Node) -> list[Problem]:
        schema = self._schema(node.address.mode, node.address.type)
        if schema is None:
            return self._problems
        taken = self._top(schema, node.arguments)
        self._body(schema.block, taken, (), schema.name)
        self._lifecycle(node, schema)
        for needed in node.depends_on:
            if needed not in self._refs:
                self._say(
                    ("depends_on",), "unknown-address", f"depends_on names {needed}, which does not exist"
                )
        return self._problems

    def provider(self, block: ProviderBlock) -> list[Problem]:
        schema = self._schema("provider", block.name)
        if schema is not None:
            self._body(schema.block, block.config, (), f"provider {block.name}")
        return self._problems

    def _say(self, path: Path, code: Code, message: str, hint: str = "") -> None:
        self._problems.append(Problem(self._address, path, code, message, hint))

    def _schema(self, mode: Mode, type_name: str) -> TypeSchema | None:
        try:
            return self._schemas.of(mode, type_name)
        except UnknownTypeError as error:
            self._say((), "unknown-type", str(error), error.hint)
            return None

    def _top(self, schema: TypeSchema, arguments: Mapping[str, Value]) -> Mapping[str, Value]:
        """Refuse what only stands at the top of a node; return the arguments that are left to check."""
        left = dict(arguments)
        for name in arguments.keys() & _META_ARGUMENTS.keys() - schema.block.arguments.keys():
            del left[name]
            self._say(
                (name,),
                "meta-argument",
                f"{name} is not an argument but Terraform's own",
                _META_ARGUMENTS[name],
            )
        if schema.mode == "resource" and left.get("id") is not None and _is_implicit_id(schema.block):
            del left["id"]
            self._read_only(("id",))
        return left

    def _lifecycle(self, node: Node, schema: TypeSchema) -> None:
        lifecycle = node.lifecycle
        if node.address.mode == "data" and (
            lifecycle.prevent_destroy or lifecycle.create_before_destroy or lifecycle.ignore_changes
        ):
            self._say(("lifecycle",), "meta-argument", "lifecycle cannot be given for a data source")
            return
        for path in lifecycle.ignore_changes:
            name = path.partition("[")[0].partition(".")[0]
            if name not in schema.block.arguments:
                message = (
                    f'lifecycle.ignore_changes names "{name}", which is not an argument of {schema.name}'
                )
                self._say(
                    ("lifecycle", "ignore_changes"), "meta-argument", message, self._near(name, schema.block)
                )

    def _body(self, body: BlockSchema, values: Mapping[str, Value], path: Path, holder: str) -> None:
        for name, value in values.items():
            argument = body.arguments.get(name)
            if argument is None:
                where = f"{dotted(path)} in {holder}" if path else holder
                message = f'"{name}" is not an argument of {where}'
                self._say((*path, name), "unknown-argument", message, self._near(name, body))
            elif value is None:
                continue
            elif isinstance(argument, BlockType):
                self._blocks(argument, value, (*path, name), holder)
            elif argument.read_only:
                self._read_only((*path, name))
            elif isinstance(argument, NestedAttribute):
                self._nested(argument, value, (*path, name), holder)
            else:
                self._value(argument.type, value, (*path, name), secret=argument.sensitive)
        for name in body.required:
            if values.get(name) is None:
                self._missing(body, (*path, name), holder)

    def _missing(self, body: BlockSchema, path: Path, holder: str) -> None:
        name = str(path[-1])
        argument = body.arguments[name]
        where = f"{dotted(path[:-1])} in {holder}" if len(path) > 1 else holder
        match argument:
            case BlockType(min_items=least):
                blocks = "block" if least == 1 else "blocks"
                self._say(path, "too-few-blocks", f'{where} needs at least {least} "{name}" {blocks}')
            case Attribute(type=type_):
                self._say(path, "missing-argument", f'{where} needs "{name}", {type_}')
            case NestedAttribute():
                self._say(path, "missing-argument", f'{where} needs "{name}", {type_of_block(argument)}')

    def _read_only(self, path: Path) -> None:
        self._say(
            path, "read-only", f"{dotted(path)} is set by the provider and cannot be given", "Leave it out."
        )

    def _near(self, name: str, body: BlockSchema) -> str:
        names = [name for name in body.settable() if name != "id" or not _is_implicit_id(body)]
        hint = nearest(name, names)
        if hint or len(names) > _LISTED_NAMES:
            return hint
        return f"It takes {', '.join(names)}." if names else "It takes no arguments."

    def _blocks(self, block: BlockType, value: Value, path: Path, holder: str) -> None:
        items = self._items(block, value, path)
        if items is None:
            return
        for item_path, item in items:
            self._body(block.body, item, item_path, holder)
        count, least = len(items), block.min_items
        most = 1 if block.nesting in ("single", "one") else block.max_items
        stands = f"{dotted(path)} stands {count} times, but at"
        if most is not None and count > most:
            self._say(path, "too-many-blocks", f"{stands} most {most} {_is_or_are(most)} taken")
        elif count < least:
            self._say(path, "too-few-blocks", f"{stands} least {least} {_is_or_are(least)} needed")

    def _items(
        self, block: BlockType, value: Value, path: Path
    ) -> list[tuple[Path, Mapping[str, Value]]] | None:
        """Take a block's value apart; None when it is no block, which has then been said."""
        wanted = (
            "a map of its arguments for each label" if block.nesting == "map" else "a map of its arguments"
        )
        given: list[tuple[Path, Value]]
        match value:
            case Mapping():
                labelled = block.nesting == "map"
                given = [((*path, key), item) for key, item in value.items()] if labelled else [(path, value)]
            case Ref() | RemoteRef() | Text() | JsonText() | str() | bool() | int() | float() | None:
                given = [(path, value)]
            case _:
                given = [((*path, at), item) for at, item in enumerate(value)]
                wanted += ", or a list of such maps"
        items: list[tuple[Path, Mapping[str, Value]]] = []
        for item_path, item in given:
            if not isinstance(item, Mapping):
                message = f"{dotted(item_path)} is {described(item)}, but a block is {wanted}"
                self._say(item_path, "wrong-type", message)
                return None
            items.append((item_path, item))
        return items

    def _nested(self, argument: NestedAttribute, value: Value, path: Path, holder: str) -> None:
        whole = type_of_block(argument)
        match argument.nesting, value:
            case _, Ref() | RemoteRef():
                self._value(whole, value, path)
            case "single" | "one", Mapping():
                self._body(argument.body, value, path, holder)
            case "map", Mapping():
                for key, item in value.items():
                    self._element(argument, item, (*path, key), holder)
            case "list" | "set", Sequence() if not isinstance(value, str):
                for at, item in enumerate(value):
                    self._element(argument, item, (*path, at), holder)
            case _:
                self._wrong(whole, value, path)

    def _element(self, argument: NestedAttribute, item: Value, path: Path, holder: str) -> None:
        if isinstance(item, Mapping):
            self._body(argument.body, item, path, holder)
        elif not isinstance(item, Ref | RemoteRef):
            self._say(
                path,
                "wrong-type",
                f"{dotted(path)} is {described(item)}, but must be a map of its arguments",
            )
        else:
            self._references(item, path)

    def _value(self, type_: Type, value: Value, path: Path, *, secret: bool = False) -> None:
        match value:
            case RemoteRef():
                return
            case Ref():
                found = self._found(value, path)
                if found is not None and not converts(found.type, type_):
                    self._say(path, "wrong-type", _mismatch(path, f"{shown(value)}, {found.type},", type_))
            case Text() | JsonText():
                self._references(value, path)
                if not converts(Scalar("string"), type_) or (
                    isinstance(value, JsonText) and _is_bool_or_number(type_)
                ):
                    self._wrong(type_, value, path)
            case None:
                self._say(path, "wrong-type", _mismatch(path, "null", type_), "Leave it out.")
            case float() if not math.isfinite(value):
                self._references(value, path)
            case str() | bool() | int() | float():
                if not literal_fits(type_, value):
                    self._wrong(type_, value, path, secret=secret)
            case Mapping():
                self._mapping(type_, value, path)
            case _:
                self._list(type_, value, path)

    def _mapping(self, type_: Type, value: Mapping[str, Value], path: Path) -> None:
        match type_:
            case Collection(kind="map", element=element):
                for key, item in value.items():
                    if item is not None:
                        self._value(element, item, (*path, key))
            case ObjectType(attributes=attributes):
                self._object(attributes, value, path)
            case Scalar(kind="any"):
                self._references(value, path)
            case _:
                self._wrong(type_, value, path)

    def _object(self, attributes: Mapping[str, Type], value: Mapping[str, Value], path: Path) -> None:
        for key, item in value.items():
            if key not in attributes:
                hint = nearest(key, attributes) or f"It takes {', '.join(attributes)}."
                self._say(
                    (*path, key), "unknown-argument", f'"{key}" is not an attribute of {dotted(path)}', hint
                )
            elif item is not None:
                self._value(attributes[key], item, (*path, key))
        if missing := [key for key in attributes if key not in value]:
            message = f"{dotted(path)} lacks {', '.join(missing)}"
            hint = "It is an object, not a block: write null where there is nothing."
            self._say(path, "missing-argument", message, hint)

    def _list(self, type_: Type, value: Sequence[Value], path: Path) -> None:
        match type_:
            case Collection(kind="list" | "set", element=element):
                for at, item in enumerate(value):
                    self._value(element, item, (*path, at))
            case Scalar(kind="any"):
                self._references(value, path)
            case _:
                self._wrong(type_, value, path)

    def _wrong(self, type_: Type, value: Value, path: Path, *, secret: bool = False) -> None:
        hint = ""
        if type_ == Scalar("string") and isinstance(value, Mapping):
            hint = "A JSON document is passed as JsonText."
        elif isinstance(type_, Collection) and type_.kind != "map" and isinstance(value, str):
            hint = f"Write it as a {type_.kind}, even of one."
        what = "a secret" if secret else described(value)
        self._say(path, "wrong-type", _mismatch(path, what, type_), hint)

    def _references(self, value: Value, path: Path) -> None:
        """Check the references in a value whose own type doesn't matter."""
        match value:
            case Ref():
                self._found(value, path)
            case Text(parts=parts):
                for part in parts:
                    if not isinstance(part, Ref):
                        continue
                    found = self._found(part, path)
                    if found is not None and not isinstance(found.type, Scalar):
                        what = f"{dotted(path)} joins {shown(part)}, {found.type}, into a text"
                        self._say(path, "wrong-type", f"{what}, which takes only strings, numbers and bools")
            case JsonText(document=document):
                self._references(document, path)
            case float() if not math.isfinite(value):
                self._say(path, "wrong-type", f"{dotted(path)} is {value}, which no document can hold")
            case str() | None | bool() | int() | float() | RemoteRef():
                return
            case Mapping():
                for item in value.values():
                    self._references(item, path)
            case _:
                for item in value:
                    self._references(item, path)

    def _found(self, ref: Ref, path: Path) -> Found | None:
        """Find what a reference stands for; None when there is no such thing, which has then been said."""
        refers = f"{dotted(path)} refers to"
        if ref.address not in self._refs:
            hint = nearest(str(ref.address), map(str, self._refs))
            self._say(path, "unknown-address", f"{refers} {ref.address}, which does not exist", hint)
            return None
        target = (ref.address.mode, ref.address.type, ref.attribute)
        if target in self._known:
            return self._known[target]
        try:
            schema = self._schemas.of(ref.address.mode, ref.address.type)
            found = self._known[target] = attribute_at(schema, ref.attribute)
        except UnknownTypeError:
            return None  # said where the node itself is checked
        except AttributePathError as error:
            self._say(path, "unknown-attribute", f"{refers} {shown(ref)}: {error}", error.hint)
            return None
        return found


def _is_implicit_id(body: BlockSchema) -> bool:
    """Providers' older SDK adds an ``id`` to each resource, says that it is optional, and refuses it."""
    match body.arguments.get("id"):
        case Attribute(required=False, optional=True, computed=True):
            return True
        case _:
            return False


def _is_bool_or_number(type_: Type) -> bool:
    return isinstance(type_, Scalar) and type_.kind in ("bool", "number")


def _is_or_are(count: int) -> str:
    return "is" if count == 1 else "are"


def _mismatch(path: Path, what: str, type_: Type) -> str:
    return f"{dotted(path)} is {what}{'' if what.endswith(',') else ','} but must be {type_}"
