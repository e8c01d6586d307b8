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
from stacks.azure.watches import watch_endpoint, watch_runs
from stacks.graph import StackBuilder
from stacks.intents import Budget, ModelRegistry, OnlineEndpoint, TrainingPipeline, describe

__all__ = ["lower", "monitoring_problems"]

USUAL_CURRENCY = "USD"


def monitoring_problems(context: Context) -> Iterator[TargetProblem]:
    """Say in which currency Azure counts."""
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
    return stack, ()
