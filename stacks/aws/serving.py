"""Models behind endpoints on SageMaker: realtime, serverless, async and batch, with autoscaling and rollback.

What a model version does not exist for is planned, and said so. May not make a role, a bucket or an alarm that tells
anybody: the rollback alarms are for SageMaker's own eyes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from stacks.adapter import Skipped
from stacks.aws.alarms import MINUTE_S, SERVING, failed_share, metric_alarm
from stacks.aws.context import Context, Keys, Network, Registry, Runnable, Served, Stores
from stacks.aws.instances import Unavailable, machine, shape_of
from stacks.aws.names import fitted
from stacks.aws.pipelines import SCHEMA, image_of, volume_key
from stacks.aws.policy import Condition, Principal, Statement, document
from stacks.graph import GraphError, JsonText, Lifecycle, Node, StackBuilder, Value, text
from stacks.intents import ExistingNetwork, ModelRegistry, OnlineEndpoint, PrivateNetwork, describe
from stacks.record import record

__all__ = ["Serving", "add_endpoints", "serving_problems"]

VARIANT = "primary"
PREFIX_LENGTH = 37
"""SageMaker's 63 characters less the 26 that the provider appends to a prefix (provider 5.100, id.UniqueIdPrefix)."""

BAKE_S = 300
DEPLOYMENT_TIMEOUT_S = 3600
TERMINATION_WAIT_S = 300
SCALE_IN_COOLDOWN_S = 300
SCALE_OUT_COOLDOWN_S = 60
BACKLOG_PER_INSTANCE = 5
"""Requests that wait for each instance of an async endpoint; AWS's own guide to autoscaling them starts with five."""

CAPTURED_TYPES = {"csv_content_types": ["text/csv"], "json_content_types": ["application/json"]}
CODE_ROLE = "serving"


@record
class Serving:
    """What endpoints are made with."""

    context: Context
    keys: Keys
    network: Network
    stores: Stores
    registry: Registry
    roles: Mapping[str, Value]

    @property
    def models(self) -> Mapping[str, ModelRegistry]:
        """The models by name."""
        return {model.name: model for model in self.context.all_of(ModelRegistry)}

    def place(self, bucket: str, path: str) -> Value:
        """An address below a bucket."""
        return text("s3://", self.stores.by_name[bucket].id, f"/{path}")


def serving_problems(context: Context) -> Iterator[tuple[str, str, str]]:
    """Yield an endpoint's name, and what SageMaker cannot do for it, and a hint."""
    for endpoint in context.all_of(OnlineEndpoint):
        if not _scales(endpoint) or endpoint.mode != "realtime":
            continue
        found = machine(endpoint.instance, "hosting", context.region)
        if isinstance(found, str) and shape_of(found) is None:
            yield (
                endpoint.name,
                f'cannot be scaled by utilization on "{found}", whose processors the data does not have',
                "Set replicas.max to replicas.min, or take another instance.",
            )


def add_endpoints(
    stack: StackBuilder, serving: Serving
) -> tuple[Mapping[str, Served], Mapping[str, Runnable], Sequence[Skipped]]:
    """Make what has a model version: endpoints by name, batch endpoints' pipelines by name, and what is planned."""
    served: dict[str, Served] = {}
    scoring: dict[str, Runnable] = {}
    planned: list[Skipped] = []
    topic: Node | None = None
    for endpoint in serving.context.all_of(OnlineEndpoint):
        model = serving.models[endpoint.model]
        if model.version is None and model.image is None:
            planned.append(_planned(endpoint))
            continue
        node = _model(stack, serving, endpoint, model)
        if endpoint.mode == "batch":
            scoring[endpoint.name] = _batch(stack, serving, endpoint, node)
            continue
        if endpoint.mode == "async" and topic is None:
            topic = _topic(stack, serving, describe(endpoint))
        served[endpoint.name] = _endpoint(stack, serving, endpoint, node, topic)
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


