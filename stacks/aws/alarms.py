"""Alarms on what serves and what runs: errors, latency and backlog of endpoints, failures of pipelines.

May not know who hears them, nor make what they watch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import assert_never

from stacks.aws.context import Context, Runnable, Served
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import OnlineEndpoint, describe

__all__ = [
    "MINUTE_S",
    "SERVING",
    "TRAINING",
    "endpoint_alarms",
    "failed_share",
    "metric_alarm",
    "pipeline_alarm",
]

SERVING = "AWS/SageMaker"
TRAINING = "AWS/Sagemaker/ModelBuildingPipeline"
"""Namespaces, spelled as AWS spells them (SageMaker Developer Guide, monitoring with CloudWatch, November 2026)."""

MINUTE_S = 60
FIVE_MINUTES_S = 300
US_PER_MS = 1000
LONGEST_WAIT_S = 1800
"""From which age the oldest waiting request of an async endpoint is told of: a first machine is up well before."""


def metric_alarm(
    stack: StackBuilder,
    context: Context,
    address: str,
    parts: Sequence[str],
    arguments: Mapping[str, Value],
    *,
    heard: Sequence[Value],
    origin: str,
) -> Node:
    """Add an alarm; no data is no alarm. ``heard`` are told when it rings and when it is over."""
    return stack.resource(
        "aws_cloudwatch_metric_alarm",
        address,
        {
            "alarm_name": context.name("alarm", *parts),
            "treat_missing_data": "notBreaching",
            "comparison_operator": "GreaterThanThreshold",
            "alarm_actions": list(heard) or None,
            "ok_actions": list(heard) or None,
            **arguments,
        },
        origin=origin,
    )


def endpoint_alarms(
    stack: StackBuilder, context: Context, served: Served, heard: Sequence[Value]
) -> list[Node]:
    """Watch an endpoint in the ways of its mode."""
    match served.intent.mode:
        case "realtime" | "serverless":
            return [_errors(stack, context, served, heard), _latency(stack, context, served, heard)]
        case "async":
            return [_errors(stack, context, served, heard), _backlog(stack, context, served, heard)]
        case "batch":
            return []
        case _:
            assert_never(served.intent.mode)


def _of_variant(served: Served) -> dict[str, Value]:
    return {"EndpointName": served.name, "VariantName": served.variant}


def failed_share(endpoint: OnlineEndpoint, dimensions: Mapping[str, Value]) -> list[Value]:
    """The share of requests that fail by the server's fault, in percent, as an alarm's queries.

    An async endpoint publishes no ``Invocations``: there, the average of zeros and ones is the share.
    """
    if endpoint.mode == "async":
        counted = [_query("failed", "Invocation5XXErrors", "Average", dimensions)]
        share = "100 * failed"
    else:
        counted = [
            _query("failed", "Invocation5XXErrors", "Sum", dimensions),
            _query("requests", "Invocations", "Sum", dimensions),
        ]
        share = "100 * failed / requests"
    return [*counted, {"id": "share", "expression": share, "label": "Failed (%)", "return_data": True}]


def _errors(stack: StackBuilder, context: Context, served: Served, heard: Sequence[Value]) -> Node:
    """Too many requests fail, in three of five minutes."""
    intent = served.intent
    return metric_alarm(
        stack,
        context,
        f"errors-{intent.name}",
        (intent.name, "errors"),
        {
            "alarm_description": f"Endpoint {intent.name} fails more than {intent.max_error_percent:g} % of its requests",
            "threshold": intent.max_error_percent,
            "evaluation_periods": 5,
            "datapoints_to_alarm": 3,
            "metric_query": failed_share(intent, _of_variant(served)),
        },
        heard=heard,
        origin=describe(intent),
    )


def _query(id_: str, metric: str, statistic: str, dimensions: Mapping[str, Value]) -> Value:
    return {
        "id": id_,
        "metric": {
            "namespace": SERVING,
            "metric_name": metric,
            "dimensions": dimensions,
            "period": MINUTE_S,
            "stat": statistic,
        },
    }


def _latency(stack: StackBuilder, context: Context, served: Served, heard: Sequence[Value]) -> Node:
    """One answer in a hundred takes longer, in three of five minutes; SageMaker counts microseconds."""
    intent = served.intent
    return metric_alarm(
        stack,
        context,
        f"latency-{intent.name}",
        (intent.name, "latency"),
        {
            "alarm_description": f"One answer in a hundred of endpoint {intent.name} takes more than {intent.max_latency_ms} ms",
            "namespace": SERVING,
            "metric_name": "ModelLatency",
            "dimensions": _of_variant(served),
            "extended_statistic": "p99",
            "period": MINUTE_S,
            "threshold": intent.max_latency_ms * US_PER_MS,
            "evaluation_periods": 5,
            "datapoints_to_alarm": 3,
        },
        heard=heard,
        origin=describe(intent),
    )


def _backlog(stack: StackBuilder, context: Context, served: Served, heard: Sequence[Value]) -> Node:
    """A request waits too long; the queue's metrics have no variant."""
    intent = served.intent
    return metric_alarm(
        stack,
        context,
        f"backlog-{intent.name}",
        (intent.name, "backlog"),
        {
            "alarm_description": f"Endpoint {intent.name} has a request that waits for more than {LONGEST_WAIT_S} s",
            "namespace": SERVING,
            "metric_name": "ApproximateAgeOfOldestRequest",
            "dimensions": {"EndpointName": served.name},
            "statistic": "Maximum",
            "period": FIVE_MINUTES_S,
            "threshold": LONGEST_WAIT_S,
            "evaluation_periods": 3,
            "datapoints_to_alarm": 2,
        },
        heard=heard,
        origin=describe(intent),
    )


def pipeline_alarm(stack: StackBuilder, context: Context, name: str, run: Runnable, origin: str) -> Node:
    """Show that a pipeline failed. It tells nobody: an event tells of each failed execution, and which one it is."""
    return metric_alarm(
        stack,
        context,
        f"failed-{name}",
        (name, "failed"),
        {
            "alarm_description": f"Pipeline {name} failed; the message about it names the execution",
            "namespace": TRAINING,
            "metric_name": "ExecutionFailed",
            "dimensions": {"PipelineName": run.name},
            "statistic": "Sum",
            "period": FIVE_MINUTES_S,
            "threshold": 0,
            "evaluation_periods": 1,
            "datapoints_to_alarm": 1,
        },
        heard=(),
        origin=origin,
    )
