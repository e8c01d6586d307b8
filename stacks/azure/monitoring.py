"""The monitoring stack: alerts and the budget, what is watched, the workspace's events, and the dashboard.

May not make what it watches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stacks.adapter import Skipped, TargetProblem
from stacks.azure.alerts import add_alerts
from stacks.azure.context import Context, Learning, Surroundings, Workplace
from stacks.azure.dashboard import add_dashboard
from stacks.azure.triggers import add_events
from stacks.azure.watches import watch_drift, watch_endpoint, watch_runs
from stacks.azure.watching import job_of, watching_problems
from stacks.graph import StackBuilder
from stacks.intents import Budget, ModelMonitor, ModelRegistry, OnlineEndpoint, TrainingPipeline, describe
from stacks.watching import baseline_remedy

__all__ = ["lower", "monitoring_problems"]

USUAL_CURRENCY = "USD"


def monitoring_problems(context: Context) -> Iterator[TargetProblem]:
    """Say in which currency Azure counts, and which monitors cannot look."""
    yield from watching_problems(context)
    budget = context.one_of(Budget)
    if budget is not None and budget.currency != USUAL_CURRENCY:
        yield TargetProblem(
            path=("alerts", "budget", "currency"),
            code="budget-currency",
            message=(
                f"alerts.budget.currency {budget.currency} is not converted: Azure counts in the subscription's own billing "
                "currency"
            ),
            hint="Write the amount in that currency.",
            warning=True,
        )


def lower(
    around: Surroundings, workplace: Workplace | None, learning: Learning
) -> tuple[StackBuilder, Sequence[Skipped]]:
    """Make what watches over what there is; the stack is empty when there is nothing, and nobody listens.

    Return also what is left to do.
    """
    context = around.context
    stack = StackBuilder("monitoring")
    alerts = add_alerts(stack, around)
    endpoints = {endpoint.name: endpoint for endpoint in context.all_of(OnlineEndpoint)}
    for name, id_ in learning.endpoints.items():
        watch_endpoint(stack, around, endpoints[name], id_, alerts.heard)
    runs = [
        intent
        for intent in context.platform.intents
        if isinstance(intent, TrainingPipeline)
        or (isinstance(intent, OnlineEndpoint) and intent.mode == "batch")
    ]
    models = tuple(context.all_of(ModelRegistry))
    if workplace is not None and (runs or models):
        origin = describe((*runs, *models)[0])
        watch_runs(stack, around, workplace, alerts.heard, origin)
        add_events(stack, around, workplace, origin)
        add_dashboard(stack, around, workplace, learning)
    for monitor in context.all_of(ModelMonitor):
        if job_of(context, monitor) is not None and monitor.endpoint in learning.endpoints:
            watch_drift(stack, around, monitor, alerts.heard)
    return stack, (*_unwatched(context),)


def _unwatched(context: Context) -> Iterator[Skipped]:
    """Say of each monitor what is not there, and what operations make."""
    for monitor in context.all_of(ModelMonitor):
        if monitor.image is None:
            yield Skipped(
                intent=describe(monitor),
                reason="a monitor of Azure ML names a deployment and registered data, which no stack has",
                remedy=f"Name an image in monitors.{monitor.name}.image: a job of its own looks for drift.",
            )
        elif monitor.baseline is None:
            yield Skipped(
                intent=describe(monitor),
                reason="there is no baseline to compare with",
                remedy=baseline_remedy(monitor),
            )
