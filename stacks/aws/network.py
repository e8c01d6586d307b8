"""The network stack: a private VPC with closed defaults, endpoints for AWS's services, and flow logs.

May not know the workloads that run in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from stacks.aws.catalog import zones_of
from stacks.aws.context import Context, Keys, Network
from stacks.aws.endpoints import add_gateway_endpoint, add_interface_endpoints
from stacks.aws.logs import add_log_group
from stacks.aws.policy import Statement, service_trust
from stacks.aws.roles import Role, add_role
from stacks.graph import GraphError, Lifecycle, Node, StackBuilder, Value, text
from stacks.intents import ExistingNetwork, PrivateNetwork, describe

__all__ = ["lower", "private_cidrs", "public_cidrs"]

PRIVATE_NEW_BITS = 4
PUBLIC_NEW_BITS = 8
FLOW_LOG_INTERVAL_S = 60
REMOTE_DESKTOP_PORT = 3389


def private_cidrs(cidr: str, zones: int) -> tuple[str, ...]:
    """A sixteenth of the range for each zone, from its start."""
    subnets = IPv4Network(cidr).subnets(prefixlen_diff=PRIVATE_NEW_BITS)
    return tuple(str(subnet) for subnet, _ in zip(subnets, range(zones), strict=False))


def public_cidrs(cidr: str, zones: int) -> tuple[str, ...]:
    """The last sixteenth of the range, cut into sixteenths: one for each zone's NAT gateway."""
    last = list(IPv4Network(cidr).subnets(prefixlen_diff=PRIVATE_NEW_BITS))[-1]
    subnets = last.subnets(prefixlen_diff=PUBLIC_NEW_BITS - PRIVATE_NEW_BITS)
    return tuple(str(subnet) for subnet, _ in zip(subnets, range(zones), strict=False))


@dataclass(frozen=True, slots=True)
class _Zone:
    number: int
    id: str
    private_cidr: str
    public_cidr: str


def lower(context: Context, keys: Keys) -> tuple[StackBuilder | None, Network]:
    """Make the network, or take the one that is there."""
    existing = context.one_of(ExistingNetwork)
    if existing is not None:
        return None, _existing(context, existing)
    intent = context.one_of(PrivateNetwork)
    if intent is None:
        raise GraphError("a platform has a network of its own or an existing one")
    stack = StackBuilder("network")
    origin = describe(intent)
    zones = _zones(context, intent)
    vpc = _vpc(stack, context, intent, origin)
    subnets = [_subnet(stack, context, vpc, zone, origin) for zone in zones]
    tables = [
        _route_table(stack, context, vpc, subnet, zone, origin)
        for subnet, zone in zip(subnets, zones, strict=True)
    ]
    public = _egress(stack, context, intent, vpc, zones, tables, origin)
    _access_lists(stack, context, intent, vpc, subnets, public, origin)
    workloads = _security_group(
        stack, context, vpc, "workloads", "SageMaker jobs, notebooks and endpoints", origin
    )
    _workload_rules(stack, workloads, nat=intent.nat_gateways > 0, origin=origin)
    gateway = add_gateway_endpoint(stack, context, vpc, tables, origin)
    _egress_rule(
        stack,
        workloads,
        "to-s3",
        "TLS to S3 through the gateway endpoint",
        origin,
        prefix_list_id=gateway.ref("prefix_list_id"),
    )
    if intent.private_endpoints:
        endpoints = _security_group(
            stack, context, vpc, "endpoints", "TLS to the interface endpoints", origin
        )
        _ingress_rule(
            stack,
            endpoints,
            "endpoints-from-workloads",
            "TLS from workloads",
            origin,
            referenced_security_group_id=workloads.ref("id"),
        )
        _egress_rule(
            stack,
            workloads,
            "to-endpoints",
            "TLS to the interface endpoints",
            origin,
            referenced_security_group_id=endpoints.ref("id"),
        )
        add_interface_endpoints(stack, context, vpc, subnets, endpoints, origin)
    _flow_logs(stack, context, keys, intent, vpc, origin)
    network = Network(
        network_id=vpc.ref("id"),
        network_arn=vpc.ref("arn"),
        subnet_ids=tuple(subnet.ref("id") for subnet in subnets),
        subnet_arns=tuple(subnet.ref("arn") for subnet in subnets),
        security_group_ids=(workloads.ref("id"),),
        security_group_arns=(workloads.ref("arn"),),
    )
    stack.export("network_id", network.network_id)
    stack.export("subnet_ids", list(network.subnet_ids))
    stack.export("security_group_ids", list(network.security_group_ids))
    return stack, network


