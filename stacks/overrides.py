"""The user's overrides, laid over the graph.

May not check a value against a provider: the schema check sees the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from stacks.graph import Address, Lifecycle, Node, Stack, Value
from stacks.intents import Override
from stacks.record import record
from stacks.schema.load import nearest

__all__ = ["OverrideProblem", "apply_overrides"]

LIFECYCLE = "lifecycle"


@record
class OverrideProblem:
    """An override that cannot be laid over; ``path`` is below ``overrides``."""

    path: tuple[str, ...]
    message: str
    hint: str = ""


def apply_overrides(
    stacks: Sequence[Stack], overrides: Sequence[Override]
) -> tuple[tuple[Stack, ...], tuple[OverrideProblem, ...]]:
    """Set each override's argument on its resource; an argument's value is replaced as a whole."""
    wanted: dict[str, list[Override]] = {}
    for override in overrides:
        wanted.setdefault(override.address, []).append(override)
    addresses = {
        str(node.address) for stack in stacks for node in stack.nodes if node.address.mode == "resource"
    }
    problems = [_unknown(address, addresses) for address in wanted if address not in addresses]
    result = []
    for stack in stacks:
        nodes = []
        for node in stack.nodes:
            changed, wrong = _overridden(node, wanted.get(str(node.address), []))
            nodes.append(changed)
            problems += wrong
        result.append(replace(stack, nodes=tuple(nodes)))
    return tuple(result), tuple(problems)


def _unknown(address: str, addresses: set[str]) -> OverrideProblem:
    return OverrideProblem(
        path=(address,),
        message=f'overrides "{address}" is not a resource of this platform',
        hint=nearest(address, sorted(addresses)) or "`scaffolder preview --resources` lists every address.",
    )


def _overridden(node: Node, overrides: Sequence[Override]) -> tuple[Node, list[OverrideProblem]]:
    arguments = dict(node.arguments)
    lifecycle = node.lifecycle
    problems: list[OverrideProblem] = []
    for override in overrides:
        if override.argument == LIFECYCLE:
            lifecycle, wrong = _lifecycle(node.address, lifecycle, override.value)
            problems += wrong
        elif override.value is None:
            arguments.pop(override.argument, None)
        else:
            arguments[override.argument] = _value(override.value)
    return replace(node, arguments=arguments, lifecycle=lifecycle), problems


def _lifecycle(
    address: Address, lifecycle: Lifecycle, value: object
) -> tuple[Lifecycle, list[OverrideProblem]]:
    path = (str(address), LIFECYCLE)
    if value is None:
        return Lifecycle(), []
    if not isinstance(value, Mapping):
        return lifecycle, [
            OverrideProblem(path=path, message=f"overrides {address}.lifecycle must be a mapping")
        ]
    problems = []
    for key, item in value.items():
        match key, item:
            case "prevent_destroy", bool():
                lifecycle = replace(lifecycle, prevent_destroy=item)
            case "create_before_destroy", bool():
                lifecycle = replace(lifecycle, create_before_destroy=item)
            case "ignore_changes", [*names] if all(isinstance(name, str) for name in names):
                lifecycle = replace(lifecycle, ignore_changes=tuple(str(name) for name in names))
            case _:
                problems.append(
                    OverrideProblem(
                        path=(*path, str(key)),
                        message=f'overrides {address}.lifecycle "{key}: {item}" is not one of prevent_destroy and '
                        "create_before_destroy (true or false) and ignore_changes (a list of arguments)",
                    )
                )
    return lifecycle, problems


def _value(value: object) -> Value:
    """A literal from the spec, as the graph holds it."""
    match value:
        case str() | bool() | int() | float() | None:
            return value
        case Mapping():
            return {str(key): _value(item) for key, item in value.items()}
        case [*items]:
            return [_value(item) for item in items]
        case _:
            raise TypeError(f"a spec holds no {type(value).__name__}")
