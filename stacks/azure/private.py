"""Private endpoints: a service's address inside the network, and its name in the network's private zones.

May not make a network or a zone.
"""

from __future__ import annotations

from collections.abc import Iterable

from stacks.azure.context import Surroundings
from stacks.graph import Node, StackBuilder, Value

__all__ = ["add_private_endpoint"]


def add_private_endpoint(
    stack: StackBuilder,
    around: Surroundings,
    name: str,
    *,
    target: Value,
    part: str,
    zones: Iterable[str],
    origin: str,
) -> Node:
    """Give ``part`` of a service (``blob``, ``amlworkspace``) an address; ``zones`` are purposes of the network's zones."""
    context, network = around.context, around.network
    zone_ids = [network.zones[zone] for zone in zones if zone in network.zones]
    endpoint = context.name("network-part", name)
    return stack.resource(
        "azurerm_private_endpoint",
        name,
        {
            "name": endpoint,
            "location": context.region,
            "resource_group_name": around.base.resource_group,
            "subnet_id": network.endpoint_subnet_id,
            "custom_network_interface_name": context.name("network-part", name, "nic"),
            "private_service_connection": {
                "name": endpoint,
                "is_manual_connection": False,
                "private_connection_resource_id": target,
                "subresource_names": [part],
            },
            "private_dns_zone_group": {"name": "default", "private_dns_zone_ids": zone_ids}
            if zone_ids
            else None,
            "tags": context.tags,
        },
        origin=origin,
    )
