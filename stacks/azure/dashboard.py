"""The dashboard of an environment: its runs, its endpoints and its budget.

May not make a metric or an alert.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stacks.azure.alerts import FORECAST_PERCENT, SPENT_PERCENT
from stacks.azure.context import Learning, Surroundings, Workplace
from stacks.azure.watches import ENDPOINTS, WORKSPACES
from stacks.graph import JsonText, StackBuilder, Value
from stacks.intents import Budget

__all__ = ["add_dashboard"]

CHART = "Extension/HubsExtension/PartType/MonitorChartPart"
TEXT = "Extension/HubsExtension/PartType/MarkdownPart"
WIDTH, HEIGHT = 6, 4
LINES = 2
AVERAGE, TOTAL = 4, 1
"""Aggregations of a chart's metric, as the portal numbers them."""


def add_dashboard(
    stack: StackBuilder, around: Surroundings, workplace: Workplace, learning: Learning
) -> None:
    """Make the dashboard of the workspace."""
    context = around.context
    parts = [*_parts(around, workplace, learning)]
    dashboard = stack.resource(
        "azurerm_portal_dashboard",
        "main",
        {
            "name": context.name("dashboard"),
            "location": context.region,
            "resource_group_name": around.base.resource_group,
            "dashboard_properties": JsonText(
                {
                    "lenses": {
                        "0": {"order": 0, "parts": {str(number): part for number, part in enumerate(parts)}}
                    },
                    "metadata": {"model": {}},
                }
            ),
            "tags": {**context.tags, "hidden-title": f"Machine learning of {context.prefix}"},
        },
        origin="dashboard",
    )
    stack.export("dashboard_id", dashboard.ref("id"))


def _parts(around: Surroundings, workplace: Workplace, learning: Learning) -> Iterator[Value]:
    yield _heading(around)
    yield _chart(0, LINES, "Runs", workplace.id, WORKSPACES, ("Completed Runs", "Failed Runs"), TOTAL)
    top = LINES + HEIGHT
    for name, id_ in learning.endpoints.items():
        asked = ("RequestsPerMinute",)
        yield _chart(0, top, f"{name}: requests a minute", id_, ENDPOINTS, asked, AVERAGE)
        took = ("RequestLatency_P50", "RequestLatency_P99")
        yield _chart(WIDTH, top, f"{name}: latency (ms)", id_, ENDPOINTS, took, AVERAGE)
        top += HEIGHT


def _heading(around: Surroundings) -> Value:
    context = around.context
    lines = [f"# {context.platform.name}, {context.platform.environment}"]
    budget = context.one_of(Budget)
    if budget is not None:
        lines.append(
            f"Budget: {budget.monthly:.2f} {budget.currency} a month; alerts at {SPENT_PERCENT} % spent "
            f"and {FORECAST_PERCENT} % forecast."
        )
    settings: Value = {"content": "\n\n".join(lines), "title": "", "subtitle": "", "markdownSource": 1}
    return {
        "position": {"x": 0, "y": 0, "colSpan": 2 * WIDTH, "rowSpan": LINES},
        "metadata": {
            "type": TEXT,
            "inputs": [],
            "settings": {"content": {"settings": settings}},
        },
    }


def _chart(
    left: int,
    top: int,
    title: str,
    id_: Value,
    namespace: str,
    names: Sequence[str],
    aggregation: int,
) -> Value:
    metrics: list[Value] = [
        {
            "resourceMetadata": {"id": id_},
            "name": name,
            "aggregationType": aggregation,
            "namespace": namespace.lower(),
            "metricVisualization": {"displayName": name},
        }
        for name in names
    ]
    chart: Value = {"metrics": metrics, "title": title, "titleKind": 2, "visualization": {"chartType": 2}}
    return {
        "position": {"x": left, "y": top, "colSpan": WIDTH, "rowSpan": HEIGHT},
        "metadata": {
            "type": CHART,
            "inputs": [
                {"name": "options", "isOptional": True},
                {"name": "sharedTimeRange", "isOptional": True},
            ],
            "settings": {"content": {"options": {"chart": chart}}},
        },
    }
