"""AWS: turns intents into Terraform stacks for SageMaker and everything around it.

Implements the lowering port (``stacks.adapter.Lowering``) as module functions. May not know YAML, the command
line, a file's place or another cloud.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stacks.adapter import Lowered, PolicyViolation, Skipped, TargetProblem, declared
from stacks.aws import identity, llm, ml, monitoring, network, registry, security, state, storage, workspace
from stacks.aws.context import Context
from stacks.aws.rules import violations_in
from stacks.aws.support import SUPPORT
from stacks.aws.target import problems_of
from stacks.graph import ProviderBlock, Stack, StackBuilder
from stacks.intents import Intent, Platform, Support, describe

if TYPE_CHECKING:
    from stacks.access import Access

__all__ = ["access", "lower", "problems", "provider_versions", "support", "violations"]

REQUIRED_TERRAFORM = ">= 1.11.0, < 2.0.0"
PROVIDER_VERSION = ">= 5.100.0, < 7.0.0"
CHECKED_PROVIDER_VERSIONS = ("5.100.0", "6.69.1")
FIRST_STACK = "state"


def support() -> Mapping[type[Intent], Support]:
    """Declare how far each type of intent is carried."""
    return SUPPORT


def provider_versions() -> Mapping[str, tuple[str, ...]]:
    """Name the versions at both ends of the bounds, whose schemas the output must satisfy."""
    return {"aws": CHECKED_PROVIDER_VERSIONS}


def problems(platform: Platform) -> Sequence[TargetProblem]:
    """Say what AWS, or the account's region, does not offer of what the platform asks."""
    return problems_of(platform)


def violations(
    stacks: Sequence[Stack], platform: Platform, made: Sequence[Stack]
) -> Sequence[PolicyViolation]:
    """Check encryption, exposure and retention on the finished graph."""
    return violations_in(stacks, platform, made)


def access(stacks: Sequence[Stack], platform: Platform) -> Access:
    """Read who may do what out of the finished graph."""
    from stacks.aws.granted import access_of  # noqa: PLC0415 - only a report asks for it

    return access_of(stacks, platform)


def lower(platform: Platform) -> Lowered:
    """Make the stacks: state, security, network, storage, registry, identity, workspace, ml, llm, monitoring."""
    context = Context(platform)
    state_stack = state.lower(context)
    security_stack, keys = security.lower(context)
    network_stack, place = network.lower(context, keys)
    storage_stack, stores = storage.lower(context, keys)
    registry_stack, images = registry.lower(context, keys)
    identity_stack, roles, unused = identity.lower(context, keys, place, stores, images)
    workspace_stack = workspace.lower(context, keys, place, roles)
    ml_stack, learning, unlearned = ml.lower(context, keys, place, stores, images, roles)
    llm_stack, unready = llm.lower(context, keys, place, stores, roles)
    monitoring_stack, unwatched = monitoring.lower(context, keys, place, stores, roles, learning)
    built = (
        *(state_stack, security_stack, network_stack, storage_stack, registry_stack),
        *(identity_stack, workspace_stack, ml_stack, llm_stack, monitoring_stack),
    )
    stacks = tuple(
        _stack(context, builder, needs_state=state_stack is not None)
        for builder in built
        if builder is not None and builder.nodes
    )
    skipped = [*declared(platform, SUPPORT), *unlearned, *unready, *unwatched]
    skipped += [
        Skipped(
            intent=describe(role),
            reason="nobody could assume it",
            remedy=f"Name the roles of those who may in identity.groups.{role.purpose}.",
        )
        for role in unused
    ]
    return Lowered(stacks=stacks, skipped=tuple(skipped))


def _stack(context: Context, builder: StackBuilder, *, needs_state: bool) -> Stack:
    platform = context.platform
    provider = ProviderBlock(
        name="aws",
        source="hashicorp/aws",
        version=PROVIDER_VERSION,
        config={
            "region": context.region,
            "allowed_account_ids": [context.account],
            "default_tags": {"tags": dict(platform.tags)},
        },
    )
    first = builder.concern == FIRST_STACK
    return Stack(
        name=context.stack(builder.concern),
        concern=builder.concern,
        environment=platform.environment,
        nodes=builder.nodes,
        providers=(provider,),
        backend=state.backend_of(context, builder.concern),
        required_terraform=REQUIRED_TERRAFORM,
        exports=builder.exports,
        needs=(context.stack(FIRST_STACK),) if needs_state and not first else (),
    )
