"""Where the workspace's managed network may go: private endpoints to the platform's own services, and packages' hosts.

May not open the internet: hosts are named, and only where the spec asks for egress.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.azure.context import Context, Surroundings, Workplace
from stacks.azure.hubs import Hub
from stacks.azure.private import Endpoint
from stacks.azure.roles import Assignment, assign
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

SPARK_PARTS = ("blob", "dfs")
"""What jobs of Spark read and write by, too."""

BATCH_PARTS = ("queue", "table")
"""Of the workspace's storage account, for batch endpoints (the same page)."""


def add_outbound_rules(
    stack: StackBuilder, around: Surroundings, workplace: Workplace, hub: Hub
) -> Sequence[Node]:
    """Add the rules beyond those that Azure ML makes of itself, one after the other: two at once collide."""
    rules: list[Node] = []
    parts: list[tuple[str, Value, str]] = [("data-blob", around.stores.data_id, "blob")]
    history = around.stores.history
    if history is not None:
        parts += [(f"history-{part}", history.account_id, part) for part in ("blob", "dfs")]
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
                    "spark_enabled": part in SPARK_PARTS,
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
    context: Context,
    workplace: Workplace,
    endpoint: Endpoint,
    after: Sequence[Node] = (),
) -> Node:
    """Let the managed network, too, reach a service that azurerm's own resource does not know: search, or models.

    Azure ML asks for the connection, and approves it as the workspace's identity.
    """
    approves = Assignment(
        role="ai-network-approver",
        who="ml-workspace",
        on=endpoint.target,
        what=endpoint.name,
        origin=endpoint.origin,
    )
    may_approve = assign(stack, context, workplace.own, approves)
    return stack.resource(
        "azapi_resource",
        f"outbound-{endpoint.name}",
        {
            "type": f"Microsoft.MachineLearningServices/workspaces/outboundRules@{API}",
            "name": endpoint.name,
            "parent_id": workplace.id,
            "body": {
                "properties": {
                    "type": "PrivateEndpoint",
                    "category": "UserDefined",
                    "destination": {
                        "serviceResourceId": endpoint.target,
                        "subresourceTarget": endpoint.subresource,
                        "sparkEnabled": False,
                    },
                }
            },
        },
        origin=endpoint.origin,
        depends_on=(*after, may_approve),
    )


def _egress(context: Context) -> bool:
    own = context.one_of(PrivateNetwork)
    return own is not None and own.nat_gateways > 0
