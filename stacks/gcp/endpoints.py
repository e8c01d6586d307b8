"""Endpoints of Vertex AI: the shells that models are deployed behind, and batch predictions that can be started.

A model behind an endpoint, its machines and its traffic are no resource of Terraform's: operations deploy them. May not
make an account, a bucket or an alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from stacks.adapter import Skipped
from stacks.gcp.attached import allowed
from stacks.gcp.context import Context, Runnable, Served, Surroundings
from stacks.gcp.instances import made
from stacks.gcp.jobs import model_id
from stacks.gcp.watching import LOGGED, looked_table
from stacks.graph import GraphError, JsonText, Lifecycle, Node, StackBuilder, Value, text
from stacks.intents import ModelRegistry, OnlineEndpoint, describe

__all__ = ["add_endpoints", "template_key"]

SERVICE_CLASS = "gcp-vertexai"
"""The class of service connection that Vertex AI's endpoints ask for (Vertex AI, private endpoints, November 2026)."""

TIME_TRAVEL_H = "168"
ROLE = "serving"


def add_endpoints(
    stack: StackBuilder, around: Surroundings
) -> tuple[Mapping[str, Served], Mapping[str, Runnable], Sequence[Skipped]]:
    """Make the shells by name and the batch predictions that have a version, and say what is not made."""
    endpoints = tuple(around.context.all_of(OnlineEndpoint))
    online = [endpoint for endpoint in endpoints if endpoint.mode == "realtime"]
    connected = _connection(stack, around, online[0]) if online else None
    captured = [endpoint for endpoint in online if endpoint.capture_percent]
    dataset = _dataset(stack, around, captured[0]) if captured else None
    served: dict[str, Served] = {}
    scoring: dict[str, Runnable] = {}
    skipped: list[Skipped] = []
    for endpoint in endpoints:
        model = around.models[endpoint.model]
        match endpoint.mode:
            case "realtime":
                served[endpoint.name] = _shell(stack, around, endpoint, connected, dataset)
                skipped.append(_undeployed(endpoint, model))
            case "batch" if model.version is not None:
                scoring[endpoint.name] = _scoring(stack, around, endpoint, model, model.version)
            case "batch":
                skipped.append(_unregistered(endpoint))
            case "serverless" | "async":
                raise GraphError(f"Vertex AI has no {endpoint.mode} endpoint: ml_problems refuses it")
            case _:
                assert_never(endpoint.mode)
    return served, scoring, skipped


def template_key(name: str) -> str:
    """Where the text of a run that can be started is in the artifacts bucket."""
    return f"pipelines/{name}.json"


# --- what is not made ------------------------------------------------------------------------------------------------


def _undeployed(endpoint: OnlineEndpoint, model: ModelRegistry) -> Skipped:
    machines = f"{endpoint.min_replicas} to {endpoint.max_replicas} machines of {endpoint.instance}"
    if model.version is None:
        return Skipped(
            intent=describe(endpoint),
            reason=f"the endpoint is made, and empty: model {endpoint.model} has no version to serve yet",
            remedy=f"Run a pipeline that registers {endpoint.model}, and deploy the version to the endpoint.",
        )
    return Skipped(
        intent=describe(endpoint),
        reason="the endpoint is made, and empty: Terraform has no resource for a model behind it",
        remedy=f"Deploy version {model.version} of {endpoint.model} to it, with {machines}.",
    )


def _unregistered(endpoint: OnlineEndpoint) -> Skipped:
    return Skipped(
        intent=describe(endpoint),
        reason=f"model {endpoint.model} has no version in the registry to score with yet",
        remedy=(
            f"Run a pipeline that registers {endpoint.model}, and set models.{endpoint.model}.version to its number."
        ),
    )


# --- shells ----------------------------------------------------------------------------------------------------------


def _connection(stack: StackBuilder, around: Surroundings, first: OnlineEndpoint) -> Node | None:
    """Lets Vertex AI put an address into the subnet when a model is deployed; an existing network has its own policy."""
    context = around.context
    if not context.has_own_network:
        return None
    return stack.resource(
        "google_network_connectivity_service_connection_policy",
        "vertex",
        {
            "name": context.name("resource", "vertex"),
            "description": "Addresses of Vertex AI's endpoints",
            "location": context.region,
            "service_class": SERVICE_CLASS,
            "network": around.network.network_id,
            "psc_config": {"subnetworks": [around.network.subnet_id]},
        },
        origin=describe(first),
    )


