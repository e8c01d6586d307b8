"""Azure: turns intents into Terraform stacks for Azure Machine Learning and everything around it.

Implements the lowering port (``stacks.adapter.Lowering``) as module functions. May not know YAML, the command
line, a file's place or another cloud.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stacks.adapter import Lowered, PolicyViolation, TargetProblem, declared
from stacks.azure import identity, llm, ml, monitoring, network, registry, security, state, storage, workspace
from stacks.azure.context import Context, Surroundings
from stacks.azure.providers import PROVIDER_VERSIONS, providers_of
from stacks.azure.rules import violations_in
from stacks.azure.support import SUPPORT
from stacks.azure.target import problems_of
from stacks.graph import Stack, StackBuilder
from stacks.intents import Intent, Platform, Support

if TYPE_CHECKING:
    from stacks.access import Access

__all__ = ["access", "lower", "problems", "provider_versions", "support", "violations"]

REQUIRED_TERRAFORM = ">= 1.11.0, < 2.0.0"
FIRST_STACK = "state"


def support() -> Mapping[type[Intent], Support]:
    """Declare how far each type of intent is carried."""
    return SUPPORT


def provider_versions() -> Mapping[str, tuple[str, ...]]:
    """Name the versions at both ends of the bounds, whose schemas the output must satisfy."""
    return PROVIDER_VERSIONS


def problems(platform: Platform) -> Sequence[TargetProblem]:
    """Say what Azure, or the location, does not offer of what the platform asks."""
    return problems_of(platform)


def violations(
    stacks: Sequence[Stack], platform: Platform, made: Sequence[Stack]
) -> Sequence[PolicyViolation]:
    """Check encryption, exposure and retention on the finished graph."""
    return violations_in(stacks, platform, made)


def access(stacks: Sequence[Stack], platform: Platform) -> Access:
    """Read who may do what out of the finished graph."""
    from stacks.azure.granted import access_of  # noqa: PLC0415 - only a report asks for it

    return access_of(stacks, platform)


def lower(platform: Platform) -> Lowered:
    """Make the stacks: state, security, network, storage, registry, identity, workspace, ml, llm, monitoring."""
    context = Context(platform)
    state_stack = state.lower(context)
    security_stack, base, keys = security.lower(context)
    network_stack, place = network.lower(context, base)
    storage_stack, stores = storage.lower(context, base, keys, place)
    registry_stack, images = registry.lower(context, base, keys, place)
    identity_stack, roles, unused = identity.lower(context, base, stores, images)
    around = Surroundings(
        context=context,
        base=base,
        keys=keys,
        network=place,
        stores=stores,
        registry=images,
        roles=roles,
    )
    workspace_stack, workplace = workspace.lower(around)
    ml_stack, learning, unlearned = ml.lower(around, workplace)
    llm_stack, unready = llm.lower(around, workplace)
    monitoring_stack, unwatched = monitoring.lower(around, workplace, learning)
    built = [
        builder
        for builder in (
            *(state_stack, security_stack, network_stack, storage_stack, registry_stack),
            *(identity_stack, workspace_stack, ml_stack, llm_stack, monitoring_stack),
        )
        if builder is not None and builder.nodes
    ]
    stacks = tuple(
        _stack(context, builder, first=builder is built[0], needs_state=state_stack is not None)
        for builder in built
    )
    skipped = (*declared(platform, SUPPORT), *unlearned, *unready, *unwatched, *unused)
    return Lowered(stacks=stacks, skipped=skipped)


def _stack(context: Context, builder: StackBuilder, *, first: bool, needs_state: bool) -> Stack:
    return Stack(
        name=context.stack(builder.concern),
        concern=builder.concern,
        environment=context.platform.environment,
        nodes=builder.nodes,
        providers=providers_of(context, builder.nodes, registers=first),
        backend=state.backend_of(context, builder.concern),
        required_terraform=REQUIRED_TERRAFORM,
        exports=builder.exports,
        needs=(context.stack(FIRST_STACK),) if needs_state and builder.concern != FIRST_STACK else (),
    )
