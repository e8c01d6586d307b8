"""The state stack: the storage account that holds every stack's Terraform state, locked by a lease on the blob.

May not know what the states hold.
"""

from __future__ import annotations

from stacks.azure.context import Context
from stacks.azure.locks import add_lock
from stacks.azure.roles import definition_id
from stacks.backends import own_backend
from stacks.graph import Backend, Lifecycle, Node, StackBuilder
from stacks.intents import StateStore, describe
from stacks.record import record

__all__ = ["CONTAINER", "StatePlace", "backend_of", "lower", "place_of", "state_account", "state_group"]

CONTAINER = "tfstate"
VERSIONS_DAYS = 365
SOFT_DELETE_DAYS = 90


def state_group(context: Context) -> str:
    """The name of the resource group of the states."""
    return context.name("resource-group", "state")


def state_account(context: Context) -> str:
    """The name of the managed account of the states."""
    return context.unique_name("storage-account", "state")


def backend_of(context: Context, concern: str) -> Backend:
    """Where a concern's state lies."""
    own = own_backend(context.platform, concern)
    if own is not None:
        return own
    return Backend(
        kind="azurerm",
        config={
            "subscription_id": context.subscription,
            "resource_group_name": state_group(context),
            "storage_account_name": state_account(context),
            "container_name": CONTAINER,
            "key": f"{context.platform.environment}/{concern}.tfstate",
            "use_azuread_auth": True,
        },
    )


def lower(context: Context) -> StackBuilder | None:
    """Make the account with its container, when the platform creates it.

    It is reached over the internet, by who the directory knows and nobody else: nothing of the network is there when the
    first state is written, and whoever deploys the network needs the state to do so.
    """
    intent = context.one_of(StateStore)
    if intent is None or not intent.create:
        return None
    stack = StackBuilder("state")
    origin = describe(intent)
    group = stack.resource(
        "azurerm_resource_group",
        "state",
        {"name": state_group(context), "location": context.region, "tags": context.tags},
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="every stack's state",
    )
    account = _account(stack, context, group, origin)
    container = stack.resource(
        "azurerm_storage_container",
        "state",
        {
            "name": CONTAINER,
            "storage_account_id": account.ref("id"),
            "container_access_type": "private",
        },
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="every stack's state",
    )
    _let_in(stack, context, container, origin)
    _forget_old_versions(stack, account, origin)
    add_lock(stack, context, account)
    stack.export("resource_group", group.ref("name"))
    stack.export("storage_account", account.ref("name"))
    return stack


def _account(stack: StackBuilder, context: Context, group: Node, origin: str) -> Node:
    return stack.resource(
        "azurerm_storage_account",
        "state",
        {
            "name": state_account(context),
            "resource_group_name": group.ref("name"),
            "location": context.region,
            "account_kind": "StorageV2",
            "account_tier": "Standard",
            "account_replication_type": "GRS",
            "access_tier": "Hot",
            "min_tls_version": "TLS1_2",
            "https_traffic_only_enabled": True,
            "shared_access_key_enabled": False,
            "default_to_oauth_authentication": True,
            "allow_nested_items_to_be_public": False,
            "allowed_copy_scope": "AAD",
            "cross_tenant_replication_enabled": False,
            "infrastructure_encryption_enabled": True,
            "local_user_enabled": False,
            "public_network_access_enabled": True,
            "blob_properties": {
                "versioning_enabled": True,
                "change_feed_enabled": True,
                "change_feed_retention_in_days": VERSIONS_DAYS,
                "delete_retention_policy": {"days": SOFT_DELETE_DAYS},
                "container_delete_retention_policy": {"days": SOFT_DELETE_DAYS},
            },
            "tags": context.tags,
        },
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="every stack's state",
    )


def _let_in(stack: StackBuilder, context: Context, container: Node, origin: str) -> None:
    """Let whoever made the container write states into it: even an owner may not, without a role for data.

    The role stays with the first one, whoever applies the stack after them.
    """
    deployer = stack.data("azurerm_client_config", "deployer", {}, origin=origin)
    stack.resource(
        "azurerm_role_assignment",
        "deployer-state-blob-contributor",
        {
            "scope": container.ref("id"),
            "role_definition_id": definition_id(context, "blob-contributor"),
            "principal_id": deployer.ref("object_id"),
        },
        origin=origin,
        lifecycle=Lifecycle(ignore_changes=("principal_id",)),
    )


def _forget_old_versions(stack: StackBuilder, account: Node, origin: str) -> None:
    stack.resource(
        "azurerm_storage_management_policy",
        "state",
        {
            "storage_account_id": account.ref("id"),
            "rule": [
                {
                    "name": "old-versions",
                    "enabled": True,
                    "filters": {"blob_types": ["blockBlob"]},
                    "actions": {"version": {"delete_after_days_since_creation": VERSIONS_DAYS}},
                }
            ],
        },
        origin=origin,
    )


@record
class StatePlace:
    """Where an environment's states lie in Azure: the container, as a role's scope."""

    account_id: str
    container_id: str


def place_of(context: Context) -> StatePlace | None:
    """Where the states lie, when that is Azure storage and CI's identities can be let in."""
    backend = context.platform.backend
    if backend.kind == "managed":
        return _place(context.subscription, state_group(context), state_account(context), CONTAINER)
    names = ("resource_group_name", "storage_account_name", "container_name")
    if backend.kind != "azurerm" or any(name not in backend.settings for name in names):
        return None
    subscription = str(backend.settings.get("subscription_id", context.subscription))
    group, account, container = (str(backend.settings[name]) for name in names)
    return _place(subscription, group, account, container)


def _place(subscription: str, group: str, account: str, container: str) -> StatePlace:
    account_id = (
        f"/subscriptions/{subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.Storage/storageAccounts/{account}"
    )
    return StatePlace(
        account_id=account_id, container_id=f"{account_id}/blobServices/default/containers/{container}"
    )
