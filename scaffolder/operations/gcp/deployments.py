"""What deployments are to Vertex AI: ids, machines, and the labels of those that are being made; and what a shell says.

May not change an endpoint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from scaffolder.operations.errors import InvalidRequest
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.faults import failed_operation
from scaffolder.operations.gcp.place import digest_of
from scaffolder.operations.values import Deployment, DeployRequest, EndpointState, EndpointStatus
from stacks.gcp.instances import Unavailable, machine
from stacks.gcp.names import numbered
from stacks.intents import ModelRegistry

__all__ = [
    "MAKING",
    "deployed_id",
    "machine_spec",
    "machines",
    "mark_of",
    "named_deployments",
    "pending",
    "status_of",
]

NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
MAKING = "making-"
METRICS = {
    "cpu_percent": "aiplatform.googleapis.com/prediction/online/cpu/utilization",
    "requests_per_replica_per_minute": "aiplatform.googleapis.com/prediction/online/request_count",
}
DEPLOYS = "DeployModelOperationMetadata"
DEPLOYED, DEPLOYING, FAILED = "deployed", "operation running", "operation failed"
"""Vertex AI has no states of endpoints: there is a deployed model, or an operation that makes it."""


def deployed_id(endpoint: str, deployment: str) -> str:
    """The id of a deployed model: ten digits, the same for the same name."""
    if not NAME.fullmatch(deployment):
        raise InvalidRequest(
            f"{deployment!r} is no name of a deployment",
            remedy="Small letters, digits and hyphens, a letter first: 3 to 32.",
        )
    return numbered(f"{endpoint}/{deployment}")


def mark_of(request: DeployRequest) -> str:
    """What is being made, as a label: two requests with one mark are one."""
    return f"{request.version}-{digest_of(request.model, request.instance, repr(request.scaling))}"


def pending(shell: Any) -> dict[str, str]:
    """The deployments that are, or were, being made, and their marks."""
    labels = dict(shell.labels)
    return {key.removeprefix(MAKING): mark for key, mark in labels.items() if key.startswith(MAKING)}


def named_deployments(shell: Any) -> dict[str, str]:
    """The ids of the deployments behind an endpoint, by our names."""
    return {deployed.display_name: deployed.id for deployed in shell.deployed_models}


def machine_spec(instance: str, region: str) -> dict[str, Any]:
    """A neutral size, or a type by its own name, as Vertex AI takes it.

    Raises:
        InvalidRequest: it cannot be had for serving there.
    """
    found = machine(instance, "serving", region)
    if isinstance(found, Unavailable):
        raise InvalidRequest(f"instance {found.message}", remedy=found.hint)
    spec: dict[str, Any] = {"machine_type": found.type}
    if found.accelerator:
        spec |= {"accelerator_type": found.accelerator, "accelerator_count": found.count}
    return spec


def machines(request: DeployRequest, region: str) -> dict[str, Any]:
    """The machines of a deployment, and what their number follows."""
    scaling = request.scaling
    if not 1 <= scaling.min_replicas <= scaling.max_replicas:
        raise InvalidRequest(
            f"replicas from {scaling.min_replicas} to {scaling.max_replicas}: Vertex AI keeps one at least"
        )
    resources: dict[str, Any] = {
        "machine_spec": machine_spec(request.instance, region),
        "min_replica_count": scaling.min_replicas,
        "max_replica_count": scaling.max_replicas,
    }
    if scaling.max_replicas > scaling.min_replicas:
        resources["autoscaling_metric_specs"] = [
            {"metric_name": METRICS[scaling.metric], "target": scaling.target}
        ]
    return resources


# --- what a shell says -----------------------------------------------------------------------------------------------


def status_of(
    calls: Calls, endpoint: str, shell: Any, making: set[str], operations: Sequence[Mapping[str, Any]]
) -> EndpointStatus:
    """An endpoint as a status; ``making`` are deployments that are marked and not there."""
    busy = any(not operation.get("done") for operation in operations)
    split = dict(shell.traffic_split)
    there = [_deployment(calls, deployed, split) for deployed in shell.deployed_models]
    unmade = [_unmade(name, pending(shell)[name], operations, calls) for name in sorted(making)]
    state = EndpointState.UPDATING if busy else EndpointState.IN_SERVICE
    if busy and not there:
        state = EndpointState.CREATING
    if unmade and not there and not busy:
        state = EndpointState.FAILED
    return EndpointStatus(
        name=endpoint,
        ref=calls.place.named(shell.name),
        state=state,
        native_state=DEPLOYING if busy else DEPLOYED,
        deployments=tuple(sorted((*there, *unmade), key=lambda it: it.name)),
        url=f"{calls.host('aiplatform')}/v1/{calls.place.endpoint_name(endpoint)}",
        error=next((it.error for it in unmade if it.error), ""),
    )


def _deployment(calls: Calls, deployed: Any, split: Mapping[str, int]) -> Deployment:
    resources = deployed.dedicated_resources
    return Deployment(
        name=deployed.display_name,
        model=_model_name(calls, deployed.model),
        version=int(deployed.model_version_id) if deployed.model_version_id else None,
        traffic_percent=split.get(deployed.id, 0),
        state=EndpointState.IN_SERVICE,
        native_state=DEPLOYED,
        instance=resources.machine_spec.machine_type,
        replicas=deployed.status.available_replica_count or resources.min_replica_count,
        error=deployed.status.message,
    )


def _model_name(calls: Calls, resource: str) -> str:
    """The spec's name of a model, or, for one of somebody else's, Vertex AI's."""
    line = calls.place.named(resource.partition("@")[0])
    for model in calls.place.context.all_of(ModelRegistry):
        if calls.place.model_name(model.name) == line:
            return model.name
    return line


def _unmade(name: str, mark: str, operations: Sequence[Mapping[str, Any]], calls: Calls) -> Deployment:
    """A deployment that is marked: it is being made as long as a deployment is, and else has failed."""
    going = [it for it in _deploying(operations) if not it.get("done")]
    failed = next((it["error"] for it in _deploying(operations) if "error" in it), None)
    error = "" if going or failed is None else failed_operation(failed, f"deploy {name}").text
    version = mark.partition("-")[0]
    return Deployment(
        name=name,
        model=_only_model(calls),
        version=int(version) if version.isdigit() else None,
        traffic_percent=0,
        state=EndpointState.CREATING if going else EndpointState.FAILED,
        native_state=DEPLOYING if going else FAILED,
        error=error,
    )


def _only_model(calls: Calls) -> str:
    models = [model.name for model in calls.place.context.all_of(ModelRegistry)]
    return models[0] if len(models) == 1 else ""


def _deploying(operations: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The operations that deploy, the newest first; Vertex AI promises no order."""
    found = [it for it in operations if str(it.get("metadata", {}).get("@type", "")).endswith(DEPLOYS)]
    return sorted(found, key=_begun, reverse=True)


def _begun(operation: Mapping[str, Any]) -> str:
    return str(operation["metadata"].get("genericMetadata", {}).get("createTime", ""))
