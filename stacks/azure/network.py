"""The network stack: a virtual network with closed defaults, private DNS zones, and the vault's private endpoint.

An endpoint of a resource of a later stack is made there. May not know the workloads that run in the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network

from stacks.azure.catalog import zones_of
from stacks.azure.context import Base, Context, Network
from stacks.azure.logs import Told, add_diagnostics
from stacks.azure.private import ZONES, Endpoint, add_private_endpoint
from stacks.azure.rulesets import add_endpoint_rules, add_workload_rules
from stacks.graph import GraphError, Lifecycle, Node, StackBuilder, Value
from stacks.intents import (
    ExistingNetwork,
    FeatureStore,
    FoundationModels,
    Guardrail,
    KnowledgeBase,
    PrivateNetwork,
    describe,
)

__all__ = ["cidrs", "endpoint_subnet", "lower"]

SIXTEENTH_BITS = 4
ALWAYS = ("amlworkspace", "blob", "file", "notebooks", "queue", "registry", "table", "vault")
FOR_MODELS = ("ai", "cognitive", "openai")
FOR_VECTORS = ("search",)
FOR_HISTORY = ("dfs",)


def cidrs(cidr: str, zones: int) -> tuple[tuple[str, ...], str]:
    """A sixteenth of the range for the workloads of each zone, from its start; and the last one for endpoints."""
    sixteenths = [str(part) for part in IPv4Network(cidr).subnets(prefixlen_diff=SIXTEENTH_BITS)]
    return tuple(sixteenths[:zones]), sixteenths[-1]


@dataclass(frozen=True, slots=True)
class _Zone:
    """``id`` is ``None`` in a location without zones."""

    number: int
    id: str | None


def lower(context: Context, base: Base) -> tuple[StackBuilder, Network]:
    """Make the network, or take the one that is there; either way the vault gets its endpoint."""
    stack = StackBuilder("network")
    existing = context.one_of(ExistingNetwork)
    if existing is not None:
        network, origin = _existing(existing), describe(existing)
    else:
        intent = context.one_of(PrivateNetwork)
        if intent is None:
            raise GraphError("a platform has a network of its own or an existing one")
        network, origin = _own(stack, context, base, intent), describe(intent)
    stack.export("network_id", network.vnet_id)
    stack.export("subnet_ids", list(network.subnet_ids))
    add_private_endpoint(
        stack,
        context,
        base,
        network,
        Endpoint(name="vault", target=base.key_vault_id, subresource="vault", origin=origin),
    )
    return stack, network


def _existing(intent: ExistingNetwork) -> Network:
    return Network(
        vnet_id=intent.network_id,
        subnet_ids=intent.subnet_ids,
        endpoint_subnet_id=endpoint_subnet(intent),
    )


def endpoint_subnet(intent: ExistingNetwork) -> str:
    """The subnet of an existing network that private endpoints are in."""
    return intent.subnet_ids[0]


def _own(stack: StackBuilder, context: Context, base: Base, intent: PrivateNetwork) -> Network:
    origin = describe(intent)
    vnet = stack.resource(
        "azurerm_virtual_network",
        "platform",
        {
            "name": context.name("network", "vnet"),
            "resource_group_name": base.resource_group,
            "location": context.region,
            "address_space": [intent.cidr],
            "encryption": {"enforcement": "AllowUnencrypted"},
            "tags": context.tags,
        },
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="the address of every private endpoint",
    )
    workload_cidrs, endpoint_cidr = cidrs(intent.cidr, intent.zones)
    zones = _zones(context, intent)
    subnets = [
        _subnet(stack, context, base, vnet, f"workloads-{zone.number}", cidr, origin)
        for zone, cidr in zip(zones, workload_cidrs, strict=True)
    ]
    endpoints = _subnet(stack, context, base, vnet, "endpoints", endpoint_cidr, origin)
    workload_group = _security_group(stack, context, base, "workloads", origin)
    add_workload_rules(stack, context, base, workload_group, internet=bool(intent.nat_gateways))
    endpoint_group = _security_group(stack, context, base, "endpoints", origin)
    add_endpoint_rules(stack, base, endpoint_group)
    for subnet in subnets:
        _guard(stack, subnet, workload_group)
    _guard(stack, endpoints, endpoint_group)
    _egress(stack, context, base, intent, zones, subnets)
    return Network(
        vnet_id=vnet.ref("id"),
        subnet_ids=tuple(subnet.ref("id") for subnet in subnets),
        endpoint_subnet_id=endpoints.ref("id"),
        zones={
            purpose: _dns_zone(stack, context, base, vnet, purpose, origin) for purpose in _needed(context)
        },
    )


def _zones(context: Context, intent: PrivateNetwork) -> tuple[_Zone, ...]:
    """Those that are named, or as many as asked for; a location without zones has one place that is none."""
    ids = intent.zone_ids or zones_of(context.region)[: intent.zones] or (None,)
    return tuple(_Zone(number, id_) for number, id_ in enumerate(ids, start=1))


def _subnet(
    stack: StackBuilder, context: Context, base: Base, vnet: Node, name: str, cidr: str, origin: str
) -> Node:
    return stack.resource(
        "azurerm_subnet",
        name,
        {
            "name": context.name("network-part", name),
            "resource_group_name": base.resource_group,
            "virtual_network_name": vnet.ref("name"),
            "address_prefixes": [cidr],
            "default_outbound_access_enabled": False,
            "private_endpoint_network_policies": "Enabled",
        },
        origin=origin,
    )


def _security_group(stack: StackBuilder, context: Context, base: Base, name: str, origin: str) -> Node:
    group = stack.resource(
        "azurerm_network_security_group",
        name,
        {
            "name": context.name("network-part", "nsg", name),
            "resource_group_name": base.resource_group,
            "location": context.region,
            "tags": context.tags,
        },
        origin=origin,
    )
    told = Told(name=f"nsg-{name}", target=group.ref("id"), origin=origin, metrics=())
    add_diagnostics(stack, context, base, told)
    return group


def _guard(stack: StackBuilder, subnet: Node, group: Node) -> None:
    stack.resource(
        "azurerm_subnet_network_security_group_association",
        subnet.address.name,
        {"subnet_id": subnet.ref("id"), "network_security_group_id": group.ref("id")},
        origin=subnet.origin,
    )


def _egress(
    stack: StackBuilder,
    context: Context,
    base: Base,
    intent: PrivateNetwork,
    zones: tuple[_Zone, ...],
    subnets: list[Node],
) -> None:
    """Each zone's workloads leave by their own gateway, or all of them by one."""
    if not intent.nat_gateways:
        return
    single = intent.nat_gateways == 1
    gateways = [
        _gateway(stack, context, base, zone, describe(intent)) for zone in (zones[:1] if single else zones)
    ]
    for number, subnet in enumerate(subnets):
        stack.resource(
            "azurerm_subnet_nat_gateway_association",
            subnet.address.name,
            {
                "subnet_id": subnet.ref("id"),
                "nat_gateway_id": gateways[0 if single else number].ref("id"),
            },
            origin=subnet.origin,
        )