def _existing(context: Context, existing: ExistingNetwork) -> Network:
    return Network(
        network_id=existing.network_id,
        network_arn=context.arn("ec2", f"vpc/{existing.network_id}"),
        subnet_ids=existing.subnet_ids,
        subnet_arns=tuple(context.arn("ec2", f"subnet/{subnet}") for subnet in existing.subnet_ids),
        security_group_ids=existing.security_group_ids,
        security_group_arns=tuple(
            context.arn("ec2", f"security-group/{group}") for group in existing.security_group_ids
        ),
    )


def _zones(context: Context, intent: PrivateNetwork) -> list[_Zone]:
    ids = intent.zone_ids or zones_of(context.region)[: intent.zones]
    private = private_cidrs(intent.cidr, intent.zones)
    public = public_cidrs(intent.cidr, intent.zones)
    return [
        _Zone(number, zone, private_cidr, public_cidr)
        for number, (zone, private_cidr, public_cidr) in enumerate(
            zip(ids, private, public, strict=True), start=1
        )
    ]


def _named(context: Context, *parts: str) -> Value:
    return {"Name": "-".join((context.prefix, *parts))}


def _vpc(stack: StackBuilder, context: Context, intent: PrivateNetwork, origin: str) -> Node:
    """The VPC, with its default group, routes and access list closed: nothing lands there by accident."""
    vpc = stack.resource(
        "aws_vpc",
        "main",
        {
            "cidr_block": intent.cidr,
            "enable_dns_support": True,
            "enable_dns_hostnames": True,
            "tags": _named(context),
        },
        origin=origin,
    )
    stack.resource(
        "aws_default_security_group",
        "closed",
        {"vpc_id": vpc.ref("id"), "tags": _named(context, "default-closed")},
        origin=origin,
    )
    stack.resource(
        "aws_default_route_table",
        "closed",
        {
            "default_route_table_id": vpc.ref("default_route_table_id"),
            "route": [],
            "tags": _named(context, "default-closed"),
        },
        origin=origin,
    )
    stack.resource(
        "aws_default_network_acl",
        "closed",
        {
            "default_network_acl_id": vpc.ref("default_network_acl_id"),
            "tags": _named(context, "default-closed"),
        },
        origin=origin,
        lifecycle=Lifecycle(ignore_changes=("subnet_ids",)),
    )
    return vpc


def _subnet(stack: StackBuilder, context: Context, vpc: Node, zone: _Zone, origin: str) -> Node:
    return stack.resource(
        "aws_subnet",
        f"private-{zone.number}",
        {
            "vpc_id": vpc.ref("id"),
            "availability_zone_id": zone.id,
            "cidr_block": zone.private_cidr,
            "map_public_ip_on_launch": False,
            "tags": _named(context, "private", zone.id),
        },
        origin=origin,
    )


def _route_table(
    stack: StackBuilder, context: Context, vpc: Node, subnet: Node, zone: _Zone, origin: str
) -> Node:
    name = f"private-{zone.number}"
    table = stack.resource(
        "aws_route_table",
        name,
        {"vpc_id": vpc.ref("id"), "tags": _named(context, "private", zone.id)},
        origin=origin,
    )
    stack.resource(
        "aws_route_table_association",
        name,
        {"subnet_id": subnet.ref("id"), "route_table_id": table.ref("id")},
        origin=origin,
    )
    return table


