"""What Google Cloud refuses, or a region lacks, of what a platform asks for.

May not add a resource or repeat what the spec's own rules say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.adapter import TargetProblem
from stacks.gcp.catalog import regions, vertex_regions, zones_of
from stacks.gcp.ci import LONGEST_SUBJECT, issuer_of
from stacks.gcp.context import Context
from stacks.gcp.logs import LONGEST_RETENTION_DAYS
from stacks.gcp.ml_problems import ml_problems
from stacks.gcp.names import label
from stacks.intents import (
    AuditTrail,
    CiIdentity,
    ExistingNetwork,
    ExperimentTracking,
    ObjectStore,
    Platform,
    PrivateNetwork,
    TrainingPipeline,
)
from stacks.schema.load import nearest

__all__ = ["problems_of"]

GOOGLE_LOOKALIKES = re.compile(r"g[o0]{2}g[l1]e|^goog")
"""What no bucket's name may have, or begin with (Cloud Storage, bucket naming requirements, November 2026)."""

SUBNET = re.compile(r"projects/[^/]+/regions/(?P<region>[^/]+)/subnetworks/[^/]+")
COOL_DAYS = 30


def problems_of(platform: Platform) -> tuple[TargetProblem, ...]:
    """Return every problem, in the order of the checks."""
    context = Context(platform)
    return (
        *_region(context),
        *_names(context),
        *_labels(context),
        *_network(context),
        *_existing(context),
        *_retention(context),
        *_buckets(context),
        *_continuous(context),
        *ml_problems(context),
    )


def _region(context: Context) -> Iterator[TargetProblem]:
    path = ("target", "region")
    if not zones_of(context.region):
        yield TargetProblem(
            path=path,
            code="region",
            message=f'target.region "{context.region}" is not a region that the gcp catalog lists: '
            f"{', '.join(regions())}",
            hint=nearest(context.region, regions()),
        )
    elif context.region not in vertex_regions():
        yield TargetProblem(
            path=path,
            code="region",
            message=f'target.region "{context.region}" has no Vertex AI; regions that have it: '
            f"{', '.join(vertex_regions())}",
            hint=nearest(context.region, vertex_regions()),
        )


def _names(context: Context) -> Iterator[TargetProblem]:
    """Names of buckets are global, and Google keeps its own name out of them."""
    if GOOGLE_LOOKALIKES.search(f"{context.prefix}-{context.project}"):
        yield TargetProblem(
            path=("name",),
            code="name",
            message=f'"{context.prefix}" with the project "{context.project}" cannot begin a bucket\'s name: it has '
            '"google", or what looks like it, in it',
            hint="Rename the platform, or use a project whose id does not have it.",
        )


def _labels(context: Context) -> Iterator[TargetProblem]:
    """Tags become labels, which have fewer characters: what is changed is said, and what would be lost is refused.

    The names of profiles are not the user's to spell.
    """
    seen: dict[str, str] = {}
    for key, value in context.platform.tags.items():
        short = label(key)
        if short in seen or not re.match("[a-z]", short):
            other = (
                f'is the same label as "{seen[short]}"' if short in seen else "does not begin with a letter"
            )
            yield TargetProblem(
                path=("tags", key),
                code="label",
                message=f'tags: "{key}" {other} in Google Cloud',
                hint="Rename it.",
            )
        elif (short, label(value)) != (key, value) and key != "compliance":
            yield TargetProblem(
                path=("owner",) if key == "owner" else ("tags", key),
                code="label",
                message=f'"{key}: {value}" becomes the label "{short}: {label(value)}": labels have lower-case letters, '
                "digits, hyphens and underscores, 63 at most",
                warning=True,
            )
        seen[short] = key


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
                message=f'network.zones "{zone}" is not a zone of {context.region}: {", ".join(known)}',
                hint=nearest(zone, known),
            )
    if not intent.nat_gateways and not intent.private_endpoints:
        yield TargetProblem(
            path=("network", "private_endpoints"),
            code="network-isolated",
            message="network.private_endpoints false with network.egress none leaves workloads unable to reach Google Cloud",
            hint="Set private_endpoints to true, or egress to nat.",
        )


