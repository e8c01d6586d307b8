"""Decides what happens to each resource and data source that both sides have, and why.

Pure, and knows one environment only. May not guess what a provider would compute, nor whether an unmeasured argument
replaces its resource.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Literal, Protocol, TypeAlias

from scaffolder.report.arguments import ArgumentChange, ValueChange, compare_arguments, leaves, names_of
from scaffolder.report.losses import is_lowered, lost_by_expiry, parent_of
from stacks.graph import Address, LinkedStack, Node, Ref, Value, refs_in
from stacks.losses import Losses
from stacks.record import record
from stacks.schema.load import SchemaError, provider_of, schema_of, shipped_versions
from stacks.schema.model import Attribute, BlockType, Collection
from stacks.schema.replacement import forces_replacement

__all__ = ["Action", "ResourceChange", "Side", "altered", "expired", "is_importable"]

Action: TypeAlias = Literal["added", "changed", "replaced", "removed"]


@record
class ResourceChange:
    """A resource or data source that differs.

    ``loses`` says what is lost for good. ``lowered`` are the paths whose change takes a protection away.
    ``moved_from`` and ``moved_to`` name the other stack of a resource that is removed here and added there;
    ``importable`` when nothing about it would replace it there, so that its state can follow.
    ``renamed_to`` (of a removed one) is an added resource of the same stack with the same arguments.
    ``refused`` when ``prevent_destroy`` makes Terraform refuse the change.
    """

    address: Address
    action: Action
    origin: str
    arguments: tuple[ArgumentChange, ...] = ()
    loses: tuple[str, ...] = ()
    lowered: tuple[str, ...] = ()
    moved_from: str = ""
    moved_to: str = ""
    importable: bool = False
    renamed_to: Address | None = None
    refused: bool = False


class Side:
    """One environment's stacks and nodes by name and address, and what its cloud says of losses."""

    def __init__(self, stacks: Sequence[LinkedStack], losses: Losses) -> None:
        self.losses = losses
        self.stacks = {linked.stack.name: linked for linked in stacks}
        self.nodes = {node.address: node for linked in stacks for node in linked.stack.nodes}
        self.home = {node.address: linked.stack.name for linked in stacks for node in linked.stack.nodes}


def altered(old: Side, new: Side) -> dict[Address, ResourceChange]:
    """Find the nodes that stay in their stack and differ, and those that follow what they refer to.

    A reference has another value when what it names is replaced or moved, is a data source that differs, or is an
    argument that differs. Deciding one node can alter the next, so it goes on until nothing more follows.
    """
    stay = {
        address: (old.nodes[address], node)
        for address, node in new.nodes.items()
        if old.home.get(address) == new.home[address]
    }
    moved = {address for address in new.nodes if address in old.nodes and address not in stay}
    direct = {address: tuple(_direct(before, after)) for address, (before, after) in stay.items()}
    found: dict[Address, ResourceChange] = {}
    while True:
        follow = partial(_follows, moved=moved, found=found, new=new.nodes)
        decided = {
            address: _decided(
                before, after, (*direct[address], *_following(after, direct[address], follow)), new.losses
            )
            for address, (before, after) in stay.items()
        }
        differ = {address: change for address, change in decided.items() if change is not None}
        if differ == found:
            return _with_expiries(differ, old, new)
        found = differ


def _direct(old: Node, new: Node) -> Iterator[ArgumentChange]:
    is_set = partial(_is_set, new.address)
    for change in compare_arguments(old.arguments, new.arguments, is_set):
        yield _argument(new, change)
    for change in compare_arguments(_meta(old), _meta(new)):
        yield _copied(change, forces=False)


def _meta(node: Node) -> dict[str, Value]:
    """Terraform's own arguments, which act on no resource by themselves."""
    return {
        "depends_on": [str(address) for address in node.depends_on],
        "lifecycle": {
            "prevent_destroy": node.lifecycle.prevent_destroy,
            "create_before_destroy": node.lifecycle.create_before_destroy,
            "ignore_changes": [*node.lifecycle.ignore_changes],
        },
    }


def _argument(node: Node, change: ValueChange, follows: str = "") -> ArgumentChange:
    if node.address.mode == "data":
        return _copied(change, forces=False, follows=follows)
    ignored = node.lifecycle.ignore_changes
    if ignored == ("all",) or names_of(change.path)[0] in ignored:
        return _copied(change, forces=False, follows=follows, ignored=True)
    return _copied(change, forces=_forces(node.address.type, change), follows=follows)


