"""The dashboard of an environment: its alarms, endpoints, pipelines, drift and budget.

May not make a metric or an alarm.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from stacks.aws.alarms import SERVING, TRAINING
from stacks.aws.alerts import FORECAST_PERCENT, SPENT_PERCENT
from stacks.aws.context import Context, Learning, Runnable, Served
from stacks.aws.monitors import DRIFT_NAMESPACE, Watch, drift_metrics
from stacks.graph import JsonText, Node, StackBuilder, Value
from stacks.intents import Budget
from stacks.watching import ALARM_METRIC, SCORE_METRIC

__all__ = ["add_dashboard"]

Widget: TypeAlias = dict[str, Value]
Row: TypeAlias = Sequence[Widget]

MACHINES = "/aws/sagemaker/Endpoints"
WIDTH = 24
HEIGHT = 6
HEADING = 2
MOST_ALARMS = 100
"""Alarms in one widget (CloudWatch User Guide, dashboard body structure, November 2026)."""


def add_dashboard(
    stack: StackBuilder,
    context: Context,
    learning: Learning,
    watches: Sequence[Watch],
    alarms: Sequence[Node],
) -> None:
    """Make the dashboard when there is something to show."""
    runs = {**learning.pipelines, **{f"{name}--batch": run for name, run in learning.scoring.items()}}
    if not (learning.endpoints or runs):
        return
    rows: list[Row] = [[_heading(context)]]
    arns = [alarm.ref("arn") for alarm in alarms]
    rows += [
        [_widget("alarm", {"title": "Alarms", "alarms": arns[start : start + MOST_ALARMS]})]
        for start in range(0, len(arns), MOST_ALARMS)
    ]
    rows += [[*_endpoint(context, served)] for served in learning.endpoints.values()]
    rows += [[*_pipeline(context, name, run)] for name, run in runs.items()]
    rows += [
        [_drift(context, watch)] for watch in watches if watch.schedule is not None and watch.intent.columns
    ]
    rows += [[_looked(context, watch)] for watch in watches if watch.job is not None]
    dashboard = stack.resource(
        "aws_cloudwatch_dashboard",
        "main",
        {
            "dashboard_name": context.name("dashboard"),
            "dashboard_body": JsonText({"widgets": _placed(rows)}),
        },
        origin="dashboard",
    )
    stack.export("dashboard_name", dashboard.ref("dashboard_name"))


def _placed(rows: Sequence[Row]) -> list[Value]:
    """Lay rows below each other, and the widgets of a row side by side."""
    placed: list[Value] = []
    top = 0
    for row in rows:
        width = WIDTH // len(row)
        height = HEADING if row[0]["type"] == "text" else HEIGHT
        for number, widget in enumerate(row):
            placed.append({"x": number * width, "y": top, "width": width, "height": height, **widget})
        top += height
    return placed


def _widget(kind: str, properties: Mapping[str, Value]) -> Widget:
    return {"type": kind, "properties": properties}


def _heading(context: Context) -> Widget:
    budget = context.one_of(Budget)
    lines = [f"# {context.platform.name}, {context.platform.environment}"]
    if budget is not None:
        lines.append(
            f"Budget: {budget.monthly:.2f} {budget.currency} a month; alerts at {SPENT_PERCENT} % spent "
            f"and {FORECAST_PERCENT} % forecast."
        )
    return _widget("text", {"markdown": "\n".join(lines)})


def _graph(context: Context, title: str, metrics: Sequence[Value], statistic: str) -> Widget:
    return _widget(
        "metric",
        {
            "title": title,
            "region": context.region,
            "view": "timeSeries",
            "stacked": False,
            "stat": statistic,
            "period": 300,
            "metrics": metrics,
        },
    )


def _metric(
    namespace: str, name: str, dimensions: Mapping[str, Value], options: Mapping[str, Value] | None = None
) -> Value:
    """A metric as a dashboard writes it: one list of namespace, name, dimensions and, last, options."""
    pairs = [part for pair in dimensions.items() for part in pair]
    return [namespace, name, *pairs, *([options] if options else [])]


def _endpoint(context: Context, served: Served) -> Iterator[Widget]:
    intent = served.intent
    variant: dict[str, Value] = {"EndpointName": served.name, "VariantName": served.variant}
    if intent.mode == "async":
        waiting: dict[str, Value] = {"EndpointName": served.name}
        asked = [
            _metric(SERVING, "ApproximateBacklogSize", waiting, {"stat": "Maximum"}),
            _metric(SERVING, "ApproximateAgeOfOldestRequest", waiting, {"stat": "Maximum", "yAxis": "right"}),
        ]
        yield _graph(context, f"{intent.name}: waiting requests, oldest (s)", asked, "Maximum")
        failed = [_metric(SERVING, "Invocation5XXErrors", variant)]
    else:
        yield _graph(context, f"{intent.name}: requests", [_metric(SERVING, "Invocations", variant)], "Sum")
        failed = [
            _metric(SERVING, "Invocation5XXErrors", variant),
            _metric(SERVING, "Invocation4XXErrors", variant),
        ]
    yield _graph(context, f"{intent.name}: errors", failed, "Sum")
    latency = [
        _metric(SERVING, "ModelLatency", variant, {"stat": stat, "label": stat}) for stat in ("p50", "p99")
    ]
    yield _graph(context, f"{intent.name}: latency (µs)", latency, "p99")
    if intent.mode != "serverless":
        busy = [
            _metric(MACHINES, name, variant, {"label": label})
            for name, label in (("CPUUtilization", "CPU"), ("GPUUtilization", "GPU"))
        ]
        yield _graph(context, f"{intent.name}: machines (% of one processor)", busy, "Average")


def _pipeline(context: Context, name: str, run: Runnable) -> Iterator[Widget]:
    of_pipeline: dict[str, Value] = {"PipelineName": run.name}
    counts = [
        _metric(TRAINING, metric, of_pipeline, {"label": label})
        for metric, label in (
            ("ExecutionStarted", "started"),
            ("ExecutionSucceeded", "succeeded"),
            ("ExecutionFailed", "failed"),
        )
    ]
    yield _graph(context, f"{name}: executions", counts, "Sum")
    yield _graph(
        context, f"{name}: duration (ms)", [_metric(TRAINING, "ExecutionDuration", of_pipeline)], "Maximum"
    )


def _looked(context: Context, watch: Watch) -> Widget:
    monitor = {"Monitor": watch.intent.name}
    metrics = [
        _metric(context.drift_namespace, metric, monitor, {"label": label})
        for metric, label in ((SCORE_METRIC, "highest score"), (ALARM_METRIC, "alarm"))
    ]
    return _graph(context, f"{watch.intent.name}: drift", metrics, "Maximum")


def _drift(context: Context, watch: Watch) -> Widget:
    metrics = [
        _metric(DRIFT_NAMESPACE, f"feature_baseline_drift_{column}", dimensions, {"label": column})
        for column in watch.intent.columns
        for dimensions in drift_metrics(column, watch.served.name, watch.schedule)
    ]
    threshold: Value = {"horizontal": [{"label": "drifted", "value": watch.intent.data_drift_threshold}]}
    return _widget(
        "metric",
        {
            "title": f"{watch.intent.name}: drift of the inputs",
            "region": context.region,
            "view": "timeSeries",
            "stacked": False,
            "stat": "Maximum",
            "period": 3600,
            "metrics": metrics,
            "annotations": threshold,
        },
    )
