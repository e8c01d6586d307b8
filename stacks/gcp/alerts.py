"""Who hears of trouble: the notification channels, and the budget.

May not know what is watched.
"""

from __future__ import annotations

from collections.abc import Iterator

from stacks.adapter import TargetProblem
from stacks.gcp.context import Context, Keys
from stacks.gcp.names import label
from stacks.graph import Node, StackBuilder, Value, text
from stacks.intents import Budget, Notifications, describe
from stacks.record import record

__all__ = ["FORECAST_PERCENT", "SPENT_PERCENT", "Alerts", "add_alerts", "alert_problems"]

SPENT_PERCENT = 80
FORECAST_PERCENT = 100
BUDGET_CHANNELS = 5
"""Channels that one budget tells (Cloud Billing Budget API, AllUpdatesRule, November 2026)."""

NANOS = 1_000_000_000
PLATFORM = "platform"


@record
class Alerts:
    """The channels that people hear, if anybody listens."""

    heard: tuple[Value, ...] = ()


def alert_problems(context: Context) -> Iterator[TargetProblem]:
    """Warn of addresses that a budget has no room for."""
    notifications = context.one_of(Notifications)
    if context.one_of(Budget) is None or notifications is None:
        return
    if len(notifications.emails) > BUDGET_CHANNELS:
        yield TargetProblem(
            path=("alerts", "emails", str(BUDGET_CHANNELS)),
            code="budget-channels",
            message=f"alerts.emails has {len(notifications.emails)} addresses, and a budget of gcp tells "
            f"{BUDGET_CHANNELS}: the first ones",
            hint="Name a mailing list.",
            warning=True,
        )


def add_alerts(stack: StackBuilder, context: Context, keys: Keys) -> Alerts:
    """Make the channels and the budget, as far as the platform asks for them."""
    notifications, budget = context.one_of(Notifications), context.one_of(Budget)
    channels = [*_channels(stack, context, notifications)] if notifications is not None else []
    heard: list[Value] = [channel.ref("name") for channel in channels]
    if budget is not None:
        _budget(stack, context, keys, budget, heard)
    return Alerts(heard=tuple(heard))


def _channels(stack: StackBuilder, context: Context, intent: Notifications) -> Iterator[Node]:
    for number, email in enumerate(intent.emails, start=1):
        yield stack.resource(
            "google_monitoring_notification_channel",
            f"email-{number}",
            {
                "display_name": f"{context.prefix} alerts to {email}",
                "type": "email",
                "labels": {"email_address": email},
                "user_labels": {"environment": context.platform.environment, PLATFORM: context.platform.name},
                "enabled": True,
                # A channel that a policy still tells is not to be deleted.
                "force_delete": False,
            },
            origin=describe(intent),
        )


def _budget(stack: StackBuilder, context: Context, keys: Keys, intent: Budget, heard: list[Value]) -> None:
    """The costs of what carries the platform's label; people who administer the billing account hear of it too."""
    nanos = round(intent.monthly * NANOS)
    rule: dict[str, Value] = {
        "monitoring_notification_channels": heard[:BUDGET_CHANNELS],
        "disable_default_iam_recipients": False,
    }
    stack.resource(
        "google_billing_budget",
        "monthly",
        {
            "billing_account": keys.billing_account,
            "display_name": f"{context.prefix} monthly",
            "budget_filter": {
                "projects": [text("projects/", keys.project_number)],
                "labels": {PLATFORM: label(context.platform.name)},
                "calendar_period": "MONTH",
                "credit_types_treatment": "EXCLUDE_ALL_CREDITS",
            },
            "amount": {
                "specified_amount": {
                    "currency_code": intent.currency,
                    "units": str(nanos // NANOS),
                    **({"nanos": nanos % NANOS} if nanos % NANOS else {}),
                }
            },
            "threshold_rules": [
                {"threshold_percent": SPENT_PERCENT / 100, "spend_basis": "CURRENT_SPEND"},
                {"threshold_percent": FORECAST_PERCENT / 100, "spend_basis": "FORECASTED_SPEND"},
            ],
            "all_updates_rule": rule if heard else None,
        },
        origin=describe(intent),
    )
