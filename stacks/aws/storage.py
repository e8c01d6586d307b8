"""The storage stack: data, artifacts, logs and the user's own buckets.

May not know who reads or writes them.
"""

from __future__ import annotations

from stacks.aws.buckets import Bucket, access_log_statement, add_bucket
from stacks.aws.context import Context, Keys, Store, Stores
from stacks.aws.invocations import BUCKET as INVOCATIONS
from stacks.aws.invocations import is_logged
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import ObjectStore, describe

__all__ = ["lower"]


def lower(context: Context, keys: Keys) -> tuple[StackBuilder, Stores]:
    """Make the logs bucket first, then the others, which send their access logs to it."""
    stack = StackBuilder("storage")
    intents = tuple(context.all_of(ObjectStore))
    logs = next(intent for intent in intents if intent.purpose == "logs")
    others = [intent for intent in intents if intent.purpose != "logs"]
    senders = [*(other.name for other in others), *([INVOCATIONS] if is_logged(context) else [])]
    stores: dict[str, Store] = {}
    stores[logs.name], logs_bucket, logs_policy = add_bucket(
        stack,
        context,
        Bucket(
            name=logs.name,
            address=logs.name,
            # S3 delivers access logs only to buckets whose default encryption is its own keys (SSE-S3):
            # S3 User Guide, "Enabling Amazon S3 server access logging", November 2026.
            key=None,
            keep_versions_days=logs.keep_versions_days,
            expire_after_days=logs.expire_after_days,
            archive_after_days=logs.archive_after_days,
            grants=lambda arn: [access_log_statement(context, arn, senders)],
        ),
        origin=describe(logs),
    )
    for intent in others:
        stores[intent.name] = _data_bucket(stack, context, keys.data, intent, logs_bucket, logs_policy)
    stack.export("bucket_names", {name: store.id for name, store in stores.items()})
    stack.export("bucket_arns", {name: store.arn for name, store in stores.items()})
    return stack, Stores(by_name=stores)


def _data_bucket(
    stack: StackBuilder, context: Context, key: Value, intent: ObjectStore, logs: Node, logs_policy: Node
) -> Store:
    store, _, _ = add_bucket(
        stack,
        context,
        Bucket(
            name=intent.name,
            address=intent.name,
            key=key,
            keep_versions_days=intent.keep_versions_days,
            expire_after_days=intent.expire_after_days,
            archive_after_days=intent.archive_after_days,
            log_to=logs,
            log_policy=logs_policy,
        ),
        origin=describe(intent),
    )
    return store
