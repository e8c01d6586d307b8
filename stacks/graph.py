"""The resource graph: frozen nodes, references as objects, and the links between stacks.

May not know YAML, a cloud, a file or the text of a Terraform expression: ``${…}`` is the emitters' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from stacks.record import record

__all__ = [
    "Address",
    "Backend",
    "GraphError",
    "JsonText",
    "Lifecycle",
    "LinkedStack",
    "Node",
    "ProviderBlock",
    "Ref",
    "RemoteRef",
    "Stack",
    "StackBuilder",
    "Text",
    "Value",
    "link",
    "refs_in",
    "text",
]

Mode: TypeAlias = Literal["resource", "data"]


class GraphError(Exception):
    """A lowering made a graph that cannot be deployed: a bug in this program, never in a spec."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """Where a node stands in its stack: ``aws_s3_bucket.data`` or ``data.aws_iam_policy_document.data``."""

    mode: Mode
    type: str
    name: str

    def __str__(self) -> str:
        return f"{self.type}.{self.name}" if self.mode == "resource" else f"data.{self.type}.{self.name}"


@dataclass(frozen=True, slots=True)
class Ref:
    """The value of another node's attribute; ``attribute`` may index a block: ``endpoint[0].arn``."""

    address: Address
    attribute: str


@dataclass(frozen=True, slots=True)
class RemoteRef:
    """The value of another stack's output; only :func:`link` makes these."""

    stack: str
    output: str


@dataclass(frozen=True, slots=True)
class Text:
    """Literal strings and references, joined when Terraform evaluates them."""

    parts: tuple[str | Ref | RemoteRef, ...]


@dataclass(frozen=True, slots=True)
class JsonText:
    """A JSON document passed as a string, with references inside."""

    document: Value


Value: TypeAlias = "str | int | float | bool | Ref | RemoteRef | Text | JsonText | Sequence[Value] | Mapping[str, Value] | None"


def text(*parts: Value) -> Value:
    """Join strings and references; a plain string when there is no reference among them."""
    flat: list[str | Ref | RemoteRef] = []
    for part in parts:
        match part:
            case Text(parts=inner):
                flat.extend(inner)
            case str() | Ref() | RemoteRef():
                flat.append(part)
            case _:
                raise GraphError(f"a text is made of strings and references, not {part!r}")
    if all(isinstance(part, str) for part in flat):
        return "".join(str(part) for part in flat)
    return Text(tuple(flat))


@record
class Lifecycle:
    """Terraform's ``lifecycle`` block; an empty one is not emitted."""

    prevent_destroy: bool = False
    create_before_destroy: bool = False
    ignore_changes: tuple[str, ...] = ()


@record
class Node:
    """One resource or data source. ``origin`` names the intent it serves (``object store data``).

    ``holds`` says what is lost for good when the node is destroyed or replaced; empty when nothing is. ``provider`` is
    the provider that makes it, where that is not the one its type begins with (``google-beta``).
    """

    address: Address
    arguments: Mapping[str, Value]
    origin: str
    depends_on: tuple[Address, ...] = ()
    lifecycle: Lifecycle = Lifecycle()
    holds: str = ""
    provider: str = ""

    def ref(self, attribute: str) -> Ref:
        """Refer to an attribute of this node."""
        return Ref(self.address, attribute)


@record
class ProviderBlock:
    """A provider's source, version bounds and configuration, as Terraform wants them."""

    name: str
    source: str
    version: str
    config: Mapping[str, Value]


@record
class Backend:
    """Where one stack's state lives. ``kind`` is Terraform's backend type, ``config`` its arguments."""

    kind: str
    config: Mapping[str, str | bool | int]


