"""The storage stack: an account with a container for each bucket, one for logs, and one for the Azure ML workspace.

May not know who reads or writes them.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.azure.accounts import StorageAccount, add_account
from stacks.azure.context import Account, Base, Context, Keys, Network, Store, Stores
from stacks.azure.roles import Assignment, assign
from stacks.graph import Lifecycle, Node, StackBuilder, Value
from stacks.intents import FeatureStore, ObjectStore, PrivateNetwork, describe

__all__ = ["lower", "watcher_id"]

WORKSPACE_ORIGIN = "workspace"
HISTORY = "features"
HISTORY_CONTAINER = "features_history"
"""Its name in the graph, which no bucket can have."""
FLOW_LOGS = "insights-logs-flowlogflowevent"
"""The container that Network Watcher makes (Network Watcher, virtual network flow logs, November 2026)."""
FLOW_API = "Microsoft.Network/networkWatchers/flowLogs@2024-05-01"
LONGEST_FLOW_DAYS = 365


def lower(context: Context, base: Base, keys: Keys, network: Network) -> tuple[StackBuilder, Stores]:
    """Make the accounts, the containers in them, and the flow logs, which are kept beside the other logs."""
    stack = StackBuilder("storage")
    intents = tuple(context.all_of(ObjectStore))
    logs = next(intent for intent in intents if intent.purpose == "logs")
    others = [intent for intent in intents if intent.purpose != "logs"]
    own = context.one_of(PrivateNetwork)
    logs_account = add_account(
        stack,
        context,
        base,
        keys,
        network,
        StorageAccount(
            name="logs",
            origin=describe(logs),
            holds="the logs in it",
            services=("blob",),
            rules=[*_rules(context, logs), *(_flow_rules(own.flow_log_retention_days) if own else ())],
        ),
    )
    data_account = add_account(
        stack,
        context,
        base,
        keys,
        network,
        StorageAccount(
            name="data",
            origin=describe(others[0]),
            holds="every bucket of the platform",
            services=("blob",),
            rules=[rule for intent in others for rule in _rules(context, intent)],
        ),
    )
    workspace = add_account(
        stack,
        context,
        base,
        keys,
        network,
        StorageAccount(
            name="workspace",
            origin=WORKSPACE_ORIGIN,
            holds="the notebooks, runs and files of the workspace",
            services=("blob", "file", "queue", "table"),
            share_keys=True,
        ),
    )
    stores = {
        intent.name: _container(stack, context, logs_account if intent is logs else data_account, intent)
        for intent in intents
    }
    if own is not None:
        _flow_logs(stack, context, base, network, logs_account, own)
    history = _history(stack, context, base, keys, network)
    stack.export("bucket_accounts", {name: store.account for name, store in stores.items()})
    stack.export("bucket_names", {name: store.container for name, store in stores.items()})
    return stack, Stores(
        by_name=stores,
        workspace_id=workspace.ref("id"),
        data_id=data_account.ref("id"),
        history=history,
    )


def _history(stack: StackBuilder, context: Context, base: Base, keys: Keys, network: Network) -> Store | None:
    """An account with folders for the records of features, which Azure ML's Spark writes as folders.

    It cannot be a bucket: such an account keeps no versions, and one with versions or soft deletion answers no Spark
    (Azure Data Factory, "Troubleshoot Data Lake Storage connectors": EndpointUnsupportedAccountFeatures, November 2026).
    """
    groups = [group for group in context.all_of(FeatureStore) if group.offline]
    if not groups:
        return None
    origin = describe(groups[0])
    account = add_account(
        stack,
        context,
        base,
        keys,
        network,
        StorageAccount(
            name=HISTORY,
            origin=origin,
            holds="every record of the features",
            services=("blob", "dfs"),
            hierarchical=True,
        ),
    )
    return _store(stack, context, account, HISTORY_CONTAINER, context.name("container", HISTORY), origin)


def _container(stack: StackBuilder, context: Context, account: Node, intent: ObjectStore) -> Store:
    return _store(stack, context, account, intent.name, _container_name(context, intent), describe(intent))


def _store(
    stack: StackBuilder, context: Context, account: Node, address: str, name: str, origin: str
) -> Store:
    container = stack.resource(
        "azurerm_storage_container",
        address,
        {
            "name": name,
            "storage_account_id": account.ref("id"),
            "container_access_type": "private",
        },
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="every object in it",
    )
    return Store(
        id=container.ref("id"),
        container=container.ref("name"),
        account_id=account.ref("id"),
        account=account.ref("name"),
    )


def _container_name(context: Context, intent: ObjectStore) -> str:
    """A bucket may be called by one letter, and no container by fewer than three."""
    return context.name("container", intent.name)


def _rules(context: Context, intent: ObjectStore) -> Sequence[Value]:
    """One rule for the container: blobs move to the cool tier and go, old versions and snapshots go."""
    current: dict[str, Value] = {}
    if intent.archive_after_days is not None:
        current["tier_to_cool_after_days_since_modification_greater_than"] = intent.archive_after_days
    if intent.expire_after_days is not None:
        current["delete_after_days_since_modification_greater_than"] = intent.expire_after_days
    actions: dict[str, Value] = {
        **({"base_blob": current} if current else {}),
        "version": {"delete_after_days_since_creation": intent.keep_versions_days},
        "snapshot": {"delete_after_days_since_creation_greater_than": intent.keep_versions_days},
    }
    return (_rule(intent.name, f"{_container_name(context, intent)}/", actions),)


def _flow_rules(days: int) -> Sequence[Value]:
    delete: dict[str, Value] = {"base_blob": {"delete_after_days_since_modification_greater_than": days}}
    return (_rule("flow-logs", f"{FLOW_LOGS}/", delete),)


def _rule(name: str, prefix: str, actions: dict[str, Value]) -> Value:
    return {
        "name": name,
        "enabled": True,
        "filters": {"blob_types": ["blockBlob"], "prefix_match": [prefix]},
        "actions": actions,
    }


def _flow_logs(
    stack: StackBuilder, context: Context, base: Base, network: Network, logs: Node, intent: PrivateNetwork
) -> None:
    """Log every flow of the network, written as an identity: the account takes no keys, and azurerm can name no identity.

    Azure makes the watcher of a region with the first network in it (Network Watcher, "Enable or disable Azure Network
    Watcher", November 2026). What is kept longer than the watcher can is for the account's lifecycle to delete.
    """
    origin = describe(intent)
    writer = stack.resource(
        "azurerm_user_assigned_identity",
        "flow-logs",
        {
            "name": context.name("identity", "flow-logs"),
            "resource_group_name": base.resource_group,
            "location": context.region,
            "tags": context.tags,
        },
        origin=origin,
    )
    account = Account(
        id=writer.ref("id"), principal_id=writer.ref("principal_id"), client_id=writer.ref("client_id")
    )
    may_write = assign(
        stack,
        context,
        account,
        Assignment(role="blob-contributor", who="flow-logs", on=logs.ref("id"), what="logs", origin=origin),
    )
    days = intent.flow_log_retention_days
    watched = days <= LONGEST_FLOW_DAYS
    stack.resource(
        "azapi_resource",
        "flow-logs",
        {
            "type": FLOW_API,
            "name": context.name("network-part", "flows"),
            "parent_id": watcher_id(context),
            "location": context.region,
            "identity": {"type": "UserAssigned", "identity_ids": [writer.ref("id")]},
            "body": {
                "properties": {
                    "enabled": True,
                    "targetResourceId": network.vnet_id,
                    "storageId": logs.ref("id"),
                    "format": {"type": "JSON", "version": 2},
                    "retentionPolicy": {"enabled": watched, "days": days if watched else 0},
                }
            },
            "tags": context.tags,
        },
        origin=origin,
        depends_on=(may_write,),
    )


def watcher_id(context: Context) -> str:
    """The id of the region's network watcher."""
    return (
        f"{context.subscription_id}/resourceGroups/NetworkWatcherRG"
        f"/providers/Microsoft.Network/networkWatchers/NetworkWatcher_{context.region}"
    )
