"""Compares two syntheses: what a change of the spec adds, changes, replaces and removes, and what is lost by it.

Pure: two values in, one out. It sees configurations, never a state: what has been deployed is not known here, nor
what a provider would compute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from scaffolder.pipeline import EnvironmentPlatform, Synthesis
from scaffolder.report.arguments import (
    Kind,
    ValueChange,
    compare_arguments,
    same,
)
from scaffolder.report.losses import is_place
from scaffolder.report.resource_changes import Action, ResourceChange, Side, altered, expired, is_importable
from stacks.adapter import losses_of
from stacks.graph import Address, Backend, LinkedStack, Node, ProviderBlock, Stack, Value
from stacks.intents import Intent, describe
from stacks.losses import Losses
from stacks.record import record

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


@record
class BackendChange:
    """Another place for a stack's state; the state itself moves with ``terraform init -migrate-state``."""

    old: Backend
    new: Backend
    arguments: tuple[ValueChange, ...]


@record
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


@record
class IntentChange:
    """A part of the spec that differs but that no stack carries, or with ``in_part`` not wholly, before and after."""

    intent: str
    action: Kind
    in_part: bool = False


@record
class EnvironmentChange:
    """An environment that differs, or that only one side has."""

    name: str
    action: Kind
    stacks: tuple[StackChange, ...]
    uncarried: tuple[IntentChange, ...] = ()


@record
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


@record
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
    before, after = _side(old, new), _side(new, old)
    differ = altered(before, after)
    stacks = (_stack(before, after, stack, differ) for stack in _both(after.stacks, before.stacks))
    return EnvironmentChange(
        name=name,
        action=_kind(old, new),
        stacks=tuple(stack for stack in stacks if stack is not None),
        uncarried=tuple(_uncarried(old, new)) if old and new else (),
    )


def _side(own: EnvironmentPlatform | None, other: EnvironmentPlatform | None) -> Side:
    """Make a side of the stacks that it has; one that has none is of the other's cloud."""
    provider = next(each.platform.target.provider for each in (own, other) if each is not None)
    return Side(own.stacks if own else (), losses_of(provider))


def _uncarried(old: EnvironmentPlatform, new: EnvironmentPlatform) -> Iterator[IntentChange]:
    before, after = _skipped(old), _skipped(new)
    in_part = {each.intent for side in (old, new) for each in side.skipped if each.in_part}
    for name in _both(after, before):
        if before.get(name) != after.get(name):
            action = _kind(before.get(name), after.get(name))
            yield IntentChange(intent=name, action=action, in_part=name in in_part)


def _skipped(environment: EnvironmentPlatform) -> dict[str, Intent]:
    names = {skipped.intent for skipped in environment.skipped}
    named = ((describe(intent), intent) for intent in environment.platform.intents)
    return {name: intent for name, intent in named if name in names}


def _stack(old: Side, new: Side, name: str, differ: Mapping[Address, ResourceChange]) -> StackChange | None:
    before, after = old.stacks.get(name), new.stacks.get(name)
    resources = (
        *_kept_and_added(after, old, new, differ),
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
        leaves_behind=_left_behind(before.stack, after.stack, new.losses),
    )
    return stack if stack.resources or stack.outputs or stack.settings or stack.backend else None


def _kept_and_added(
    stack: LinkedStack | None, old: Side, new: Side, differ: Mapping[Address, ResourceChange]
) -> Iterator[ResourceChange]:
    for node in stack.stack.nodes if stack else ():
        if node.address in differ:
            yield differ[node.address]
        elif node.address not in old.nodes:
            yield ResourceChange(
                address=node.address,
                action="added",
                origin=node.origin,
                loses=tuple(expired(None, node, old)),
            )
        elif old.home[node.address] != new.home[node.address]:
            yield ResourceChange(
                address=node.address,
                action="added",
                origin=node.origin,
                moved_from=old.home[node.address],
            )


def _removed(stack: LinkedStack | None, old: Side, new: Side, *, gone: bool) -> Iterator[ResourceChange]:
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
            importable=node.address in new.nodes and is_importable(node, new.nodes[node.address]),
            renamed_to=renamed.get(node.address),
            refused=gone and node.lifecycle.prevent_destroy,
        )


def _renamed(missing: Sequence[Node], stack: str, old: Side, new: Side) -> dict[Address, Address]:
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


def _left_behind(old: Stack, new: Stack, losses: Losses) -> tuple[str, ...]:
    before, after = _by_name(old.providers), _by_name(new.providers)
    return tuple(
        f"provider {name}: {change.path}"
        for name in before
        if name in after
        for change in compare_arguments(before[name].config, after[name].config)
        if is_place(losses, change.path)
    )