@record
class Stack:
    """One deployable stack as a lowering made it; references may still cross into other stacks.

    ``exports`` are the named outputs for people and for other programs. ``needs`` are stacks that must be
    deployed first though no reference says so.
    """

    name: str
    concern: str
    environment: str
    nodes: tuple[Node, ...]
    providers: tuple[ProviderBlock, ...]
    backend: Backend
    required_terraform: str
    exports: Mapping[str, Value] = field(default_factory=dict)
    needs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        seen: set[Address] = set()
        for node in self.nodes:
            if node.address in seen:
                raise GraphError(f"stack {self.name} has {node.address} twice")
            seen.add(node.address)


@record
class LinkedStack:
    """A stack whose cross-stack references are outputs there and remote-state reads here.

    ``outputs`` holds exports and the outputs that other stacks read. ``reads`` maps the name of a stack that
    is read to its backend. ``dependencies`` are the stacks to deploy first, sorted.
    """

    stack: Stack
    nodes: tuple[Node, ...]
    outputs: Mapping[str, Value]
    reads: Mapping[str, Backend]
    dependencies: tuple[str, ...]


class StackBuilder:
    """Collects the nodes of one stack while a concern is lowered.

    ``providers`` names, by type, the provider that makes it where that is not the one its type begins with.
    """

    def __init__(self, concern: str, providers: Mapping[str, str] | None = None) -> None:
        self.concern = concern
        self._providers = dict(providers or {})
        self._nodes: dict[Address, Node] = {}
        self._exports: dict[str, Value] = {}

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes so far, in the order in which they were added."""
        return tuple(self._nodes.values())

    @property
    def exports(self) -> Mapping[str, Value]:
        """The exports so far."""
        return dict(self._exports)

    def resource(
        self,
        type_: str,
        name: str,
        arguments: Mapping[str, Value],
        *,
        origin: str,
        depends_on: Iterable[Node] = (),
        lifecycle: Lifecycle | None = None,
        holds: str = "",
    ) -> Node:
        """Add a resource. ``None`` arguments are left out; ``holds`` says what is lost with it."""
        return self._add(
            Address("resource", type_, name), arguments, origin, depends_on, lifecycle or Lifecycle(), holds
        )

    def data(
        self,
        type_: str,
        name: str,
        arguments: Mapping[str, Value],
        *,
        origin: str,
        depends_on: Iterable[Node] = (),
    ) -> Node:
        """Add a data source; with ``depends_on`` it is read once those are there."""
        return self._add(Address("data", type_, name), arguments, origin, depends_on, Lifecycle(), "")

    def export(self, name: str, value: Value) -> None:
        """Publish a named output."""
        if name in self._exports:
            raise GraphError(f"{self.concern} exports {name} twice")
        self._exports[name] = value

    def _add(
        self,
        address: Address,
        arguments: Mapping[str, Value],
        origin: str,
        depends_on: Iterable[Node],
        lifecycle: Lifecycle,
        holds: str,
    ) -> Node:
        if address in self._nodes:
            raise GraphError(f"{self.concern} has {address} twice")
        node = Node(
            address=address,
            arguments={key: value for key, value in arguments.items() if value is not None},
            origin=origin,
            depends_on=tuple(sorted({other.address for other in depends_on})),
            lifecycle=lifecycle,
            holds=holds,
            provider=self._providers.get(address.type, ""),
        )
        self._nodes[address] = node
        return node


def refs_in(value: Value) -> Iterator[Ref]:
    """Yield every reference inside a value, in order."""
    match value:
        case Ref():
            yield value
        case Text(parts=parts):
            yield from (part for part in parts if isinstance(part, Ref))
        case JsonText(document=document):
            yield from refs_in(document)
        case str() | None | bool() | int() | float() | RemoteRef():
            return
        case Mapping():
            for item in value.values():
                yield from refs_in(item)
        case _:
            for item in value:
                yield from refs_in(item)


def link(stacks: Sequence[Stack]) -> tuple[LinkedStack, ...]:
    """Turn references between stacks into outputs and reads, and order the stacks by them.

    Raises:
        GraphError: an address in two stacks, a reference to nothing, or stacks that need each other.
    """
    home = _home_of_addresses(stacks)
    by_name = {stack.name: stack for stack in stacks}
    published: dict[str, dict[str, Value]] = {stack.name: dict(stack.exports) for stack in stacks}
    rewritten: dict[str, tuple[tuple[Node, ...], dict[str, Value], set[str]]] = {}
    for stack in stacks:
        linker = _Linker(stack.name, home, published)
        nodes = tuple(linker.node(node) for node in stack.nodes)
        exports = {name: linker.value(value) for name, value in stack.exports.items()}
        rewritten[stack.name] = (nodes, exports, linker.read)
    linked = []
    for stack in stacks:
        nodes, exports, read = rewritten[stack.name]
        linked.append(
            LinkedStack(
                stack=stack,
                nodes=nodes,
                outputs={**published[stack.name], **exports},
                reads={name: by_name[name].backend for name in sorted(read)},
                dependencies=tuple(sorted(read | set(stack.needs))),
            )
        )
    return _ordered(linked)


def _home_of_addresses(stacks: Sequence[Stack]) -> dict[Address, str]:
    home: dict[Address, str] = {}
    for stack in stacks:
        for node in stack.nodes:
            if node.address in home:
                raise GraphError(f"{node.address} is in stacks {home[node.address]} and {stack.name}")
            home[node.address] = stack.name
    return home


class _Linker:
    def __init__(
        self, stack: str, home: Mapping[Address, str], published: dict[str, dict[str, Value]]
    ) -> None:
        self.stack = stack
        self.home = home
        self.published = published
        self.read: set[str] = set()

    def node(self, node: Node) -> Node:
        for needed in node.depends_on:
            if self.home.get(needed) != self.stack:
                raise GraphError(f"{node.address} depends on {needed}, which is not in stack {self.stack}")
        arguments = {key: self.value(value) for key, value in node.arguments.items()}
        return replace(node, arguments=arguments)

    def value(self, value: Value) -> Value:
        match value:
            case Ref():
                return self.ref(value)
            case Text(parts=parts):
                return Text(tuple(self.ref(part) if isinstance(part, Ref) else part for part in parts))
            case JsonText(document=document):
                return JsonText(self.value(document))
            case str() | None | bool() | int() | float() | RemoteRef():
                return value
            case Mapping():
                return {key: self.value(item) for key, item in value.items()}
            case _:
                return [self.value(item) for item in value]

    def ref(self, ref: Ref) -> Ref | RemoteRef:
        home = self.home.get(ref.address)
        if home is None:
            raise GraphError(f"stack {self.stack} refers to {ref.address}, which no stack has")
        if home == self.stack:
            return ref
        output = _output_name(ref)
        known = self.published[home].setdefault(output, ref)
        if known != ref:
            raise GraphError(f"stack {home} has two outputs named {output}")
        self.read.add(home)
        return RemoteRef(home, output)


def _output_name(ref: Ref) -> str:
    attribute = ref.attribute.replace("[", "_").replace("]", "").replace(".", "_")
    prefix = "data_" if ref.address.mode == "data" else ""
    return f"{prefix}{ref.address.type}_{ref.address.name}_{attribute}"


def _ordered(linked: Sequence[LinkedStack]) -> tuple[LinkedStack, ...]:
    """Sort by dependency, keeping the given order where it is free."""
    done: set[str] = set()
    known = {item.stack.name for item in linked}
    waiting = list(linked)
    order: list[LinkedStack] = []
    while waiting:
        ready = next((item for item in waiting if not (set(item.dependencies) & known) - done), None)
        if ready is None:
            raise GraphError(
                "stacks need each other: " + ", ".join(sorted(item.stack.name for item in waiting))
            )
        waiting.remove(ready)
        done.add(ready.stack.name)
        order.append(ready)
    return tuple(order)
