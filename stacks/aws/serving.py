"""Models behind endpoints on SageMaker: realtime, serverless, async and batch, with rollback.

What a model version does not exist for is planned, and said so. May not make a role, a bucket or an alarm that tells
anybody: the rollback alarms are for SageMaker's own eyes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256

from stacks.adapter import Skipped
from stacks.aws.alarms import failed_share, metric_alarm
from stacks.aws.context import Context, Runnable, Served, Surroundings
from stacks.aws.instances import Unavailable, machine
from stacks.aws.names import fitted
from stacks.aws.pipelines import image_of, volume_key
from stacks.aws.policy import Condition, Principal, Statement, document
from stacks.aws.scaling import add_scaling, scales
from stacks.aws.scoring import add_scoring
from stacks.graph import GraphError, Lifecycle, Node, StackBuilder, Value
from stacks.intents import ModelRegistry, OnlineEndpoint, describe

__all__ = ["add_endpoints"]

VARIANT = "primary"
PREFIX_LENGTH = 37
"""SageMaker's 63 characters less the 26 that the provider appends to a prefix (provider 5.100, id.UniqueIdPrefix)."""

BAKE_S = 300
DEPLOYMENT_TIMEOUT_S = 3600
TERMINATION_WAIT_S = 300
CAPTURED_TYPES = {"csv_content_types": ["text/csv"], "json_content_types": ["application/json"]}
SERVING_ROLE = "serving"


def add_endpoints(
    stack: StackBuilder, around: Surroundings
) -> tuple[Mapping[str, Served], Mapping[str, Runnable], Sequence[Skipped]]:
    """Make what has a model version: endpoints by name, batch endpoints' pipelines by name, and what is planned."""
    served: dict[str, Served] = {}
    scoring: dict[str, Runnable] = {}
    planned: list[Skipped] = []
    topic: Node | None = None
    for endpoint in around.context.all_of(OnlineEndpoint):
        model = around.models[endpoint.model]
        if model.version is None and model.image is None:
            planned.append(_planned(endpoint))
            continue
        node = _model(stack, around, endpoint, model)
        if endpoint.mode == "batch":
            scoring[endpoint.name] = add_scoring(stack, around, endpoint, node)
            continue
        if endpoint.mode == "async" and topic is None:
            topic = _topic(stack, around, describe(endpoint))
        served[endpoint.name] = _endpoint(stack, around, endpoint, node, topic)
    return served, scoring, planned


def _planned(endpoint: OnlineEndpoint) -> Skipped:
    return Skipped(
        intent=describe(endpoint),
        reason=f"model {endpoint.model} has no version to serve yet",
        remedy=(
            f"Run a pipeline that registers {endpoint.model}, approve the version, and set "
            f"models.{endpoint.model}.version to its number; or set models.{endpoint.model}.image and data."
        ),
    )


# --- models ----------------------------------------------------------------------------------------------------------


def _model(stack: StackBuilder, around: Surroundings, endpoint: OnlineEndpoint, model: ModelRegistry) -> Node:
    """The model behind one endpoint. SageMaker changes none in place, so its name is made of what decides it."""
    context = around.context
    enclosed = endpoint.mode != "serverless"
    container: dict[str, Value] = {"mode": "SingleModel"}
    if model.version is not None:
        container = {
            "model_package_name": context.arn(
                "sagemaker", f"model-package/{context.model_group(model.name)}/{model.version}"
            )
        }
    elif model.image is not None:
        container["image"] = image_of(model.image, around.registry)
        if model.data is not None:
            container["model_data_url"] = around.place("artifacts", f"models/{model.data}")
    inside: Value = {
        "subnets": list(around.network.subnet_ids),
        "security_group_ids": list(around.network.security_group_ids),
    }
    return stack.resource(
        "aws_sagemaker_model",
        endpoint.name,
        {
            "name": fitted(
                "sagemaker", f"{context.prefix}-{endpoint.name}-{_mark(context, endpoint, model)}"
            ),
            "execution_role_arn": around.roles[SERVING_ROLE],
            "primary_container": container,
            # A serverless endpoint takes neither (SageMaker Developer Guide, serverless endpoints, feature exclusions).
            "enable_network_isolation": True if enclosed else None,
            "vpc_config": inside if enclosed else None,
        },
        origin=describe(endpoint),
        lifecycle=Lifecycle(create_before_destroy=True),
    )


