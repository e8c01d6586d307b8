"""What AWS refuses, or a region lacks, of what a platform asks for.

May not add a resource or repeat what the spec's own rules say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.adapter import TargetProblem
from stacks.aws.catalog import regions, zones_of
from stacks.aws.context import Context
from stacks.aws.instances import Unavailable, machine
from stacks.intents import (
    CiIdentity,
    ExistingNetwork,
    PermissionsBoundary,
    Platform,
    PrivateNetwork,
    Workspace,
)
from stacks.schema.load import nearest

__all__ = ["problems_of"]

EXISTING_IDS = {
    "network_id": (r"vpc-[0-9a-f]{8,17}", "a VPC's id, vpc- and 8 or 17 hexadecimal digits"),
    "subnet_ids": (r"subnet-[0-9a-f]{8,17}", "a subnet's id, subnet- and 8 or 17 hexadecimal digits"),
    "security_group_ids": (r"sg-[0-9a-f]{8,17}", "a security group's id, sg- and 8 or 17 hexadecimal digits"),
}


def problems_of(platform: Platform) -> tuple[TargetProblem, ...]:
    """Return every problem, in the order of the checks."""
    context = Context(platform)
    return (
        *_region(context),
        *_network(context),
        *_existing(context),
        *_ceiling(context),
        *_machines(context),
    )


def _region(context: Context) -> Iterator[TargetProblem]:
    if zones_of(context.region):
        return
    yield TargetProblem(
        path=("target", "region"),
        code="region",
        message=f'target.region "{context.region}" is not a region that the aws catalog lists: {", ".join(regions())}',
        hint=nearest(context.region, regions()),
    )


def _network(context: Context) -> Iterator[TargetProblem]:
    intent = context.one_of(PrivateNetwork)
    known = zones_of(context.region)
    if intent is None or not known:
        return
    if intent.zones > len(known):
        yield TargetProblem(
            path=("network", "zones"),
            code="zones",
            message=f"network.zones {intent.zones} is more than {context.region} has: {len(known)}",
            hint=f"Set it to {len(known)} or less.",
        )
    for number, zone in enumerate(intent.zone_ids):
        if zone not in known:
            yield TargetProblem(
                path=("network", "zones", str(number)),
                code="zones",
                message=f'network.zones "{zone}" is not a zone id of {context.region}: {", ".join(known)}',
                hint=nearest(zone, known) or "Zone ids are the same in every account; zone names are not.",
            )
    if not intent.nat_gateways and not intent.private_endpoints:
        yield TargetProblem(
            path=("network", "private_endpoints"),
            code="network-isolated",
            message="network.private_endpoints false with network.egress none leaves workloads unable to reach AWS",
            hint="Set private_endpoints to true, or egress to nat.",
        )


def _existing(context: Context) -> Iterator[TargetProblem]:
    intent = context.one_of(ExistingNetwork)
    if intent is None:
        return
    values = {
        "network_id": (intent.network_id,),
        "subnet_ids": intent.subnet_ids,
        "security_group_ids": intent.security_group_ids,
    }
    for name, (pattern, says) in EXISTING_IDS.items():
        for number, value in enumerate(values[name]):
            if re.fullmatch(pattern, value) is None:
                item = () if name == "network_id" else (str(number),)
                yield TargetProblem(
                    path=("network", "existing", name, *item),
                    code="existing-network",
                    message=f'network.existing.{name} "{value}" is not {says}',
                )


def _machines(context: Context) -> Iterator[TargetProblem]:
    workspace = context.one_of(Workspace)
    if workspace is not None and zones_of(context.region):
        found = machine(workspace.instance, "studio", context.region)
        if isinstance(found, Unavailable):
            yield TargetProblem(
                path=("workspace", "instance"),
                code="instance",
                message=f"workspace.instance {found.message}",
                hint=found.hint,
            )


def _ceiling(context: Context) -> Iterator[TargetProblem]:
    if context.one_of(CiIdentity) is not None and context.one_of(PermissionsBoundary) is None:
        yield TargetProblem(
            path=("security", "permissions_boundary"),
            code="ci-without-boundary",
            message="security.permissions_boundary false with identity.ci would let CI's deploy role make an administrator",
            hint="Leave it out, set it to true, or give the ARN of your own boundary policy.",
        )
