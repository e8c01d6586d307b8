"""Private endpoints: the way to a service from inside the network, and the only one.

May not decide which services have one.
"""

from __future__ import annotations

from stacks.azure.context import Base, Context, Network
from stacks.graph import Lifecycle, Node, StackBuilder, Value
from stacks.record import record

__all__ = ["ZONES", "Endpoint", "add_private_endpoint"]

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


@record
class Endpoint:
    """An endpoint for one subresource of ``target``. ``zones`` are purposes of ``ZONES``; the subresource's when empty."""

    name: str
    target: Value
    subresource: str
    origin: str
    zones: tuple[str, ...] = ()


def add_private_endpoint(
    stack: StackBuilder, context: Context, base: Base, network: Network, endpoint: Endpoint
) -> Node:
    """Add an endpoint.

    In a network that is not ours the owner's policy registers the endpoint's name, so that part is left alone.
    """
    zones = endpoint.zones or (endpoint.subresource,)
    ids = [network.zones[zone] for zone in zones] if network.zones else []
    return stack.resource(
        "azurerm_private_endpoint",
        endpoint.name,
        {
            "name": context.name("network-part", "pe", endpoint.name),
            "resource_group_name": base.resource_group,
            "location": context.region,
            "subnet_id": network.endpoint_subnet_id,
            "custom_network_interface_name": context.name("network-part", "nic", endpoint.name),
            "private_service_connection": {
                "name": endpoint.name,
                "private_connection_resource_id": endpoint.target,
                "subresource_names": [endpoint.subresource],
                "is_manual_connection": False,
            },
            "private_dns_zone_group": {"name": "default", "private_dns_zone_ids": ids} if ids else None,
            "tags": context.tags,
        },
        origin=endpoint.origin,
        lifecycle=None if ids else Lifecycle(ignore_changes=("private_dns_zone_group",)),
    )