def _gateway(stack: StackBuilder, context: Context, base: Base, zone: _Zone, origin: str) -> Node:
    name = f"nat-{zone.number}"
    common: dict[str, Value] = {
        "resource_group_name": base.resource_group,
        "location": context.region,
        "zones": [zone.id] if zone.id else None,
        "tags": context.tags,
    }
    address = stack.resource(
        "azurerm_public_ip",
        name,
        {
            "name": context.name("network-part", "ip", name),
            "allocation_method": "Static",
            "sku": "Standard",
            **common,
        },
        origin=origin,
    )
    gateway = stack.resource(
        "azurerm_nat_gateway",
        name,
        {"name": context.name("network-part", name), "sku_name": "Standard", **common},
        origin=origin,
    )
    stack.resource(
        "azurerm_nat_gateway_public_ip_association",
        name,
        {"nat_gateway_id": gateway.ref("id"), "public_ip_address_id": address.ref("id")},
        origin=origin,
    )
    return gateway


def _needed(context: Context) -> tuple[str, ...]:
    """The purposes of the zones that some stack registers an endpoint in."""
    vectors = context.one_of(KnowledgeBase) is not None
    models = vectors or any(context.one_of(kind) for kind in (FoundationModels, Guardrail))
    history = any(group.offline for group in context.all_of(FeatureStore))
    return (
        *ALWAYS,
        *(FOR_HISTORY if history else ()),
        *(FOR_MODELS if models else ()),
        *(FOR_VECTORS if vectors else ()),
    )


def _dns_zone(
    stack: StackBuilder, context: Context, base: Base, vnet: Node, purpose: str, origin: str
) -> Value:
    zone = stack.resource(
        "azurerm_private_dns_zone",
        purpose,
        {"name": ZONES[purpose], "resource_group_name": base.resource_group, "tags": context.tags},
        origin=origin,
    )
    stack.resource(
        "azurerm_private_dns_zone_virtual_network_link",
        purpose,
        {
            "name": context.name("network-part", "link"),
            "private_dns_zone_id": zone.ref("id"),
            "virtual_network_id": vnet.ref("id"),
            "registration_enabled": False,
            "tags": context.tags,
        },
        origin=origin,
    )
    return zone.ref("id")
