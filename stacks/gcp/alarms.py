"""Alert policies on what serves and what runs: latency and errors of endpoints, failures of runs and of what starts them.

May not know who hears them, nor make what they watch.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.gcp.context import Context, Served
from stacks.graph import Node, StackBuilder, Value, text
from stacks.intents import describe
from stacks.record import record

__all__ = [
    "ENDPOINT",
    "ERRORS",
    "LATENCY",
    "ONLINE",
    "REQUESTS",
    "endpoint_alarms",
    "failures_filter",
    "flow_alarm",
    "log_alarm",
    "of_endpoint",
    "run_alarm",
]

ENDPOINT = 'resource.type = "aiplatform.googleapis.com/Endpoint"'
ONLINE = "aiplatform.googleapis.com/prediction/online"
LATENCY = (
    f'metric.type = "{ONLINE}/prediction_latencies" AND metric.labels.latency_type = "total"',
    f'metric.type = "{ONLINE}/private/prediction_latencies"',
)
REQUESTS = (
    f'metric.type = "{ONLINE}/response_count"',
    f'metric.type = "{ONLINE}/private/response_count"',
)
ERRORS = (
    f'{REQUESTS[0]} AND metric.labels.response_code = "5xx"',
    f"{REQUESTS[1]} AND metric.labels.response_code >= 500",
)
"""Two of each: an endpoint inside a network counts apart (Cloud Monitoring, metrics of aiplatform, November 2026)."""

RUN_LOG = "aiplatform.googleapis.com%2Fpipeline_job_events"
FAILED = "PIPELINE_STATE_FAILED"
"""How Vertex AI logs the end of a run (Vertex AI, view pipeline job logs; Cloud Logging, log types; November 2026)."""

MINUTE = "60s"
AFTER = "180s"
CLOSES_AFTER = "86400s"
AT_MOST_EACH = "3600s"


@record
class _Policy:
    """What a policy says of itself: its place in the graph, its title, and what happened when it rings."""

    address: str
    title: str
    says: str
    origin: str


def endpoint_alarms(
    stack: StackBuilder, context: Context, served: Served, heard: Sequence[Value]
) -> list[Node]:
    """Watch an endpoint: one answer in a hundred is slow, or requests fail by the server's fault."""
    intent = served.intent
    latency = _policy(
        stack,
        context,
        _Policy(
            address=f"latency-{intent.name}",
            title=f"{intent.name}: slow",
            says=f"One answer in a hundred of endpoint {intent.name} takes longer than {intent.max_latency_ms} ms",
            origin=describe(intent),
        ),
        [
            _condition(
                f"{intent.name}: latency",
                {
                    "filter": of_endpoint(served, metric),
                    "threshold_value": intent.max_latency_ms,
                    "aggregations": [_aggregation("ALIGN_PERCENTILE_99", "REDUCE_MAX")],
                },
            )
            for metric in LATENCY
        ],
        heard,
    )
    errors = _policy(
        stack,
        context,
        _Policy(
            address=f"errors-{intent.name}",
            title=f"{intent.name}: errors",
            says=f"Endpoint {intent.name} fails more than {intent.max_error_percent:g} % of its requests",
            origin=describe(intent),
        ),
        [
            _condition(
                f"{intent.name}: share of failed requests",
                {
                    "filter": of_endpoint(served, failed),
                    "denominator_filter": of_endpoint(served, requests),
                    "threshold_value": intent.max_error_percent / 100,
                    "aggregations": [_aggregation("ALIGN_RATE", "REDUCE_SUM")],
                    "denominator_aggregations": [_aggregation("ALIGN_RATE", "REDUCE_SUM")],
                },
            )
            for failed, requests in zip(ERRORS, REQUESTS, strict=True)
        ],
        heard,
    )
    return [latency, errors]


def of_endpoint(served: Served, metric: str) -> Value:
    """A metric of one endpoint, as Cloud Monitoring filters it."""
    return text(f'{ENDPOINT} AND resource.labels.endpoint_id = "', served.id, f'" AND {metric}')


def failures_filter(context: Context, pipeline: str) -> str:
    """The log entries of a pipeline's runs that failed."""
    return (
        f'logName="projects/{context.project}/logs/{RUN_LOG}" AND jsonPayload.state="{FAILED}" '
        f'AND labels.pipeline_name="{context.name("resource", pipeline)}"'
    )


