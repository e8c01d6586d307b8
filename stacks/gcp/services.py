"""The Google APIs that a platform needs, enabled before all else and never turned off by Terraform.

May not know what uses them. Turning an API off would break every other thing in the project that uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stacks.gcp.context import Context
from stacks.graph import Node, StackBuilder
from stacks.intents import (
    Budget,
    ExperimentTracking,
    Guardrail,
    ImageRepository,
    Intent,
    OnlineEndpoint,
    WorkloadRole,
    Workspace,
)

__all__ = ["add_services", "services_of"]

ALWAYS = (
    *("aiplatform", "artifactregistry", "bigquery", "bigquerystorage", "cloudkms", "cloudresourcemanager"),
    *("compute", "dns", "iam", "iamcredentials", "logging", "monitoring", "pubsub", "secretmanager"),
    *("servicenetworking", "serviceusage", "storage", "sts"),
)
ASKED: Mapping[type[Intent], tuple[str, ...]] = {
    Budget: ("billingbudgets", "cloudbilling"),
    ExperimentTracking: ("run", "sqladmin"),
    Guardrail: ("dlp", "modelarmor"),
    ImageRepository: ("containerscanning",),
    OnlineEndpoint: ("networkconnectivity",),
    Workspace: ("iap", "notebooks"),
}
PROJECTS = "cloudresourcemanager"
TRIGGERS = ("cloudscheduler", "eventarc", "workflowexecutions", "workflows")


def services_of(context: Context) -> tuple[str, ...]:
    """The APIs that the platform's intents need, by the part of their name before ``.googleapis.com``."""
    found = {*ALWAYS}
    for kind, services in ASKED.items():
        if context.one_of(kind) is not None:
            found.update(services)
    if any(role.purpose == "triggers" for role in context.all_of(WorkloadRole)):
        found.update(TRIGGERS)
    return tuple(sorted(found))


def add_services(
    stack: StackBuilder, context: Context, services: Iterable[str], *, origin: str, prefix: str = ""
) -> dict[str, Node]:
    """Enable APIs; return their nodes by API. ``prefix`` tells the same API apart in two stacks.

    The one that knows projects comes first: the provider asks it after it has enabled another.
    """

    def enabled(service: str, after: Sequence[Node]) -> Node:
        return stack.resource(
            "google_project_service",
            f"{prefix}{service}",
            {
                "project": context.project,
                "service": f"{service}.googleapis.com",
                "disable_on_destroy": False,
                "disable_dependent_services": False,
            },
            origin=origin,
            depends_on=after,
        )

    first = enabled(PROJECTS, ())
    return {service: first if service == PROJECTS else enabled(service, [first]) for service in services}
