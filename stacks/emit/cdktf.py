"""Real CDKTF stacks: each synthesizes its document as it is, joined with what the user's own constructs say.

The only module that knows the engines, ``cdktf`` 0.21 and ``cdktn`` 0.24; it imports neither, its caller hands one
over. Not a construct a resource: aspects do not see the platform's resources, only the user's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from stacks.emit.backend import located
from stacks.emit.expressions import Json, quoted, remote_name, render
from stacks.emit.merge import merged
from stacks.emit.terraform_json import document
from stacks.graph import Backend, GraphError, LinkedStack, ProviderBlock, RemoteRef, Text, Value, refs_in
from stacks.record import record

if TYPE_CHECKING:
    from cdktf import TerraformElement, TerraformProvider, TerraformRemoteState, TerraformStack
    from constructs import Construct

__all__ = ["SynthesizedStack", "add_stacks", "exported"]


@record
class SynthesizedStack:
    """A stack of the platform in an app: the construct, and what it was made from."""

    linked: LinkedStack
    construct: TerraformStack
    engine: ModuleType


def add_stacks(
    engine: ModuleType, app: Construct, stacks: Sequence[LinkedStack]
) -> dict[str, SynthesizedStack]:
    """Add stacks to an app, by name, with their dependencies on each other.

    They are direct children of the app: the command line finds the dependencies of no other ones.
    """
    classes = _classes(engine)
    added: dict[str, SynthesizedStack] = {}
    for linked in stacks:
        construct = classes.stack(app, linked)
        for name in linked.dependencies:
            if name in added:
                construct.add_dependency(added[name].construct)
        added[linked.stack.name] = SynthesizedStack(linked=linked, construct=construct, engine=engine)
    return added


def exported(source: SynthesizedStack, name: str, scope: Construct) -> Json:
    """Give the value of an export to a construct in ``scope``.

    In the same stack that is the expression itself. In another one it is a read of the stack's state; the read and
    the dependency between the stacks are added with the first use.
    """
    linked = source.linked
    value = linked.outputs[name]
    target = source.engine.TerraformStack.of(scope)
    if target.node.path == source.construct.node.path or not _has_references(value):
        return render(value)
    _read_state(source, target)
    return render(_read(linked.stack.name, name, value))


def _has_references(value: Value) -> bool:
    match value:
        case RemoteRef():
            return True
        case Text(parts=parts):
            return not all(isinstance(part, str) for part in parts)
        case Mapping():
            return any(_has_references(item) for item in value.values())
        case Sequence() if not isinstance(value, str):
            return any(_has_references(item) for item in value)
        case _:
            return next(refs_in(value), None) is not None


def _read(stack: str, output: str, value: Value) -> Value:
    """Refer to each part of another stack's output, so that lists and mappings keep their shape."""
    match value:
        case Mapping():
            return {key: _read(stack, f"{output}[{quoted(key)}]", item) for key, item in value.items()}
        case Sequence() if not isinstance(value, str):
            return [_read(stack, f"{output}[{index}]", item) for index, item in enumerate(value)]
        case _:
            return RemoteRef(stack, output)


def _read_state(source: SynthesizedStack, target: TerraformStack) -> None:
    stack = source.linked.stack
    name = remote_name(stack.name)
    child = f"{name}-state"
    if target.node.try_find_child(child) is None:
        read = _classes(source.engine).state(target, child, located(stack.backend, stack.name))
        read.override_logical_id(name)
        target.add_dependency(source.construct)


@dataclass(frozen=True, slots=True)
class _Classes:
    """Subclasses of one engine's classes; they cannot be made before the engine is there."""

    stack: type[Any]
    state: type[Any]


@cache
def _classes(engine: ModuleType) -> _Classes:
    base_stack: type[TerraformStack] = engine.TerraformStack
    base_state: type[TerraformRemoteState] = engine.TerraformRemoteState
    base_provider: type[TerraformProvider] = engine.TerraformProvider
    base_backend: type[TerraformElement] = engine.TerraformBackend

    class RemoteState(base_state):  # type: ignore[misc, valid-type]
        """A read of a state in any backend."""

        def __init__(self, scope: Construct, name: str, backend: Backend) -> None:
            super().__init__(scope, name, backend.kind)
            self._settings = backend

        def to_terraform(self) -> dict[str, Json]:
            read: dict[str, Json] = {"backend": self._settings.kind, "config": dict(self._settings.config)}
            return {"data": {"terraform_remote_state": {self.friendly_unique_id: read}}}

    class StateBackend(base_backend):  # type: ignore[misc, valid-type]
        """A backend of any kind; CDKTF asks it how other stacks of the user's read this state."""

        def __init__(self, scope: Construct, backend: Backend) -> None:
            super().__init__(scope, "platform-backend", backend.kind)
            self._settings = backend

        def _synthesize_attributes(self) -> dict[str, Json]:
            return dict(self._settings.config)

        def get_remote_state_data_source(self, scope: Construct, name: str, from_stack: str) -> Any:  # noqa: ARG002
            return RemoteState(scope, name, self._settings)

    class Provider(base_provider):  # type: ignore[misc, valid-type]
        """Tells CDKTF that the stack has the provider; how it is configured stands in the document."""

        def __init__(self, scope: Construct, block: ProviderBlock) -> None:
            super().__init__(
                scope,
                f"{block.name}-of-platform",
                terraform_resource_type=block.name,
                terraform_provider_source=block.source,
                terraform_generator_metadata={
                    "provider_name": block.name,
                    "provider_version": block.version,
                    "provider_version_constraint": block.version,
                },
            )

    class Stack(base_stack):  # type: ignore[misc, valid-type]
        """One stack of the platform; the user's own constructs may stand in it."""

        def __init__(self, scope: Construct, linked: LinkedStack) -> None:
            super().__init__(scope, linked.stack.name)
            self._linked = linked
            StateBackend(self, located(linked.stack.backend, linked.stack.name))
            for block in linked.stack.providers:
                Provider(self, block)

        def to_terraform(self) -> dict[str, Json]:
            return merged(document(self._linked), super().to_terraform())

        def to_hcl_terraform(self) -> Any:
            raise GraphError(
                "the platform's stacks in an app are written as JSON. "
                "For HCL run `scaffolder synth --format hcl`"
            )

    return _Classes(stack=Stack, state=RemoteState)
