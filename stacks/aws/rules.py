"""Security rules over the finished AWS graph: what the platform promises must still hold after overrides.

May not mend anything, nor judge what no rule here names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stacks.adapter import PolicyViolation
from stacks.graph import Address, JsonText, Node, Ref, Stack, Value
from stacks.intents import Encryption, Platform

__all__ = ["violations_in"]

EVERYWHERE = ("0.0.0.0/0", "::/0")


@dataclass(frozen=True, slots=True)
class _Rule:
    """``holds`` says whether a node of ``type`` keeps the promise."""

    type: str
    code: str
    message: str
    holds: Callable[[Mapping[str, Value], Platform], bool]


def _block(value: Value) -> Mapping[str, Value]:
    """A nested block written once, as a mapping or as a list of one."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        return _block(value[0])
    return {}


def _public_access_is_blocked(arguments: Mapping[str, Value], _: Platform) -> bool:
    names = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    return all(arguments.get(name) is True for name in names)


def _is_versioned(arguments: Mapping[str, Value], _: Platform) -> bool:
    return _block(arguments.get("versioning_configuration")).get("status") == "Enabled"


def _key_rotates(arguments: Mapping[str, Value], _: Platform) -> bool:
    return arguments.get("enable_key_rotation") is True and arguments.get("is_enabled", True) is True


def _trail_is_whole(arguments: Mapping[str, Value], _: Platform) -> bool:
    return (
        arguments.get("enable_log_file_validation") is True and arguments.get("enable_logging", True) is True
    )


def _tags_are_immutable(arguments: Mapping[str, Value], _: Platform) -> bool:
    return arguments.get("image_tag_mutability") == "IMMUTABLE"


def _has_own_keys(platform: Platform) -> bool:
    return any(isinstance(intent, Encryption) and intent.customer_managed for intent in platform.intents)


def _log_group_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not _has_own_keys(platform) or isinstance(arguments.get("kms_key_id"), Ref | str)


def _topic_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not _has_own_keys(platform) or isinstance(arguments.get("kms_master_key_id"), Ref | str)


def _queue_is_encrypted(arguments: Mapping[str, Value], _: Platform) -> bool:
    key = arguments.get("kms_master_key_id")
    return isinstance(key, Ref | str) or arguments.get("sqs_managed_sse_enabled") is True


def _guardrail_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    customer = any(isinstance(intent, Encryption) and intent.customer_managed for intent in platform.intents)
    return not customer or isinstance(arguments.get("kms_key_arn"), Ref | str)


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
    _Rule(
        "aws_s3_bucket_public_access_block",
        "public-access",
        "the bucket is not closed to the public",
        _public_access_is_blocked,
    ),
    _Rule("aws_s3_bucket_versioning", "versioning", "the bucket keeps no versions", _is_versioned),
    _Rule(
        "aws_s3_bucket",
        "deletion-protection",
        "a protected bucket can be destroyed with its objects",
        _keeps_data,
    ),
    _Rule("aws_kms_key", "key-rotation", "the key is not rotated", _key_rotates),
    _Rule(
        "aws_cloudtrail",
        "audit-trail",
        "the audit trail is off or its files are not validated",
        _trail_is_whole,
    ),
    _Rule("aws_ecr_repository", "image-tags", "image tags can be moved", _tags_are_immutable),
    _Rule(
        "aws_cloudwatch_log_group",
        "log-encryption",
        "the log group has no key of yours",
        _log_group_is_encrypted,
    ),
    _Rule("aws_sns_topic", "topic-encryption", "the topic's messages are not encrypted", _topic_is_encrypted),
    _Rule("aws_sqs_queue", "queue-encryption", "the queue's messages are not encrypted", _queue_is_encrypted),
    _Rule(
        "aws_bedrock_guardrail",
        "guardrail-encryption",
        "the guardrail has no key of yours",
        _guardrail_is_encrypted,
    ),
    _Rule(
        "aws_opensearchserverless_security_policy",
        "public-collection",
        "the whole internet may reach the collection",
        _collection_is_private,
    ),
    _Rule(
        "aws_vpc_security_group_ingress_rule",
        "open-ingress",
        "the whole internet may connect",
        _ingress_is_narrow,
    ),
    _Rule(
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
    before = {node.address: node for stack in made for node in stack.nodes}
    return (*_by_rule(stacks, platform), *_by_change(stacks, before))


def _by_change(stacks: Sequence[Stack], before: Mapping[Address, Node]) -> Iterator[PolicyViolation]:
    for stack in stacks:
        for node in stack.nodes:
            old = before[node.address]
            if node is old or node.address.mode == "data":
                continue
            for argument in GUARDED.get(node.address.type, ()):
                if node.arguments.get(argument) != old.arguments.get(argument):
                    yield PolicyViolation(
                        stack=stack.name,
                        address=str(node.address),
                        code="weakened",
                        message=f"{argument} is no longer what the platform's security rests on",
                    )
            if old.lifecycle.prevent_destroy and not node.lifecycle.prevent_destroy:
                yield PolicyViolation(
                    stack=stack.name,
                    address=str(node.address),
                    code="deletion-protection",
                    message=f"deletion_protection no longer covers it: {node.holds or 'it'} can be destroyed",
                )


def _by_rule(stacks: Sequence[Stack], platform: Platform) -> tuple[PolicyViolation, ...]:
    return tuple(
        PolicyViolation(stack=stack.name, address=str(node.address), code=rule.code, message=rule.message)
        for stack in stacks
        for node in stack.nodes
        for rule in _broken(node, platform)
    )


def _broken(node: Node, platform: Platform) -> Iterator[_Rule]:
    return (
        rule
        for rule in RULES
        if node.address.mode == "resource"
        and rule.type == node.address.type
        and not rule.holds(node.arguments, platform)
    )
