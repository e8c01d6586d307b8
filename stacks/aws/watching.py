"""Monitors with a job of their own: where SageMaker keeps requests, how the job publishes, and the alarms on what it does.

May not make the job's pipeline or its schedule, which are made as any other's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from stacks.aws.alarms import metric_alarm
from stacks.aws.context import Context, Surroundings
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import ModelMonitor, TrainingPipeline, describe
from stacks.pipelines import UriOf
from stacks.watching import ALARM_METRIC, RETRAIN_METRIC, Sources, every_s, watching_pipeline

__all__ = ["LATE_H", "MOST_PERIODS", "alarms", "every_expression", "job_of", "watched_by"]

HOUR_S = 3600
LATE_H = 2
"""How many hours after a run is due its figures may come: it starts a machine first, and takes its time."""

MOST_PERIODS = 168
"""Hours that an alarm with periods of an hour may look back (CloudWatch API, PutMetricAlarm: seven days, November 2026)."""


def job_of(context: Context, monitor: ModelMonitor) -> TrainingPipeline | None:
    """The monitor's job as a pipeline, where it has one."""
    return watching_pipeline(
        monitor,
        Sources(
            captured=(UriOf("data", f"capture/{monitor.endpoint}"),),
            captured_format="sagemaker",
            publish=f"cloudwatch:{context.region}:{context.drift_namespace}",
        ),
    )


def watched_by(around: Surroundings) -> Surroundings:
    """The same, with the monitors' role for the steps: it may read what was captured, and nothing of the data beside."""
    return replace(around, roles={**around.roles, "training": around.roles["monitoring"]})


def every_expression(monitor: ModelMonitor) -> str:
    """How often a monitor's job runs, for EventBridge, which knows minutes, hours and days."""
    seconds = every_s(monitor)
    for unit, length in (("day", 86400), ("hour", HOUR_S), ("minute", 60)):
        if seconds % length == 0:
            count = seconds // length
            return f"rate({count} {unit}{'s' if count > 1 else ''})"
    return f"rate({-(-seconds // 60)} minutes)"


def alarms(
    stack: StackBuilder, context: Context, monitor: ModelMonitor, heard: Sequence[Value]
) -> tuple[Node, Node | None]:
    """What rings while drift stays, and what rings once for a retraining, which tells nobody."""
    told = heard if monitor.notify else ()
    drift = metric_alarm(
        stack,
        context,
        f"drift-{monitor.name}",
        (monitor.name, "drift"),
        {
            "alarm_description": f"Endpoint {monitor.endpoint} has drifted: {monitor.breaches} of the last "
            f"{monitor.windows} windows of monitor {monitor.name}",
            "evaluation_periods": min(-(-every_s(monitor) // HOUR_S) + LATE_H, MOST_PERIODS),
            **_raised(context, monitor, ALARM_METRIC),
        },
        heard=told,
        origin=describe(monitor),
    )
    if monitor.retrain_pipeline is None:
        return drift, None
    retrain = metric_alarm(
        stack,
        context,
        f"retrain-{monitor.name}",
        (monitor.name, "retrain"),
        {
            "alarm_description": f"Monitor {monitor.name} asks for a retraining; the cool-down is over",
            "evaluation_periods": 1,
            **_raised(context, monitor, RETRAIN_METRIC),
        },
        heard=(),
        origin=describe(monitor),
    )
    return drift, retrain


def _raised(context: Context, monitor: ModelMonitor, metric: str) -> Mapping[str, Value]:
    return {
        "namespace": context.drift_namespace,
        "metric_name": metric,
        "dimensions": {"Monitor": monitor.name},
        "statistic": "Maximum",
        "period": HOUR_S,
        "threshold": 0,
        "datapoints_to_alarm": 1,
    }
