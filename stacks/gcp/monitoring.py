"""The monitoring stack: alerts and the budget, alert policies, what starts runs, and the dashboard.

A monitor of drift itself is no resource of Terraform's. May not make what it watches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stacks.adapter import Skipped, TargetProblem
from stacks.gcp.alarms import endpoint_alarms, run_alarm
from stacks.gcp.alerts import add_alerts, alert_problems
from stacks.gcp.context import Context, Keys, Learning, Network, Registry, Roles, Stores, Surroundings
from stacks.gcp.dashboard import add_dashboard
from stacks.gcp.triggers import Triggers, add_triggers, trigger_problems
from stacks.gcp.watching import add_watches, watching_problems
from stacks.graph import StackBuilder
from stacks.intents import ModelMonitor, TrainingPipeline, describe
from stacks.watching import baseline_remedy

__all__ = ["lower", "monitoring_problems"]

ALARM = "google_monitoring_alert_policy"


def monitoring_problems(context: Context) -> Iterator[TargetProblem]:
    """Say what cannot be started, and who would not be told."""
    yield from alert_problems(context)
    yield from trigger_problems(context)
    yield from watching_problems(context)


def lower(
    context: Context, keys: Keys, network: Network, stores: Stores, roles: Roles, learning: Learning
) -> tuple[StackBuilder, Sequence[Skipped]]:
    """Make what watches over what there is; the stack is empty when there is nothing, and nobody listens.

    Return also what is planned and not made.
    """
    stack = StackBuilder("monitoring")
    around = Surroundings(
        context=context, keys=keys, network=network, stores=stores, registry=Registry(), roles=roles
    )
    alerts = add_alerts(stack, context, keys)
    for served in learning.endpoints.values():
        endpoint_alarms(stack, context, served, alerts.heard)
    for pipeline in context.all_of(TrainingPipeline):
        if pipeline.name in learning.pipelines:
            run_alarm(stack, context, pipeline.name, alerts.heard, describe(pipeline))
    watched = [it for it in context.all_of(ModelMonitor) if it.name in learning.watching]
    add_watches(stack, context, watched, alerts.heard)
    triggers = Triggers(around=around, learning=learning, alerts=alerts)
    unstarted = add_triggers(stack, triggers)
    alarms = [node for node in stack.nodes if node.address.type == ALARM]
    add_dashboard(stack, context, learning, alarms)
    return stack, (*_unwatched(context, learning), *unstarted)


def _unwatched(context: Context, learning: Learning) -> Iterator[Skipped]:
    """Say of each monitor what is there of it, and what operations make."""
    for monitor in context.all_of(ModelMonitor):
        if monitor.endpoint not in learning.endpoints:
            yield Skipped(
                intent=describe(monitor),
                reason=f"endpoint {monitor.endpoint} is none that answers at once: there is nothing to watch",
            )
        elif monitor.image is None:
            yield Skipped(
                intent=describe(monitor),
                reason="Vertex AI's own monitor is no resource of Terraform's",
                remedy=f"Name an image in monitors.{monitor.name}.image: a job of its own looks for drift.",
                in_part=True,
            )
        elif monitor.baseline is None:
            yield Skipped(
                intent=describe(monitor),
                reason="there is no baseline to compare with",
                remedy=baseline_remedy(monitor),
            )
