"""An Azure ML workspace with what it has to have: its identity, that identity's roles, its endpoint and its logs.

May not know what is in it, nor what it is for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stacks.azure.context import Account, Surroundings
from stacks.azure.logs import Told, add_diagnostics
from stacks.azure.private import Endpoint, add_private_endpoint
from stacks.azure.roles import Assignment, assign
from stacks.graph import Lifecycle, Node, StackBuilder, Value
from stacks.record import record

__all__ = ["IMAGE_BUILDER", "Hub", "add_hub"]

IMAGE_BUILDER = "image-build"
"""The cluster that builds environments' images: a private registry does not build them itself."""

STORAGE_ROLES = ("contributor", "file-contributor", "blob-contributor")
"""On the workspace's storage account (Microsoft Learn, "Set up service authentication", November 2026). The vault's
data takes an officer of secrets rather than the administrator that the page names: Azure ML keeps nothing else there."""


@record
class Hub:
    """A workspace: ``name`` is its own in the graph; ``features`` are the arguments that make it a feature store."""

    name: str
    origin: str
    description: str
    holds: str
    features: Mapping[str, Value] | None = None


def add_hub(stack: StackBuilder, around: Surroundings, hub: Hub) -> tuple[Node, Account]:
    """Make the workspace; return it and the identity that Azure ML itself acts as in it."""
    context, base = around.context, around.base
    own = _identity(stack, around, hub)
    granted = [*_grants(stack, around, own, hub)]
    builds = around.registry.id is not None and hub.features is None
    workspace = stack.resource(
        "azurerm_machine_learning_workspace",
        hub.name,
        {
            "name": context.unique_name("workspace", hub.name.removeprefix("ml-")),
            "location": context.region,
            "resource_group_name": base.resource_group,
            "friendly_name": f"{context.prefix} {hub.name.removeprefix('ml-')}",
            "description": hub.description,
            "kind": "Default" if hub.features is None else "FeatureStore",
            "feature_store": hub.features,
            "sku_name": "Basic",
            "application_insights_id": base.application_insights_id,
            "key_vault_id": base.key_vault_id,
            "storage_account_id": around.stores.workspace_id,
            "storage_account_access_type": "Identity",
            "container_registry_id": around.registry.id,
            "image_build_compute_name": IMAGE_BUILDER if builds else None,
            "public_network_access_enabled": False,
            # It encrypts machines' scratch disks, and Microsoft collects less.
            "high_business_impact": True,
            "v1_legacy_mode_enabled": False,
            "encryption": _encryption(around, own),
            "managed_network": {
                "isolation_mode": "AllowOnlyApprovedOutbound",
                "provision_on_creation_enabled": True,
            },
            "primary_user_assigned_identity": own.id,
            "identity": {"type": "UserAssigned", "identity_ids": [own.id]},
            "tags": context.tags,
        },
        origin=hub.origin,
        depends_on=granted,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds=hub.holds,
    )
    _reach(stack, around, hub, workspace)
    itself = Assignment(
        role="contributor", who=hub.name, on=workspace.ref("id"), what="itself", origin=hub.origin
    )
    assign(stack, context, own, itself)
    return workspace, own


def _reach(stack: StackBuilder, around: Surroundings, hub: Hub, workspace: Node) -> None:
    """The way in from the network, and where its logs go."""
    target = workspace.ref("id")
    add_private_endpoint(
        stack,
        around.context,
        around.base,
        around.network,
        Endpoint(
            name=hub.name,
            target=target,
            subresource="amlworkspace",
            origin=hub.origin,
            zones=("amlworkspace", "notebooks"),
        ),
    )
    add_diagnostics(stack, around.context, around.base, Told(name=hub.name, target=target, origin=hub.origin))


def _encryption(around: Surroundings, own: Account) -> Value:
    """What encrypts the metadata, in a resource group that Azure ML makes: it cannot in its own, with a private vault
    (Microsoft Learn, "Customer-managed keys for Azure Machine Learning", November 2026).
    """
    if around.keys.data is None:
        return None
    return {
        "key_vault_id": around.base.key_vault_id,
        "key_id": around.keys.data,
        "user_assigned_identity_id": own.id,
    }


def _identity(stack: StackBuilder, around: Surroundings, hub: Hub) -> Account:
    made = stack.resource(
        "azurerm_user_assigned_identity",
        hub.name,
        {
            "name": around.context.name("identity", hub.name),
            "location": around.context.region,
            "resource_group_name": around.base.resource_group,
            "tags": around.context.tags,
        },
        origin=hub.origin,
    )
    return Account(id=made.ref("id"), principal_id=made.ref("principal_id"), client_id=made.ref("client_id"))


def _grants(stack: StackBuilder, around: Surroundings, own: Account, hub: Hub) -> Iterator[Node]:
    """What the identity has to have before the workspace is made."""
    base, stores = around.base, around.stores
    wanted: list[tuple[Sequence[str], str, Value]] = [
        ((*STORAGE_ROLES, "ai-network-approver"), "workspace-storage", stores.workspace_id),
        (("blob-contributor", "ai-network-approver"), "data-storage", stores.data_id),
        (("contributor", "secrets-officer", "ai-network-approver"), "vault", base.key_vault_id),
        (("contributor",), "application-insights", base.application_insights_id),
    ]
    if stores.history is not None:
        wanted.append((("blob-contributor", "ai-network-approver"), "history", stores.history.account_id))
    if around.registry.id is not None:
        wanted.append((("contributor", "ai-network-approver"), "registry", around.registry.id))
    if around.keys.data_scope is not None:
        wanted.append((("key-user",), "data-key", around.keys.data_scope))
    for roles, what, scope in wanted:
        for role in roles:
            assignment = Assignment(role=role, who=hub.name, on=scope, what=what, origin=hub.origin)
            yield assign(stack, around.context, own, assignment)
