"""A storage account as every one here is: closed to the internet, without keys, versioned, and encrypted twice.

May not know what is kept in it. Hierarchical namespaces keep no versions, so an account has one only where its reader asks
for folders (Azure Storage, blob storage feature support, November 2026).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.azure.catalog import zones_of
from stacks.azure.context import Base, Context, Keys, Network
from stacks.azure.locks import add_lock
from stacks.azure.logs import add_diagnostics, storage_told
from stacks.azure.private import Endpoint, add_private_endpoint
from stacks.graph import Lifecycle, Node, StackBuilder, Value
from stacks.record import record

__all__ = ["StorageAccount", "add_account"]

SOFT_DELETE_DAYS = 30
SAS_PERIOD = "01.00:00:00"
VERSIONS: Mapping[str, Value] = {
    "versioning_enabled": True,
    "change_feed_enabled": True,
    "change_feed_retention_in_days": SOFT_DELETE_DAYS,
}


@record
class StorageAccount:
    """What one account differs in. ``services`` get a private endpoint each, ``rules`` are its lifecycle's.

    ``share_keys`` encrypts queues and tables with the account's key too, which those of Azure ML are. ``hierarchical`` ones
    have folders, and no versions.
    """

    name: str
    origin: str
    holds: str
    services: tuple[str, ...]
    rules: Sequence[Value] = ()
    share_keys: bool = False
    hierarchical: bool = False


def add_account(
    stack: StackBuilder, context: Context, base: Base, keys: Keys, network: Network, account: StorageAccount
) -> Node:
    """Add an account with its lock, logs, lifecycle and private endpoints."""
    node = stack.resource(
        "azurerm_storage_account",
        account.name,
        {
            "name": context.unique_name("storage-account", account.name),
            "resource_group_name": base.resource_group,
            "location": context.region,
            "account_kind": "StorageV2",
            "account_tier": "Standard",
            "account_replication_type": "ZRS" if zones_of(context.region) else "GRS",
            "access_tier": "Hot",
            "min_tls_version": "TLS1_2",
            "https_traffic_only_enabled": True,
            "is_hns_enabled": account.hierarchical,
            "shared_access_key_enabled": False,
            "default_to_oauth_authentication": True,
            "public_network_access_enabled": False,
            "allow_nested_items_to_be_public": False,
            "allowed_copy_scope": "AAD",
            "cross_tenant_replication_enabled": False,
            "infrastructure_encryption_enabled": True,
            "local_user_enabled": False,
            "sftp_enabled": False,
            "queue_encryption_key_type": "Account" if account.share_keys else None,
            "table_encryption_key_type": "Account" if account.share_keys else None,
            # Azure ML, Monitor and Network Watcher come from outside the network, each as an identity of its own.
            "network_rules": {"default_action": "Deny", "bypass": ["AzureServices"]},
            "sas_policy": {"expiration_period": SAS_PERIOD, "expiration_action": "Log"},
            "blob_properties": {
                **({} if account.hierarchical else VERSIONS),
                "delete_retention_policy": {"days": SOFT_DELETE_DAYS},
                "container_delete_retention_policy": {"days": SOFT_DELETE_DAYS},
            },
            "share_properties": {"retention_policy": {"days": SOFT_DELETE_DAYS}},
            **_encryption(keys),
            "tags": context.tags,
        },
        origin=account.origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds=account.holds,
    )
    add_lock(stack, context, node)
    add_diagnostics(stack, context, base, storage_told(account.name, node.ref("id"), account.origin))
    if account.rules:
        stack.resource(
            "azurerm_storage_management_policy",
            account.name,
            {"storage_account_id": node.ref("id"), "rule": account.rules},
            origin=account.origin,
        )
    for service in account.services:
        endpoint = Endpoint(
            name=f"{account.name}-{service}",
            target=node.ref("id"),
            subresource=service,
            origin=account.origin,
        )
        add_private_endpoint(stack, context, base, network, endpoint)
    return node


def _encryption(keys: Keys) -> dict[str, Value]:
    if keys.user is None:
        return {}
    return {
        "identity": {"type": "UserAssigned", "identity_ids": [keys.user.id]},
        "customer_managed_key": {
            "key_vault_key_id": keys.data,
            "user_assigned_identity_id": keys.user.id,
        },
    }
