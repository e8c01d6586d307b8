"""The promises that every platform keeps, over a finished graph: what overrides must not quietly undo.

May not mend anything, nor know a cloud: each has its own promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stacks.adapter import PolicyViolation
from stacks.graph import Address, Node, Stack, Value
from stacks.intents import Platform
from stacks.view import View

__all__ = ["Promise", "block", "broken_promises", "has_own_keys"]


@dataclass(frozen=True, slots=True)
class Promise:
    """``holds`` says whether a node of ``type`` keeps the promise."""

    type: str
    code: str
    message: str
    holds: Callable[[Mapping[str, Value], Platform], bool]


def block(value: Value) -> Mapping[str, Value]:
    """A nested block written once, as a mapping or as a list of one."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return block(value[0])
    return {}


def has_own_keys(platform: Platform) -> bool:
    """Whether the customer's own keys encrypt."""
    return View(platform).own_keys


def broken_promises(
    stacks: Sequence[Stack],
    platform: Platform,
    made: Sequence[Stack],
    *,
    promises: Sequence[Promise],
    guarded: Mapping[str, Sequence[str]],
) -> tuple[PolicyViolation, ...]:
    """Return every broken promise, in the order of the graph.

    ``made`` is what the lowering made before anything was overridden. ``guarded`` are the arguments, by type, that
    security rests on: whatever else an override makes of one is said.
    """
    before = {node.address: node for stack in made for node in stack.nodes}
    return (*_by_promise(stacks, platform, promises), *_by_change(stacks, before, guarded))


def _by_change(
    stacks: Sequence[Stack], before: Mapping[Address, Node], guarded: Mapping[str, Sequence[str]]
) -> Iterator[PolicyViolation]:
    for stack in stacks:
        for node in stack.nodes:
            old = before[node.address]
            if node is old or node.address.mode == "data":
                continue
            for argument in guarded.get(node.address.type, ()):
                if node.arguments.get(argument) != old.arguments.get(argument):
                    yield PolicyViolation(
                        stack=stack.name,
                        address=str(node.address),
                        code="weakened",
                        message=f"{argument} is no longer what the platform's security rests on",
                    )
            if old.lifecycle.prevent_destroy and not node.lifecycle.prevent_destroy:
                yield PolicyViolation(
                    stack=stack.name,
                    address=str(node.address),
                    code="deletion-protection",
                    message=f"deletion_protection no longer covers it: {node.holds or 'it'} can be destroyed",
                )


def _by_promise(
    stacks: Sequence[Stack], platform: Platform, promises: Sequence[Promise]
) -> tuple[PolicyViolation, ...]:
    return tuple(
        PolicyViolation(
            stack=stack.name, address=str(node.address), code=promise.code, message=promise.message
        )
        for stack in stacks
        for node in stack.nodes
        for promise in promises
        if node.address.mode == "resource"
        and promise.type == node.address.type
        and not promise.holds(node.arguments, platform)
    )
