"""What Azure refuses, or a location lacks, of what a platform asks for.

May not add a resource or repeat what the spec's own rules say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.adapter import TargetProblem
from stacks.azure.catalog import locations, zones_of
from stacks.azure.context import Context
from stacks.azure.llm_ids import llm_problems
from stacks.azure.ml import machine_problems
from stacks.azure.monitoring import monitoring_problems
from stacks.azure.security import LOG_DAYS
from stacks.azure.state import place_of
from stacks.azure.workspace import workspace_problems
from stacks.intents import AuditTrail, CiIdentity, ExistingNetwork, Platform, PrivateNetwork
from stacks.schema.load import nearest

__all__ = ["problems_of"]

MOST_TAGS = 15
"""What a private DNS zone takes, which is the least (Azure Resource Manager, "Use tags", limitations, November 2026)."""
TAG_NAME = re.compile(r"[^<>%&\\?/]{1,128}")


def problems_of(platform: Platform) -> tuple[TargetProblem, ...]:
    """Return every problem, in the order of the checks."""
    context = Context(platform)
    known = context.region in locations()
    return (
        *_location(context),
        *_tags(context),
        *(_network(context) if known else ()),
        *_existing(context),
        *_audit(context),
        *_ci(context),
        *(machine_problems(context) if known else ()),
        *workspace_problems(context),
        *monitoring_problems(context),
        *llm_problems(context),
    )


def _location(context: Context) -> Iterator[TargetProblem]:
    if context.region in locations():
        return
    listed = ", ".join(locations())
    yield TargetProblem(
        path=("target", "region"),
        code="region",
        message=f'target.region "{context.region}" is not a location that the azure catalog lists: {listed}',
        hint=nearest(context.region, locations()),
    )


def _tags(context: Context) -> Iterator[TargetProblem]:
    alike: dict[str, str] = {}
    for name in context.tags:
        if alike.setdefault(name.lower(), name) != name:
            yield TargetProblem(
                path=("tags", name),
                code="tag",
                message=f'tags.{name} is the same tag as "{alike[name.lower()]}": Azure does not tell capitals apart',
                hint="Rename it.",
            )
        if TAG_NAME.fullmatch(name) is None:
            yield TargetProblem(
                path=("tags", name),
                code="tag",
                message=f"tags.{name} has a character that Azure does not take in a tag's name: one of < > % & \\ ? /",
                hint="Use a dash, a dot or a colon instead.",
            )
    if len(context.tags) > MOST_TAGS:
        yield TargetProblem(
            path=("tags",),
            code="tag",
            message=f"the platform would have {len(context.tags)} tags, and Azure's private DNS zones take {MOST_TAGS}",
            hint="Leave some out.",
        )


def _network(context: Context) -> Iterator[TargetProblem]:
    intent = context.one_of(PrivateNetwork)
    if intent is None:
        return
    known = zones_of(context.region)
    if intent.zones > max(len(known), 1):
        most = len(known) or "none"
        yield TargetProblem(
            path=("network", "zones"),
            code="zones",
            message=f"network.zones {intent.zones} is more than {context.region} has: {most}",
            hint=f"Set it to {max(len(known), 1)}.",
        )
    for number, zone in enumerate(intent.zone_ids):
        if zone not in known:
            yield TargetProblem(
                path=("network", "zones", str(number)),
                code="zones",
                message=f'network.zones "{zone}" is not a zone of {context.region}: {", ".join(known) or "it has none"}',
                hint="Azure's zones are numbers in quotes, which differ between subscriptions.",
            )
    if not intent.private_endpoints:
        yield TargetProblem(
            path=("network", "private_endpoints"),
            code="network-isolated",
            message="network.private_endpoints false leaves no way to the vault, the buckets and the registry: on azure they "
            "have no public address",
            hint="Set it to true, or leave it out.",
        )


def _existing(context: Context) -> Iterator[TargetProblem]:
    intent = context.one_of(ExistingNetwork)
    if intent is None:
        return
    for number, subnet in enumerate(intent.subnet_ids):
        if not subnet.lower().startswith(f"{intent.network_id.lower()}/subnets/"):
            yield TargetProblem(
                path=("network", "existing", "subnet_ids", str(number)),
                code="existing-network",
                message=f'network.existing.subnet_ids "{subnet}" is not a subnet of network.existing.network_id',
            )


def _audit(context: Context) -> Iterator[TargetProblem]:
    intent = context.one_of(AuditTrail)
    if intent is None:
        return
    shortest, _ = LOG_DAYS
    if intent.log_retention_days < shortest:
        yield TargetProblem(
            path=("security", "log_retention_days"),
            code="log-retention",
            message=f"security.log_retention_days {intent.log_retention_days}: a Log Analytics workspace keeps logs for "
            f"{shortest} days or more",
            warning=True,
        )


def _ci(context: Context) -> Iterator[TargetProblem]:
    intent = context.one_of(CiIdentity)
    if intent is None:
        return
    if not intent.create_provider and context.platform.first_in_account:
        yield TargetProblem(
            path=("identity", "ci", "provider"),
            code="no-effect",
            message="identity.ci.provider changes nothing on azure: each identity keeps its own trust",
            warning=True,
        )
    if intent.system == "circleci":
        yield TargetProblem(
            path=("identity", "ci", "system"),
            code="ci-subject",
            message="identity.ci.system circleci: Entra compares whole subjects, and CircleCI's have the person who started "
            "the job in them",
            hint="Leave identity.ci out and deploy by hand, or deploy from another system.",
        )
    if intent.system in {"gitlab", "jenkins"}:
        yield TargetProblem(
            path=("identity", "ci", "system"),
            code="ci-branches",
            message=f"identity.ci.system {intent.system}: Entra compares whole subjects, so only jobs of branch {intent.branch} are "
            "trusted, to plan as well",
            hint="Plan merge requests by a job that is triggered on that branch.",
            warning=True,
        )
    if place_of(context) is None:
        yield TargetProblem(
            path=("state", "backend"),
            code="ci-state",
            message="state.backend is no place in Azure that CI's identities could be let into: their jobs cannot read a state",
            hint='Use "managed", or an azurerm backend with resource_group_name, storage_account_name and container_name.',
            warning=True,
        )
