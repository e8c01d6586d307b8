"""A secure S3 bucket with all that belongs to it, for every concern that needs one.

May not decide which buckets a platform has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stacks.aws.context import Context, Store
from stacks.aws.policy import Condition, Principal, Statement, deny_insecure_transport, document
from stacks.graph import Lifecycle, Node, StackBuilder, Value, text
from stacks.record import record

__all__ = ["Bucket", "access_log_statement", "add_bucket", "log_prefix"]

ENCRYPTION_HEADER = "s3:x-amz-server-side-encryption"
KEY_HEADER = f"{ENCRYPTION_HEADER}-aws-kms-key-id"
ABORT_UPLOADS_AFTER_DAYS = 7


def _no_grants(_arn: Value) -> Sequence[Statement]:
    return ()


@record
class Bucket:
    """What to make: ``key`` is a KMS key's ARN or ``None`` for S3's own (SSE-S3); days of ``None`` mean never.

    ``log_to`` takes the access logs once ``log_policy`` lets them in. ``grants`` makes further statements of the
    bucket's policy from its ARN. ``only_key`` refuses objects that ask for another key (by its ARN: a client that names the
    key by its alias is refused too).
    """

    name: str
    address: str
    key: Value
    keep_versions_days: int
    expire_after_days: int | None = None
    archive_after_days: int | None = None
    log_to: Node | None = None
    log_policy: Node | None = None
    grants: Callable[[Value], Sequence[Statement]] = _no_grants
    only_key: bool = True


def add_bucket(
    stack: StackBuilder, context: Context, bucket: Bucket, *, origin: str
) -> tuple[Store, Node, Node]:
    """Add the bucket and its satellites; return its values, its node and its policy's node."""
    address = bucket.address
    node = stack.resource(
        "aws_s3_bucket",
        address,
        {"bucket": context.bucket(bucket.name), "force_destroy": not context.protected},
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="every object and every version in it",
    )
    identifier = node.ref("id")
    stack.resource(
        "aws_s3_bucket_ownership_controls",
        address,
        {"bucket": identifier, "rule": {"object_ownership": "BucketOwnerEnforced"}},
        origin=origin,
    )
    block = stack.resource(
        "aws_s3_bucket_public_access_block",
        address,
        {
            "bucket": identifier,
            "block_public_acls": True,
            "block_public_policy": True,
            "ignore_public_acls": True,
            "restrict_public_buckets": True,
        },
        origin=origin,
    )
    versioning = stack.resource(
        "aws_s3_bucket_versioning",
        address,
        {"bucket": identifier, "versioning_configuration": {"status": "Enabled"}},
        origin=origin,
    )
    stack.resource(
        "aws_s3_bucket_server_side_encryption_configuration",
        address,
        {"bucket": identifier, "rule": _encryption(bucket.key)},
        origin=origin,
    )
    stack.resource(
        "aws_s3_bucket_lifecycle_configuration",
        address,
        {"bucket": identifier, "rule": [_housekeeping(bucket)]},
        origin=origin,
        depends_on=[versioning],
    )
    policy = stack.resource(
        "aws_s3_bucket_policy",
        address,
        {
            "bucket": identifier,
            "policy": document(stack, f"bucket-{address}", _statements(bucket, node), origin=origin),
        },
        origin=origin,
        depends_on=[block],
    )
    if bucket.log_to is not None:
        stack.resource(
            "aws_s3_bucket_logging",
            address,
            {
                "bucket": identifier,
                "target_bucket": bucket.log_to.ref("id"),
                "target_prefix": log_prefix(bucket.name),
            },
            origin=origin,
            depends_on=[bucket.log_policy] if bucket.log_policy else (),
        )
    stack.resource(
        "aws_s3_bucket_notification", address, {"bucket": identifier, "eventbridge": True}, origin=origin
    )
    return Store(id=identifier, arn=node.ref("arn")), node, policy


def log_prefix(name: str) -> str:
    """Where a bucket's access logs go in the logs bucket."""
    return f"s3-access/{name}/"


def access_log_statement(context: Context, logs_arn: Value, names: Sequence[str]) -> Statement:
    """Let S3's log delivery write the access logs of the named buckets, and of no other account's."""
    return Statement(
        sid="AccessLogs",
        actions=("s3:PutObject",),
        resources=tuple(text(logs_arn, f"/{log_prefix(name)}*") for name in names),
        principals=(Principal("Service", ("logging.s3.amazonaws.com",)),),
        conditions=(
            Condition("StringEquals", "aws:SourceAccount", (context.account,)),
            Condition(
                "ArnLike",
                "aws:SourceArn",
                tuple(f"arn:{context.partition}:s3:::{context.bucket(name)}" for name in names),
            ),
        ),
    )


def _encryption(key: Value) -> Value:
    if key is None:
        return {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
    return {
        "bucket_key_enabled": True,
        "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms", "kms_master_key_id": key},
    }


def _housekeeping(bucket: Bucket) -> Value:
    rule: dict[str, Value] = {
        "id": "housekeeping",
        "status": "Enabled",
        "filter": {},
        "abort_incomplete_multipart_upload": {"days_after_initiation": ABORT_UPLOADS_AFTER_DAYS},
        "noncurrent_version_expiration": {"noncurrent_days": bucket.keep_versions_days},
    }
    if bucket.archive_after_days is not None:
        rule["transition"] = {"days": bucket.archive_after_days, "storage_class": "STANDARD_IA"}
    if bucket.expire_after_days is not None:
        rule["expiration"] = {"days": bucket.expire_after_days}
    return rule


def _statements(bucket: Bucket, node: Node) -> tuple[Statement, ...]:
    arn = node.ref("arn")
    inside = text(arn, "/*")
    statements = [*deny_insecure_transport(arn, inside), *bucket.grants(arn)]
    if bucket.key is not None and bucket.only_key:
        statements.append(
            Statement(
                sid="DenyOtherKeys",
                effect="Deny",
                actions=("s3:PutObject",),
                resources=(inside,),
                principals=(Principal("AWS", ("*",)),),
                # An upload that names no key gets the bucket's own: only one that names another is refused.
                conditions=(
                    Condition("Null", KEY_HEADER, ("false",)),
                    Condition("StringNotEquals", KEY_HEADER, (bucket.key,)),
                ),
            )
        )
        statements.append(
            Statement(
                sid="DenyOtherEncryption",
                effect="Deny",
                actions=("s3:PutObject",),
                resources=(inside,),
                principals=(Principal("AWS", ("*",)),),
                conditions=(
                    Condition("Null", ENCRYPTION_HEADER, ("false",)),
                    Condition("StringNotEquals", ENCRYPTION_HEADER, ("aws:kms",)),
                ),
            )
        )
    return tuple(statements)
