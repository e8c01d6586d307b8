"""Monitors with a job of their own: where Vertex AI keeps requests, what the job logs, and the alerts on that.

May not make the job's pipeline, which is made as any other, nor what it starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stacks.adapter import TargetProblem
from stacks.gcp.alarms import log_alarm
from stacks.gcp.context import Context, Surroundings
from stacks.graph import StackBuilder, Value
from stacks.intents import ModelMonitor, OnlineEndpoint, TrainingPipeline, describe
from stacks.watching import (
    ALARM_METRIC,
    SCORE_METRIC,
    Sources,
    clock_problems,
    cron_of,
    unkept_problems,
    watching_pipeline,
)

__all__ = [
    "LOGGED",
    "add_watches",
    "drift_log",
    "job_of",
    "looked_table",
    "looks",
    "watched_by",
    "watching_problems",
]

LOGGED = "requests"
"""The data set that requests and answers are kept in."""


def drift_log(context: Context) -> str:
    """The name of the log that monitors' own jobs write one entry into for each window."""
    return f"projects/{context.project}/logs/{context.prefix}-drift"


def looked_table(context: Context, endpoint: str) -> str:
    """The table of an endpoint's requests, apart from its project and data set."""
    return f"endpoint_{context.endpoint_id(endpoint)}"


def job_of(context: Context, monitor: ModelMonitor) -> TrainingPipeline | None:
    """The monitor's job as a pipeline with its schedule, where it has one."""
    table = f"{context.project}.{context.name('dataset', LOGGED)}.{looked_table(context, monitor.endpoint)}"
    run = watching_pipeline(
        monitor,
        Sources(
            captured=(table,),
            captured_format="bigquery",
            publish=f"cloudlogging:{context.project}:{drift_log(context).rpartition('/')[2]}",
        ),
    )
    return replace(run, schedule=cron_of(monitor)) if run is not None else None


def looks(context: Context) -> bool:
    """Whether a monitor has a job of its own."""
    return any(job_of(context, monitor) for monitor in context.all_of(ModelMonitor))


def watched_by(around: Surroundings) -> Surroundings:
    """The same, with the monitors' account for the steps: it may read what was captured, and no other data."""
    return replace(around, roles={**around.roles, "training": around.roles["monitoring"]})


def watching_problems(context: Context) -> Iterator[TargetProblem]:
    """Refuse periods that a schedule cannot say, and endpoints that keep no requests."""
    monitors = [*context.all_of(ModelMonitor)]
    yield from clock_problems(monitors)
    yield from unkept_problems(monitors, context.all_of(OnlineEndpoint))


def add_watches(
    stack: StackBuilder, context: Context, monitors: Sequence[ModelMonitor], heard: Sequence[Value]
) -> None:
    """Count the scores that jobs log, and tell of a drift that lasts."""
    if not monitors:
        return
    log = f'logName="{drift_log(context)}"'
    stack.resource(
        "google_logging_metric",
        SCORE_METRIC.replace("_", "-"),
        {
            "name": context.name("log-metric", SCORE_METRIC.replace("_", "-")),
            "description": "The highest score of each window's drift, from 0 to 1",
            "filter": log,
            "value_extractor": f"EXTRACT(jsonPayload.{SCORE_METRIC})",
            "label_extractors": {"monitor": "EXTRACT(jsonPayload.monitor)"},
            "metric_descriptor": {
                "metric_kind": "DELTA",
                "value_type": "DISTRIBUTION",
                "unit": "1",
                "labels": [{"key": "monitor", "value_type": "STRING"}],
            },
            "bucket_options": {"linear_buckets": {"num_finite_buckets": 20, "width": 0.05, "offset": 0}},
        },
        origin=describe(monitors[0]),
    )
    for monitor in monitors:
        says = (
            f"Endpoint {monitor.endpoint} has drifted: {monitor.breaches} of the last {monitor.windows} windows of monitor "
            f"{monitor.name}"
        )
        matched = f'{log} AND jsonPayload.monitor="{monitor.name}" AND jsonPayload.{ALARM_METRIC}=1'
        told = heard if monitor.notify else ()
        log_alarm(stack, context, f"drift-{monitor.name}", says, matched, told, describe(monitor))