def _shell(
    stack: StackBuilder,
    around: Surroundings,
    endpoint: OnlineEndpoint,
    connected: Node | None,
    dataset: Node | None,
) -> Served:
    context, keys = around.context, around.keys
    node = stack.resource(
        "google_vertex_ai_endpoint",
        endpoint.name,
        {
            "name": context.endpoint_id(endpoint.name),
            "display_name": context.name("display", endpoint.name),
            "description": f"Serves {endpoint.model}",
            "location": context.region,
            "region": context.region,
            "encryption_spec": {"kms_key_name": keys.data} if keys.data is not None else None,
            "private_service_connect_config": _private(context, around, connected),
            "predict_request_response_logging_config": _capture(context, endpoint, dataset),
            "labels": {"model": endpoint.model},
            "deletion_policy": context.deletion_policy,
        },
        origin=describe(endpoint),
        depends_on=[connected] if connected is not None else [],
        # Deployments are operations' work: what they change is theirs.
        lifecycle=Lifecycle(prevent_destroy=context.protected, ignore_changes=("traffic_split",)),
        holds="the models that are deployed to it",
    )
    return Served(intent=endpoint, id=node.ref("name"), name=node.ref("id"))


def _private(context: Context, around: Surroundings, connected: Node | None) -> Value:
    there: dict[str, Value] = {}
    if connected is not None:
        network = around.network.network_id
        there["psc_automation_configs"] = [{"project_id": context.project, "network": network}]
    return {**allowed(context), **there}


def _dataset(stack: StackBuilder, around: Surroundings, first: OnlineEndpoint) -> Node:
    """Where requests and answers are kept; Vertex AI makes the tables, and reads them when it looks for drift."""
    context, keys = around.context, around.keys
    dataset = stack.resource(
        "google_bigquery_dataset",
        LOGGED,
        {
            "dataset_id": context.name("dataset", LOGGED),
            "description": "Requests and answers of endpoints",
            "location": context.region,
            "max_time_travel_hours": TIME_TRAVEL_H,
            "delete_contents_on_destroy": not context.protected,
            "deletion_policy": context.deletion_policy,
            "default_encryption_configuration": {"kms_key_name": keys.data}
            if keys.data is not None
            else None,
        },
        origin=describe(first),
        lifecycle=context.keep,
        holds="the captured requests and answers",
    )
    for purpose in ("monitoring", "training"):
        if purpose in around.roles:
            stack.resource(
                "google_bigquery_dataset_iam_member",
                f"{LOGGED}-{purpose}",
                {
                    "dataset_id": dataset.ref("dataset_id"),
                    "role": "roles/bigquery.dataViewer",
                    "member": around.roles[purpose].member,
                },
                origin=describe(first),
            )
    return dataset


def _capture(context: Context, endpoint: OnlineEndpoint, dataset: Node | None) -> Value:
    if dataset is None or not endpoint.capture_percent:
        return None
    table = looked_table(context, endpoint.name)
    return {
        "enabled": True,
        "sampling_rate": endpoint.capture_percent / 100,
        "bigquery_destination": {
            "output_uri": text("bq://", context.project, ".", dataset.ref("dataset_id"), f".{table}")
        },
    }


# --- batch predictions -----------------------------------------------------------------------------------------------


def _scoring(
    stack: StackBuilder, around: Surroundings, endpoint: OnlineEndpoint, model: ModelRegistry, version: int
) -> Runnable:
    """The text of a batch prediction, which a schedule or an operation posts to Vertex AI."""
    key = template_key(f"{endpoint.name}--batch")
    node = stack.resource(
        "google_storage_bucket_object",
        f"{endpoint.name}--batch",
        {
            "bucket": around.stores.bucket("artifacts"),
            "name": key,
            "content": JsonText(dict(_job(around, endpoint, model, version))),
            "content_type": "application/json",
        },
        origin=describe(endpoint),
    )
    return Runnable(name=f"{endpoint.name}--batch", template=node.ref("name"))


def _job(
    around: Surroundings, endpoint: OnlineEndpoint, model: ModelRegistry, version: int
) -> Iterator[tuple[str, Value]]:
    """A BatchPredictionJob (Vertex AI REST, v1): one JSON record a line in, and one out."""
    context = around.context
    found = made(endpoint.instance, "serving", context.region)
    machine: dict[str, Value] = {"machineType": found.type}
    if found.accelerator:
        machine |= {"acceleratorType": found.accelerator, "acceleratorCount": found.count}
    place = f"batch/{endpoint.name}"
    line = f"projects/{context.project}/locations/{context.region}/models/{model_id(around, model.name)}"
    yield "displayName", context.name("display", endpoint.name, "batch")
    yield "model", f"{line}@{version}"
    yield (
        "inputConfig",
        {
            "instancesFormat": "jsonl",
            "gcsSource": {"uris": [around.stores.place("data", f"{place}/input/*")]},
        },
    )
    yield (
        "outputConfig",
        {
            "predictionsFormat": "jsonl",
            "gcsDestination": {"outputUriPrefix": around.stores.place("data", f"{place}/output")},
        },
    )
    yield (
        "dedicatedResources",
        {
            "machineSpec": machine,
            "startingReplicaCount": endpoint.max_replicas,
            "maxReplicaCount": endpoint.max_replicas,
        },
    )
    yield "serviceAccount", around.roles[ROLE].email
    if around.keys.data is not None:
        yield "encryptionSpec", {"kmsKeyName": around.keys.data}
    yield "labels", {"endpoint": endpoint.name}
