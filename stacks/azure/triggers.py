"""Events of the workspace for those who act on them: a model was registered, a run failed.

They wait in a queue of the workspace's storage account, which the triggers' identity reads. What starts a pipeline is
the operations', since Terraform has no pipeline of Azure ML to start. May not act on an event.
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.azure.context import Account, Surroundings, Workplace
from stacks.azure.roles import Assignment, assign
from stacks.graph import Node, StackBuilder, Value

__all__ = ["add_events"]

QUEUE = "ml-events"
KEPT_S = 7 * 24 * 3600
MINUTES, ATTEMPTS = 1440, 30
"""How long and how often Event Grid tries to deliver: its most (azurerm 5.10, retry_policy)."""

READERS = ("triggers", "pipelines")
TOPIC = "Microsoft.MachineLearningServices"
EVENTS: Mapping[str, tuple[str, Value]] = {
    "model-registered": (f"{TOPIC}.ModelRegistered", None),
    "run-failed": (
        f"{TOPIC}.RunStatusChanged",
        {"string_in": [{"key": "data.runStatus", "values": ["Failed"]}]},
    ),
}
"""The type of each event, and what else has to be so (Event Grid, Azure Machine Learning as a source, November 2026)."""


def add_events(stack: StackBuilder, around: Surroundings, workplace: Workplace, origin: str) -> None:
    """Make the topic, the queue and a subscription for each kind of event."""
    context, base = around.context, around.base
    topic = stack.resource(
        "azurerm_eventgrid_system_topic",
        "ml",
        {
            "name": context.name("event-topic", "ml"),
            "location": context.region,
            "resource_group_name": base.resource_group,
            "source_resource_id": workplace.id,
            "topic_type": f"{TOPIC}.Workspaces",
            "identity": {"type": "SystemAssigned"},
            "tags": context.tags,
        },
        origin=origin,
    )
    queue = stack.resource(
        "azurerm_storage_queue",
        QUEUE,
        {"name": QUEUE, "storage_account_id": around.stores.workspace_id},
        origin=origin,
    )
    sends = _access(stack, around, topic, queue, origin)
    for name, (kind, condition) in EVENTS.items():
        stack.resource(
            "azurerm_eventgrid_system_topic_event_subscription",
            name,
            {
                "name": context.name("event-subscription", name),
                "system_topic": topic.ref("name"),
                "resource_group_name": base.resource_group,
                "event_delivery_schema": "EventGridSchema",
                "included_event_types": [kind],
                "advanced_filter": condition,
                "storage_queue_endpoint": {
                    "storage_account_id": around.stores.workspace_id,
                    "queue_name": queue.ref("name"),
                    "queue_message_time_to_live_in_seconds": KEPT_S,
                },
                "delivery_identity": {"type": "SystemAssigned"},
                "retry_policy": {"max_delivery_attempts": ATTEMPTS, "event_time_to_live": MINUTES},
            },
            origin=origin,
            depends_on=[sends],
        )
    stack.export("ml_events_queue", queue.ref("url"))


def _access(stack: StackBuilder, around: Surroundings, topic: Node, queue: Node, origin: str) -> Node:
    """Event Grid puts events into the queue as the topic; one workload takes them out."""
    itself = Account(id=topic.ref("id"), principal_id=topic.ref("identity[0].principal_id"), client_id=None)
    reader = next((purpose for purpose in READERS if purpose in around.roles), None)
    if reader is not None:
        reads = Assignment(role="queue-processor", who=reader, on=queue.ref("id"), what=QUEUE, origin=origin)
        assign(stack, around.context, around.roles[reader], reads)
    sends = Assignment(role="queue-sender", who="events", on=queue.ref("id"), what=QUEUE, origin=origin)
    return assign(stack, around.context, itself, sends)
