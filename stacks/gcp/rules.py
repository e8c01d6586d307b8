"""Security rules over the finished GCP graph: what the platform promises must still hold after overrides.

May not mend anything, nor judge what no rule here names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.adapter import PolicyViolation
from stacks.graph import Ref, RemoteRef, Stack, Text, Value
from stacks.intents import Platform
from stacks.promises import Promise, block, broken_promises, has_own_keys

__all__ = ["GUARDED", "violations_in"]

EVERYWHERE = frozenset({"0.0.0.0/0", "::/0"})
PUBLIC = frozenset({"allUsers", "allAuthenticatedUsers"})
BASIC = frozenset({"roles/owner", "roles/editor", "roles/viewer"})
FEWEST_DESTROY_S = 7 * 86400
LONGEST_ROTATION_S = 365 * 86400


def _given(value: Value) -> bool:
    return isinstance(value, str | Ref | RemoteRef | Text)


def _public_access_is_blocked(arguments: Mapping[str, Value], _: Platform) -> bool:
    return (
        arguments.get("public_access_prevention") == "enforced"
        and arguments.get("uniform_bucket_level_access") is True
    )


def _is_versioned_or_held(arguments: Mapping[str, Value], _: Platform) -> bool:
    held = block(arguments.get("retention_policy")).get("retention_period")
    return held is not None or block(arguments.get("versioning")).get("enabled") is True


def _bucket_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not has_own_keys(platform) or _given(
        block(arguments.get("encryption")).get("default_kms_key_name")
    )


def _keeps_data(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not platform.deletion_protection or (
        arguments.get("force_destroy", False) is False
        and arguments.get("deletion_policy", "DELETE") == "PREVENT"
    )


def _key_rotates(arguments: Mapping[str, Value], _: Platform) -> bool:
    period = _seconds(arguments.get("rotation_period"))
    return period is not None and period <= LONGEST_ROTATION_S


def _key_waits(arguments: Mapping[str, Value], _: Platform) -> bool:
    wait = _seconds(arguments.get("destroy_scheduled_duration"))
    return wait is not None and wait >= FEWEST_DESTROY_S


def _seconds(value: Value) -> int | None:
    digits = value.removesuffix("s") if isinstance(value, str) else ""
    return int(digits) if digits.isdecimal() else None


def _service_stays(arguments: Mapping[str, Value], _: Platform) -> bool:
    return arguments.get("disable_on_destroy", False) is False


def _logs_all_access(arguments: Mapping[str, Value], _: Platform) -> bool:
    kinds = arguments.get("audit_log_config")
    found = [item for item in kinds if isinstance(item, Mapping)] if isinstance(kinds, Sequence) else []
    logged = {item.get("log_type") for item in found if not item.get("exempted_members")}
    return {"ADMIN_READ", "DATA_READ", "DATA_WRITE"} <= logged


def _log_bucket_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not has_own_keys(platform) or _given(block(arguments.get("cmek_settings")).get("kms_key_name"))


def _sink_runs(arguments: Mapping[str, Value], _: Platform) -> bool:
    return arguments.get("disabled", False) is False


def _is_mirror(arguments: Mapping[str, Value]) -> bool:
    """A mirror of a public registry has others' tags, and holds nothing of the platform's own."""
    return arguments.get("mode") == "REMOTE_REPOSITORY"


def _tags_are_immutable(arguments: Mapping[str, Value], _: Platform) -> bool:
    docker = block(arguments.get("docker_config")).get("immutable_tags")
    return arguments.get("format") != "DOCKER" or docker is True or _is_mirror(arguments)


def _repository_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not has_own_keys(platform) or _is_mirror(arguments) or _given(arguments.get("kms_key_name"))


def _topic_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not has_own_keys(platform) or _given(arguments.get("kms_key_name"))


def _ingress_is_narrow(arguments: Mapping[str, Value], _: Platform) -> bool:
    if arguments.get("direction", "INGRESS") != "INGRESS" or not arguments.get("allow"):
        return True
    ranges = arguments.get("source_ranges")
    if not isinstance(ranges, Sequence) or isinstance(ranges, str):
        return bool(arguments.get("source_service_accounts") or arguments.get("source_tags"))
    return not EVERYWHERE.intersection(str(item) for item in ranges)


def _firewall_is_logged(arguments: Mapping[str, Value], _: Platform) -> bool:
    return bool(block(arguments.get("log_config"))) and arguments.get("disabled", False) is False


def _subnet_is_private_and_logged(arguments: Mapping[str, Value], _: Platform) -> bool:
    return arguments.get("private_ip_google_access") is True and bool(block(arguments.get("log_config")))


def _network_has_no_automatic_subnets(arguments: Mapping[str, Value], _: Platform) -> bool:
    return arguments.get("auto_create_subnetworks") is False


def _is_for_known_members(arguments: Mapping[str, Value], _: Platform) -> bool:
    return arguments.get("member") not in PUBLIC


def _is_no_basic_role(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return arguments.get("role") not in BASIC and _is_for_known_members(arguments, platform)


def _trusts_one_repository(arguments: Mapping[str, Value], _: Platform) -> bool:
    return isinstance(arguments.get("attribute_condition"), str) and bool(
        arguments.get("attribute_condition")
    )


def _database_is_private(arguments: Mapping[str, Value], _: Platform) -> bool:
    access = block(block(arguments.get("settings")).get("ip_configuration"))
    return access.get("ipv4_enabled") is False and access.get("ssl_mode") != "ALLOW_UNENCRYPTED_AND_ENCRYPTED"


def _notebook_is_private(arguments: Mapping[str, Value], _: Platform) -> bool:
    return block(arguments.get("gce_setup")).get("disable_public_ip") is True


IAM_MEMBERS = tuple(
    f"google_{kind}_iam_member"
    for kind in (
        "artifact_registry_repository",
        "bigquery_dataset",
        "cloud_run_v2_service",
        "kms_crypto_key",
        "pubsub_topic",
        "secret_manager_secret",
        "service_account",
        "storage_bucket",
    )
)

RULES = (
    Promise(
        "google_storage_bucket",
        "public-access",
        "the bucket is not closed to the public",
        _public_access_is_blocked,
    ),
    Promise(
        "google_storage_bucket",
        "versioning",
        "the bucket neither keeps versions nor holds its objects",
        _is_versioned_or_held,
    ),
    Promise(
        "google_storage_bucket", "bucket-encryption", "the bucket has no key of yours", _bucket_is_encrypted
    ),
    Promise(
        "google_storage_bucket",
        "deletion-protection",
        "a protected bucket can be destroyed with its objects",
        _keeps_data,
    ),
    Promise("google_kms_crypto_key", "key-rotation", "the key is not rotated within a year", _key_rotates),
    Promise(
        "google_kms_crypto_key",
        "key-destruction",
        "a version of the key can be destroyed within a week",
        _key_waits,
    ),
    Promise(
        "google_project_service", "service-kept", "destroying the stack turns the API off", _service_stays
    ),
    Promise(
        "google_project_iam_audit_config",
        "audit-trail",
        "not every access is logged, or not everybody's",
        _logs_all_access,
    ),
    Promise(
        "google_logging_project_bucket_config",
        "log-encryption",
        "the log bucket has no key of yours",
        _log_bucket_is_encrypted,
    ),
    Promise("google_logging_project_sink", "audit-trail", "the sink is off", _sink_runs),
    Promise(
        "google_artifact_registry_repository", "image-tags", "image tags can be moved", _tags_are_immutable
    ),
    Promise(
        "google_artifact_registry_repository",
        "repository-encryption",
        "the repository has no key of yours",
        _repository_is_encrypted,
    ),
    Promise("google_pubsub_topic", "topic-encryption", "the topic has no key of yours", _topic_is_encrypted),
    Promise("google_compute_firewall", "open-ingress", "the whole internet may connect", _ingress_is_narrow),
    Promise("google_compute_firewall", "firewall-log", "the rule is off or not logged", _firewall_is_logged),
    Promise(
        "google_compute_subnetwork",
        "subnet",
        "the subnet reaches Google's APIs by the internet, or its flows are not logged",
        _subnet_is_private_and_logged,
    ),
    Promise(
        "google_compute_network",
        "subnet",
        "the network has subnets in every region",
        _network_has_no_automatic_subnets,
    ),
    Promise(
        "google_iam_workload_identity_pool_provider",
        "ci-trust",
        "jobs of every repository are trusted",
        _trusts_one_repository,
    ),
    Promise(
        "google_sql_database_instance",
        "public-database",
        "the database has a public address or takes unencrypted connections",
        _database_is_private,
    ),
    Promise(
        "google_workbench_instance",
        "public-notebook",
        "the notebook has a public address",
        _notebook_is_private,
    ),
    Promise(
        "google_project_iam_member",
        "broad-grant",
        "a basic role is granted, or everybody is",
        _is_no_basic_role,
    ),
    *(
        Promise(kind, "public-grant", "everybody is granted a role", _is_for_known_members)
        for kind in IAM_MEMBERS
    ),
)

GUARDED: Mapping[str, tuple[str, ...]] = {
    "google_artifact_registry_repository": ("kms_key_name",),
    "google_bigquery_dataset": ("access", "default_encryption_configuration"),
    "google_cloud_run_v2_service": ("encryption_key", "iap_enabled", "ingress", "invoker_iam_disabled"),
    "google_compute_firewall": ("allow", "deny", "destination_ranges", "priority", "source_ranges"),
    "google_compute_network_attachment": ("connection_preference",),
    "google_dns_record_set": ("rrdatas",),
    "google_iam_workload_identity_pool_provider": (
        "attribute_condition",
        "attribute_mapping",
        "oidc",
    ),
    "google_kms_crypto_key": ("purpose", "version_template"),
    "google_kms_crypto_key_iam_member": ("member", "role"),
    "google_logging_project_sink": ("destination", "exclusions", "filter"),
    "google_project_iam_custom_role": ("permissions",),
    "google_project_iam_member": ("condition", "member", "role"),
    "google_service_account_iam_member": ("condition", "member", "role"),
    "google_sql_database_instance": ("deletion_protection", "encryption_key_name"),
    "google_storage_bucket": ("encryption", "retention_policy", "soft_delete_policy"),
    "google_storage_bucket_iam_member": ("condition", "member", "role"),
    "google_vertex_ai_endpoint": (
        "dedicated_endpoint_enabled",
        "encryption_spec",
        "network",
        "private_service_connect_config",
    ),
    "google_vertex_ai_feature_online_store": ("bigtable", "dedicated_serving_endpoint", "encryption_spec"),
    "google_vertex_ai_index_endpoint": ("private_service_connect_config", "public_endpoint_enabled"),
    "google_vertex_ai_tensorboard": ("encryption_spec",),
    "google_workbench_instance": ("disable_proxy_access", "gce_setup", "instance_owners"),
}
"""Arguments whose value the platform's security rests on, by type: whatever else an override makes of one is said."""


def violations_in(
    stacks: Sequence[Stack], platform: Platform, made: Sequence[Stack]
) -> tuple[PolicyViolation, ...]:
    """Return every broken promise, in the order of the graph."""
    return broken_promises(stacks, platform, made, promises=RULES, guarded=GUARDED)