def _egress(
    stack: StackBuilder,
    context: Context,
    intent: PrivateNetwork,
    vpc: Node,
    zones: Sequence[_Zone],
    tables: Sequence[Node],
    origin: str,
) -> list[Node]:
    """Public subnets with NAT gateways, and the private subnets' routes to them."""
    if not intent.nat_gateways:
        return []
    internet = stack.resource(
        "aws_internet_gateway", "main", {"vpc_id": vpc.ref("id"), "tags": _named(context)}, origin=origin
    )
    table = stack.resource(
        "aws_route_table",
        "public",
        {"vpc_id": vpc.ref("id"), "tags": _named(context, "public")},
        origin=origin,
    )
    stack.resource(
        "aws_route",
        "public-internet",
        {
            "route_table_id": table.ref("id"),
            "destination_cidr_block": "0.0.0.0/0",
            "gateway_id": internet.ref("id"),
        },
        origin=origin,
    )
    public, gateways = [], []
    for zone in zones[: intent.nat_gateways]:
        subnet, gateway = _nat_gateway(stack, context, vpc, internet, table, zone, origin)
        public.append(subnet)
        gateways.append(gateway)
    for zone, private in zip(zones, tables, strict=True):
        gateway = gateways[min(zone.number, len(gateways)) - 1]
        stack.resource(
            "aws_route",
            f"private-nat-{zone.number}",
            {
                "route_table_id": private.ref("id"),
                "destination_cidr_block": "0.0.0.0/0",
                "nat_gateway_id": gateway.ref("id"),
            },
            origin=origin,
        )
    return public


def _nat_gateway(
    stack: StackBuilder, context: Context, vpc: Node, internet: Node, table: Node, zone: _Zone, origin: str
) -> tuple[Node, Node]:
    subnet = stack.resource(
        "aws_subnet",
        f"public-{zone.number}",
        {
            "vpc_id": vpc.ref("id"),
            "availability_zone_id": zone.id,
            "cidr_block": zone.public_cidr,
            "map_public_ip_on_launch": False,
            "tags": _named(context, "public", zone.id),
        },
        origin=origin,
    )
    stack.resource(
        "aws_route_table_association",
        f"public-{zone.number}",
        {"subnet_id": subnet.ref("id"), "route_table_id": table.ref("id")},
        origin=origin,
    )
    address = stack.resource(
        "aws_eip",
        f"nat-{zone.number}",
        {"domain": "vpc", "tags": _named(context, "nat", zone.id)},
        origin=origin,
        depends_on=[internet],
    )
    gateway = stack.resource(
        "aws_nat_gateway",
        f"nat-{zone.number}",
        {
            "allocation_id": address.ref("id"),
            "subnet_id": subnet.ref("id"),
            "connectivity_type": "public",
            "tags": _named(context, zone.id),
        },
        origin=origin,
        depends_on=[internet],
    )
    return subnet, gateway


def _access_lists(
    stack: StackBuilder,
    context: Context,
    intent: PrivateNetwork,
    vpc: Node,
    private: Sequence[Node],
    public: Sequence[Node],
    origin: str,
) -> None:
    """Subnet access lists. Answers come back from S3's public addresses even through a gateway endpoint."""
    inside = _acl_rule(100, "-1", intent.cidr, 0, 0)
    answers = [
        _tcp(110, "0.0.0.0/0", 1024, REMOTE_DESKTOP_PORT - 1),
        _tcp(120, "0.0.0.0/0", REMOTE_DESKTOP_PORT + 1, 65535),
    ]
    stack.resource(
        "aws_network_acl",
        "private",
        {
            "vpc_id": vpc.ref("id"),
            "subnet_ids": [subnet.ref("id") for subnet in private],
            "ingress": [inside, *answers],
            "egress": [inside, _tcp(110, "0.0.0.0/0", 443, 443)],
            "tags": _named(context, "private"),
        },
        origin=origin,
    )
    if public:
        stack.resource(
            "aws_network_acl",
            "public",
            {
                "vpc_id": vpc.ref("id"),
                "subnet_ids": [subnet.ref("id") for subnet in public],
                "ingress": [inside, *answers],
                "egress": [inside, _tcp(110, "0.0.0.0/0", 443, 443)],
                "tags": _named(context, "public"),
            },
            origin=origin,
        )


