"""What is watched: how long endpoints take, how many of their answers fail, and runs that fail.

May not know who hears of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.azure.context import Surroundings, Workplace
from stacks.azure.watching import METRICS
from stacks.graph import StackBuilder, Value
from stacks.intents import ModelMonitor, OnlineEndpoint, describe
from stacks.record import record
from stacks.watching import ALARM_METRIC, every_s

__all__ = ["ENDPOINTS", "WORKSPACES", "watch_drift", "watch_endpoint", "watch_runs"]

ENDPOINTS = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
WORKSPACES = "Microsoft.MachineLearningServices/workspaces"
MONITOR = "Monitor"
"""The dimension that says which monitor a figure is of."""
HOUR_S = 3600
LOOKS_BACK_H = (6, 12)
"""Windows of an alert that are longer than an hour and shorter than a day (azurerm 5.10, window_size)."""
WARNING, ERROR = 2, 1
"""Severities: Azure counts from 0, the worst, to 4."""


@record
class _Watch:
    """A metric of ``scope`` that should stay below a threshold."""

    name: str
    scope: Value
    namespace: str
    metric: str
    aggregation: str
    threshold: int
    says: str
    origin: str
    of: tuple[str, str] | None = None
    window: str = "PT15M"


def watch_endpoint(
    stack: StackBuilder, around: Surroundings, endpoint: OnlineEndpoint, id_: Value, heard: Sequence[Value]
) -> None:
    """Alert when one answer in a hundred takes too long, and when too many fail by the server's fault."""
    latency = _Watch(
        name=f"{endpoint.name}-latency",
        scope=id_,
        namespace=ENDPOINTS,
        metric="RequestLatency_P99",
        aggregation="Average",
        threshold=endpoint.max_latency_ms,
        says=f"{endpoint.name}: one answer in a hundred takes longer than {endpoint.max_latency_ms} ms",
        origin=describe(endpoint),
    )
    _metric_alert(stack, around, latency, heard)
    _failing(stack, around, endpoint, heard)


def watch_runs(
    stack: StackBuilder, around: Surroundings, workplace: Workplace, heard: Sequence[Value], origin: str
) -> None:
    """Alert when a job or a pipeline's run fails."""
    failed = _Watch(
        name="failed-runs",
        scope=workplace.id,
        namespace=WORKSPACES,
        metric="Failed Runs",
        aggregation="Total",
        threshold=0,
        says="A run failed",
        origin=origin,
    )
    _metric_alert(stack, around, failed, heard)


def watch_drift(
    stack: StackBuilder, around: Surroundings, monitor: ModelMonitor, heard: Sequence[Value]
) -> None:
    """Alert while a monitor's own job says that the drift lasts; the hysteresis is the job's."""
    drifted = _Watch(
        name=f"drift-{monitor.name}",
        scope=around.base.application_insights_id,
        namespace=METRICS,
        metric=ALARM_METRIC,
        aggregation="Maximum",
        threshold=0,
        says=f"Endpoint {monitor.endpoint} has drifted: {monitor.breaches} of the last {monitor.windows} windows of monitor "
        f"{monitor.name}",
        origin=describe(monitor),
        of=(MONITOR, monitor.name),
        window=_window_over(every_s(monitor)),
    )
    _metric_alert(stack, around, drifted, heard if monitor.notify else ())


def _window_over(seconds: int) -> str:
    """The shortest window that always has a figure: one comes each time, up to an hour late. A day is the longest."""
    hours = -(-seconds // HOUR_S) + 1
    return next((f"PT{each}H" for each in LOOKS_BACK_H if each >= hours), "P1D")


def _metric_alert(stack: StackBuilder, around: Surroundings, watch: _Watch, heard: Sequence[Value]) -> None:
    stack.resource(
        "azurerm_monitor_metric_alert",
        watch.name,
        {
            "name": around.context.name("alert", watch.name),
            "resource_group_name": around.base.resource_group,
            "description": watch.says,
            "scopes": [watch.scope],
            "severity": WARNING,
            "frequency": "PT5M",
            "window_size": watch.window,
            "auto_mitigate": True,
            "criteria": {
                "metric_namespace": watch.namespace,
                "metric_name": watch.metric,
                "aggregation": watch.aggregation,
                "operator": "GreaterThan",
                "threshold": watch.threshold,
                # Nothing has been measured of what was made a moment ago.
                "skip_metric_validation": True,
                **_dimension(watch.of),
            },
            "action": [{"action_group_id": group} for group in heard] or None,
            "tags": around.context.tags,
        },
        origin=watch.origin,
    )


def _dimension(of: tuple[str, str] | None) -> dict[str, Value]:
    """What of a metric is meant: where a dimension has a value."""
    if of is None:
        return {}
    name, value = of
    return {"dimension": [{"name": name, "operator": "Include", "values": [value]}]}


def _failing(
    stack: StackBuilder, around: Surroundings, endpoint: OnlineEndpoint, heard: Sequence[Value]
) -> None:
    """A share takes two counts, which only a query divides. Its table is there once an endpoint has answered."""
    name = f"{endpoint.name}-errors"
    context = around.context
    query = "\n".join(
        (
            "AmlOnlineEndpointTrafficLog",
            f'| where EndpointName == "{context.unique_name("endpoint", endpoint.name)}"',
            "| summarize failed = countif(toint(ResponseCode) >= 500), asked = count()",
            "| where asked > 0",
            "| project percent = 100.0 * failed / asked",
        )
    )
    stack.resource(
        "azurerm_monitor_scheduled_query_rules_alert_v2",
        name,
        {
            "name": context.name("alert", name),
            "location": context.region,
            "resource_group_name": around.base.resource_group,
            "description": f"{endpoint.name}: more than {endpoint.max_error_percent} % of the answers fail",
            "scopes": [around.base.log_analytics_id],
            "severity": ERROR,
            "evaluation_frequency": "PT5M",
            "window_duration": "PT15M",
            "auto_mitigation_enabled": True,
            "skip_query_validation": True,
            "criteria": {
                "query": query,
                "time_aggregation_method": "Maximum",
                "metric_measure_column": "percent",
                "operator": "GreaterThan",
                "threshold": endpoint.max_error_percent,
                "failing_periods": {
                    "minimum_failing_periods_to_trigger_alert": 1,
                    "number_of_evaluation_periods": 1,
                },
            },
            "action": {"action_groups": list(heard)} if heard else None,
            "tags": context.tags,
        },
        origin=describe(endpoint),
    )
