"""The security stack: enabled APIs, service agents, keys that the agents may use, and the audit trail.

May not know what is encrypted or audited beyond the names of the platform.
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.gcp.agents import BETA_TYPES, CMEK_AGENTS, add_agents
from stacks.gcp.buckets import Bucket, add_bucket
from stacks.gcp.context import Context, Keys
from stacks.gcp.keys import add_key, add_key_ring, let_use
from stacks.gcp.logs import LogBucket, add_log_bucket
from stacks.gcp.services import add_services, services_of
from stacks.graph import Node, StackBuilder, Value, text
from stacks.intents import AuditTrail, Encryption, describe

__all__ = ["AUDITED", "lower"]

AUDITED = (
    *("aiplatform", "artifactregistry", "bigquery", "cloudkms", "iam", "iamcredentials"),
    *("secretmanager", "storage", "sts"),
)
"""The APIs whose reads and writes of data are logged; changes of configuration always are, of every API."""

LOG_TYPES = ("ADMIN_READ", "DATA_READ", "DATA_WRITE")
AUDIT_LOGS = " OR ".join(
    f'log_id("cloudaudit.googleapis.com/{kind}")'
    for kind in ("activity", "data_access", "policy", "system_event")
)
SETTINGS = "google_logging_project_cmek_settings"


def lower(context: Context) -> tuple[StackBuilder, Keys]:
    """Enable APIs, make agents, keys and trail."""
    stack = StackBuilder("security", BETA_TYPES)
    origin = describe(context.one_of(Encryption) or Encryption(customer_managed=False))
    services = add_services(stack, context, services_of(context), origin=origin)
    project = stack.data(
        "google_project",
        "current",
        {"project_id": context.project},
        origin=origin,
        depends_on=[services["cloudresourcemanager"]],
    )
    number = project.ref("number")
    agents = add_agents(stack, context, services, number, origin=origin)
    made: dict[str, tuple[Node, tuple[Node, ...]]] = {}
    if context.own_keys:
        made = _keys(stack, context, services, agents, origin)
    keys = Keys(
        data=made["data"][0].ref("id") if made else None,
        logs=made["logs"][0].ref("id") if made else None,
        project_number=number,
        billing_account=project.ref("billing_account"),
        agents=agents,
    )
    trail = context.one_of(AuditTrail)
    if trail is not None:
        _trail(stack, context, keys, trail, services, made["logs"][1] if made else ())
    stack.export("project_number", number)
    stack.export("service_agents", agents)
    if made:
        stack.export("data_key_id", keys.data)
        stack.export("logs_key_id", keys.logs)
    return stack, keys


def _keys(
    stack: StackBuilder,
    context: Context,
    services: Mapping[str, Node],
    agents: Mapping[str, Value],
    origin: str,
) -> dict[str, tuple[Node, tuple[Node, ...]]]:
    """Make the keys with the grants that come before their use: each agent may use both, Cloud Logging only the logs'."""
    needed = [services["cloudkms"]]
    ring = add_key_ring(
        stack, context, "platform", context.name("key-ring"), origin=origin, depends_on=needed
    )
    users = {name: agents[name] for name in CMEK_AGENTS if name in agents}
    settings = stack.data(
        SETTINGS, "current", {"project": context.project}, origin=origin, depends_on=[services["logging"]]
    )
    logging: Value = text("serviceAccount:", settings.ref("service_account_id"))
    made = {}
    for name, members in (("data", users), ("logs", {**users, "logging": logging})):
        key = add_key(stack, context, ring, name, origin=origin)
        made[name] = key, let_use(stack, key, members, origin=origin, depends_on=[services["compute"]])
    return made


def _trail(
    stack: StackBuilder,
    context: Context,
    keys: Keys,
    intent: AuditTrail,
    services: Mapping[str, Node],
    grants: tuple[Node, ...],
) -> None:
    """Keep the audit logs twice: for a long time in a bucket that holds each file, and for questions in a log bucket."""
    origin = describe(intent)
    if context.platform.first_in_account:
        _audit_config(stack, context, services, origin)
    add_log_bucket(
        stack,
        context,
        LogBucket(name="audit", key=keys.logs, retention_days=intent.log_retention_days, finds=AUDIT_LOGS),
        origin=origin,
        depends_on=[services["logging"], *grants],
    )
    store, _ = add_bucket(
        stack,
        context,
        Bucket(
            name="audit",
            address="audit",
            key=keys.logs,
            keep_versions_days=intent.retention_days,
            expire_after_days=intent.retention_days,
            hold_days=intent.retention_days if context.protected else None,
        ),
        origin=origin,
        depends_on=[services["storage"], *grants],
    )
    sink = stack.resource(
        "google_logging_project_sink",
        "audit-files",
        {
            "name": context.name("sink", "audit-files"),
            "project": context.project,
            "description": f"{context.prefix}: audit logs, kept {intent.retention_days} days",
            "destination": text("storage.googleapis.com/", store.name),
            "filter": AUDIT_LOGS,
            "unique_writer_identity": True,
        },
        origin=origin,
    )
    stack.resource(
        "google_storage_bucket_iam_member",
        "audit-files",
        {"bucket": store.name, "role": "roles/storage.objectCreator", "member": sink.ref("writer_identity")},
        origin=origin,
    )
    stack.export("audit_bucket", store.name)


def _audit_config(stack: StackBuilder, context: Context, services: Mapping[str, Node], origin: str) -> None:
    """Log what is read and written. A project has one configuration for each API: the first environment's."""
    for service in AUDITED:
        stack.resource(
            "google_project_iam_audit_config",
            service,
            {
                "project": context.project,
                "service": f"{service}.googleapis.com",
                "audit_log_config": [{"log_type": log_type} for log_type in LOG_TYPES],
            },
            origin=origin,
            depends_on=[services["cloudresourcemanager"]],
        )
