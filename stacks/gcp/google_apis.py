"""Google's own APIs inside a network: private DNS zones that answer with the restricted addresses, and a route to them.

May not know the workloads. The restricted addresses serve only APIs that VPC Service Controls can guard; the domains are
those of "Configure Private Google Access" and "Vertex AI Workbench, set up network", November 2026.
"""

from __future__ import annotations

from stacks.gcp.context import Context
from stacks.graph import Node, StackBuilder

__all__ = ["DOMAINS", "RESTRICTED", "add_google_apis"]

RESTRICTED = "199.36.153.4/30"
ADDRESSES = ("199.36.153.4", "199.36.153.5", "199.36.153.6", "199.36.153.7")
TTL_S = 300
DOMAINS = {
    "googleapis": "googleapis.com",
    "gcr": "gcr.io",
    "pkg": "pkg.dev",
    "run": "run.app",
    "notebooks": "notebooks.cloud.google.com",
    "notebooks-user": "notebooks.googleusercontent.com",
    "vertex-notebook": "aiplatform-notebook.cloud.google.com",
    "vertex-notebook-user": "aiplatform-notebook.googleusercontent.com",
}


def add_google_apis(stack: StackBuilder, context: Context, network: Node, *, origin: str) -> None:
    """Answer for each domain with the restricted addresses, and let traffic to them leave the network."""
    stack.resource(
        "google_compute_route",
        "google-apis",
        {
            "name": context.name("resource", "google-apis"),
            "network": network.ref("id"),
            "dest_range": RESTRICTED,
            "next_hop_gateway": "default-internet-gateway",
            "priority": 100,
        },
        origin=origin,
    )
    for name, domain in DOMAINS.items():
        zone = stack.resource(
            "google_dns_managed_zone",
            name,
            {
                "name": context.name("zone", name),
                "dns_name": f"{domain}.",
                "description": f"{context.prefix}: {domain} inside the network",
                "visibility": "private",
                "private_visibility_config": {"networks": [{"network_url": network.ref("id")}]},
                "force_destroy": False,
            },
            origin=origin,
        )
        _records(stack, zone, name, domain, origin)


def _records(stack: StackBuilder, zone: Node, name: str, domain: str, origin: str) -> None:
    """The addresses under one name, and every other name of the domain an alias of it."""
    answer = "restricted.googleapis.com." if domain == "googleapis.com" else f"{domain}."
    stack.resource(
        "google_dns_record_set",
        f"{name}-addresses",
        {
            "managed_zone": zone.ref("name"),
            "name": answer,
            "type": "A",
            "ttl": TTL_S,
            "rrdatas": list(ADDRESSES),
        },
        origin=origin,
    )
    stack.resource(
        "google_dns_record_set",
        f"{name}-names",
        {
            "managed_zone": zone.ref("name"),
            "name": f"*.{domain}.",
            "type": "CNAME",
            "ttl": TTL_S,
            "rrdatas": [answer],
        },
        origin=origin,
    )
