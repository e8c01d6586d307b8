"""The network stack: a VPC whose firewall denies by default, Google's APIs inside it, and logs of its flows.

May not know the workloads that run in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

from stacks.gcp.context import Context, Keys, Network
from stacks.gcp.google_apis import RESTRICTED, add_google_apis
from stacks.gcp.logs import LogBucket, add_log_bucket
from stacks.graph import Lifecycle, Node, StackBuilder, Value
from stacks.intents import ExistingNetwork, PrivateNetwork, describe
from stacks.record import record

__all__ = ["Ranges", "lower", "ranges_of"]

EVERYWHERE = "0.0.0.0/0"
INTERNET = "default-internet-gateway"
INTERFACE_PREFIX = 24
TLS: tuple[Value, ...] = ({"protocol": "tcp", "ports": ["443"]},)
ANY: tuple[Value, ...] = ({"protocol": "all"},)
INSIDE: tuple[Value, ...] = ({"protocol": "tcp"}, {"protocol": "udp"}, {"protocol": "icmp"})
FLOWS: Mapping[str, Value] = {
    "aggregation_interval": "INTERVAL_5_MIN",
    "flow_sampling": 0.5,
    "metadata": "INCLUDE_ALL_METADATA",
}


@record
class Ranges:
    """How the platform's range is divided: half for workloads, a quarter for Google's own side of private services,
    and of the last quarter the start for the interfaces of Vertex AI's jobs.
    """

    workloads: str
    services: IPv4Network
    interfaces: str


def ranges_of(cidr: str) -> Ranges:
    """Divide a range of /16 to /20."""
    workloads, rest = IPv4Network(cidr).subnets()
    services, last = rest.subnets()
    interfaces = next(last.subnets(new_prefix=max(INTERFACE_PREFIX, last.prefixlen)))
    return Ranges(workloads=str(workloads), services=services, interfaces=str(interfaces))


def lower(context: Context, keys: Keys) -> tuple[StackBuilder | None, Network]:
    """Make the network, or take the one that is there."""
    existing = context.one_of(ExistingNetwork)
    if existing is not None:
        return None, _existing(context, existing)
    intent = context.one_of(PrivateNetwork)
    if intent is None:
        raise ValueError("a platform has a network, its own or one that is there")
    stack = StackBuilder("network")
    return stack, _own(stack, context, keys, intent)


def _existing(context: Context, intent: ExistingNetwork) -> Network:
    """The subnet is the only one: ``target`` refuses more."""
    subnet = intent.subnet_ids[0]
    return Network(
        network_id=intent.network_id,
        network_name=_name(context, intent.network_id),
        subnet_id=subnet,
        subnet_name=_name(context, subnet),
    )


def _name(context: Context, given: str) -> str:
    """Return an id's last part, which names what is in the project; another project's keeps its id (Shared VPC)."""
    return given.rpartition("/")[2] if given.startswith(f"projects/{context.project}/") else given


def _own(stack: StackBuilder, context: Context, keys: Keys, intent: PrivateNetwork) -> Network:
    origin = describe(intent)
    ranges = ranges_of(intent.cidr)
    network = stack.resource(
        "google_compute_network",
        "platform",
        {
            "name": context.name("resource"),
            "description": f"{context.prefix}: private network",
            "auto_create_subnetworks": False,
            "delete_default_routes_on_create": True,
            "routing_mode": "REGIONAL",
        },
        origin=origin,
    )
    workloads = _subnet(stack, context, network, "workloads", ranges.workloads, origin)
    interfaces = _subnet(stack, context, network, "interfaces", ranges.interfaces, origin)
    attachment = _attachment(stack, context, interfaces, origin)
    _private_services(stack, context, network, ranges, origin)
    _firewall(stack, context, network, intent, ranges, origin)
    if intent.private_endpoints:
        add_google_apis(stack, context, network, origin=origin)
    if intent.nat_gateways:
        _nat(stack, context, network, (workloads, interfaces), intent.nat_gateways, origin)
    _logs(stack, context, keys, network, intent, origin)
    stack.export("network_id", network.ref("id"))
    stack.export("subnet_ids", [workloads.ref("id")])
    stack.export("zones", list(context.zones))
    return Network(
        network_id=network.ref("id"),
        network_name=network.ref("name"),
        subnet_id=workloads.ref("id"),
        subnet_name=workloads.ref("name"),
        attachment_id=attachment.ref("id"),
    )


def _subnet(stack: StackBuilder, context: Context, network: Node, name: str, cidr: str, origin: str) -> Node:
    return stack.resource(
        "google_compute_subnetwork",
        name,
        {
            "name": context.name("resource", name),
            "network": network.ref("id"),
            "region": context.region,
            "ip_cidr_range": cidr,
            "stack_type": "IPV4_ONLY",
            "private_ip_google_access": True,
            "log_config": FLOWS,
        },
        origin=origin,
    )


def _attachment(stack: StackBuilder, context: Context, subnet: Node, origin: str) -> Node:
    """Where Vertex AI's jobs connect: its agent adds the projects that run them to the accept list, and no one else's."""
    return stack.resource(
        "google_compute_network_attachment",
        "vertex",
        {
            "name": context.name("resource", "vertex"),
            "region": context.region,
            "description": f"{context.prefix}: Vertex AI's jobs",
            "connection_preference": "ACCEPT_MANUAL",
            "subnetworks": [subnet.ref("id")],
        },
        origin=origin,
        lifecycle=Lifecycle(ignore_changes=("producer_accept_lists",)),
    )


def _private_services(
    stack: StackBuilder, context: Context, network: Node, ranges: Ranges, origin: str
) -> None:
    """Peer with Google's own network, in a range of ours. A network has one such connection, and its deletion waits for
    days after the last service in it is gone: it is left to go with the network.
    """
    reserved = stack.resource(
        "google_compute_global_address",
        "services",
        {
            "name": context.name("resource", "services"),
            "purpose": "VPC_PEERING",
            "address_type": "INTERNAL",
            "address": str(ranges.services.network_address),
            "prefix_length": ranges.services.prefixlen,
            "network": network.ref("id"),
        },
        origin=origin,
    )
    stack.resource(
        "google_service_networking_connection",
        "services",
        {
            "network": network.ref("id"),
            "service": "servicenetworking.googleapis.com",
            "reserved_peering_ranges": [reserved.ref("name")],
            "deletion_policy": "ABANDON",
        },
        origin=origin,
    )


@record
class _Rule:
    """A firewall rule: ``peers`` are where traffic comes from or goes to."""

    name: str
    direction: str
    priority: int
    peers: tuple[str, ...]
    allow: tuple[Value, ...] = ()
    deny: tuple[Value, ...] = ()


def _firewall(
    stack: StackBuilder, context: Context, network: Node, intent: PrivateNetwork, ranges: Ranges, origin: str
) -> None:
    """Deny all, both ways; allow what is inside, Google's APIs, and TLS to the internet where egress asks for it."""
    inside = (ranges.workloads, ranges.interfaces)
    services = str(ranges.services)
    rules = [
        _Rule(name="deny-ingress", direction="INGRESS", priority=65534, peers=(EVERYWHERE,), deny=ANY),
        _Rule(name="deny-egress", direction="EGRESS", priority=65534, peers=(EVERYWHERE,), deny=ANY),
        _Rule(name="from-inside", direction="INGRESS", priority=1000, peers=inside, allow=INSIDE),
        _Rule(name="to-inside", direction="EGRESS", priority=1000, peers=(*inside, services), allow=INSIDE),
    ]
    if intent.private_endpoints:
        rules.append(
            _Rule(name="to-google", direction="EGRESS", priority=1000, peers=(RESTRICTED,), allow=TLS)
        )
    if intent.nat_gateways:
        rules.append(
            _Rule(name="to-internet", direction="EGRESS", priority=2000, peers=(EVERYWHERE,), allow=TLS)
        )
    for rule in rules:
        peers = "source_ranges" if rule.direction == "INGRESS" else "destination_ranges"
        stack.resource(
            "google_compute_firewall",
            rule.name,
            {
                "name": context.name("resource", rule.name),
                "network": network.ref("id"),
                "direction": rule.direction,
                "priority": rule.priority,
                peers: list(rule.peers),
                "allow": list(rule.allow) or None,
                "deny": list(rule.deny) or None,
                "log_config": {"metadata": "INCLUDE_ALL_METADATA"},
            },
            origin=origin,
        )