def run_alarm(
    stack: StackBuilder, context: Context, pipeline: str, heard: Sequence[Value], origin: str
) -> Node:
    """Tell of each run that failed, and count them for the dashboard."""
    stack.resource(
        "google_logging_metric",
        f"failed-{pipeline}",
        {
            "name": context.name("log-metric", pipeline, "failed"),
            "description": f"Runs of pipeline {pipeline} that failed",
            "filter": failures_filter(context, pipeline),
            "metric_descriptor": {"metric_kind": "DELTA", "value_type": "INT64", "unit": "1"},
        },
        origin=origin,
    )
    return _policy(
        stack,
        context,
        _Policy(
            address=f"failed-{pipeline}",
            title=f"{pipeline}: failed",
            says=f"A run of pipeline {pipeline} failed",
            origin=origin,
        ),
        [
            {
                "display_name": f"{pipeline}: a run failed",
                "condition_matched_log": {"filter": failures_filter(context, pipeline)},
            }
        ],
        heard,
        limited=True,
    )


def log_alarm(
    stack: StackBuilder,
    context: Context,
    name: str,
    says: str,
    matched: str,
    heard: Sequence[Value],
    origin: str,
) -> Node:
    """Tell of log entries that match a filter, once an hour at most."""
    return _policy(
        stack,
        context,
        _Policy(address=name, title=name.replace("-", ": ", 1), says=says, origin=origin),
        [{"display_name": name, "condition_matched_log": {"filter": matched}}],
        heard,
        limited=True,
    )


def flow_alarm(
    stack: StackBuilder, context: Context, name: str, flow: Node, heard: Sequence[Value], origin: str
) -> Node:
    """Tell of what should have started something, and did not."""
    workflow = 'resource.type = "workflows.googleapis.com/Workflow" AND resource.labels.workflow_id = "'
    failed = '" AND metric.type = "workflows.googleapis.com/finished_execution_count" AND metric.labels.status = "FAILED"'
    return _policy(
        stack,
        context,
        _Policy(
            address=f"flow-{name}",
            title=f"{name}: not done",
            says=f"{name} was to be started by a schedule or an event, and failed",
            origin=origin,
        ),
        [
            {
                "display_name": f"{name}: a workflow failed",
                "condition_threshold": {
                    "filter": text(workflow, flow.ref("name"), failed),
                    "comparison": "COMPARISON_GT",
                    "threshold_value": 0,
                    "duration": "0s",
                    "aggregations": [_aggregation("ALIGN_DELTA", "REDUCE_SUM")],
                    "trigger": {"count": 1},
                },
            }
        ],
        heard,
    )


def _condition(name: str, threshold: dict[str, Value]) -> Value:
    return {
        "display_name": name,
        "condition_threshold": {
            "comparison": "COMPARISON_GT",
            "duration": AFTER,
            "evaluation_missing_data": "EVALUATION_MISSING_DATA_INACTIVE",
            "trigger": {"count": 1},
            **threshold,
        },
    }


def _aggregation(aligner: str, reducer: str) -> Value:
    return {"alignment_period": MINUTE, "per_series_aligner": aligner, "cross_series_reducer": reducer}


def _policy(
    stack: StackBuilder,
    context: Context,
    policy: _Policy,
    conditions: Sequence[Value],
    heard: Sequence[Value],
    *,
    limited: bool = False,
) -> Node:
    """Add a policy; one over logs needs a limit of how often it tells."""
    strategy: dict[str, Value] = {"auto_close": CLOSES_AFTER}
    if limited:
        strategy["notification_rate_limit"] = {"period": AT_MOST_EACH}
    return stack.resource(
        "google_monitoring_alert_policy",
        policy.address,
        {
            "display_name": f"{context.prefix} {policy.title}",
            "combiner": "OR",
            "enabled": True,
            "severity": "WARNING",
            "conditions": list(conditions),
            "notification_channels": list(heard) or None,
            "alert_strategy": strategy,
            "documentation": {"content": policy.says, "mime_type": "text/markdown"},
            "user_labels": context.labels,
        },
        origin=policy.origin,
    )
