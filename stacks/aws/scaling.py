"""Autoscaling of endpoints: how busy machines are, how long a queue is, and the first machine of a fleet that sleeps.

May not make an endpoint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stacks.aws.alarms import MINUTE_S, SERVING, metric_alarm
from stacks.aws.context import Context
from stacks.aws.instances import machine, shape_of
from stacks.graph import GraphError, Node, StackBuilder, Value, text
from stacks.intents import OnlineEndpoint, describe

__all__ = ["add_scaling", "scales", "scaling_problems"]

SCALE_IN_COOLDOWN_S = 300
SCALE_OUT_COOLDOWN_S = 60
BACKLOG_PER_INSTANCE = 5
"""Requests that wait for each instance of an async endpoint; AWS's own guide to autoscaling them starts with five."""


def scaling_problems(context: Context) -> Iterator[tuple[str, str, str]]:
    """Yield an endpoint's name, and what SageMaker cannot do for it, and a hint."""
    for endpoint in context.all_of(OnlineEndpoint):
        if not scales(endpoint) or endpoint.mode != "realtime":
            continue
        found = machine(endpoint.instance, "hosting", context.region)
        if isinstance(found, str) and shape_of(found) is None:
            yield (
                endpoint.name,
                f'cannot be scaled by utilization on "{found}", whose processors the data does not have',
                "Set replicas.max to replicas.min, or take another instance.",
            )


def scales(endpoint: OnlineEndpoint) -> bool:
    """Whether an endpoint has machines to add and take away."""
    return endpoint.mode in ("realtime", "async") and endpoint.max_replicas > endpoint.min_replicas


def add_scaling(
    stack: StackBuilder,
    context: Context,
    endpoint: OnlineEndpoint,
    node: Node,
    variant: str,
    instance: str,
) -> None:
    """Keep an endpoint's machines as busy as the spec asks, or the queue of an async one short."""
    origin = describe(endpoint)
    target = stack.resource(
        "aws_appautoscaling_target",
        endpoint.name,
        {
            "service_namespace": "sagemaker",
            "scalable_dimension": "sagemaker:variant:DesiredInstanceCount",
            "resource_id": text("endpoint/", node.ref("name"), f"/variant/{variant}"),
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
                    else _load(context, endpoint, variant, instance)
                ),
                "scale_in_cooldown": SCALE_IN_COOLDOWN_S,
                "scale_out_cooldown": SCALE_OUT_COOLDOWN_S,
            },
        },
        origin=origin,
    )
    if endpoint.min_replicas == 0:
        _wake(stack, context, endpoint, same)


def _load(context: Context, endpoint: OnlineEndpoint, variant: str, instance: str) -> dict[str, Value]:
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
                {"name": "VariantName", "value": variant},
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