def _nat(
    stack: StackBuilder,
    context: Context,
    network: Node,
    subnets: tuple[Node, ...],
    addresses: int,
    origin: str,
) -> None:
    """Reach the internet from fixed addresses, which others can allow. A Cloud NAT serves a whole region and fails with
    no zone: what a spec calls gateways is how many addresses it has, and with them how many connections.
    """
    fixed = [
        stack.resource(
            "google_compute_address",
            f"nat-{number}",
            {
                "name": context.name("resource", f"nat-{number}"),
                "region": context.region,
                "address_type": "EXTERNAL",
            },
            origin=origin,
            lifecycle=Lifecycle(create_before_destroy=True),
        )
        for number in range(1, addresses + 1)
    ]
    stack.resource(
        "google_compute_route",
        "internet",
        {
            "name": context.name("resource", "internet"),
            "network": network.ref("id"),
            "dest_range": EVERYWHERE,
            "next_hop_gateway": INTERNET,
            "priority": 1000,
        },
        origin=origin,
    )
    router = stack.resource(
        "google_compute_router",
        "nat",
        {"name": context.name("resource", "nat"), "network": network.ref("id"), "region": context.region},
        origin=origin,
    )
    stack.resource(
        "google_compute_router_nat",
        "nat",
        {
            "name": context.name("nat", "nat"),
            "router": router.ref("name"),
            "region": context.region,
            "nat_ip_allocate_option": "MANUAL_ONLY",
            "nat_ips": [address.ref("self_link") for address in fixed],
            "source_subnetwork_ip_ranges_to_nat": "LIST_OF_SUBNETWORKS",
            "subnetwork": [
                {"name": subnet.ref("id"), "source_ip_ranges_to_nat": ["ALL_IP_RANGES"]} for subnet in subnets
            ],
            "enable_endpoint_independent_mapping": False,
            "log_config": {"enable": True, "filter": "ERRORS_ONLY"},
        },
        origin=origin,
    )
    stack.export("nat_addresses", [address.ref("address") for address in fixed])


