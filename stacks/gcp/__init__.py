"""GCP: turns intents into Terraform stacks for Vertex AI and everything around it.

Implements the lowering port (``stacks.adapter.Lowering``) as module functions. May not know YAML, the command
line, a file's place or another cloud.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from stacks.adapter import Lowered, PolicyViolation, Skipped, TargetProblem, declared
from stacks.gcp import identity, llm, ml, monitoring, network, registry, security, state, storage, workspace
from stacks.gcp.context import Context
from stacks.gcp.rules import violations_in
from stacks.gcp.support import SUPPORT
from stacks.gcp.target import problems_of
from stacks.graph import ProviderBlock, Stack, StackBuilder, Value
from stacks.intents import Intent, Platform, Support, describe

if TYPE_CHECKING:
    from stacks.access import Access

__all__ = ["access", "lower", "problems", "provider_versions", "support", "violations"]

REQUIRED_TERRAFORM = ">= 1.11.0, < 2.0.0"
PROVIDER_VERSION = ">= 8.0.0, < 9.0.0"
CHECKED_PROVIDER_VERSIONS = ("8.7.0",)
FIRST_STACK = "state"
BETA = "google-beta"


def support() -> Mapping[type[Intent], Support]:
    """Declare how far each type of intent is carried."""
    return SUPPORT


def provider_versions() -> Mapping[str, tuple[str, ...]]:
    """Name the versions whose schemas the output must satisfy."""
    return {"google": CHECKED_PROVIDER_VERSIONS, BETA: CHECKED_PROVIDER_VERSIONS}


def problems(platform: Platform) -> Sequence[TargetProblem]:
    """Say what Google Cloud, or the region, does not offer of what the platform asks."""
    return problems_of(platform)


def violations(
    stacks: Sequence[Stack], platform: Platform, made: Sequence[Stack]
) -> Sequence[PolicyViolation]:
    """Check encryption, exposure and retention on the finished graph."""
    return violations_in(stacks, platform, made)


def access(stacks: Sequence[Stack], platform: Platform) -> Access:
    """Read who may do what out of the finished graph."""
    from stacks.gcp.granted import access_of  # noqa: PLC0415 - only a report asks for it

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
    llm_stack, unready = llm.lower(context, keys, place)
    monitoring_stack, unwatched = monitoring.lower(context, keys, place, stores, roles, learning)
    built = (
        *(state_stack, security_stack, network_stack, storage_stack, registry_stack),
        *(identity_stack, workspace_stack, ml_stack, llm_stack, monitoring_stack),
    )
    stacks = tuple(
        _stack(context, builder, needs=_needs(context, builder, has_state=state_stack is not None))
        for builder in built
        if builder is not None and builder.nodes
    )
    skipped = [*declared(platform, SUPPORT), *unlearned, *unready, *unwatched]
    skipped += [
        Skipped(
            intent=describe(role),
            reason="nobody could use it",
            remedy=f"Name the principals of those who may in identity.groups.{role.purpose}.",
        )
        for role in unused
    ]
    return Lowered(stacks=stacks, skipped=tuple(skipped))


def _needs(context: Context, builder: StackBuilder, *, has_state: bool) -> tuple[str, ...]:
    """Each stack needs the states' bucket and, but for that one, the services that *security* enables."""
    if builder.concern == FIRST_STACK:
        return ()
    first = (context.stack(FIRST_STACK),) if has_state else ()
    return first if builder.concern == "security" else (*first, context.stack("security"))


def _stack(context: Context, builder: StackBuilder, *, needs: tuple[str, ...]) -> Stack:
    platform = context.platform
    config: dict[str, Value] = {
        "project": context.project,
        "region": context.region,
        "billing_project": context.project,
        "user_project_override": True,
        "default_labels": context.labels,
    }
    names = ("google", *([BETA] if any(node.provider == BETA for node in builder.nodes) else []))
    return Stack(
        name=context.stack(builder.concern),
        concern=builder.concern,
        environment=platform.environment,
        nodes=builder.nodes,
        providers=tuple(
            ProviderBlock(name=name, source=f"hashicorp/{name}", version=PROVIDER_VERSION, config=config)
            for name in names
        ),
        backend=state.backend_of(context, builder.concern),
        required_terraform=REQUIRED_TERRAFORM,
        exports=builder.exports,
        needs=needs,
    )
