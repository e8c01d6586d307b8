"""A platform as boxes and arrows: stacks with their resources, and what needs what.

The picture that every format draws; knows no format and no layout. Arrows lead from what is needed to what needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias

from scaffolder.pipeline import EnvironmentPlatform, Synthesis
from stacks.graph import Address, JsonText, LinkedStack, Node, Ref, RemoteRef, Text, Value, refs_in
from stacks.record import record

__all__ = ["Arrow", "EnvironmentGraph", "Level", "ResourceArrow", "StackBox", "graphs_of", "resource_arrows"]

Level: TypeAlias = Literal["stacks", "resources"]


@record
class StackBox:
    """A stack and its nodes."""

    name: str
    nodes: tuple[Node, ...]

    @property
    def resources(self) -> tuple[Node, ...]:
        """The nodes that are no data sources."""
        return tuple(node for node in self.nodes if node.address.mode == "resource")


@record
class Arrow:
    """``target`` needs ``source``: it reads so many values of it, or is only deployed after it when that is zero."""

    source: str
    target: str
    values: int


@record
class ResourceArrow:
    """``target`` refers to ``source``, or only depends on it (``depends_on``)."""

    source: Address
    target: Address
    refers: bool


@record
class EnvironmentGraph:
    """One environment's stacks in deployment order, and the arrows between them."""

    name: str
    platform: str
    boxes: tuple[StackBox, ...]
    arrows: tuple[Arrow, ...]


def graphs_of(synthesis: Synthesis) -> tuple[EnvironmentGraph, ...]:
    """Make the picture of each environment."""
    return tuple(_graph(environment) for environment in synthesis.environments)


def resource_arrows(graph: EnvironmentGraph) -> tuple[ResourceArrow, ...]:
    """List the arrows between nodes, of one stack and across stacks, in the order of the nodes."""
    return tuple(arrow for box in graph.boxes for node in box.nodes for arrow in _of_node(node))


def _graph(environment: EnvironmentPlatform) -> EnvironmentGraph:
    return EnvironmentGraph(
        name=environment.name,
        platform=environment.platform.name,
        boxes=tuple(StackBox(name=each.stack.name, nodes=each.stack.nodes) for each in environment.stacks),
        arrows=tuple(_arrows(environment.stacks)),
    )


def _arrows(stacks: Sequence[LinkedStack]) -> Iterator[Arrow]:
    """Yield what is read, and of mere orders those that don't follow from other arrows."""
    needs = {linked.stack.name: linked.dependencies for linked in stacks}
    for linked in stacks:
        values = _values_read(linked)
        for other in linked.dependencies:
            if other in needs and (other in values or not _implied(other, linked.dependencies, needs)):
                yield Arrow(source=other, target=linked.stack.name, values=values.get(other, 0))


def _implied(stack: str, dependencies: Sequence[str], needs: dict[str, tuple[str, ...]]) -> bool:
    waiting = [other for other in dependencies if other != stack]
    seen: set[str] = set()
    while waiting:
        other = waiting.pop()
        if other == stack:
            return True
        if other not in seen:
            seen.add(other)
            waiting.extend(needs.get(other, ()))
    return False


def _values_read(linked: LinkedStack) -> dict[str, int]:
    outputs: dict[str, set[str]] = {stack: set() for stack in linked.reads}
    values: list[Value] = [*linked.outputs.values()]
    values += [node.arguments for node in linked.nodes]
    for value in values:
        for ref in _remote_refs(value):
            outputs.setdefault(ref.stack, set()).add(ref.output)
    return {stack: len(read) for stack, read in outputs.items()}


def _of_node(node: Node) -> Iterator[ResourceArrow]:
    referred = dict.fromkeys(ref.address for ref in refs_in(node.arguments))
    for address in referred:
        yield ResourceArrow(source=address, target=node.address, refers=True)
    for address in node.depends_on:
        if address not in referred:
            yield ResourceArrow(source=address, target=node.address, refers=False)


def _remote_refs(value: Value) -> Iterator[RemoteRef]:
    match value:
        case RemoteRef():
            yield value
        case Text(parts=parts):
            yield from (part for part in parts if isinstance(part, RemoteRef))
        case JsonText(document=document):
            yield from _remote_refs(document)
        case str() | None | bool() | int() | float() | Ref():
            return
        case Mapping():
            for item in value.values():
                yield from _remote_refs(item)
        case _:
            for item in value:
                yield from _remote_refs(item)
