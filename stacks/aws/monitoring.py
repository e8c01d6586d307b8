"""The monitoring stack: alerts and the budget, alarms, drift monitors, what starts pipelines, and the dashboard.

May not make what it watches.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stacks.adapter import Skipped, TargetProblem
from stacks.aws.alarms import endpoint_alarms, pipeline_alarm
from stacks.aws.alerts import add_alerts
from stacks.aws.context import Context, Keys, Learning, Network, Stores
from stacks.aws.dashboard import add_dashboard
from stacks.aws.monitors import Watching, add_monitors, monitor_problems
from stacks.aws.triggers import ROLE, Triggers, add_triggers, trigger_problems
from stacks.graph import StackBuilder, Value
from stacks.intents import OnlineEndpoint, TrainingPipeline, describe

__all__ = ["lower", "monitoring_problems"]

ALARMS = ("aws_cloudwatch_composite_alarm", "aws_cloudwatch_metric_alarm")


def monitoring_problems(context: Context) -> Iterator[TargetProblem]:
    """Say what SageMaker cannot watch, and what EventBridge cannot start."""
    yield from monitor_problems(context)
    yield from trigger_problems(context)


def lower(
    context: Context,
    keys: Keys,
    network: Network,
    stores: Stores,
    roles: Mapping[str, Value],
    learning: Learning,
) -> tuple[StackBuilder, Sequence[Skipped]]:
    """Make what watches over what there is; the stack is empty when there is nothing, and nobody listens.

    Return also what is planned and not made.
    """
    stack = StackBuilder("monitoring")
    alerts = add_alerts(stack, context, keys)
    for served in learning.endpoints.values():
        endpoint_alarms(stack, context, served, alerts.heard)
    for pipeline in context.all_of(TrainingPipeline):
        if pipeline.name in learning.pipelines:
            run = learning.pipelines[pipeline.name]
            pipeline_alarm(stack, context, pipeline.name, run, describe(pipeline))
    for endpoint in context.all_of(OnlineEndpoint):
        if endpoint.name in learning.scoring:
            run = learning.scoring[endpoint.name]
            pipeline_alarm(stack, context, f"{endpoint.name}--batch", run, describe(endpoint))
    watching = Watching(
        context=context,
        keys=keys,
        network=network,
        stores=stores,
        role=roles["monitoring"],
        endpoints=learning.endpoints,
        jobs=learning.watching,
    )
    watches, unwatched = add_monitors(stack, watching, alerts.heard)
    triggers = Triggers(context=context, keys=keys, learning=learning, alerts=alerts, role=roles.get(ROLE))
    unstarted = add_triggers(stack, triggers, watches)
    alarms = [node for node in stack.nodes if node.address.type in ALARMS]
    add_dashboard(stack, context, learning, watches, alarms)
    schedules = {watch.intent.name: watch.schedule for watch in watches if watch.schedule is not None}
    if schedules:
        stack.export("monitoring_schedule_names", schedules)
    return stack, (*unwatched, *unstarted)
