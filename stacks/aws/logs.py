"""CloudWatch log groups, and the retention periods that CloudWatch knows.

May not decide what is logged.
"""

from __future__ import annotations

from bisect import bisect_left

from stacks.aws.context import Context, Keys
from stacks.graph import Lifecycle, Node, StackBuilder

__all__ = ["RETENTION_DAYS", "add_log_group", "kept_for"]

RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""The retentions that PutRetentionPolicy accepts, in days (CloudWatch Logs API Reference, November 2026)."""


def kept_for(days: int) -> int:
    """Round up to a retention that CloudWatch knows; ``days`` is at most 3653."""
    return RETENTION_DAYS[bisect_left(RETENTION_DAYS, days)]


def add_log_group(
    stack: StackBuilder, context: Context, keys: Keys, name: str, *, retention_days: int, origin: str
) -> Node:
    """Add an encrypted log group of the platform's own."""
    return stack.resource(
        "aws_cloudwatch_log_group",
        name,
        {
            "name": context.log_group(name),
            "retention_in_days": kept_for(retention_days),
            "kms_key_id": keys.logs,
        },
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="the logs in it",
    )
