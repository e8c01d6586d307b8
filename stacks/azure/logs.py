"""Diagnostic settings: what a resource tells, sent to the platform's Log Analytics workspace.

May not decide how long it is kept.
"""

from __future__ import annotations

from stacks.azure.context import Base, Context
from stacks.graph import Node, StackBuilder, Value, text
from stacks.record import record

__all__ = ["ALL_LOGS", "AUDIT", "Told", "add_diagnostics", "storage_told"]

ALL_LOGS = "allLogs"
AUDIT = "audit"
STORAGE_LOGS = ("StorageRead", "StorageWrite", "StorageDelete")


@record
class Told:
    """What a resource tells: category groups, or single ``categories`` instead, and metrics.

    ``dedicated`` is for services that ask which of two kinds of table to write to; others have only one and refuse to
    be asked.
    """

    name: str
    target: Value
    origin: str
    groups: tuple[str, ...] = (ALL_LOGS,)
    categories: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ("AllMetrics",)
    dedicated: bool = False


def add_diagnostics(stack: StackBuilder, context: Context, base: Base, told: Told) -> Node:
    """Send what a resource tells to the workspace."""
    logs: list[Value] = [{"category": category} for category in told.categories]
    logs = logs or [{"category_group": group} for group in told.groups]
    return stack.resource(
        "azurerm_monitor_diagnostic_setting",
        told.name,
        {
            "name": context.name("diagnostic-setting", "logs"),
            "target_resource_id": told.target,
            "log_analytics_workspace_id": base.log_analytics_id,
            "log_analytics_destination_type": "Dedicated" if told.dedicated else None,
            "enabled_log": logs or None,
            "enabled_metric": [{"category": metric} for metric in told.metrics] or None,
        },
        origin=told.origin,
    )


def storage_told(name: str, account: Value, origin: str) -> Told:
    """Who read, wrote and deleted blobs of a storage account; the account itself tells only metrics."""
    return Told(
        name=name,
        target=text(account, "/blobServices/default"),
        origin=origin,
        categories=STORAGE_LOGS,
        metrics=("Transaction",),
    )
