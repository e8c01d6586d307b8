"""Google Cloud's naming rules, and the names that follow them.

May not know a resource or an intent. Each limit carries its source; all were read in November 2026 from the provider's own
validation (google 8.7) where it has one, and else from Google's documentation.
"""

from __future__ import annotations

import re
from hashlib import sha256

from stacks import names
from stacks.names import NameRule

__all__ = ["NAMED", "RULES", "fitted", "label", "numbered"]

RULES = {
    "resource": NameRule(
        longest=63,
        pattern=r"[a-z](?:[-a-z0-9]*[a-z0-9])?",
        source="Compute Engine, naming resources (RFC 1035): networks, subnets, rules, routers, notebooks and jobs",
    ),
    "nat": NameRule(
        longest=63,
        pattern=r"[a-z][-a-z0-9]*[a-z0-9]",
        source="google_compute_router_nat, name: 2-63 characters, RFC 1035",
    ),
    "bucket": NameRule(
        longest=63,
        pattern=r"(?!goog)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        source="Cloud Storage, bucket naming (dots and underscores left out: they break TLS and DNS)",
    ),
    "account": NameRule(
        longest=28,
        pattern=r"[a-z][-a-z0-9]{4,26}[a-z0-9]",
        source="google_service_account, account_id: 6-30 characters; two less, so that with a project of 30 the "
        "address is a user of PostgreSQL, which has 63",
    ),
    "role": NameRule(
        longest=64,
        pattern=r"[a-zA-Z0-9_.]{3,64}",
        source="google_project_iam_custom_role, role_id",
        joint="_",
    ),
    "pool": NameRule(
        longest=32,
        pattern=r"(?!gcp-)[a-z0-9-]{4,32}",
        source="google_iam_workload_identity_pool and its providers, ids: 4-32 characters, gcp- is reserved",
    ),
    "key-ring": NameRule(
        longest=63,
        pattern=r"[a-zA-Z0-9_-]{1,63}",
        source="Cloud KMS REST, projects.locations.keyRings.create",
    ),
    "key": NameRule(
        longest=63,
        pattern=r"[a-zA-Z0-9_-]{1,63}",
        source="Cloud KMS REST, projects.locations.keyRings.cryptoKeys.create",
    ),
    "repository": NameRule(
        longest=63,
        pattern=r"[a-z](?:[a-z0-9-]*[a-z0-9])?",
        source="Artifact Registry, repository names: 1-63 lower-case letters, digits and hyphens, a letter first",
    ),
    "zone": NameRule(
        longest=63, pattern=r"[a-z](?:[-a-z0-9]*[a-z0-9])?", source="Cloud DNS, ManagedZone.name (1-63)"
    ),
    "log-bucket": NameRule(
        longest=100,
        pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]*",
        source="Cloud Logging, LogBucket ids: 1-100 letters, digits, underscores, hyphens, periods",
    ),
    "sink": NameRule(
        longest=100,
        pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]*",
        source="Cloud Logging, LogSink.name: 1-100 letters, digits, underscores, hyphens, periods",
    ),
    "log-metric": NameRule(
        longest=100, pattern=r"[A-Za-z0-9_.,+!*',()%/-]{1,100}", source="Cloud Logging, LogMetric.name"
    ),
    "dataset": NameRule(
        longest=1024,
        pattern=r"[A-Za-z0-9_]{1,1024}",
        source="google_bigquery_dataset, dataset_id",
        joint="_",
    ),
    "feature": NameRule(
        longest=60,
        pattern=r"[a-z_][a-z0-9_]{0,59}",
        source="Vertex AI REST, ids of feature groups and online stores (the shorter limit of the two)",
        joint="_",
    ),
    "endpoint": NameRule(
        longest=10,
        pattern=r"[1-9][0-9]{0,9}",
        source="google_vertex_ai_endpoint, name: 1-10 digits",
        joint="",
    ),
    "deployed-index": NameRule(
        longest=128,
        pattern=r"[A-Za-z][A-Za-z0-9_]{0,127}",
        source="google_vertex_ai_index_endpoint_deployed_index, deployed_index_id",
        joint="_",
    ),
    "display": NameRule(
        longest=128, pattern=r".{1,128}", source="Vertex AI REST, display names: at most 128 characters"
    ),
    "service": NameRule(
        longest=49,
        pattern=r"[a-z](?:[-a-z0-9]*[a-z0-9])?",
        source="Cloud Run, service names: fewer than 50 characters",
    ),
    "database": NameRule(
        longest=66,
        pattern=r"[a-z](?:[-a-z0-9]*[a-z0-9])?",
        source="Cloud SQL, instance names: project and name together at most 98 characters",
    ),
    "topic": NameRule(
        longest=255,
        pattern=r"(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}",
        source="Pub/Sub, names of topics and subscriptions (3-255)",
    ),
    "job": NameRule(
        longest=500,
        pattern=r"[A-Za-z0-9_-]{1,500}",
        source="Cloud Scheduler REST, Job.name: 1-500 characters",
    ),
    "secret": NameRule(
        longest=255, pattern=r"[A-Za-z0-9_-]{1,255}", source="Secret Manager, secret ids: 1-255 characters"
    ),
}

