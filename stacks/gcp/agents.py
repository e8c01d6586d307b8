"""Google's service agents: made before anything needs them, with the roles that Google would give them itself.

Only an API's primary agent can be made on demand; others come with their first use, and a grant to one that is not there
fails: none is made here. An agent made on demand has no role until it is given one. Making an agent can't be undone, and
two platforms in a project may both do it; the one that is destroyed takes the agents' roles along, until the other's
security stack is applied again. May not decide what an agent may read.
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.gcp.context import Context
from stacks.graph import Node, StackBuilder, Value, text

__all__ = ["BETA_TYPES", "CMEK_AGENTS", "ROLES", "add_agents"]

BETA_TYPES = {"google_project_service_identity": "google-beta"}

ROLES: Mapping[str, str | None] = {
    "aiplatform": "roles/aiplatform.serviceAgent",
    "artifactregistry": "roles/artifactregistry.serviceAgent",
    "cloudscheduler": "roles/cloudscheduler.serviceAgent",
    "eventarc": "roles/eventarc.serviceAgent",
    "networkconnectivity": "roles/networkconnectivity.serviceAgent",
    "notebooks": "roles/notebooks.serviceAgent",
    "pubsub": "roles/pubsub.serviceAgent",
    "run": "roles/run.serviceAgent",
    "secretmanager": None,
    "sqladmin": "roles/cloudsql.serviceAgent",
    "workflows": "roles/workflows.serviceAgent",
}
"""The APIs whose primary agent can be made, and the role that belongs to it (IAM, service agents; November 2026)."""

CMEK_AGENTS = (
    *("aiplatform", "artifactregistry", "bigquery", "compute", "notebooks", "pubsub", "run"),
    *("secretmanager", "sqladmin", "storage", "workflows"),
)
"""The agents that encrypt what the platform makes, where their API is enabled."""


def add_agents(
    stack: StackBuilder, context: Context, services: Mapping[str, Node], number: Value, *, origin: str
) -> Mapping[str, Value]:
    """Make the agents of the enabled APIs, and return their IAM members by API.

    Reading their data sources makes those of Cloud Storage and BigQuery; Compute Engine's comes with its API.
    """
    members: dict[str, Value] = {
        "compute": text("serviceAccount:service-", number, "@compute-system.iam.gserviceaccount.com"),
        "storage": stack.data(
            "google_storage_project_service_account",
            "agent",
            {"project": context.project},
            origin=origin,
            depends_on=[services["storage"]],
        ).ref("member"),
        "bigquery": stack.data(
            "google_bigquery_default_service_account",
            "agent",
            {"project": context.project},
            origin=origin,
            depends_on=[services["bigquery"]],
        ).ref("member"),
    }
    for service, role in ROLES.items():
        if service not in services:
            continue
        agent = stack.resource(
            "google_project_service_identity",
            service,
            {"project": context.project, "service": f"{service}.googleapis.com"},
            origin=origin,
            depends_on=[services[service]],
        )
        members[service] = agent.ref("member")
        if role is not None:
            stack.resource(
                "google_project_iam_member",
                f"agent-{service}",
                {"project": context.project, "role": role, "member": agent.ref("member")},
                origin=origin,
            )
    return dict(sorted(members.items()))
