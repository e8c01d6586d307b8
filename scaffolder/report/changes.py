"""Compares two syntheses: what a change of the spec adds, changes, replaces and removes, and what is lost by it.

Pure: two values in, one out. It sees configurations, never a state: what has been deployed is not known here, nor
what a provider would compute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Literal, Protocol, TypeAlias

from scaffolder.pipeline import EnvironmentPlatform, Synthesis
from scaffolder.report.arguments import (
    ArgumentChange,
    Kind,
    ValueChange,
    compare_arguments,
    leaves,
    names_of,
    same,
)
from scaffolder.report.losses import expiries, is_lowered, is_place, lost_by_expiry, parent_of
from stacks.graph import Address, Backend, LinkedStack, Node, ProviderBlock, Ref, Stack, Value, refs_in
from stacks.intents import Intent, describe
from stacks.schema.load import SchemaError, provider_of, schema_of, shipped_versions
from stacks.schema.model import Attribute, BlockType, Collection
from stacks.schema.replacement import forces_replacement

__all__ = [
    "Action",
    "BackendChange",
    "Changes",
    "EnvironmentChange",
    "IntentChange",
    "ResourceChange",
    "StackChange",
    "Totals",
    "compare",
]

Action: TypeAlias = Literal["added", "changed", "replaced", "removed"]


@dataclass(frozen=True, slots=True, kw_only=True)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendChange:
    """Another place for a stack's state; the state itself moves with ``terraform init -migrate-state``."""

    old: Backend
    new: Backend
    arguments: tuple[ValueChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackChange:
    """A stack that differs.

    ``settings`` are providers, Terraform's version and the stacks to deploy before. ``leaves_behind`` are the
    arguments by which a provider looks at another place now: what is deployed stays in the old one or is destroyed.
    """

    name: str
    action: Kind
    resources: tuple[ResourceChange, ...]
    outputs: tuple[ValueChange, ...] = ()
    settings: tuple[ValueChange, ...] = ()
    backend: BackendChange | None = None
    leaves_behind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentChange:
    """A part of the spec that differs but that no stack carries, before and after."""

    intent: str
    action: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentChange:
    """An environment that differs, or that only one side has."""

    name: str
    action: Kind
    stacks: tuple[StackChange, ...]
    uncarried: tuple[IntentChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Resources by what happens to them; data sources are not counted.

    ``data_losing`` counts the resources that lose data and the stacks that leave theirs behind; ``lowered`` the
    protections that are taken away.
    """

    added: int
    changed: int
    replaced: int
    removed: int
    data_losing: int
    lowered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What differs between two syntheses; empty when they would be deployed alike."""

    old: str
    new: str
    environments: tuple[EnvironmentChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is no change to anything that is deployed."""
        return not any(
            environment.stacks or environment.action != "changed" for environment in self.environments
        )

    @property
    def resources(self) -> Iterator[ResourceChange]:
        """Every resource that differs, in order."""
        return (
            resource
            for environment in self.environments
            for stack in environment.stacks
            for resource in stack.resources
        )

    @property
    def totals(self) -> Totals:
        """Count what differs."""
        counts: dict[Action, int] = {"added": 0, "changed": 0, "replaced": 0, "removed": 0}
        for resource in self.resources:
            if resource.address.mode == "resource":
                counts[resource.action] += 1
        stacks = [stack for environment in self.environments for stack in environment.stacks]
        losing = sum(bool(resource.loses) for resource in self.resources)
        return Totals(
            **counts,
            data_losing=losing + sum(bool(stack.leaves_behind) for stack in stacks),
            lowered=sum(len(resource.lowered) for resource in self.resources),
        )


def compare(old: Synthesis, new: Synthesis) -> Changes:
    """Compare two syntheses. Environments, stacks and resources come in the new order, removed ones after them."""
    before = {environment.name: environment for environment in old.environments}
    after = {environment.name: environment for environment in new.environments}
    found = (_environment(name, before.get(name), after.get(name)) for name in _both(after, before))
    return Changes(
        old=old.file,
        new=new.file,
        environments=tuple(
            each for each in found if each.stacks or each.uncarried or each.action != "changed"
        ),
    )


def _both(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *second]))


def _kind(old: object, new: object) -> Kind:
    if old is None:
        return "added"
    return "removed" if new is None else "changed"


def _environment(
    name: str, old: EnvironmentPlatform | None, new: EnvironmentPlatform | None
) -> EnvironmentChange:
    before = _Side(old.stacks if old else ())
    after = _Side(new.stacks if new else ())
    altered = _altered(before, after)
    stacks = (_stack(before, after, stack, altered) for stack in _both(after.stacks, before.stacks))
    return EnvironmentChange(
        name=name,
        action=_kind(old, new),
        stacks=tuple(stack for stack in stacks if stack is not None),
        uncarried=tuple(_uncarried(old, new)) if old and new else (),
    )


class _Side:
    """One environment's stacks and nodes by name and address."""

    def __init__(self, stacks: Sequence[LinkedStack]) -> None:
        self.stacks = {linked.stack.name: linked for linked in stacks}
        self.nodes = {node.address: node for linked in stacks for node in linked.stack.nodes}
        self.home = {node.address: linked.stack.name for linked in stacks for node in linked.stack.nodes}


def _uncarried(old: EnvironmentPlatform, new: EnvironmentPlatform) -> Iterator[IntentChange]:
    before, after = _skipped(old), _skipped(new)
    for name in _both(after, before):
        if before.get(name) != after.get(name):
            yield IntentChange(intent=name, action=_kind(before.get(name), after.get(name)))


def _skipped(environment: EnvironmentPlatform) -> dict[str, Intent]:
    names = {skipped.intent for skipped in environment.skipped}
    named = ((describe(intent), intent) for intent in environment.platform.intents)
    return {name: intent for name, intent in named if name in names}


# --- resources that both sides have ---------------------------------------------------------------------------------


def _altered(old: _Side, new: _Side) -> dict[Address, ResourceChange]:
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
            address: _decided(before, after, (*direct[address], *_following(after, direct[address], follow)))
            for address, (before, after) in stay.items()
        }
        altered = {address: change for address, change in decided.items() if change is not None}
        if altered == found:
            return _with_expiries(altered, old, new)
        found = altered


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


def _decided(old: Node, new: Node, arguments: tuple[ArgumentChange, ...]) -> ResourceChange | None:
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
                new.address.type,
                change.path,
                None if change.kind == "added" else change.old,
                None if change.kind == "removed" else change.new,
            )
        ),
        refused=replaced and new.lifecycle.prevent_destroy,
    )


