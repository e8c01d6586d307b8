"""The storage stack: data, artifacts, logs and the user's own buckets.

May not know who reads or writes them.
"""

from __future__ import annotations

from stacks.gcp.buckets import Bucket, add_bucket
from stacks.gcp.context import Context, Keys, Store, Stores
from stacks.graph import StackBuilder
from stacks.intents import ObjectStore, describe

__all__ = ["lower"]

DELIVERS_LOGS = "group:cloud-storage-analytics@google.com"
"""The group of Google's that writes access logs (Cloud Storage, usage logs and storage logs; November 2026)."""


def lower(context: Context, keys: Keys) -> tuple[StackBuilder, Stores]:
    """Make the logs bucket first, then the others, which send their access logs to it."""
    stack = StackBuilder("storage")
    intents = tuple(context.all_of(ObjectStore))
    logs = next(intent for intent in intents if intent.purpose == "logs")
    stores: dict[str, Store] = {}
    # Google writes the access logs itself, and names no key: a bucket that refuses its own keys would refuse them.
    stores[logs.name], logs_bucket = add_bucket(
        stack,
        context,
        Bucket(
            name=logs.name,
            address=logs.name,
            key=keys.logs,
            only_key=False,
            keep_versions_days=logs.keep_versions_days,
            expire_after_days=logs.expire_after_days,
            archive_after_days=logs.archive_after_days,
        ),
        origin=describe(logs),
    )
    delivery = stack.resource(
        "google_storage_bucket_iam_member",
        "logs-delivery",
        {
            "bucket": logs_bucket.ref("name"),
            "role": "roles/storage.objectCreator",
            "member": DELIVERS_LOGS,
        },
        origin=describe(logs),
    )
    for intent in intents:
        if intent.purpose == "logs":
            continue
        stores[intent.name], _ = add_bucket(
            stack,
            context,
            Bucket(
                name=intent.name,
                address=intent.name,
                key=keys.data,
                keep_versions_days=intent.keep_versions_days,
                expire_after_days=intent.expire_after_days,
                archive_after_days=intent.archive_after_days,
                log_to=logs_bucket,
            ),
            origin=describe(intent),
            depends_on=[delivery],
        )
    stack.export("bucket_names", {name: store.name for name, store in stores.items()})
    stack.export("bucket_urls", {name: store.url for name, store in stores.items()})
    return stack, Stores(by_name=stores)