def _tcp(number: int, cidr: str, first: int, last: int) -> Value:
    return _acl_rule(number, "tcp", cidr, first, last)


def _acl_rule(number: int, protocol: str, cidr: str, first: int, last: int) -> Value:
    """An access list's rule, which is an object and not a block: every key must be there."""
    return {
        "rule_no": number,
        "protocol": protocol,
        "action": "allow",
        "cidr_block": cidr,
        "ipv6_cidr_block": None,
        "icmp_type": None,
        "icmp_code": None,
        "from_port": first,
        "to_port": last,
    }


def _security_group(
    stack: StackBuilder, context: Context, vpc: Node, name: str, description: str, origin: str
) -> Node:
    return stack.resource(
        "aws_security_group",
        name,
        {
            "name": context.name("security-group", name),
            "description": description,
            "vpc_id": vpc.ref("id"),
            "revoke_rules_on_delete": True,
            "tags": _named(context, name),
        },
        origin=origin,
    )


def _workload_rules(stack: StackBuilder, workloads: Node, *, nat: bool, origin: str) -> None:
    """Traffic among workloads is open: Studio's apps, NFS (2049), and encrypted training (UDP 500, ESP)."""
    among = "Among workloads: Studio apps, NFS, encrypted training"
    group = workloads.ref("id")
    for direction in ("ingress", "egress"):
        stack.resource(
            f"aws_vpc_security_group_{direction}_rule",
            "among-workloads",
            {
                "security_group_id": group,
                "description": among,
                "referenced_security_group_id": group,
                "ip_protocol": "-1",
            },
            origin=origin,
        )
    if nat:
        _egress_rule(
            stack, workloads, "to-internet", "TLS to the internet through NAT", origin, cidr_ipv4="0.0.0.0/0"
        )


def _egress_rule(
    stack: StackBuilder, group: Node, name: str, description: str, origin: str, **destination: Value
) -> None:
    _tls_rule(stack, "egress", group, name, description, origin, destination)


def _ingress_rule(
    stack: StackBuilder, group: Node, name: str, description: str, origin: str, **source: Value
) -> None:
    _tls_rule(stack, "ingress", group, name, description, origin, source)


def _tls_rule(
    stack: StackBuilder,
    direction: str,
    group: Node,
    name: str,
    description: str,
    origin: str,
    other: dict[str, Value],
) -> None:
    stack.resource(
        f"aws_vpc_security_group_{direction}_rule",
        name,
        {
            "security_group_id": group.ref("id"),
            "description": description,
            "ip_protocol": "tcp",
            "from_port": 443,
            "to_port": 443,
            **other,
        },
        origin=origin,
    )


def _flow_logs(
    stack: StackBuilder, context: Context, keys: Keys, intent: PrivateNetwork, vpc: Node, origin: str
) -> None:
    group = add_log_group(
        stack, context, keys, "flow", retention_days=intent.flow_log_retention_days, origin=origin
    )
    role = add_role(
        stack,
        context,
        keys,
        Role(
            name="flow-logs",
            description="VPC flow logs are written to CloudWatch Logs",
            trust=[
                service_trust(
                    "vpc-flow-logs.amazonaws.com",
                    context.account,
                    source_arn=context.arn("ec2", "vpc-flow-log/*"),
                )
            ],
            allows=[
                Statement(
                    sid="WriteLog",
                    actions=("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
                    resources=(text(group.ref("arn"), ":*"),),
                ),
                Statement(sid="FindLog", actions=("logs:DescribeLogGroups",), resources=("*",)),
            ],
        ),
        origin=origin,
    )
    stack.resource(
        "aws_flow_log",
        "main",
        {
            "vpc_id": vpc.ref("id"),
            "traffic_type": "ALL",
            "log_destination_type": "cloud-watch-logs",
            "log_destination": group.ref("arn"),
            "iam_role_arn": role.ref("arn"),
            "max_aggregation_interval": FLOW_LOG_INTERVAL_S,
            "tags": _named(context),
        },
        origin=origin,
    )