def _with_expiries(
    altered: Mapping[Address, ResourceChange], old: _Side, new: _Side
) -> dict[Address, ResourceChange]:
    return {
        address: replace(
            change, loses=(*change.loses, *_expired(old.nodes[address], new.nodes[address], old))
        )
        for address, change in altered.items()
    }


def _expired(before: Node | None, after: Node, old: _Side) -> Iterator[str]:
    """Say what goes because it is kept shorter; nothing where what holds it is new itself."""
    for expiry in expiries(after):
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


# --- stacks ---------------------------------------------------------------------------------------------------------


def _stack(
    old: _Side, new: _Side, name: str, altered: Mapping[Address, ResourceChange]
) -> StackChange | None:
    before, after = old.stacks.get(name), new.stacks.get(name)
    resources = (
        *_kept_and_added(after, old, new, altered),
        *_removed(before, old, new, gone=after is None),
    )
    if before is None or after is None:
        return StackChange(name=name, action=_kind(before, after), resources=resources)
    settings = compare_arguments(_settings(before), _settings(after))
    stack = StackChange(
        name=name,
        action="changed",
        resources=resources,
        outputs=_outputs(before, after),
        settings=settings,
        backend=_backend(before.stack.backend, after.stack.backend),
        leaves_behind=_left_behind(before.stack, after.stack),
    )
    return stack if stack.resources or stack.outputs or stack.settings or stack.backend else None


