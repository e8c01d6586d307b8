"""A log bucket of Cloud Logging with a sink that fills it, for every concern that keeps logs.

May not decide what is logged. A log bucket's id stays taken for seven days after it was deleted.
"""

from __future__ import annotations

from collections.abc import Iterable

from stacks.gcp.context import Context
from stacks.graph import Node, StackBuilder, Value, text
from stacks.record import record

__all__ = ["LONGEST_RETENTION_DAYS", "LogBucket", "add_log_bucket"]

LONGEST_RETENTION_DAYS = 3650
"""Cloud Logging, quotas and limits, November 2026."""


@record
class LogBucket:
    """What to make: ``finds`` is the filter of the entries to keep, ``key`` a crypto key's id or ``None`` for Google's own."""

    name: str
    key: Value
    retention_days: int
    finds: str


def add_log_bucket(
    stack: StackBuilder, context: Context, kept: LogBucket, *, origin: str, depends_on: Iterable[Node] = ()
) -> Node:
    """Keep log entries for some days; return the log bucket.

    Not locked: a lock can't be taken off, and keeps a retention from being changed. A sink to a log bucket of its own
    project needs no grant.
    """
    name = kept.name
    bucket = stack.resource(
        "google_logging_project_bucket_config",
        name,
        {
            "project": context.project,
            "location": context.region,
            "bucket_id": context.name("log-bucket", name),
            "description": f"{context.prefix}: {name} logs",
            "retention_days": kept.retention_days,
            "enable_analytics": True,
            "locked": False,
            "cmek_settings": None if kept.key is None else {"kms_key_name": kept.key},
            "deletion_policy": context.deletion_policy,
        },
        origin=origin,
        depends_on=depends_on,
        lifecycle=context.keep,
        holds="every log entry in it",
    )
    stack.resource(
        "google_logging_project_sink",
        name,
        {
            "name": context.name("sink", name),
            "project": context.project,
            "description": f"{context.prefix}: {name} logs",
            "destination": text("logging.googleapis.com/", bucket.ref("id")),
            "filter": kept.finds,
            "unique_writer_identity": True,
        },
        origin=origin,
    )
    return bucket
