"""The provider blocks of a stack: azurerm always, azapi where a node is its own.

May not know what a stack is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.azure.context import Context
from stacks.graph import Node, ProviderBlock, Value

__all__ = ["PROVIDER_VERSIONS", "RESOURCE_PROVIDERS", "providers_of"]

AZURERM_VERSION = ">= 5.1.0, < 6.0.0"
AZAPI_VERSION = ">= 2.9.0, < 3.0.0"
PROVIDER_VERSIONS: Mapping[str, tuple[str, ...]] = {"azurerm": ("5.1.0", "5.10.0"), "azapi": ("2.13.0",)}
"""The versions whose schemas the output is checked with."""

RESOURCE_PROVIDERS = (
    "Microsoft.AlertsManagement",
    "Microsoft.Authorization",
    "Microsoft.CognitiveServices",
    "Microsoft.Consumption",
    "Microsoft.ContainerRegistry",
    "Microsoft.DocumentDB",
    "Microsoft.EventGrid",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.MachineLearningServices",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.PolicyInsights",
    "Microsoft.Portal",
    "Microsoft.Search",
    "Microsoft.Storage",
)
"""Namespaces that the stacks use, and those with which Azure ML keeps its metadata under a key of the customer's own (Azure
Machine Learning: resource providers, and customer-managed keys, November 2026).
"""


def _features(context: Context) -> Mapping[str, Value]:
    """What azurerm does beyond a resource's own arguments.

    Vaults and logs come back from their deletion when they are made again. An account of models and a workspace do not:
    what was deleted keeps its name, so where nothing is protected it goes for good, and can be made again.
    """
    gone = not context.protected
    return {
        "cognitive_account": {"purge_soft_delete_on_destroy": gone},
        "key_vault": {"purge_soft_delete_on_destroy": False, "recover_soft_deleted_key_vaults": True},
        "log_analytics_workspace": {"permanently_delete_on_destroy": False},
        "machine_learning": {"purge_soft_deleted_workspace_on_destroy": gone},
        "resource_group": {"prevent_deletion_if_contains_resources": True},
    }


def providers_of(context: Context, nodes: Sequence[Node], *, registers: bool) -> tuple[ProviderBlock, ...]:
    """Return the blocks that nodes need. ``registers`` is for the stack that is applied first.

    Registering takes a right over the whole subscription, so no stack but that one does it.
    """
    azurerm = ProviderBlock(
        name="azurerm",
        source="hashicorp/azurerm",
        version=AZURERM_VERSION,
        config={
            "subscription_id": context.subscription,
            "storage_use_azuread": True,
            "resource_provider_registrations": "none",
            **({"resource_providers_to_register": list(RESOURCE_PROVIDERS)} if registers else {}),
            "features": _features(context),
        },
    )
    if not any(node.address.type.startswith("azapi_") for node in nodes):
        return (azurerm,)
    azapi = ProviderBlock(
        name="azapi",
        source="Azure/azapi",
        version=AZAPI_VERSION,
        config={"subscription_id": context.subscription},
    )
    return (azurerm, azapi)