def _logs(
    stack: StackBuilder, context: Context, keys: Keys, network: Node, intent: PrivateNetwork, origin: str
) -> None:
    """Keep flows, decisions of the firewall, errors of NAT and questions to DNS, of this network."""
    own = context.prefix
    found = (
        f'(log_id("compute.googleapis.com/vpc_flows") AND resource.labels.subnetwork_name=~"^{own}-")',
        f'(log_id("compute.googleapis.com/firewall") AND resource.labels.subnetwork_name=~"^{own}-")',
        f'(log_id("compute.googleapis.com/nat_flows") AND resource.labels.gateway_name=~"^{own}-")',
        f'(log_id("dns.googleapis.com/dns_queries") AND jsonPayload.sourceNetwork="{context.name("resource")}")',
    )
    stack.resource(
        "google_dns_policy",
        "logging",
        {
            "name": context.name("resource", "dns"),
            "description": f"{context.prefix}: log what is asked of DNS",
            "enable_logging": True,
            "enable_inbound_forwarding": False,
            "networks": [{"network_url": network.ref("id")}],
        },
        origin=origin,
    )
    add_log_bucket(
        stack,
        context,
        LogBucket(
            name="network",
            key=keys.logs,
            retention_days=intent.flow_log_retention_days,
            finds=" OR ".join(found),
        ),
        origin=origin,
    )
