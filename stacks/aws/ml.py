"""The ml stack: the model registry, experiment tracking, features, pipelines and endpoints.

May not make a role or a bucket, nor know what watches over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from stacks.adapter import Skipped
from stacks.aws.context import Context, Keys, Learning, Network, Registry, Runnable, Stores, Surroundings
from stacks.aws.names import fitted
from stacks.aws.pipelines import code_prefix, compiled
from stacks.aws.serving import add_endpoints
from stacks.aws.watching import job_of, watched_by
from stacks.graph import JsonText, Lifecycle, Node, StackBuilder, Value, text
from stacks.intents import (
    ExperimentTracking,
    FeatureStore,
    ModelMonitor,
    ModelRegistry,
    TrainingPipeline,
    describe,
)
from stacks.pipelines import CodeFolder, PipelineDefinition

__all__ = ["lower"]

PARALLEL_STEPS = 5
TRACKING_SIZE = "Small"
MAINTENANCE_WINDOW = "Sun:03:00"
FEATURE_TYPES = {
    "int": "Integral",
    "float": "Fractional",
    "string": "String",
    "bool": "Integral",
    "timestamp": "String",
}
"""Feature Store has three types: a bool is 0 or 1, a timestamp an ISO 8601 text (SageMaker API, FeatureDefinition)."""


def lower(
    context: Context,
    keys: Keys,
    network: Network,
    stores: Stores,
    registry: Registry,
    roles: Mapping[str, Value],
) -> tuple[StackBuilder, Learning, Sequence[Skipped]]:
    """Make what the platform asks for; the stack is empty when it asks for nothing.

    Return also what it made that others watch and start, and what is planned and not made.
    """
    stack = StackBuilder("ml")
    for model in context.all_of(ModelRegistry):
        _model_group(stack, context, model)
    tracking = context.one_of(ExperimentTracking)
    if tracking is not None:
        _tracking(stack, context, stores, roles["training"], tracking)
    features = tuple(context.all_of(FeatureStore))
    if features:
        _features(stack, context, keys, stores, roles["training"], features)
    around = Surroundings(
        context=context, keys=keys, network=network, stores=stores, registry=registry, roles=roles
    )
    endpoints, scoring, unserved = add_endpoints(stack, around)
    pipelines, unwritten = _pipelines(stack, around)
    if endpoints:
        stack.export("endpoint_names", {name: served.name for name, served in endpoints.items()})
    if pipelines or scoring:
        runnable = {**pipelines, **{f"{name}--batch": run for name, run in scoring.items()}}
        stack.export("pipeline_arns", {name: run.arn for name, run in runnable.items()})
    watching = {
        monitor.name: _pipeline(stack, watched_by(around), run, run.steps)
        for monitor in context.all_of(ModelMonitor)
        if monitor.endpoint in endpoints
        and (run := job_of(context, monitor)) is not None
        and run.steps is not None
    }
    learning = Learning(endpoints=endpoints, pipelines=pipelines, scoring=scoring, watching=watching)
    return stack, learning, (*unserved, *unwritten)


def _pipelines(stack: StackBuilder, around: Surroundings) -> tuple[Mapping[str, Runnable], Sequence[Skipped]]:
    """Make the pipelines whose definition, code and images are there, and the code's objects."""
    made: dict[str, Runnable] = {}
    planned: list[Skipped] = []
    for intent in around.context.all_of(TrainingPipeline):
        if intent.steps is None:
            planned.append(Skipped(intent=describe(intent), reason=intent.lacks, remedy=intent.remedy))
            continue
        made[intent.name] = _pipeline(stack, around, intent, intent.steps)
    return made, planned


def _pipeline(
    stack: StackBuilder, around: Surroundings, intent: TrainingPipeline, definition: PipelineDefinition
) -> Runnable:
    context = around.context
    name = context.pipeline(intent.name)
    objects = [
        node
        for folder in definition.code.values()
        for node in _code(stack, around, intent, folder, many=len(definition.code) > 1)
    ]
    pipeline = stack.resource(
        "aws_sagemaker_pipeline",
        intent.name,
        {
            "pipeline_name": name,
            "pipeline_display_name": name,
            "pipeline_description": definition.description or None,
            "role_arn": around.roles["pipelines"],
            "pipeline_definition": JsonText(compiled(intent, definition, around)),
            "parallelism_configuration": {"max_parallel_execution_steps": PARALLEL_STEPS},
        },
        origin=describe(intent),
        depends_on=objects,
    )
    return Runnable(name=pipeline.ref("pipeline_name"), arn=pipeline.ref("arn"))


