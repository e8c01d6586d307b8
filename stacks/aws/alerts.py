"""Who hears of trouble: the topic, its subscriptions, and the budget.

May not know what is watched.
"""

from __future__ import annotations

from stacks.aws.context import Context, Keys
from stacks.aws.names import fitted
from stacks.aws.policy import Condition, Principal, Statement, document
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import Budget, Notifications, describe
from stacks.record import record

__all__ = ["Alerts", "add_alerts"]

PUBLISHERS = ("budgets.amazonaws.com", "cloudwatch.amazonaws.com")
SPENT_PERCENT = 80
FORECAST_PERCENT = 100


@record
class Alerts:
    """The topic that people hear, if anybody listens."""

    topic: Value = None

    @property
    def heard(self) -> list[Value]:
        """What an alarm does when its state changes."""
        return [] if self.topic is None else [self.topic]


def add_alerts(stack: StackBuilder, context: Context, keys: Keys) -> Alerts:
    """Make the topic and the budget, as far as the platform asks for them."""
    notifications, budget = context.one_of(Notifications), context.one_of(Budget)
    asked = [describe(intent) for intent in (notifications, budget) if intent is not None]
    if not asked:
        return Alerts()
    topic = _topic(stack, context, keys, " and ".join(asked))
    stack.export("alerts_topic_arn", topic.ref("arn"))
    if budget is not None:
        _budget(stack, context, budget, topic)
    if notifications is None:
        return Alerts()
    for number, email in enumerate(notifications.emails, start=1):
        stack.resource(
            "aws_sns_topic_subscription",
            f"email-{number}",
            {"topic_arn": topic.ref("arn"), "protocol": "email", "endpoint": email},
            origin=describe(notifications),
        )
    return Alerts(topic=topic.ref("arn"))


def _topic(stack: StackBuilder, context: Context, keys: Keys, origin: str) -> Node:
    topic = stack.resource(
        "aws_sns_topic",
        "alerts",
        {
            "name": fitted("topic", f"{context.prefix}-alerts"),
            # SNS's own key admits no other service: with it, neither alarms nor rules nor budgets would arrive.
            "kms_master_key_id": keys.logs,
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
            # EventBridge may send no source that a condition could look at (its User Guide, for topics).
            Statement(
                sid="Rules",
                actions=("sns:Publish",),
                resources=(arn,),
                principals=(Principal("Service", ("events.amazonaws.com",)),),
            ),
            Statement(
                sid="DenyOtherAccounts",
                effect="Deny",
                actions=("sns:Publish",),
                resources=(arn,),
                principals=(Principal("AWS", ("*",)),),
                conditions=(
                    Condition("Null", "aws:SourceAccount", ("false",)),
                    Condition("StringNotEquals", "aws:SourceAccount", (context.account,)),
                ),
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
