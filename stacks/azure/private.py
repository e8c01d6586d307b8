"""Private endpoints: the way to a service from inside the network, and the only one.

May not decide which services have one.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.azure.context import Base, Context, Network
from stacks.graph import Lifecycle, Node, StackBuilder, Value

__all__ = ["ZONES", "add_private_endpoint"]

ZONES = {
    "amlworkspace": "privatelink.api.azureml.ms",
    "notebooks": "privatelink.notebooks.azure.net",
    "blob": "privatelink.blob.core.windows.net",
    "dfs": "privatelink.dfs.core.windows.net",
    "file": "privatelink.file.core.windows.net",
    "queue": "privatelink.queue.core.windows.net",
    "table": "privatelink.table.core.windows.net",
    "vault": "privatelink.vaultcore.azure.net",
    "registry": "privatelink.azurecr.io",
    "openai": "privatelink.openai.azure.com",
    "cognitive": "privatelink.cognitiveservices.azure.com",
    "ai": "privatelink.services.ai.azure.com",
    "search": "privatelink.search.windows.net",
}
"""Private DNS zones by purpose (Azure Private Link: private endpoint DNS zone values, November 2026)."""


def add_private_endpoint(
    stack: StackBuilder,
    context: Context,
    base: Base,
    network: Network,
    name: str,
    target: Value,
    subresource: str,
    *,
    zones: Sequence[str] = (),
    origin: str,
) -> Node:
    """Add an endpoint for one subresource. ``zones`` are purposes of ``ZONES``; the subresource's own when empty.

    In a network that is not ours the owner's policy registers the endpoint's name, so that part is left alone.
    """
    ids = [network.zones[zone] for zone in zones or (subresource,)] if network.zones else []
    return stack.resource(
        "azurerm_private_endpoint",
        name,
        {
            "name": context.name("network-part", "pe", name),
            "resource_group_name": base.resource_group,
            "location": context.region,
            "subnet_id": network.endpoint_subnet_id,
            "custom_network_interface_name": context.name("network-part", "nic", name),
            "private_service_connection": {
                "name": name,
                "private_connection_resource_id": target,
                "subresource_names": [subresource],
                "is_manual_connection": False,
            },
            "private_dns_zone_group": {"name": "default", "private_dns_zone_ids": ids} if ids else None,
            "tags": context.tags,
        },
        origin=origin,
        lifecycle=None if ids else Lifecycle(ignore_changes=("private_dns_zone_group",)),
    )
