"""Cost Explorer: anomaly monitors and the subscriptions to them, which moto 5.2.5 lacks."""

from __future__ import annotations

from tests.emulator.call import Answer, Call, Refusal, Result, Service
from tests.emulator.entity import Entity, Identifier, Store
from tests.emulator.tags import Tags, TagStyle

__all__ = ["service"]

_MONITOR = Entity(
    noun="AnomalyMonitor",
    key=("MonitorArn",),
    arn="arn:aws:ce::{account}:anomalymonitor/{MonitorArn}",
    arn_member="MonitorArn",
    listed="AnomalyMonitors",
    generated={"MonitorArn": Identifier("", 36)},
    missing="UnknownMonitorException",
)

_SUBSCRIPTION = Entity(
    noun="AnomalySubscription",
    key=("SubscriptionArn",),
    arn="arn:aws:ce::{account}:anomalysubscription/{SubscriptionArn}",
    arn_member="SubscriptionArn",
    listed="AnomalySubscriptions",
    generated={"SubscriptionArn": Identifier("", 36)},
    missing="UnknownSubscriptionException",
)


class _Kind:
    """Things that are created from one structure of the call, and read by a list of ARNs."""

    def __init__(self, entity: Entity, tags: Tags) -> None:
        self.store = Store(entity, tags)
        self._entity = entity
        self._arn_member = entity.arn_member

    def answers(self) -> dict[str, Answer]:
        own = self.store.answers()
        noun = self._entity.noun
        return {
            **{name: own[name] for name in (f"Update{noun}", f"Delete{noun}")},
            f"Create{noun}": self.create,
            f"Get{noun}s": self.read_all,
        }

    def create(self, call: Call) -> Result:
        tags = call.parameters.get("ResourceTags")
        return self.store.create(call.carrying(**call.mapping(self._entity.noun), ResourceTags=tags))

    def read_all(self, call: Call) -> Result:
        wanted = call.listed(f"{self._arn_member}List")
        if not wanted:
            return {self._entity.listed: self.store.living(call)}
        named = [self.store.find(call.carrying(**{self._arn_member: arn})) for arn in wanted]
        return {self._entity.listed: named}


def service() -> Service:
    """Cost Explorer that watches nothing; cost categories are moto's."""
    tags = Tags(
        TagStyle(
            arn="ResourceArn",
            tags="ResourceTags",
            keys="ResourceTagKeys",
            pair=("Key", "Value"),
            missing=None,
        )
    )
    monitors, subscriptions = _Kind(_MONITOR, tags), _Kind(_SUBSCRIPTION, tags)

    def subscribe(call: Call) -> Result:
        wanted = call.mapping(_SUBSCRIPTION.noun).get("MonitorArnList")
        if not isinstance(wanted, list) or not wanted:
            raise Refusal("ValidationException", "a subscription names its monitors")
        for arn in wanted:
            monitors.store.find(call.carrying(MonitorArn=arn))
        return subscriptions.create(call)

    return Service(
        name="ce",
        answers={
            **tags.answers(),
            **monitors.answers(),
            **subscriptions.answers(),
            "CreateAnomalySubscription": subscribe,
        },
    )
