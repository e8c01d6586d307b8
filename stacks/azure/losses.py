"""Which arguments of Azure's resources protect data, which say how long it is kept, and which say where it is.

Data, as the provider's documentation has it (hashicorp/azurerm 5.10, November 2026); may not read a graph.
"""

from __future__ import annotations

from stacks.losses import Expiry, Losses

__all__ = ["LOSSES"]

DISABLED = (("enabled",), False)
BLOBS = ("rule", "actions", "base_blob")

LOSSES = Losses(
    guards=frozenset({"purge_protection_enabled"}),
    hazards=frozenset(),
    policies={},
    windows=(
        *("soft_delete_retention_days", "immutability_period_in_days", "backup_retention_days"),
        ("delete_retention_policy", "days"),
        ("container_delete_retention_policy", "days"),
    ),
    states={("azurerm_storage_account", ("blob_properties", "versioning_enabled")): True},
    places=frozenset({"subscription_id", "tenant_id"}),
    expiries={
        "azurerm_storage_management_policy": (
            *(
                Expiry(
                    path=(*BLOBS, argument),
                    loses="every object older than {} days",
                    parent="storage_account_id",
                    sleeps=DISABLED,
                )
                for argument in (
                    "delete_after_days_since_modification_greater_than",
                    "delete_after_days_since_creation_greater_than",
                )
            ),
            Expiry(
                path=("rule", "actions", "version", "delete_after_days_since_creation"),
                loses="every version older than {} days",
                parent="storage_account_id",
                sleeps=DISABLED,
            ),
            Expiry(
                path=("rule", "actions", "snapshot", "delete_after_days_since_creation_greater_than"),
                loses="every snapshot older than {} days",
                parent="storage_account_id",
                sleeps=DISABLED,
            ),
        ),
        "azurerm_log_analytics_workspace": (
            Expiry(path=("retention_in_days",), loses="every log older than {} days"),
        ),
        "azurerm_log_analytics_workspace_table": (
            Expiry(path=("total_retention_in_days",), loses="every log of this table older than {} days"),
        ),
        "azurerm_application_insights": (
            Expiry(path=("retention_in_days",), loses="every trace older than {} days"),
        ),
        "azurerm_container_registry": (
            Expiry(path=("retention_policy_in_days",), loses="every untagged image older than {} days"),
        ),
    },
)
