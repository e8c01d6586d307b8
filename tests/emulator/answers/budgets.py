"""Budgets: subscribers, tags, and changes. moto 5.2.5 keeps subscribers and can't tell them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.budgets.models import budgets_backends

from tests.emulator.call import Call, Refusal, Result, Service
from tests.emulator.tags import Tags, TagStyle

__all__ = ["service"]


def service() -> Service:
    """Budgets without tags; the budgets themselves are moto's."""
    style = TagStyle(
        arn="ResourceARN",
        tags="ResourceTags",
        keys="ResourceTagKeys",
        pair=("Key", "Value"),
        missing="NotFoundException",
    )
    tags = Tags(style)

    def created(call: Call, result: Result) -> Result:
        tags.own(_arn(call, call.mapping("Budget")["BudgetName"]), call.parameters.get("ResourceTags"))
        return result

    def deleted(call: Call, result: Result) -> Result:
        tags.drop(_arn(call, call.text("BudgetName")))
        return result

    return Service(
        name="budgets",
        answers={
            **tags.answers(),
            "UpdateBudget": _update_budget,
            "UpdateNotification": _update_notification,
            "DescribeSubscribersForNotification": _describe_subscribers,
            "CreateSubscriber": _create_subscriber,
            "DeleteSubscriber": _delete_subscriber,
        },
        amendments={"CreateBudget": created, "DeleteBudget": deleted},
    )


def _update_budget(call: Call) -> Result:
    changed = call.mapping("NewBudget")
    budget = _budget(call, changed["BudgetName"])
    period = budget.budget["TimePeriod"]
    budget.budget = {"TimePeriod": period, **_plain_mapping(changed)}
    return {}


def _update_notification(call: Call) -> Result:
    notification = _notification(call, "OldNotification")
    notification.details = _plain_mapping(call.mapping("NewNotification"))
    return {}


def _describe_subscribers(call: Call) -> Result:
    return {"Subscribers": _notification(call, "Notification").subscribers}


def _create_subscriber(call: Call) -> Result:
    subscribers = _notification(call, "Notification").subscribers
    if call.mapping("Subscriber") in subscribers:
        raise Refusal("DuplicateRecordException", "the subscriber is there already")
    subscribers.append(call.mapping("Subscriber"))
    return {}


def _delete_subscriber(call: Call) -> Result:
    subscribers = _notification(call, "Notification").subscribers
    if call.mapping("Subscriber") not in subscribers:
        raise Refusal("NotFoundException", "there is no such subscriber")
    subscribers.remove(call.mapping("Subscriber"))
    return {}


def _budget(call: Call, name: object) -> Any:
    """One of moto's budgets; moto has no type for them that fits."""
    budget = budgets_backends[call.account]["aws"].budgets[call.text("AccountId")].get(str(name))
    if budget is None:
        raise Refusal("NotFoundException", f"Unable to get budget: {name} - the budget doesn't exist.")
    return budget


def _notification(call: Call, member: str) -> Any:
    """The notification of a budget that is like the one in the call; thresholds compare as numbers."""
    wanted = _plain_mapping(call.mapping(member))
    for notification in _budget(call, call.text("BudgetName")).notifications:
        if notification.details == wanted:
            return notification
    raise Refusal("NotFoundException", f"the budget has no notification {wanted}")


def _plain_mapping(value: Mapping[str, object]) -> dict[str, object]:
    return {member: _plain(item) for member, item in value.items()}


def _plain(value: object) -> object:
    """A parameter as moto keeps it: times as seconds since 1970, everything else as it came."""
    if isinstance(value, Mapping):
        return _plain_mapping(value)
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return value


def _arn(call: Call, name: object) -> str:
    return f"arn:aws:budgets::{call.account}:budget/{name}"
