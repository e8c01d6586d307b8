"""The monitoring stack: where alerts go, and the budget.

May not make what it watches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.adapter import Skipped
from stacks.aws.context import Context, Keys, Learning, Network, Stores
from stacks.aws.names import fitted
from stacks.aws.policy import Condition, Principal, Statement, document
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import Budget, Notifications, describe

__all__ = ["lower"]

PUBLISHERS = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com", "events.amazonaws.com")
SPENT_PERCENT = 80
FORECAST_PERCENT = 100


def lower(
    context: Context,
    keys: Keys,
    network: Network,
    stores: Stores,
    roles: Mapping[str, Value],
    learning: Learning,
) -> tuple[StackBuilder, Sequence[Skipped]]:
    """Make the topic and the budget; the stack is empty when the platform asks for neither."""
    stack = StackBuilder("monitoring")
    notifications, budget = context.one_of(Notifications), context.one_of(Budget)
    if notifications is None and budget is None:
        return stack, ()
    topic = _topic(
        stack, context, keys, " and ".join(describe(i) for i in (notifications, budget) if i is not None)
    )
    if notifications is not None:
        for number, email in enumerate(notifications.emails, start=1):
            stack.resource(
                "aws_sns_topic_subscription",
                f"email-{number}",
                {"topic_arn": topic.ref("arn"), "protocol": "email", "endpoint": email},
                origin=describe(notifications),
            )
    if budget is not None:
        _budget(stack, context, budget, topic)
    stack.export("alerts_topic_arn", topic.ref("arn"))
    return stack, ()


def _topic(stack: StackBuilder, context: Context, keys: Keys, origin: str) -> Node:
    topic = stack.resource(
        "aws_sns_topic",
        "alerts",
        {
            "name": fitted("topic", f"{context.prefix}-alerts"),
            "kms_master_key_id": keys.logs or "alias/aws/sns",
        },
        origin=origin,
    )
    arn = topic.ref("arn")
    policy = document(
        stack,
        "topic-alerts",
        [
            Statement(
                sid="Publishers",
                actions=("sns:Publish",),
                resources=(arn,),
                principals=(Principal("Service", PUBLISHERS),),
                conditions=(Condition("StringEquals", "aws:SourceAccount", (context.account,)),),
            ),
            Statement(
                sid="DenyInsecureTransport",
                effect="Deny",
                actions=("sns:Publish",),
                resources=(arn,),
                principals=(Principal("AWS", ("*",)),),
                conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
            ),
        ],
        origin=origin,
    )
    stack.resource("aws_sns_topic_policy", "alerts", {"arn": arn, "policy": policy}, origin=origin)
    return topic


def _budget(stack: StackBuilder, context: Context, intent: Budget, topic: Node) -> None:
    """The costs of what carries the platform's tag; AWS counts them once the tag is activated for cost allocation."""
    stack.resource(
        "aws_budgets_budget",
        "monthly",
        {
            "name": fitted("budget", f"{context.prefix}-monthly"),
            "budget_type": "COST",
            "limit_amount": f"{intent.monthly:.2f}",
            "limit_unit": intent.currency,
            "time_unit": "MONTHLY",
            "cost_filter": [
                {"name": "TagKeyValue", "values": [f"user:platform${context.platform.name}"]},
            ],
            "notification": [
                _alert(topic, "ACTUAL", SPENT_PERCENT),
                _alert(topic, "FORECASTED", FORECAST_PERCENT),
            ],
        },
        origin=describe(intent),
    )


def _alert(topic: Node, kind: str, percent: int) -> Value:
    return {
        "comparison_operator": "GREATER_THAN",
        "threshold": percent,
        "threshold_type": "PERCENTAGE",
        "notification_type": kind,
        "subscriber_sns_topic_arns": [topic.ref("arn")],
    }
