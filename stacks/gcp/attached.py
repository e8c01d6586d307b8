"""Addresses inside the network for what Vertex AI publishes as a service attachment (Private Service Connect).

May not make what is published, nor a network.
"""

from __future__ import annotations

from stacks.gcp.context import Context, Network
from stacks.graph import Node, StackBuilder, Value

__all__ = ["add_address", "allowed"]


def allowed(context: Context) -> dict[str, Value]:
    """What a published service lets in: addresses of this project only."""
    return {"enable_private_service_connect": True, "project_allowlist": [context.project]}


def add_address(
    stack: StackBuilder, context: Context, network: Network, name: str, attachment: Value, origin: str
) -> Node:
    """Add an address in the subnet that leads to a service attachment; return it."""
    address = stack.resource(
        "google_compute_address",
        name,
        {
            "name": context.name("resource", name),
            "region": context.region,
            "subnetwork": network.subnet_id,
            "address_type": "INTERNAL",
        },
        origin=origin,
    )
    stack.resource(
        "google_compute_forwarding_rule",
        name,
        {
            "name": context.name("resource", name),
            "region": context.region,
            "network": network.network_id,
            "ip_address": address.ref("id"),
            "target": attachment,
            # A consumer of Private Service Connect has no scheme; the provider's own default is one.
            "load_balancing_scheme": "",
            "allow_psc_global_access": False,
        },
        origin=origin,
    )
    return address