def _copied(
    change: ValueChange, *, forces: bool | None, follows: str = "", ignored: bool = False
) -> ArgumentChange:
    return ArgumentChange(
        path=change.path,
        kind=change.kind,
        old=change.old,
        new=change.new,
        forces=forces,
        follows=follows,
        ignored=ignored,
    )


def _forces(type_name: str, change: ValueChange) -> bool | None:
    """Ask about the path and, where a block comes or goes, about what is inside it."""
    values = {"added": (change.new,), "removed": (change.old,), "changed": (change.old, change.new)}[
        change.kind
    ]
    paths = {change.path, *(path for value in values for path, _ in leaves(value, change.path))}
    answers = {forces_replacement(type_name, path) for path in paths}
    if True in answers:
        return True
    return None if None in answers else False


def _following(node: Node, direct: Sequence[ArgumentChange], follow: _Follow) -> Iterator[ArgumentChange]:
    """Yield the arguments that are written as before and have another value nonetheless."""
    written = {change.path for change in direct}
    for name in sorted(node.arguments):
        for path, value in leaves(node.arguments[name], name):
            if path in written or any(path.startswith((f"{other}.", f"{other}[")) for other in written):
                continue
            source = next((ref.address for ref in refs_in(value) if follow(ref)), None)
            if source is not None:
                change = ValueChange(path=path, kind="changed", old=value, new=value)
                yield _argument(node, change, follows=str(source))


class _Follow(Protocol):
    def __call__(self, ref: Ref) -> bool: ...


def _follows(
    ref: Ref,
    *,
    moved: set[Address],
    found: Mapping[Address, ResourceChange],
    new: Mapping[Address, Node],
) -> bool:
    change = found.get(ref.address)
    argument = names_of(ref.attribute)[0]
    if change is None and ref.address not in moved:
        return False
    given = argument in new[ref.address].arguments
    differs = change is not None and any(names_of(each.path)[0] == argument for each in change.arguments)
    if ref.address.mode == "data":
        return not given or differs
    if ref.address in moved or (change is not None and change.action == "replaced"):
        return not given or differs
    return differs


def _decided(
    old: Node, new: Node, arguments: tuple[ArgumentChange, ...], losses: Losses
) -> ResourceChange | None:
    if not arguments:
        return None
    replaced = any(change.forces for change in arguments)
    return ResourceChange(
        address=new.address,
        action="replaced" if replaced else "changed",
        origin=new.origin,
        arguments=arguments,
        loses=(old.holds,) if replaced and old.holds else (),
        lowered=tuple(
            change.path
            for change in arguments
            if not change.ignored
            and is_lowered(
                losses,
                new.address.type,
                change.path,
                None if change.kind == "added" else change.old,
                None if change.kind == "removed" else change.new,
            )
        ),
        refused=replaced and new.lifecycle.prevent_destroy,
    )


def _with_expiries(
    differ: Mapping[Address, ResourceChange], old: Side, new: Side
) -> dict[Address, ResourceChange]:
    return {
        address: replace(change, loses=(*change.loses, *expired(old.nodes[address], new.nodes[address], old)))
        for address, change in differ.items()
    }


def expired(before: Node | None, after: Node, old: Side) -> Iterator[str]:
    """Say what goes because it is kept shorter; nothing where what holds it is new itself."""
    for expiry in old.losses.expiries.get(after.address.type, ()):
        parent = parent_of(after, expiry)
        holder = parent.address if isinstance(parent, Ref) else None
        if before is not None or (holder is not None and holder in old.nodes):
            yield from lost_by_expiry(expiry, before, after)


def _is_set(address: Address, path: str) -> bool:
    return _names_a_set(address, names_of(path))


@cache
def _names_a_set(address: Address, names: tuple[str, ...]) -> bool:
    provider = provider_of(address.type)
    versions = shipped_versions(provider)
    if not versions:
        return False
    try:
        schema = schema_of(provider, address.mode, address.type, version=versions[-1])
    except SchemaError:
        return False
    match schema.at(names):
        case Attribute(type=Collection(kind="set")) | BlockType(nesting="set"):
            return True
        case _:
            return False


def is_importable(old: Node, new: Node) -> bool:
    return old.address.mode == "resource" and not any(change.forces for change in _direct(old, new))
