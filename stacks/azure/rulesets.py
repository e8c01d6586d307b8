"""The rules of the network's security groups: closed both ways, but for what the platform's services need.

May not know a subnet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from stacks.azure.context import Base, Context
from stacks.graph import Node, StackBuilder, Value

__all__ = ["add_endpoint_rules", "add_workload_rules"]

FIRST_PRIORITY = 100
STEP = 10
LAST_PRIORITY = 4096
HTTPS = "443"
SMB = "445"


@dataclass(frozen=True, slots=True)
class _Allow:
    """What may pass; ``other`` is the far end: a service tag."""

    name: str
    other: str
    ports: tuple[str, ...] = (HTTPS,)
    protocol: Literal["Tcp", "Udp", "*"] = "Tcp"


def _services(region: str) -> tuple[_Allow, ...]:
    """What Azure ML's clients and jobs call (Azure Machine Learning, required public internet access, November 2026)."""
    return (
        _Allow("network", "VirtualNetwork", (HTTPS, SMB)),
        _Allow("directory", "AzureActiveDirectory"),
        _Allow("resource-manager", "AzureResourceManager"),
        _Allow("machine-learning", "AzureMachineLearning", (HTTPS, "8787", "18881")),
        _Allow("machine-learning-udp", "AzureMachineLearning", ("5831",), "Udp"),
        _Allow("batch", f"BatchNodeManagement.{region}", protocol="*"),
        _Allow("microsoft-registry", "MicrosoftContainerRegistry"),
        _Allow("front-door", "AzureFrontDoor.FirstParty"),
        _Allow("monitor", "AzureMonitor"),
    )


def add_workload_rules(
    stack: StackBuilder, context: Context, base: Base, group: Node, *, internet: bool
) -> None:
    """Nothing comes in; what goes out goes to the platform's services, and to the web where there is a gateway."""
    web = (_Allow("internet", "Internet", (HTTPS,)),) if internet else ()
    for number, allow in enumerate((*_services(context.region), *web)):
        _rule(
            stack,
            base,
            group,
            f"out-{allow.name}",
            FIRST_PRIORITY + STEP * number,
            {
                "direction": "Outbound",
                "access": "Allow",
                "protocol": allow.protocol,
                "source_address_prefix": "VirtualNetwork",
                "destination_address_prefix": allow.other,
                "destination_port_ranges": list(allow.ports),
            },
        )
    _deny(stack, base, group, "Inbound")
    _deny(stack, base, group, "Outbound")


def add_endpoint_rules(stack: StackBuilder, base: Base, group: Node) -> None:
    """The network comes in by HTTPS and to file shares; nothing goes out."""
    _rule(
        stack,
        base,
        group,
        "in-network",
        FIRST_PRIORITY,
        {
            "direction": "Inbound",
            "access": "Allow",
            "protocol": "Tcp",
            "source_address_prefix": "VirtualNetwork",
            "destination_address_prefix": "VirtualNetwork",
            "destination_port_ranges": [HTTPS, SMB],
        },
    )
    _deny(stack, base, group, "Inbound")
    _deny(stack, base, group, "Outbound")


def _deny(stack: StackBuilder, base: Base, group: Node, direction: Literal["Inbound", "Outbound"]) -> None:
    name = "in-nothing-else" if direction == "Inbound" else "out-nothing-else"
    _rule(
        stack,
        base,
        group,
        name,
        LAST_PRIORITY,
        {
            "direction": direction,
            "access": "Deny",
            "protocol": "*",
            "source_address_prefix": "*",
            "destination_address_prefix": "*",
            "destination_port_range": "*",
        },
    )


def _rule(
    stack: StackBuilder, base: Base, group: Node, name: str, priority: int, says: dict[str, Value]
) -> None:
    stack.resource(
        "azurerm_network_security_rule",
        f"{group.address.name}-{name}",
        {
            "name": name,
            "resource_group_name": base.resource_group,
            "network_security_group_name": group.ref("name"),
            "priority": priority,
            "source_port_range": "*",
            **says,
        },
        origin=group.origin,
    )
