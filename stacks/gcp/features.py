"""Features on Vertex AI over BigQuery: a table for each group, its features, and what serves them online.

May not fill a table: pipelines do. BigQuery always keeps the history; ``feature_problems`` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stacks.adapter import TargetProblem
from stacks.gcp.context import Context, Surroundings
from stacks.gcp.names import fitted
from stacks.graph import JsonText, Node, StackBuilder, Value, text
from stacks.intents import FeatureStore, describe

__all__ = ["add_features", "feature_problems"]

COLUMN_TYPES = {
    "int": "INTEGER",
    "float": "FLOAT",
    "string": "STRING",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP",
}
"""BigQuery's types by the spec's, in the words that its API answers with (BigQuery REST, TableFieldSchema)."""

TIME = "feature_timestamp"
"""The column that Vertex AI takes a record's time from (Feature Store, prepare data sources, November 2026)."""

TIME_TRAVEL_H = "168"
SYNC = "TZ=Etc/UTC 0 * * * *"
NODES = {"min_node_count": 1, "max_node_count": 3}
ACCESS = {"training": "roles/bigquery.dataEditor", "workspace": "roles/bigquery.dataViewer"}


def feature_problems(context: Context) -> Iterator[TargetProblem]:
    """Warn that there is no group without its history, and refuse a time that BigQuery cannot read as one."""
    for intent in context.all_of(FeatureStore):
        if not intent.offline:
            yield TargetProblem(
                path=("features", intent.name, "offline"),
                code="feature-history",
                message=f"features.{intent.name}.offline false is not possible on gcp: Vertex AI serves features from a "
                "BigQuery table, which keeps them",
                hint="Leave it out.",
                warning=True,
            )
        if intent.columns[intent.event_time] == "bool":
            yield TargetProblem(
                path=("features", intent.name, "event_time"),
                code="feature-time",
                message=f'features.{intent.name}.event_time "{intent.event_time}" is a bool, which is no time',
                hint="Make it a timestamp.",
            )
        if intent.columns[intent.key] == "float":
            yield TargetProblem(
                path=("features", intent.name, "key"),
                code="feature-key",
                message=f'features.{intent.name}.key "{intent.key}" is a float, by which BigQuery sorts no table',
                hint="Make it a string or an int.",
            )


def add_features(stack: StackBuilder, around: Surroundings, intents: Sequence[FeatureStore]) -> None:
    """Make a table, a view with the time that Vertex AI wants, a group and its features for each; and what serves them."""
    context = around.context
    dataset = _dataset(stack, around, intents[0])
    store = _online_store(stack, around) if any(intent.online for intent in intents) else None
    for intent in intents:
        group, features = _group(stack, around, dataset, intent)
        if store is not None and intent.online:
            _view(stack, context, store, group, features, intent)
    stack.export("feature_dataset", dataset.ref("dataset_id"))


def _dataset(stack: StackBuilder, around: Surroundings, first: FeatureStore) -> Node:
    context, keys = around.context, around.keys
    encryption = {"kms_key_name": keys.data} if keys.data is not None else None
    dataset = stack.resource(
        "google_bigquery_dataset",
        "features",
        {
            "dataset_id": context.name("dataset", "features"),
            "description": "The features' history",
            "location": context.region,
            "max_time_travel_hours": TIME_TRAVEL_H,
            "delete_contents_on_destroy": not context.protected,
            "deletion_policy": context.deletion_policy,
            "default_encryption_configuration": encryption,
        },
        origin=describe(first),
        lifecycle=context.keep,
        holds="the features' history",
    )
    for purpose, role in ACCESS.items():
        if purpose in around.roles:
            stack.resource(
                "google_bigquery_dataset_iam_member",
                f"features-{purpose}",
                {
                    "dataset_id": dataset.ref("dataset_id"),
                    "role": role,
                    "member": around.roles[purpose].member,
                },
                origin=describe(first),
            )
    return dataset


def _group(
    stack: StackBuilder, around: Surroundings, dataset: Node, intent: FeatureStore
) -> tuple[Node, Sequence[Node]]:
    context = around.context
    table = _table(stack, around, dataset, intent)
    view = _timed(stack, context, dataset, table, intent)
    group = stack.resource(
        "google_vertex_ai_feature_group",
        intent.name,
        {
            "name": context.name("feature", intent.name),
            "description": f"Features of {intent.name}",
            "region": context.region,
            "big_query": {
                "big_query_source": {"input_uri": _address(context, dataset, view)},
                "entity_id_columns": [intent.key],
            },
        },
        origin=describe(intent),
    )
    features = [
        stack.resource(
            "google_vertex_ai_feature_group_feature",
            f"{intent.name}--{column}",
            {
                "name": fitted("feature", column),
                "description": f"{column} of {intent.name}",
                "feature_group": group.ref("name"),
                "region": context.region,
                "version_column_name": column,
            },
            origin=describe(intent),
        )
        for column in intent.columns
        if column not in (intent.key, intent.event_time)
    ]
    return group, features


