"""Where the workspace's managed network may go: private endpoints to the platform's own services, and packages' hosts.

May not open the internet: hosts are named, and only where the spec asks for egress.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.azure.context import Context, Surroundings, Workplace
from stacks.azure.hubs import Hub
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import OnlineEndpoint, PrivateNetwork

__all__ = ["add_outbound_rules", "add_private_rule"]

API = "2025-12-01"

PACKAGE_HOSTS = {
    "anaconda": "anaconda.com",
    "anaconda-all": "*.anaconda.com",
    "conda": "*.anaconda.org",
    "pypi": "pypi.org",
    "pypi-files": "*.pythonhosted.org",
    "pytorch": "pytorch.org",
    "pytorch-all": "*.pytorch.org",
    "tensorflow": "*.tensorflow.org",
}
"""What installing packages for training takes; a firewall is billed for them, in each workspace (Microsoft Learn, managed virtual network isolation, November 2026)."""

BATCH_PARTS = ("queue", "table")
"""Of the workspace's storage account, for batch endpoints (the same page)."""


def add_outbound_rules(
    stack: StackBuilder, around: Surroundings, workplace: Workplace, hub: Hub
) -> Sequence[Node]:
    """Add the rules beyond those that Azure ML makes of itself, one after the other: two at once collide."""
    rules: list[Node] = []
    parts: list[tuple[str, Value, str]] = [
        (f"data-{part}", around.stores.data_id, part) for part in ("blob", "dfs")
    ]
    if hub.features is None and any(each.mode == "batch" for each in around.context.all_of(OnlineEndpoint)):
        parts += [(f"workspace-{part}", around.stores.workspace_id, part) for part in BATCH_PARTS]
    for name, target, part in parts:
        rules.append(
            stack.resource(
                "azurerm_machine_learning_workspace_network_outbound_rule_private_endpoint",
                f"{hub.name}-{name}",
                {
                    "name": name,
                    "workspace_id": workplace.id,
                    "service_resource_id": target,
                    "sub_resource_target": part,
                    "spark_enabled": part == "dfs",
                },
                origin=hub.origin,
                depends_on=rules[-1:],
            )
        )
    wants_packages = hub.features is None and _egress(around.context)
    for name, host in PACKAGE_HOSTS.items() if wants_packages else ():
        rules.append(
            stack.resource(
                "azurerm_machine_learning_workspace_network_outbound_rule_fqdn",
                f"{hub.name}-{name}",
                {"name": name, "workspace_id": workplace.id, "destination_fqdn": host},
                origin=hub.origin,
                depends_on=rules[-1:],
            )
        )
    return rules


def add_private_rule(
    stack: StackBuilder,
    workplace: Workplace,
    name: str,
    target: Value,
    part: str,
    origin: str,
    after: Sequence[Node] = (),
) -> Node:
    """Let the managed network reach a service that azurerm's own resource does not know: search, or models."""
    return stack.resource(
        "azapi_resource",
        f"outbound-{name}",
        {
            "type": f"Microsoft.MachineLearningServices/workspaces/outboundRules@{API}",
            "name": name,
            "parent_id": workplace.id,
            "body": {
                "properties": {
                    "type": "PrivateEndpoint",
                    "category": "UserDefined",
                    "destination": {
                        "serviceResourceId": target,
                        "subresourceTarget": part,
                        "sparkEnabled": False,
                    },
                }
            },
        },
        origin=origin,
        depends_on=after,
    )


def _egress(context: Context) -> bool:
    own = context.one_of(PrivateNetwork)
    return own is not None and own.nat_gateways > 0
