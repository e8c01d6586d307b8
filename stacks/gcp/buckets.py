"""A secure Cloud Storage bucket, for every concern that needs one: closed, versioned or held, and encrypted.

May not decide which buckets a platform has, nor who reads or writes them.
"""

from __future__ import annotations

from collections.abc import Iterable

from stacks.gcp.context import Context, Store
from stacks.graph import Node, StackBuilder, Value
from stacks.record import record

__all__ = ["Bucket", "add_bucket", "log_prefix"]

ABORT_UPLOADS_AFTER_DAYS = 7
SOFT_DELETE_S = 7 * 86400
DAY_S = 86400
COOL = "NEARLINE"
"""The class of objects that are seldom read: like AWS's infrequent access, at least 30 days (Storage classes, November 2026)."""


@record
class Bucket:
    """What to make: ``key`` is a crypto key's id or ``None`` for Google's own; days of ``None`` mean never.

    ``hold_days`` holds each object for so long that nobody can delete or overwrite it, so that there are no versions.
    ``log_to`` takes the access logs. ``only_key`` refuses objects that are encrypted with anything but a key of the
    customer's.
    """

    name: str
    address: str
    key: Value
    keep_versions_days: int
    expire_after_days: int | None = None
    archive_after_days: int | None = None
    hold_days: int | None = None
    log_to: Node | None = None
    only_key: bool = True


def add_bucket(
    stack: StackBuilder, context: Context, bucket: Bucket, *, origin: str, depends_on: Iterable[Node] = ()
) -> tuple[Store, Node]:
    """Add the bucket; return its values and its node. ``depends_on`` are the grants that its key needs."""
    held = bucket.hold_days is not None
    node = stack.resource(
        "google_storage_bucket",
        bucket.address,
        {
            "name": context.bucket(bucket.name),
            "location": context.region.upper(),
            "storage_class": "STANDARD",
            "uniform_bucket_level_access": True,
            "public_access_prevention": "enforced",
            "force_destroy": not context.protected,
            "deletion_policy": context.deletion_policy,
            "versioning": None if held else {"enabled": True},
            "retention_policy": _hold(bucket),
            "soft_delete_policy": {"retention_duration_seconds": SOFT_DELETE_S},
            "encryption": _encryption(bucket),
            "lifecycle_rule": _housekeeping(bucket),
            "logging": None
            if bucket.log_to is None
            else {"log_bucket": bucket.log_to.ref("name"), "log_object_prefix": log_prefix(bucket.name)},
        },
        origin=origin,
        depends_on=depends_on,
        lifecycle=context.keep,
        holds="every object and every version in it",
    )
    return Store(name=node.ref("name"), url=node.ref("url")), node


def log_prefix(name: str) -> str:
    """Where a bucket's access logs go in the logs bucket."""
    return f"gcs-access/{name}"


def _hold(bucket: Bucket) -> Value:
    """Not locked: a lock can never be taken off again, and holds the project as well as the bucket."""
    if bucket.hold_days is None:
        return None
    return {"retention_period": str(bucket.hold_days * DAY_S), "is_locked": False}


def _encryption(bucket: Bucket) -> Value:
    if bucket.key is None:
        return None
    if not bucket.only_key:
        return {"default_kms_key_name": bucket.key}
    return {
        "default_kms_key_name": bucket.key,
        "google_managed_encryption_enforcement_config": {"restriction_mode": "FullyRestricted"},
        "customer_supplied_encryption_enforcement_config": {"restriction_mode": "FullyRestricted"},
        "customer_managed_encryption_enforcement_config": {"restriction_mode": "NotRestricted"},
    }


def _housekeeping(bucket: Bucket) -> Value:
    rules: list[Value] = [
        {
            "action": {"type": "AbortIncompleteMultipartUpload"},
            "condition": {"age": ABORT_UPLOADS_AFTER_DAYS},
        }
    ]
    if bucket.hold_days is None:
        rules.append(
            {
                "action": {"type": "Delete"},
                "condition": {
                    "days_since_noncurrent_time": bucket.keep_versions_days,
                    "with_state": "ARCHIVED",
                },
            }
        )
    if bucket.archive_after_days is not None:
        rules.append(
            {
                "action": {"type": "SetStorageClass", "storage_class": COOL},
                "condition": {
                    "age": bucket.archive_after_days,
                    "matches_storage_class": ["STANDARD"],
                    "with_state": "LIVE",
                },
            }
        )
    if bucket.expire_after_days is not None:
        rules.append(
            {
                "action": {"type": "Delete"},
                "condition": {"age": bucket.expire_after_days, "with_state": "LIVE"},
            }
        )
    return rules
