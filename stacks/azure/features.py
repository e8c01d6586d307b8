"""The feature store: a workspace of its own kind, the place of its history, and the entities that features are about.

May not make a feature set: its definition is code, which the operations register.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from stacks.adapter import Skipped
from stacks.azure.context import Store, Surroundings, Workplace
from stacks.azure.hubs import Hub, add_hub
from stacks.azure.outbound import add_outbound_rules
from stacks.azure.roles import Assignment, assign, assign_people
from stacks.graph import Lifecycle, Node, StackBuilder, Value
from stacks.intents import FeatureStore, HumanRole, describe

__all__ = ["add_features"]

API = "2025-12-01"
SPARK = "3.4"
OFFLINE = "OfflineStoreConnectionName"
"""The names by which Azure ML's own tools look for a feature store's connections (azure-ai-ml 1, November 2026)."""

TYPES = {"int": "Long", "float": "Double", "string": "String", "bool": "Boolean", "timestamp": "Datetime"}
READERS = ("training", "serving", "monitoring", "workspace")
WRITERS = ("pipelines",)


def add_features(stack: StackBuilder, around: Surroundings) -> Sequence[Skipped]:
    """Make the store and an entity for each feature group; return what is left to do."""
    groups = tuple(around.context.all_of(FeatureStore))
    if not groups:
        return ()
    offline = any(group.offline for group in groups)
    hub = Hub(
        name="ml-features",
        origin=describe(groups[0]),
        description=f"Features of {around.context.prefix}",
        holds="the definitions of the features",
        features={
            "computer_spark_runtime_version": SPARK,
            **({"offline_connection_name": OFFLINE} if offline else {}),
        },
    )
    store, own = add_hub(stack, around, hub)
    place = Workplace(id=store.ref("id"), name=store.ref("name"), own=own)
    add_outbound_rules(stack, around, place, hub)
    history = around.stores.history
    if history is not None:
        _connection(
            stack, place, OFFLINE, "ADLSGen2", history.id, (own.client_id, own.id), describe(groups[0])
        )
        _history_access(stack, around, history, hub.origin)
    _access(stack, around, place, hub.origin)
    for group in groups:
        _entity(stack, around, place, group)
    stack.export("feature_store_id", place.id)
    return tuple(
        Skipped(
            intent=describe(group),
            reason=(
                "it is not served online: Azure ML keeps online features in Azure Cache for Redis, which takes no new caches"
            ),
            remedy="Set online to false, and read features where they are needed from the offline store.",
        )
        for group in groups
        if group.online
    )


def _connection(
    stack: StackBuilder,
    place: Workplace,
    name: str,
    category: str,
    target: Value,
    identity: tuple[Value, Value],
    origin: str,
) -> Node:
    """Where a store keeps records; Azure ML reaches it as the store's identity."""
    client_id, resource_id = identity
    return stack.resource(
        "azapi_resource",
        "feature-store-offline",
        {
            "type": f"Microsoft.MachineLearningServices/workspaces/connections@{API}",
            "name": name,
            "parent_id": place.id,
            "body": {
                "properties": {
                    "category": category,
                    "target": target,
                    "authType": "ManagedIdentity",
                    "isSharedToAll": True,
                    "credentials": {"clientId": client_id, "resourceId": resource_id},
                }
            },
        },
        origin=origin,
    )


def _history_access(stack: StackBuilder, around: Surroundings, history: Store, origin: str) -> None:
    """Whoever reads features reads their records as themselves."""
    for purpose in (*READERS, *WRITERS):
        if purpose in around.roles:
            role = "blob-contributor" if purpose in WRITERS else "blob-reader"
            assignment = Assignment(role=role, who=purpose, on=history.id, what="history", origin=origin)
            assign(stack, around.context, around.roles[purpose], assignment)
    for human in around.context.all_of(HumanRole):
        if human.purpose != "viewers":
            assign_people(
                stack,
                around.context,
                human.principals,
                Assignment(
                    role="blob-reader",
                    who=human.purpose,
                    on=history.id,
                    what="history",
                    origin=describe(human),
                ),
            )


def _access(stack: StackBuilder, around: Surroundings, place: Workplace, origin: str) -> None:
    """Whoever trains and serves reads features; pipelines define them, and so do scientists."""
    wanted = [(purpose, "reader") for purpose in READERS] + [
        (purpose, "ml-data-scientist") for purpose in WRITERS
    ]
    for purpose, role in wanted:
        if purpose in around.roles:
            assignment = Assignment(role=role, who=purpose, on=place.id, what="features", origin=origin)
            assign(stack, around.context, around.roles[purpose], assignment)
    for human in around.context.all_of(HumanRole):
        role = "reader" if human.purpose == "viewers" else "ml-data-scientist"
        assign_people(
            stack,
            around.context,
            human.principals,
            Assignment(role=role, who=human.purpose, on=place.id, what="features", origin=describe(human)),
        )


def _entity(stack: StackBuilder, around: Surroundings, place: Workplace, group: FeatureStore) -> None:
    """What a group's features are about: its key. A version never changes, so a new key is a new version."""
    key_type = TYPES[group.columns[group.key]]
    entity = stack.resource(
        "azapi_resource",
        f"entity-{group.name}",
        {
            "type": f"Microsoft.MachineLearningServices/workspaces/featurestoreEntities@{API}",
            "name": group.name,
            "parent_id": place.id,
            "body": {"properties": {"description": f"What {group.name} is about", "isArchived": False}},
        },
        origin=describe(group),
        lifecycle=Lifecycle(prevent_destroy=around.context.protected),
        holds="the entity's versions, on which feature sets rest",
    )
    stack.resource(
        "azapi_resource",
        f"entity-{group.name}-key",
        {
            "type": f"Microsoft.MachineLearningServices/workspaces/featurestoreEntities/versions@{API}",
            "name": sha256(f"{group.key}:{key_type}".encode()).hexdigest()[:8],
            "parent_id": entity.ref("id"),
            "body": {
                "properties": {
                    "description": f"{group.name} by {group.key}",
                    "stage": "Production",
                    "indexColumns": [{"columnName": group.key, "dataType": key_type}],
                    "tags": {
                        "event_time": group.event_time,
                        **{f"column:{name}": kind for name, kind in group.columns.items()},
                    },
                }
            },
        },
        origin=describe(group),
    )
