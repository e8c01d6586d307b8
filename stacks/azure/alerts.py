"""Who hears of trouble: an action group, and the budget.

May not know what is watched.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path

from stacks.azure.context import Surroundings
from stacks.graph import Lifecycle, Node, StackBuilder, Value
from stacks.intents import Budget, Notifications, describe
from stacks.record import record

__all__ = ["FORECAST_PERCENT", "SPENT_PERCENT", "Alerts", "add_alerts", "budget_start"]

LONGEST_SHORT_NAME = 12
"""Characters of an action group's short name (azurerm 5.10, azurerm_monitor_action_group)."""
SPENT_PERCENT = 80
FORECAST_PERCENT = 100
DATES = Path(__file__).with_name("budget.toml")


@record
class Alerts:
    """The group that people hear through, if anybody listens."""

    group: Value = None

    @property
    def heard(self) -> list[Value]:
        """The action groups of an alert."""
        return [] if self.group is None else [self.group]


@cache
def budget_start() -> str:
    """The month in which a new budget starts, from ``budget.toml``: no clock is read here."""
    start: str = tomllib.loads(DATES.read_text(encoding="utf-8"))["start"]
    return start


def add_alerts(stack: StackBuilder, around: Surroundings) -> Alerts:
    """Make the group and the budget, as far as the platform asks for them."""
    context = around.context
    notifications, budget = context.one_of(Notifications), context.one_of(Budget)
    group: Node | None = None
    if notifications is not None and notifications.emails:
        group = _group(stack, around, notifications)
        stack.export("action_group_id", group.ref("id"))
    if budget is not None:
        _budget(stack, around, budget, group)
    return Alerts(group=None if group is None else group.ref("id"))


def _group(stack: StackBuilder, around: Surroundings, intent: Notifications) -> Node:
    context = around.context
    return stack.resource(
        "azurerm_monitor_action_group",
        "alerts",
        {
            "name": context.name("action-group", "alerts"),
            "resource_group_name": around.base.resource_group,
            "short_name": context.prefix[:LONGEST_SHORT_NAME].rstrip("-"),
            "email_receiver": [
                {"name": f"email-{number}", "email_address": email, "use_common_alert_schema": True}
                for number, email in enumerate(intent.emails, start=1)
            ],
            "tags": context.tags,
        },
        origin=describe(intent),
    )


def _budget(stack: StackBuilder, around: Surroundings, intent: Budget, group: Node | None) -> None:
    """The costs of the resource group. Azure refuses a new start for a budget that is there, so its own is kept."""
    stack.resource(
        "azurerm_consumption_budget_resource_group",
        "monthly",
        {
            "name": around.context.name("budget", "monthly"),
            "resource_group_id": around.base.resource_group_id,
            "amount": intent.monthly,
            "time_grain": "Monthly",
            "time_period": {"start_date": budget_start()},
            "notification": [
                _notification(group, "Actual", SPENT_PERCENT),
                _notification(group, "Forecasted", FORECAST_PERCENT),
            ],
        },
        origin=describe(intent),
        lifecycle=Lifecycle(ignore_changes=("time_period",)),
    )


def _notification(group: Node | None, kind: str, percent: int) -> Value:
    """Told to the group, or, where nobody listens, to the resource group's owners."""
    to: dict[str, Value] = (
        {"contact_roles": ["Owner"]} if group is None else {"contact_groups": [group.ref("id")]}
    )
    return {"operator": "GreaterThanOrEqualTo", "threshold": percent, "threshold_type": kind, **to}
