"""Security rules over the finished AWS graph: what the platform promises must still hold after overrides.

May not mend anything, nor judge what no rule here names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from stacks.adapter import PolicyViolation
from stacks.graph import JsonText, Ref, Stack, Value
from stacks.intents import Platform
from stacks.promises import Promise, block, broken_promises, has_own_keys

__all__ = ["violations_in"]

EVERYWHERE = ("0.0.0.0/0", "::/0")


def _public_access_is_blocked(arguments: Mapping[str, Value], _: Platform) -> bool:
    names = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    return all(arguments.get(name) is True for name in names)


def _is_versioned(arguments: Mapping[str, Value], _: Platform) -> bool:
    return block(arguments.get("versioning_configuration")).get("status") == "Enabled"


def _key_rotates(arguments: Mapping[str, Value], _: Platform) -> bool:
    return arguments.get("enable_key_rotation") is True and arguments.get("is_enabled", True) is True


def _trail_is_whole(arguments: Mapping[str, Value], _: Platform) -> bool:
    return (
        arguments.get("enable_log_file_validation") is True and arguments.get("enable_logging", True) is True
    )


def _tags_are_immutable(arguments: Mapping[str, Value], _: Platform) -> bool:
    return arguments.get("image_tag_mutability") == "IMMUTABLE"


def _log_group_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not has_own_keys(platform) or isinstance(arguments.get("kms_key_id"), Ref | str)


def _topic_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not has_own_keys(platform) or isinstance(arguments.get("kms_master_key_id"), Ref | str)


def _queue_is_encrypted(arguments: Mapping[str, Value], _: Platform) -> bool:
    key = arguments.get("kms_master_key_id")
    return isinstance(key, Ref | str) or arguments.get("sqs_managed_sse_enabled") is True


def _guardrail_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not has_own_keys(platform) or isinstance(arguments.get("kms_key_arn"), Ref | str)


def _collection_is_private(arguments: Mapping[str, Value], _: Platform) -> bool:
    """Ours is a document; what an override puts in its place is text."""
    policy = arguments.get("policy")
    try:
        document = policy.document if isinstance(policy, JsonText) else json.loads(str(policy))
    except ValueError:
        return False
    rules = document if isinstance(document, list) else [document]
    return not any(isinstance(rule, Mapping) and rule.get("AllowFromPublic") is True for rule in rules)


def _ingress_is_narrow(arguments: Mapping[str, Value], _: Platform) -> bool:
    return arguments.get("cidr_ipv4") not in EVERYWHERE and arguments.get("cidr_ipv6") not in EVERYWHERE


def _keeps_data(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not platform.deletion_protection or arguments.get("force_destroy", False) is False


def _is_not_an_aws_grant(arguments: Mapping[str, Value], _: Platform) -> bool:
    return not str(arguments.get("policy_arn", "")).endswith("FullAccess")


RULES = (
    Promise(
        "aws_s3_bucket_public_access_block",
        "public-access",
        "the bucket is not closed to the public",
        _public_access_is_blocked,
    ),
    Promise("aws_s3_bucket_versioning", "versioning", "the bucket keeps no versions", _is_versioned),
    Promise(
        "aws_s3_bucket",
        "deletion-protection",
        "a protected bucket can be destroyed with its objects",
        _keeps_data,
    ),
    Promise("aws_kms_key", "key-rotation", "the key is not rotated", _key_rotates),
    Promise(
        "aws_cloudtrail",
        "audit-trail",
        "the audit trail is off or its files are not validated",
        _trail_is_whole,
    ),
    Promise("aws_ecr_repository", "image-tags", "image tags can be moved", _tags_are_immutable),
    Promise(
        "aws_cloudwatch_log_group",
        "log-encryption",
        "the log group has no key of yours",
        _log_group_is_encrypted,
    ),
    Promise(
        "aws_sns_topic", "topic-encryption", "the topic's messages are not encrypted", _topic_is_encrypted
    ),
    Promise(
        "aws_sqs_queue", "queue-encryption", "the queue's messages are not encrypted", _queue_is_encrypted
    ),
    Promise(
        "aws_bedrock_guardrail",
        "guardrail-encryption",
        "the guardrail has no key of yours",
        _guardrail_is_encrypted,
    ),
    Promise(
        "aws_opensearchserverless_security_policy",
        "public-collection",
        "the whole internet may reach the collection",
        _collection_is_private,
    ),
    Promise(
        "aws_vpc_security_group_ingress_rule",
        "open-ingress",
        "the whole internet may connect",
        _ingress_is_narrow,
    ),
    Promise(
        "aws_iam_role_policy_attachment",
        "broad-grant",
        "a *FullAccess policy is attached",
        _is_not_an_aws_grant,
    ),
)


GUARDED: Mapping[str, tuple[str, ...]] = {
    "aws_bedrockagent_data_source": ("server_side_encryption_configuration",),
    "aws_iam_role": ("assume_role_policy", "permissions_boundary"),
    "aws_kms_key": ("policy",),
    "aws_opensearchserverless_security_policy": ("policy",),
    "aws_s3_bucket_policy": ("policy",),
    "aws_s3_bucket_server_side_encryption_configuration": ("rule",),
    "aws_sagemaker_data_quality_job_definition": ("job_resources", "network_config"),
    "aws_sagemaker_domain": ("app_network_access_type", "kms_key_id", "subnet_ids"),
    "aws_sagemaker_endpoint_configuration": ("async_inference_config", "data_capture_config", "kms_key_arn"),
    "aws_sagemaker_feature_group": ("offline_store_config", "online_store_config"),
    "aws_sagemaker_model": ("enable_network_isolation", "vpc_config"),
    "aws_subnet": ("map_public_ip_on_launch",),
    "aws_vpc_endpoint": ("policy",),
}
"""Arguments whose value the platform's security rests on, by type: whatever else an override makes of one is said."""


def violations_in(
    stacks: Sequence[Stack], platform: Platform, made: Sequence[Stack]
) -> tuple[PolicyViolation, ...]:
    """Return every broken promise, in the order of the graph."""
    return broken_promises(stacks, platform, made, promises=RULES, guarded=GUARDED)