def _code(
    stack: StackBuilder, around: Surroundings, intent: TrainingPipeline, folder: CodeFolder, *, many: bool
) -> Iterator[Node]:
    """The files of a code folder. New code has new places, which are there before the pipeline is changed."""
    start = code_prefix(intent.name, folder.digest)
    labels = {file: _label(f"{folder.path}/{file}" if many else file) for file in folder.files}
    for file, content in folder.files.items():
        same = [other for other, label in labels.items() if label == labels[file]]
        mark = f"-{sha256(file.encode()).hexdigest()[:6]}" if len(same) > 1 else ""
        yield stack.resource(
            "aws_s3_object",
            f"{intent.name}--{labels[file]}{mark}",
            {
                "bucket": around.stores.by_name["artifacts"].id,
                "key": f"{start}/{file}",
                "content": content,
                "content_type": "text/plain; charset=utf-8",
                "kms_key_id": around.keys.data,
            },
            origin=describe(intent),
            lifecycle=Lifecycle(create_before_destroy=True),
        )


def _label(path: str) -> str:
    """A file's path as part of an address."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", path).strip("-")


def _model_group(stack: StackBuilder, context: Context, intent: ModelRegistry) -> None:
    stack.resource(
        "aws_sagemaker_model_package_group",
        intent.name,
        {
            "model_package_group_name": context.model_group(intent.name),
            "model_package_group_description": f"Versions of {intent.name}",
            # The operations of this platform read how a version is approved from here.
            "tags": {"approval": intent.approval},
        },
        origin=describe(intent),
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="every registered version of the model",
    )


def _tracking(
    stack: StackBuilder, context: Context, stores: Stores, role: Value, intent: ExperimentTracking
) -> None:
    server = stack.resource(
        "aws_sagemaker_mlflow_tracking_server",
        "main",
        {
            "tracking_server_name": fitted("sagemaker", context.prefix),
            "role_arn": role,
            "artifact_store_uri": text("s3://", stores.by_name["artifacts"].id, "/mlflow"),
            "tracking_server_size": TRACKING_SIZE,
            "automatic_model_registration": False,
            "weekly_maintenance_window_start": MAINTENANCE_WINDOW,
        },
        origin=describe(intent),
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="every experiment and run",
    )
    stack.export("tracking_server_arn", server.ref("arn"))


def _features(
    stack: StackBuilder,
    context: Context,
    keys: Keys,
    stores: Stores,
    role: Value,
    intents: tuple[FeatureStore, ...],
) -> None:
    database: Node | None = None
    for intent in intents:
        if intent.offline and database is None:
            database = stack.resource(
                "aws_glue_catalog_database",
                "features",
                {
                    "name": f"{context.prefix}_features".replace("-", "_"),
                    "description": "The offline store's tables",
                },
                origin=describe(intent),
                lifecycle=Lifecycle(prevent_destroy=context.protected),
                holds="the definitions of the feature tables",
            )
        stack.resource(
            "aws_sagemaker_feature_group",
            intent.name,
            {
                "feature_group_name": fitted("sagemaker", f"{context.prefix}-{intent.name}"),
                "record_identifier_feature_name": intent.key,
                "event_time_feature_name": intent.event_time,
                "role_arn": role,
                "feature_definition": [
                    {"feature_name": name, "feature_type": FEATURE_TYPES[type_]}
                    for name, type_ in intent.columns.items()
                ],
                "online_store_config": _online(keys) if intent.online else None,
                "offline_store_config": _offline(keys, stores, database, intent)
                if database and intent.offline
                else None,
            },
            origin=describe(intent),
            lifecycle=Lifecycle(prevent_destroy=context.protected),
            holds="the group's records",
        )


def _online(keys: Keys) -> Value:
    encryption = {"security_config": {"kms_key_id": keys.data}} if keys.data is not None else {}
    return {"enable_online_store": True, **encryption}


def _offline(keys: Keys, stores: Stores, database: Node, intent: FeatureStore) -> Value:
    storage: dict[str, Value] = {"s3_uri": text("s3://", stores.by_name["data"].id, "/features/")}
    if keys.data is not None:
        storage["kms_key_id"] = keys.data
    return {
        "table_format": "Iceberg",
        "s3_storage_config": storage,
        "data_catalog_config": {
            "catalog": "AwsDataCatalog",
            "database": database.ref("name"),
            "table_name": intent.name.replace("-", "_"),
        },
    }