def _mark(context: Context, endpoint: OnlineEndpoint, model: ModelRegistry) -> str:
    """A short digest of all that decides a model, as far as the spec says it."""
    serverless = endpoint.mode == "serverless"
    decided = [model.name, model.version, model.image, model.data, serverless, context.placement]
    return sha256(json.dumps(decided).encode()).hexdigest()[:8]


# --- endpoints -------------------------------------------------------------------------------------------------------


def _endpoint(
    stack: StackBuilder, around: Surroundings, endpoint: OnlineEndpoint, model: Node, topic: Node | None
) -> Served:
    context = around.context
    serverless = endpoint.mode == "serverless"
    instance = "" if serverless else _instance(endpoint, context)
    configuration = _configuration(stack, around, endpoint, model, instance, topic)
    rollback = None if serverless else _rollback_alarm(stack, context, endpoint)
    node = stack.resource(
        "aws_sagemaker_endpoint",
        endpoint.name,
        {
            "name": context.endpoint(endpoint.name),
            "endpoint_config_name": configuration.ref("name"),
            "deployment_config": _deployment(endpoint, rollback) if rollback is not None else None,
        },
        origin=describe(endpoint),
    )
    if scales(endpoint):
        add_scaling(stack, context, endpoint, node, VARIANT, instance)
    return Served(intent=endpoint, name=node.ref("name"), arn=node.ref("arn"), variant=VARIANT)


def _instance(endpoint: OnlineEndpoint, context: Context) -> str:
    found = machine(endpoint.instance, "hosting", context.region)
    if isinstance(found, Unavailable):
        raise GraphError(found.message)
    return found


def _configuration(
    stack: StackBuilder,
    around: Surroundings,
    endpoint: OnlineEndpoint,
    model: Node,
    instance: str,
    topic: Node | None,
) -> Node:
    """Every change makes a new configuration beside the old one, to which the endpoint is then moved."""
    variant: dict[str, Value] = {"variant_name": VARIANT, "model_name": model.ref("name")}
    if endpoint.mode == "serverless":
        variant["serverless_config"] = {
            "memory_size_in_mb": endpoint.memory_mb,
            "max_concurrency": endpoint.max_concurrency,
        }
    else:
        variant |= {
            "instance_type": instance,
            "initial_instance_count": max(endpoint.min_replicas, 1),
            "initial_variant_weight": 1,
        }
    if endpoint.mode == "realtime":
        variant["routing_config"] = {"routing_strategy": "LEAST_OUTSTANDING_REQUESTS"}
    return stack.resource(
        "aws_sagemaker_endpoint_configuration",
        endpoint.name,
        {
            "name_prefix": _prefix(around.context, endpoint),
            "kms_key_arn": volume_key(around.keys, instance) if instance else None,
            "production_variants": [variant],
            "data_capture_config": _capture(around, endpoint),
            "async_inference_config": _answers(around, endpoint, topic) if endpoint.mode == "async" else None,
        },
        origin=describe(endpoint),
        lifecycle=Lifecycle(create_before_destroy=True),
    )


def _prefix(context: Context, endpoint: OnlineEndpoint) -> str:
    """What the provider completes to a name; the platform's own prefix always stays whole, as the roles need it."""
    whole = f"{context.prefix}-{endpoint.name}"
    return f"{whole[: PREFIX_LENGTH - 1].rstrip('-')}-"