def _kept_and_added(
    stack: LinkedStack | None, old: _Side, new: _Side, altered: Mapping[Address, ResourceChange]
) -> Iterator[ResourceChange]:
    for node in stack.stack.nodes if stack else ():
        if node.address in altered:
            yield altered[node.address]
        elif node.address not in old.nodes:
            yield ResourceChange(
                address=node.address,
                action="added",
                origin=node.origin,
                loses=tuple(_expired(None, node, old)),
            )
        elif old.home[node.address] != new.home[node.address]:
            yield ResourceChange(
                address=node.address,
                action="added",
                origin=node.origin,
                moved_from=old.home[node.address],
            )


def _removed(stack: LinkedStack | None, old: _Side, new: _Side, *, gone: bool) -> Iterator[ResourceChange]:
    if stack is None:
        return
    name = stack.stack.name
    missing = [node for node in stack.stack.nodes if new.home.get(node.address) != name]
    renamed = _renamed(missing, name, old, new)
    for node in missing:
        yield ResourceChange(
            address=node.address,
            action="removed",
            origin=node.origin,
            loses=(node.holds,) if node.holds else (),
            moved_to=new.home.get(node.address, ""),
            importable=node.address in new.nodes and _importable(node, new.nodes[node.address]),
            renamed_to=renamed.get(node.address),
            refused=gone and node.lifecycle.prevent_destroy,
        )


def _importable(old: Node, new: Node) -> bool:
    return old.address.mode == "resource" and not any(change.forces for change in _direct(old, new))


def _renamed(missing: Sequence[Node], stack: str, old: _Side, new: _Side) -> dict[Address, Address]:
    """Pair removed with added resources of one type and stack whose arguments are the same, where there is one only."""
    added = [
        node for address, node in new.nodes.items() if new.home[address] == stack and address not in old.nodes
    ]
    gone = [node for node in missing if node.address not in new.nodes and node.address.mode == "resource"]
    pairs: dict[Address, Address] = {}
    for node in gone:
        alike = [other for other in added if _alike(node, other)]
        if len(alike) == 1 and sum(_alike(other, alike[0]) for other in gone) == 1:
            pairs[node.address] = alike[0].address
    return pairs


def _alike(old: Node, new: Node) -> bool:
    kind = (old.address.mode, old.address.type) == (new.address.mode, new.address.type)
    return kind and bool(old.arguments) and same(old.arguments, new.arguments)


def _outputs(old: LinkedStack, new: LinkedStack) -> tuple[ValueChange, ...]:
    """Compare what a stack publishes, each output as a whole path of its own."""
    return compare_arguments(old.outputs, new.outputs)


def _settings(linked: LinkedStack) -> dict[str, Value]:
    stack = linked.stack
    return {
        "terraform": {"required_version": stack.required_terraform},
        "deployed_after": [*linked.dependencies],
        "provider": {name: _provider(block) for name, block in _by_name(stack.providers).items()},
    }


def _by_name(blocks: Sequence[ProviderBlock]) -> dict[str, ProviderBlock]:
    """Name each provider block: its provider, and its alias if it has one."""
    return {
        block.name + (f".{block.config['alias']}" if "alias" in block.config else ""): block
        for block in blocks
    }


def _provider(block: ProviderBlock) -> dict[str, Value]:
    return {"source": block.source, "version": block.version, **block.config}


def _backend(old: Backend, new: Backend) -> BackendChange | None:
    arguments = compare_arguments({"kind": old.kind, **old.config}, {"kind": new.kind, **new.config})
    return BackendChange(old=old, new=new, arguments=arguments) if arguments else None


def _left_behind(old: Stack, new: Stack) -> tuple[str, ...]:
    before, after = _by_name(old.providers), _by_name(new.providers)
    return tuple(
        f"provider {name}: {change.path}"
        for name in before
        if name in after
        for change in compare_arguments(before[name].config, after[name].config)
        if is_place(change.path)
    )
