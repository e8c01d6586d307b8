"""Endpoints of Azure ML without their deployments: addresses that are there before any model is.

Terraform has no resource for a deployment, and which version answers how much of the traffic changes with each release:
both are the operations', which read what the spec says from an endpoint's tags. May not make a model or an alarm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stacks.adapter import Skipped, TargetProblem
from stacks.azure.compute import cluster_of
from stacks.azure.context import Context, Surroundings, Workplace
from stacks.azure.instances import Unavailable, machine
from stacks.azure.logs import Told, add_diagnostics
from stacks.graph import GraphError, Node, StackBuilder, Value
from stacks.intents import ModelRegistry, OnlineEndpoint, describe
from stacks.record import record

__all__ = ["Served", "add_endpoints", "endpoint_problems"]

API = "2025-12-01"
ONLINE_LOGS = ("AmlOnlineEndpointConsoleLog", "AmlOnlineEndpointEventLog", "AmlOnlineEndpointTrafficLog")
NO_MODE = {
    "serverless": "Azure ML has no serverless endpoint for a model of one's own",
    "async": "Azure ML has no asynchronous endpoint",
}


@record
class Served:
    """An endpoint's id, and the name that it has in its location."""

    id: Value
    name: str


def endpoint_problems(context: Context) -> Iterator[TargetProblem]:
    """Refuse modes that Azure ML does not have."""
    for endpoint in context.all_of(OnlineEndpoint):
        if endpoint.mode in NO_MODE:
            path = ("endpoints", endpoint.name, "mode")
            yield TargetProblem(
                path=path,
                code="endpoint-mode",
                message=f"{'.'.join(path)} {endpoint.mode}: {NO_MODE[endpoint.mode]}",
                hint="Set it to realtime, or to batch for what may wait.",
            )


def add_endpoints(
    stack: StackBuilder, around: Surroundings, workplace: Workplace
) -> tuple[Mapping[str, Served], Mapping[str, Served], Sequence[Skipped]]:
    """Make the endpoints: online ones by the spec's names, batch ones too, and what is left to do.

    ``endpoint_problems`` refused the modes that there are not.
    """
    online: dict[str, Served] = {}
    batch: dict[str, Served] = {}
    left: list[Skipped] = []
    models = {model.name: model for model in around.context.all_of(ModelRegistry)}
    for endpoint in around.context.all_of(OnlineEndpoint):
        model = models[endpoint.model]
        match endpoint.mode:
            case "serverless" | "async":
                raise GraphError(NO_MODE[endpoint.mode])
            case "realtime":
                online[endpoint.name] = _online(stack, around, workplace, endpoint, model)
            case "batch":
                batch[endpoint.name] = _batch(stack, around, workplace, endpoint, model)
        if model.version is None and model.image is None:
            left.append(
                Skipped(
                    intent=describe(endpoint),
                    reason=f"the model {model.name} has no version to deploy behind it yet",
                    remedy=f"Register one, and set models.{model.name}.version.",
                )
            )
    return online, batch, left


def _online(
    stack: StackBuilder,
    around: Surroundings,
    workplace: Workplace,
    endpoint: OnlineEndpoint,
    model: ModelRegistry,
) -> Served:
    """An address inside the network that takes tokens of Entra, and nothing else."""
    size = machine(endpoint.instance, "serving")
    if isinstance(size, Unavailable):
        raise GraphError(size.message)
    tags = {
        **_served(model),
        "instance": size,
        "min_replicas": str(endpoint.min_replicas),
        "max_replicas": str(endpoint.max_replicas),
        "target_utilization_percent": str(endpoint.target_utilization_percent),
        "capture_percent": str(endpoint.capture_percent),
    }
    node = _shell(
        stack, around, workplace, endpoint, "onlineEndpoints", {"publicNetworkAccess": "Disabled"}, tags
    )
    add_diagnostics(
        stack,
        around.context,
        around.base,
        Told(
            name=f"endpoint-{endpoint.name}",
            target=node.ref("id"),
            origin=describe(endpoint),
            categories=ONLINE_LOGS,
        ),
    )
    return Served(id=node.ref("id"), name=_name(around, endpoint))


def _batch(
    stack: StackBuilder,
    around: Surroundings,
    workplace: Workplace,
    endpoint: OnlineEndpoint,
    model: ModelRegistry,
) -> Served:
    """An address that starts jobs on the cluster of its machine. Its public side is the workspace's: off."""
    tags = {
        **_served(model),
        "compute": cluster_of(endpoint.instance, spot=False),
        "max_replicas": str(endpoint.max_replicas),
        **({"schedule": endpoint.schedule} if endpoint.schedule else {}),
    }
    node = _shell(stack, around, workplace, endpoint, "batchEndpoints", {}, tags)
    return Served(id=node.ref("id"), name=_name(around, endpoint))


def _shell(
    stack: StackBuilder,
    around: Surroundings,
    workplace: Workplace,
    endpoint: OnlineEndpoint,
    kind: str,
    more: Mapping[str, Value],
    tags: Mapping[str, str],
) -> Node:
    context = around.context
    return stack.resource(
        "azapi_resource",
        f"endpoint-{endpoint.name}",
        {
            "type": f"Microsoft.MachineLearningServices/workspaces/{kind}@{API}",
            "name": _name(around, endpoint),
            "parent_id": workplace.id,
            "location": context.region,
            "identity": {"type": "UserAssigned", "identity_ids": [around.roles["serving"].id]},
            "body": {
                "properties": {
                    "authMode": "AADToken",
                    "description": f"{endpoint.model}, {endpoint.mode}",
                    **more,
                }
            },
            "tags": {**context.tags, **{f"serving:{key}": value for key, value in tags.items()}},
        },
        origin=describe(endpoint),
    )


def _name(around: Surroundings, endpoint: OnlineEndpoint) -> str:
    return around.context.unique_name("endpoint", endpoint.name)


def _served(model: ModelRegistry) -> dict[str, str]:
    """What the operations deploy: a registered version, or an image and its data."""
    tags = {"model": model.name}
    if model.version is not None:
        tags["version"] = str(model.version)
    if model.image is not None:
        tags["image"] = model.image
    if model.data is not None:
        tags["data"] = model.data
    return tags
