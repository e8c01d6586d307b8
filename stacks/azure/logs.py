"""Diagnostic settings: what a resource tells, sent to the platform's Log Analytics workspace.

May not decide how long it is kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.azure.context import Base, Context
from stacks.graph import Node, StackBuilder, Value, text

__all__ = ["ALL_LOGS", "AUDIT", "add_diagnostics", "add_storage_diagnostics"]

ALL_LOGS = "allLogs"
AUDIT = "audit"
STORAGE_LOGS = ("StorageRead", "StorageWrite", "StorageDelete")


def add_diagnostics(
    stack: StackBuilder,
    context: Context,
    base: Base,
    name: str,
    target: Value,
    *,
    origin: str,
    groups: Sequence[str] = (ALL_LOGS,),
    categories: Sequence[str] = (),
    metrics: Sequence[str] = ("AllMetrics",),
) -> Node:
    """Send a resource's log categories and metrics; ``categories`` are instead of groups, where there are any.

    Logs go to tables of their own kind (``Dedicated``) rather than to one for all.
    """
    logs: list[Value] = [{"category": category} for category in categories] or [
        {"category_group": group} for group in groups
    ]
    return stack.resource(
        "azurerm_monitor_diagnostic_setting",
        name,
        {
            "name": context.name("diagnostic-setting", "logs"),
            "target_resource_id": target,
            "log_analytics_workspace_id": base.log_analytics_id,
            "log_analytics_destination_type": "Dedicated",
            "enabled_log": logs or None,
            "enabled_metric": [{"category": metric} for metric in metrics] or None,
        },
        origin=origin,
    )


def add_storage_diagnostics(
    stack: StackBuilder, context: Context, base: Base, name: str, account: Value, *, origin: str
) -> Node:
    """Send who read, wrote and deleted blobs of a storage account; the account itself tells only metrics."""
    return add_diagnostics(
        stack,
        context,
        base,
        name,
        text(account, "/blobServices/default"),
        origin=origin,
        categories=STORAGE_LOGS,
        metrics=("Transaction",),
    )