def _address(context: Context, dataset: Node, table: Node) -> Value:
    return text("bq://", context.project, ".", dataset.ref("dataset_id"), ".", table.ref("table_id"))


def _table(stack: StackBuilder, around: Surroundings, dataset: Node, intent: FeatureStore) -> Node:
    """The history; a column that is added later is added in place, and one that is taken away is a new table."""
    context, keys = around.context, around.keys
    daily = intent.columns[intent.event_time] == "timestamp"
    return stack.resource(
        "google_bigquery_table",
        intent.name,
        {
            "dataset_id": dataset.ref("dataset_id"),
            "table_id": fitted("dataset", intent.name),
            "description": f"Records of {intent.name}, by {intent.key} and {intent.event_time}",
            "deletion_protection": context.protected,
            "schema": JsonText(
                [
                    {
                        "name": name,
                        "type": COLUMN_TYPES[type_],
                        "mode": "REQUIRED" if name in (intent.key, intent.event_time) else "NULLABLE",
                    }
                    for name, type_ in intent.columns.items()
                ]
            ),
            "clustering": [intent.key],
            "encryption_configuration": {"kms_key_name": keys.data} if keys.data is not None else None,
            "time_partitioning": [{"type": "DAY", "field": intent.event_time}] if daily else None,
        },
        origin=describe(intent),
        lifecycle=context.keep,
        holds="the group's records",
    )


def _timed(stack: StackBuilder, context: Context, dataset: Node, table: Node, intent: FeatureStore) -> Node:
    """The table with its time under the name that Vertex AI looks for."""
    where = text("`", context.project, ".", dataset.ref("dataset_id"), ".", table.ref("table_id"), "`")
    return stack.resource(
        "google_bigquery_table",
        f"{intent.name}--timed",
        {
            "dataset_id": dataset.ref("dataset_id"),
            "table_id": fitted("dataset", f"{intent.name}-timed"),
            "description": f"Records of {intent.name} as the feature store reads them",
            "deletion_protection": False,
            "view": {
                "query": text(_selection(intent), " FROM ", where),
                "use_legacy_sql": False,
            },
        },
        origin=describe(intent),
    )


def _selection(intent: FeatureStore) -> str:
    """All columns and the time; a column that has its name already makes way."""
    timed = f"{_time(intent)} AS {TIME}"
    return f"SELECT * REPLACE ({timed})" if TIME in intent.columns else f"SELECT *, {timed}"


def _time(intent: FeatureStore) -> str:
    """The event's time as a timestamp: texts are ISO 8601, numbers seconds since 1970."""
    column = intent.event_time
    match intent.columns[column]:
        case "int":
            return f"TIMESTAMP_SECONDS(`{column}`)"
        case "float":
            return f"TIMESTAMP_MICROS(CAST(1000000 * `{column}` AS INT64))"
        case "string":
            return f"TIMESTAMP(`{column}`)"
        case _:
            return f"`{column}`"


def _online_store(stack: StackBuilder, around: Surroundings) -> Node:
    """One store serves all groups, by Vertex AI's own interface, which the network reaches privately.

    An optimized store at an address of the network's has its service attachment only after the first values came
    (google_vertex_ai_feature_online_store, service_attachment), too late for the apply that makes the store.
    """
    context, keys = around.context, around.keys
    first = next(intent for intent in context.all_of(FeatureStore) if intent.online)
    store = stack.resource(
        "google_vertex_ai_feature_online_store",
        "main",
        {
            "name": context.name("feature", "online"),
            "region": context.region,
            "bigtable": {"auto_scaling": NODES, "enable_direct_bigtable_access": False},
            "encryption_spec": {"kms_key_name": keys.data} if keys.data is not None else None,
            "force_destroy": False,
        },
        origin=describe(first),
    )
    stack.export("feature_store_id", store.ref("id"))
    return store


def _view(
    stack: StackBuilder,
    context: Context,
    store: Node,
    group: Node,
    features: Sequence[Node],
    intent: FeatureStore,
) -> None:
    """What of a group is served: the latest of each feature, brought over each hour."""
    stack.resource(
        "google_vertex_ai_feature_online_store_featureview",
        intent.name,
        {
            "name": fitted("feature", intent.name),
            "region": context.region,
            "feature_online_store": store.ref("name"),
            "sync_config": {"cron": SYNC},
            "feature_registry_source": {
                "feature_groups": [
                    {
                        "feature_group_id": group.ref("name"),
                        "feature_ids": [feature.ref("name") for feature in features],
                    }
                ]
            },
        },
        origin=describe(intent),
    )
