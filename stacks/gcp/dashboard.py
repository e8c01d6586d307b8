"""The dashboard of an environment: its alerts, endpoints, pipelines and budget.

May not make a metric or an alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from stacks.gcp.alarms import ERRORS, LATENCY, ONLINE, REQUESTS, of_endpoint
from stacks.gcp.alerts import FORECAST_PERCENT, SPENT_PERCENT
from stacks.gcp.context import Context, Learning, Served
from stacks.graph import JsonText, Node, StackBuilder, Value
from stacks.intents import Budget

__all__ = ["add_dashboard"]

Widget: TypeAlias = dict[str, Value]
Row: TypeAlias = Sequence[Widget]

COLUMNS = 48
HEIGHT = 12
HEADING = 5
PERIOD = "60s"
ALERTS_IN_ROW = 4


def add_dashboard(stack: StackBuilder, context: Context, learning: Learning, alarms: Sequence[Node]) -> None:
    """Make the dashboard when there is something to show."""
    if not (learning.endpoints or learning.pipelines or learning.scoring):
        return
    rows: list[Row] = [[_heading(context)]]
    charts: list[Widget] = [{"alertChart": {"name": alarm.ref("name")}} for alarm in alarms]
    rows += [charts[start : start + ALERTS_IN_ROW] for start in range(0, len(charts), ALERTS_IN_ROW)]
    rows += [[*_endpoint(served)] for served in learning.endpoints.values()]
    if learning.pipelines:
        rows.append([_runs(context, [*learning.pipelines])])
    dashboard = stack.resource(
        "google_monitoring_dashboard",
        "main",
        {
            "dashboard_json": JsonText(
                {
                    "displayName": f"{context.platform.name}, {context.platform.environment}",
                    "mosaicLayout": {"columns": COLUMNS, "tiles": _placed(rows)},
                }
            )
        },
        origin="dashboard",
    )
    stack.export("dashboard", dashboard.ref("id"))


def _placed(rows: Sequence[Row]) -> list[Value]:
    """Lay rows below each other, and the widgets of a row side by side."""
    placed: list[Value] = []
    top = 0
    for row in rows:
        width = COLUMNS // len(row)
        height = HEADING if "text" in row[0] else HEIGHT
        for number, widget in enumerate(row):
            tile: dict[str, Value] = {"width": width, "height": height, "widget": widget}
            # A position of nothing is what the service leaves out.
            placed.append(tile | _position(number * width, top))
        top += height
    return placed


def _position(left: int, top: int) -> dict[str, Value]:
    return {name: value for name, value in (("xPos", left), ("yPos", top)) if value}


def _heading(context: Context) -> Widget:
    budget = context.one_of(Budget)
    lines = [f"# {context.platform.name}, {context.platform.environment}"]
    if budget is not None:
        lines.append(
            f"Budget: {budget.monthly:.2f} {budget.currency} a month; alerts at {SPENT_PERCENT} % spent "
            f"and {FORECAST_PERCENT} % forecast."
        )
    return {"text": {"content": "\n".join(lines), "format": "MARKDOWN"}}


def _chart(title: str, filters: Sequence[Value], aligner: str, reducer: str) -> Widget:
    aggregation: Value = {
        "alignmentPeriod": PERIOD,
        "perSeriesAligner": aligner,
        "crossSeriesReducer": reducer,
    }
    return {
        "title": title,
        "xyChart": {
            "dataSets": [
                {
                    "plotType": "LINE",
                    "timeSeriesQuery": {"timeSeriesFilter": {"filter": it, "aggregation": aggregation}},
                }
                for it in filters
            ]
        },
    }


def _endpoint(served: Served) -> Iterator[Widget]:
    name = served.intent.name

    def of(metrics: Sequence[str]) -> list[Value]:
        return [of_endpoint(served, metric) for metric in metrics]

    yield _chart(f"{name}: requests a second", of(REQUESTS), "ALIGN_RATE", "REDUCE_SUM")
    yield _chart(f"{name}: errors a second", of(ERRORS), "ALIGN_RATE", "REDUCE_SUM")
    yield _chart(f"{name}: latency, p99 (ms)", of(LATENCY), "ALIGN_PERCENTILE_99", "REDUCE_MAX")
    busy = [f'metric.type = "{ONLINE}/{what}"' for what in ("cpu/utilization", "accelerator/duty_cycle")]
    yield _chart(f"{name}: machines (share in use)", of(busy), "ALIGN_MEAN", "REDUCE_MEAN")


def _runs(context: Context, pipelines: Sequence[str]) -> Widget:
    filters: list[Value] = [
        f'metric.type = "logging.googleapis.com/user/{context.name("log-metric", name, "failed")}"'
        for name in pipelines
    ]
    return _chart("Failed runs of pipelines", filters, "ALIGN_DELTA", "REDUCE_SUM")
