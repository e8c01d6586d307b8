"""Feature groups: moto 5.2.5 creates those with an offline store, and can neither change nor delete one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.emulator.call import Call, Refusal, Result, Service
from tests.emulator.entity import Entity, Store
from tests.emulator.tags import Tags

__all__ = ["part"]

_FEATURE_GROUP = Entity(
    noun="FeatureGroup",
    key=("FeatureGroupName",),
    arn="arn:aws:sagemaker:{region}:{account}:feature-group/{FeatureGroupName}",
    arn_member="FeatureGroupArn",
    listed="FeatureGroupSummaries",
    read_verb="Describe",
    defaults={"FeatureGroupStatus": "Created", "ThroughputConfig": {"ThroughputMode": "OnDemand"}},
    narrowed={"FeatureGroupStatusEquals": "FeatureGroupStatus"},
    timestamps=("CreationTime", "LastModifiedTime"),
    missing="ResourceNotFound",
    exists="ResourceInUse",
)

_EVENT_TIME_TYPES = frozenset({"String", "Fractional"})
"""CreateFeatureGroup, EventTimeFeatureName (SageMaker API reference, 2025-06)."""


class _FeatureGroups:
    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, call: Call) -> Result:
        types = _types(call.listed("FeatureDefinitions"))
        for member in ("RecordIdentifierFeatureName", "EventTimeFeatureName"):
            if call.text(member) not in types:
                raise _invalid(f"{member} {call.text(member)} is not among the feature definitions")
        if types[call.text("EventTimeFeatureName")] not in _EVENT_TIME_TYPES:
            raise _invalid("the event time must be of type String or Fractional")
        online = call.mapping("OnlineStoreConfig").get("EnableOnlineStore")
        offline = call.mapping("OfflineStoreConfig")
        if not online and not offline:
            raise _invalid("a feature group needs an online store or an offline store")
        if offline and not call.text("RoleArn"):
            raise _invalid("a feature group with an offline store needs a role")
        return self._store.create(call)

    def update(self, call: Call) -> Result:
        """Add features, change how long records live and how much throughput is bought."""
        group = self._store.find(call)
        definitions = group["FeatureDefinitions"]
        online = group.get("OnlineStoreConfig")
        changed: dict[str, object] = {"ThroughputConfig": call.parameters.get("ThroughputConfig")}
        if isinstance(definitions, list) and call.listed("FeatureAdditions"):
            changed["FeatureDefinitions"] = [*definitions, *call.listed("FeatureAdditions")]
        if isinstance(online, Mapping) and call.mapping("OnlineStoreConfig"):
            changed["OnlineStoreConfig"] = {**online, **call.mapping("OnlineStoreConfig")}
        group.update({member: value for member, value in changed.items() if value is not None})
        return group


def part(tags: Tags) -> Service:
    """No feature groups."""
    store = Store(_FEATURE_GROUP, tags)
    groups = _FeatureGroups(store)
    changes = {"CreateFeatureGroup": groups.create, "UpdateFeatureGroup": groups.update}
    return Service("sagemaker", {**store.answers(), **changes})


def _types(definitions: Sequence[object]) -> dict[str, str]:
    return {
        str(definition["FeatureName"]): str(definition["FeatureType"])
        for definition in definitions
        if isinstance(definition, Mapping)
    }


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)