def _existing(context: Context) -> Iterator[TargetProblem]:
    intent = context.one_of(ExistingNetwork)
    if intent is None:
        return
    path = ("network", "existing", "subnet_ids")
    if len(intent.subnet_ids) > 1:
        yield TargetProblem(
            path=(*path, "1"),
            code="existing-network",
            message="network.existing.subnet_ids has more than one: a subnet of Google Cloud spans its region, and "
            "everything is put into one",
            hint="Name the subnet that workloads go into.",
        )
    for number, subnet in enumerate(intent.subnet_ids):
        found = SUBNET.fullmatch(subnet)
        if found is None or found["region"] != context.region:
            says = "is not a subnetwork's id" if found is None else f"is not in {context.region}"
            yield TargetProblem(
                path=(*path, str(number)),
                code="existing-network",
                message=f'network.existing.subnet_ids "{subnet}" {says}',
                hint=f"Such as projects/{context.project}/regions/{context.region}/subnetworks/main.",
            )
    if context.one_of(TrainingPipeline) or context.one_of(ExperimentTracking):
        yield TargetProblem(
            path=("network", "existing"),
            code="existing-network",
            message="network.existing: Vertex AI's jobs and managed databases reach a network through a network attachment and "
            "private services access, and the platform makes neither in a network that is there already",
            hint="Make private services access there; jobs run outside of it.",
            warning=True,
        )
    if intent.security_group_ids:
        yield TargetProblem(
            path=("network", "existing", "security_group_ids"),
            code="existing-network",
            message="network.existing.security_group_ids: Google Cloud has none; firewall rules belong to the network",
            hint="Leave it out.",
        )


def _retention(context: Context) -> Iterator[TargetProblem]:
    trail, network = context.one_of(AuditTrail), context.one_of(PrivateNetwork)
    days = {
        *((trail.log_retention_days,) if trail else ()),
        *((network.flow_log_retention_days,) if network else ()),
    }
    if days and max(days) > LONGEST_RETENTION_DAYS:
        yield TargetProblem(
            path=("security", "log_retention_days"),
            code="retention",
            message=f"security.log_retention_days {max(days)} is more than Cloud Logging keeps: {LONGEST_RETENTION_DAYS}",
            hint="The audit trail's files, security.audit_retention_days, can be kept longer.",
        )


def _buckets(context: Context) -> Iterator[TargetProblem]:
    """What goes before the class's shortest stay is paid for as if it had stayed."""
    for intent in context.all_of(ObjectStore):
        moved, gone = intent.archive_after_days, intent.expire_after_days
        if moved is not None and gone is not None and gone < moved + COOL_DAYS:
            path = ("storage", "buckets", intent.name, "expire_after_days")
            yield TargetProblem(
                path=path,
                code="storage-class",
                message=f"{'.'.join(path)} {gone} is less than {COOL_DAYS} days after archive_after_days {moved}: "
                f"Nearline is paid for {COOL_DAYS} days at least",
                hint="Expire later, or leave archive_after_days out.",
                warning=True,
            )


def _continuous(context: Context) -> Iterator[TargetProblem]:
    intent = context.one_of(CiIdentity)
    if intent is None:
        return
    issuer = issuer_of(intent, context.platform.name, context.platform.environment)
    subjects = (issuer.plan, issuer.build, issuer.deploy)
    longest = max(len(subject.partition("/")[2]) for subject in subjects)
    if longest > LONGEST_SUBJECT:
        yield TargetProblem(
            path=("identity", "ci", "repository"),
            code="ci-subject",
            message=f"identity.ci: a token's subject would have {longest} characters, and Google Cloud takes "
            f"{LONGEST_SUBJECT}",
            hint="Shorten the branch's name, or move the repository.",
        )