def _capture(around: Surroundings, endpoint: OnlineEndpoint) -> Value:
    if endpoint.mode != "realtime" or endpoint.capture_percent == 0:
        return None
    return {
        "enable_capture": True,
        "initial_sampling_percentage": endpoint.capture_percent,
        "destination_s3_uri": around.place("data", f"capture/{endpoint.name}"),
        "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
        "capture_content_type_header": CAPTURED_TYPES,
        **({"kms_key_id": around.keys.data} if around.keys.data is not None else {}),
    }


def _answers(around: Surroundings, endpoint: OnlineEndpoint, topic: Node | None) -> Value:
    if topic is None:
        raise GraphError(f"endpoint {endpoint.name} has no topic for its answers")
    told = topic.ref("arn")
    return {
        "output_config": {
            "s3_output_path": around.place("data", f"async/{endpoint.name}/answers"),
            "s3_failure_path": around.place("data", f"async/{endpoint.name}/failures"),
            "notification_config": {"success_topic": told, "error_topic": told},
            **({"kms_key_id": around.keys.data} if around.keys.data is not None else {}),
        }
    }


def _topic(stack: StackBuilder, around: Surroundings, origin: str) -> Node:
    """Tells whoever subscribes where an answer is; encrypted with the key that the serving role may use."""
    context = around.context
    topic = stack.resource(
        "aws_sns_topic",
        "async",
        {"name": context.async_topic(), "kms_master_key_id": around.keys.data or "alias/aws/sns"},
        origin=origin,
    )
    policy = document(
        stack,
        "topic-async",
        [
            Statement(
                sid="Answers",
                actions=("sns:Publish",),
                resources=(topic.ref("arn"),),
                principals=(Principal("AWS", (around.roles[SERVING_ROLE],)),),
            ),
            Statement(
                sid="DenyInsecureTransport",
                effect="Deny",
                actions=("sns:Publish",),
                resources=(topic.ref("arn"),),
                principals=(Principal("AWS", ("*",)),),
                conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
            ),
        ],
        origin=origin,
    )
    stack.resource(
        "aws_sns_topic_policy", "async", {"arn": topic.ref("arn"), "policy": policy}, origin=origin
    )
    stack.export("async_topic_arn", topic.ref("arn"))
    return topic


# --- deployment ------------------------------------------------------------------------------------------------------


def _rollback_alarm(stack: StackBuilder, context: Context, endpoint: OnlineEndpoint) -> Node:
    """Rings when the new fleet fails more requests than the spec allows; SageMaker then goes back to the old one."""
    dimensions = {"EndpointName": context.endpoint(endpoint.name), "VariantName": VARIANT}
    return metric_alarm(
        stack,
        context,
        f"rollback-{endpoint.name}",
        (endpoint.name, "rollback"),
        {
            "alarm_description": f"Takes a deployment of {endpoint.name} back; it tells nobody",
            "threshold": endpoint.max_error_percent,
            "evaluation_periods": 2,
            "datapoints_to_alarm": 2,
            "metric_query": failed_share(endpoint, dimensions),
        },
        heard=(),
        origin=describe(endpoint),
    )


def _deployment(endpoint: OnlineEndpoint, rollback: Node) -> Value:
    """One machine first where there are two; a fleet of one has no part to try (a canary is at most half of it)."""
    canary = endpoint.min_replicas > 1
    shift: dict[str, Value] = {
        "type": "CANARY" if canary else "ALL_AT_ONCE",
        "wait_interval_in_seconds": BAKE_S,
    }
    if canary:
        shift["canary_size"] = {"type": "INSTANCE_COUNT", "value": 1}
    return {
        "blue_green_update_policy": {
            "traffic_routing_configuration": shift,
            "termination_wait_in_seconds": TERMINATION_WAIT_S,
            "maximum_execution_timeout_in_seconds": DEPLOYMENT_TIMEOUT_S,
        },
        "auto_rollback_configuration": {"alarms": [{"alarm_name": rollback.ref("alarm_name")}]},
    }