NAMED = {
    ("google_storage_bucket", "name"): "bucket",
    ("google_service_account", "account_id"): "account",
    ("google_project_iam_custom_role", "role_id"): "role",
    ("google_iam_workload_identity_pool", "workload_identity_pool_id"): "pool",
    ("google_iam_workload_identity_pool_provider", "workload_identity_pool_provider_id"): "pool",
    ("google_kms_key_ring", "name"): "key-ring",
    ("google_kms_crypto_key", "name"): "key",
    ("google_artifact_registry_repository", "repository_id"): "repository",
    ("google_logging_project_bucket_config", "bucket_id"): "log-bucket",
    ("google_logging_project_sink", "name"): "sink",
    ("google_logging_metric", "name"): "log-metric",
    ("google_compute_network", "name"): "resource",
    ("google_compute_subnetwork", "name"): "resource",
    ("google_compute_network_attachment", "name"): "resource",
    ("google_compute_firewall", "name"): "resource",
    ("google_compute_route", "name"): "resource",
    ("google_compute_router", "name"): "resource",
    ("google_compute_router_nat", "name"): "nat",
    ("google_compute_address", "name"): "resource",
    ("google_compute_global_address", "name"): "resource",
    ("google_compute_forwarding_rule", "name"): "resource",
    ("google_compute_resource_policy", "name"): "resource",
    ("google_network_connectivity_service_connection_policy", "name"): "resource",
    ("google_dns_managed_zone", "name"): "zone",
    ("google_dns_policy", "name"): "resource",
    ("google_bigquery_dataset", "dataset_id"): "dataset",
    ("google_vertex_ai_endpoint", "name"): "endpoint",
    ("google_vertex_ai_feature_group", "name"): "feature",
    ("google_vertex_ai_feature_online_store", "name"): "feature",
    ("google_vertex_ai_feature_online_store_featureview", "name"): "feature",
    ("google_vertex_ai_index_endpoint_deployed_index", "deployed_index_id"): "deployed-index",
    ("google_data_loss_prevention_deidentify_template", "template_id"): "resource",
    ("google_data_loss_prevention_inspect_template", "template_id"): "resource",
    ("google_model_armor_template", "template_id"): "resource",
    ("google_eventarc_trigger", "name"): "resource",
    ("google_workflows_workflow", "name"): "resource",
    ("google_workbench_instance", "name"): "resource",
    ("google_cloud_run_v2_service", "name"): "service",
    ("google_sql_database_instance", "name"): "database",
    ("google_pubsub_topic", "name"): "topic",
    ("google_pubsub_subscription", "name"): "topic",
    ("google_cloud_scheduler_job", "name"): "job",
    ("google_secret_manager_secret", "secret_id"): "secret",
}
"""The arguments that are names in Google Cloud, by type and argument: the kind of name that each is."""

LABEL_LONGEST = 63


def fitted(kind: str, name: str) -> str:
    """Return ``name`` as a legal name of a kind; kinds that take no hyphen get underscores."""
    rule = RULES[kind]
    return names.fitted(kind, rule, name.replace("-", "_") if rule.joint == "_" else name)


def label(tag: str) -> str:
    """Return a tag's key or value as a label's: lower-case letters, digits, hyphens, underscores, 63 at most.

    Source: Compute Engine, "Requirements for labels", November 2026.
    """
    return re.sub(r"[^a-z0-9_-]", "_", tag.lower())[:LABEL_LONGEST]


def numbered(name: str) -> str:
    """Return the number that stands for a name where Google takes digits only: ten of them, none of the first a zero."""
    digits = int(sha256(name.encode()).hexdigest(), 16) % 9_000_000_000
    return str(1_000_000_000 + digits)