def _model(stack: StackBuilder, serving: Serving, endpoint: OnlineEndpoint, model: ModelRegistry) -> Node:
    """The model behind one endpoint. SageMaker changes none in place, so its name is made of what decides it."""
    context = serving.context
    enclosed = endpoint.mode != "serverless"
    container: dict[str, Value] = {"mode": "SingleModel"}
    if model.version is not None:
        container = {
            "model_package_name": context.arn(
                "sagemaker", f"model-package/{context.model_group(model.name)}/{model.version}"
            )
        }
    elif model.image is not None:
        container["image"] = image_of(model.image, serving.registry)
        if model.data is not None:
            container["model_data_url"] = serving.place("artifacts", f"models/{model.data}")
    inside: Value = {
        "subnets": list(serving.network.subnet_ids),
        "security_group_ids": list(serving.network.security_group_ids),
    }
    return stack.resource(
        "aws_sagemaker_model",
        endpoint.name,
        {
            "name": fitted(
                "sagemaker", f"{context.prefix}-{endpoint.name}-{_mark(context, endpoint, model)}"
            ),
            "execution_role_arn": serving.roles[CODE_ROLE],
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
    own, existing = context.one_of(PrivateNetwork), context.one_of(ExistingNetwork)
    inside: list[object] = [own.cidr, own.zones, own.zone_ids] if own else []
    if existing:
        inside = [existing.subnet_ids, existing.security_group_ids]
    decided = [model.name, model.version, model.image, model.data, endpoint.mode == "serverless", inside]
    return sha256(json.dumps(decided).encode()).hexdigest()[:8]


# --- endpoints -------------------------------------------------------------------------------------------------------


def _endpoint(
    stack: StackBuilder, serving: Serving, endpoint: OnlineEndpoint, model: Node, topic: Node | None
) -> Served:
    context = serving.context
    serverless = endpoint.mode == "serverless"
    instance = "" if serverless else _instance(endpoint, context)
    configuration = _configuration(stack, serving, endpoint, model, instance, topic)
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
    if _scales(endpoint):
        _scaling(stack, context, endpoint, node, instance)
    return Served(intent=endpoint, name=node.ref("name"), arn=node.ref("arn"), variant=VARIANT)


def _instance(endpoint: OnlineEndpoint, context: Context) -> str:
    found = machine(endpoint.instance, "hosting", context.region)
    if isinstance(found, Unavailable):
        raise GraphError(found.message)
    return found


def _configuration(
    stack: StackBuilder,
    serving: Serving,
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
            "name_prefix": _prefix(serving.context, endpoint),
            "kms_key_arn": volume_key(serving.keys, instance) if instance else None,
            "production_variants": [variant],
            "data_capture_config": _capture(serving, endpoint),
            "async_inference_config": _answers(serving, endpoint, topic)
            if endpoint.mode == "async"
            else None,
        },
        origin=describe(endpoint),
        lifecycle=Lifecycle(create_before_destroy=True),
    )


def _prefix(context: Context, endpoint: OnlineEndpoint) -> str:
    """What the provider completes to a name; the platform's own prefix always stays whole, as the roles need it."""
    whole = f"{context.prefix}-{endpoint.name}"
    return f"{whole[: PREFIX_LENGTH - 1].rstrip('-')}-"


def _capture(serving: Serving, endpoint: OnlineEndpoint) -> Value:
    if endpoint.mode != "realtime" or endpoint.capture_percent == 0:
        return None
    return {
        "enable_capture": True,
        "initial_sampling_percentage": endpoint.capture_percent,
        "destination_s3_uri": serving.place("data", f"capture/{endpoint.name}"),
        "capture_options": [{"capture_mode": "Input"}, {"capture_mode": "Output"}],
        "capture_content_type_header": CAPTURED_TYPES,
        **({"kms_key_id": serving.keys.data} if serving.keys.data is not None else {}),
    }


def _answers(serving: Serving, endpoint: OnlineEndpoint, topic: Node | None) -> Value:
    if topic is None:
        raise GraphError(f"endpoint {endpoint.name} has no topic for its answers")
    told = topic.ref("arn")
    return {
        "output_config": {
            "s3_output_path": serving.place("data", f"async/{endpoint.name}/answers"),
            "s3_failure_path": serving.place("data", f"async/{endpoint.name}/failures"),
            "notification_config": {"success_topic": told, "error_topic": told},
            **({"kms_key_id": serving.keys.data} if serving.keys.data is not None else {}),
        }
    }


def _topic(stack: StackBuilder, serving: Serving, origin: str) -> Node:
    """Tells whoever subscribes where an answer is; encrypted with the key that the serving role may use."""
    context = serving.context
    topic = stack.resource(
        "aws_sns_topic",
        "async",
        {"name": context.async_topic(), "kms_master_key_id": serving.keys.data or "alias/aws/sns"},
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
                principals=(Principal("AWS", (serving.roles[CODE_ROLE],)),),
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


# --- deployment and scaling ------------------------------------------------------------------------------------------


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


def _scales(endpoint: OnlineEndpoint) -> bool:
    return endpoint.mode in ("realtime", "async") and endpoint.max_replicas > endpoint.min_replicas


def _scaling(
    stack: StackBuilder, context: Context, endpoint: OnlineEndpoint, node: Node, instance: str
) -> None:
    origin = describe(endpoint)
    target = stack.resource(
        "aws_appautoscaling_target",
        endpoint.name,
        {
            "service_namespace": "sagemaker",
            "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
            "resource_id": text("endpoint/", node.ref("name"), f"/variant/{VARIANT}"),
            "min_capacity": endpoint.min_replicas,
            "max_capacity": endpoint.max_replicas,
        },
        origin=origin,
    )
    same = {name: target.ref(name) for name in ("service_namespace", "scalable_dimension", "resource_id")}
    stack.resource(
        "aws_appautoscaling_policy",
        endpoint.name,
        {
            "name": f"{context.endpoint(endpoint.name)}-load",
            "policy_type": "TargetTrackingScaling",
            **same,
            "target_tracking_scaling_policy_configuration": {
                **(
                    _backlog(context, endpoint)
                    if endpoint.mode == "async"
                    else _load(context, endpoint, instance)
                ),
                "scale_in_cooldown": SCALE_IN_COOLDOWN_S,
                "scale_out_cooldown": SCALE_OUT_COOLDOWN_S,
            },
        },
        origin=origin,
    )
    if endpoint.min_replicas == 0:
        _wake(stack, context, endpoint, same)


def _load(context: Context, endpoint: OnlineEndpoint, instance: str) -> dict[str, Value]:
    """How busy each machine is. SageMaker counts every processor to 100 %, so the target is that of all together."""
    shape = shape_of(instance)
    if shape is None:
        raise GraphError(f"no data about the processors of {instance}")
    processors, accelerators = shape
    return {
        "target_value": endpoint.target_utilization_percent * (accelerators or processors),
        "customized_metric_specification": {
            "namespace": "/aws/sagemaker/Endpoints",
            "metric_name": "GPUUtilization" if accelerators else "CPUUtilization",
            "statistic": "Average",
            "dimensions": [
                {"name": "EndpointName", "value": context.endpoint(endpoint.name)},
                {"name": "VariantName", "value": VARIANT},
            ],
        },
    }


def _backlog(context: Context, endpoint: OnlineEndpoint) -> dict[str, Value]:
    return {
        "target_value": BACKLOG_PER_INSTANCE,
        "customized_metric_specification": {
            "namespace": SERVING,
            "metric_name": "ApproximateBacklogSizePerInstance",
            "statistic": "Average",
            "dimensions": [{"name": "EndpointName", "value": context.endpoint(endpoint.name)}],
        },
    }


def _wake(stack: StackBuilder, context: Context, endpoint: OnlineEndpoint, same: Mapping[str, Value]) -> None:
    """Start the first machine: without one there is no backlog per instance to track."""
    origin = describe(endpoint)
    policy = stack.resource(
        "aws_appautoscaling_policy",
        f"{endpoint.name}-wake",
        {
            "name": f"{context.endpoint(endpoint.name)}-wake",
            "policy_type": "StepScaling",
            **same,
            "step_scaling_policy_configuration": {
                "adjustment_type": "ChangeInCapacity",
                "metric_aggregation_type": "Average",
                "cooldown": SCALE_IN_COOLDOWN_S,
                "step_adjustment": [{"metric_interval_lower_bound": "0", "scaling_adjustment": 1}],
            },
        },
        origin=origin,
    )
    metric_alarm(
        stack,
        context,
        f"wake-{endpoint.name}",
        (endpoint.name, "wake"),
        {
            "alarm_description": f"Requests of {endpoint.name} wait and no machine runs",
            "namespace": SERVING,
            "metric_name": "HasBacklogWithoutCapacity",
            "dimensions": {"EndpointName": context.endpoint(endpoint.name)},
            "statistic": "Average",
            "period": MINUTE_S,
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "threshold": 1,
            "evaluation_periods": 2,
            "datapoints_to_alarm": 2,
            "treat_missing_data": "missing",
            "alarm_actions": [policy.ref("arn")],
        },
        heard=(),
        origin=origin,
    )


# --- batch -----------------------------------------------------------------------------------------------------------


def _batch(stack: StackBuilder, serving: Serving, endpoint: OnlineEndpoint, model: Node) -> Runnable:
    """A batch endpoint is a pipeline of one transform job, which a schedule, a person or a program starts."""
    context = serving.context
    instance = machine(endpoint.instance, "transform", context.region)
    if isinstance(instance, Unavailable):
        raise GraphError(instance.message)
    name = endpoint.name
    out: Value = {
        "Std:Join": {
            "On": "/",
            "Values": [{"Get": "Parameters.Output"}, {"Get": "Execution.PipelineExecutionId"}],
        }
    }
    key = volume_key(serving.keys, instance)
    definition: Value = {
        "Version": SCHEMA,
        "Metadata": {},
        "Parameters": [
            {
                "Name": "Input",
                "Type": "String",
                "DefaultValue": serving.place("data", f"batch/{name}/input/"),
            },
            {
                "Name": "Output",
                "Type": "String",
                "DefaultValue": serving.place("data", f"batch/{name}/output"),
            },
            {"Name": "ContentType", "Type": "String", "DefaultValue": "text/csv"},
            {"Name": "Instances", "Type": "Integer", "DefaultValue": endpoint.max_replicas},
        ],
        "Steps": [
            {
                "Name": "score",
                "Type": "Transform",
                "Arguments": {
                    "ModelName": model.ref("name"),
                    "BatchStrategy": "MultiRecord",
                    "TransformInput": {
                        "DataSource": {
                            "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": {"Get": "Parameters.Input"}}
                        },
                        "ContentType": {"Get": "Parameters.ContentType"},
                        "SplitType": "Line",
                    },
                    "TransformOutput": {
                        "S3OutputPath": out,
                        "AssembleWith": "Line",
                        **({"KmsKeyId": serving.keys.data} if serving.keys.data is not None else {}),
                    },
                    "TransformResources": {
                        "InstanceType": instance,
                        "InstanceCount": {"Get": "Parameters.Instances"},
                        **({"VolumeKmsKeyId": key} if key is not None else {}),
                    },
                },
            }
        ],
    }
    pipeline = stack.resource(
        "aws_sagemaker_pipeline",
        f"{name}-batch",
        {
            "pipeline_name": context.scoring(name),
            "pipeline_display_name": context.scoring(name),
            "pipeline_description": f"Scores what is below batch/{name}/input of the data bucket",
            "role_arn": serving.roles["pipelines"],
            "pipeline_definition": JsonText(definition),
        },
        origin=describe(endpoint),
    )
    return Runnable(name=pipeline.ref("pipeline_name"), arn=pipeline.ref("arn"))
