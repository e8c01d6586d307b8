"""The ml stack: features, experiment tracking, endpoints, and pipelines with their code and schedules.

A model has no resource: its first version makes it. May not make an account or a bucket, nor know what watches over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256

from stacks.adapter import Skipped
from stacks.gcp.context import (
    Context,
    Keys,
    Learning,
    Network,
    Registry,
    Roles,
    Runnable,
    Stores,
    Surroundings,
)
from stacks.gcp.endpoints import add_endpoints, template_key
from stacks.gcp.features import add_features
from stacks.gcp.jobs import code_prefix
from stacks.gcp.pipelines import compiled
from stacks.gcp.tracking import add_tracking
from stacks.gcp.watching import job_of, watched_by
from stacks.graph import JsonText, Lifecycle, Node, StackBuilder, Value, text
from stacks.intents import ExperimentTracking, FeatureStore, ModelMonitor, TrainingPipeline, describe
from stacks.pipelines import CodeFolder, PipelineDefinition

__all__ = ["lower"]

ROLE = "pipelines"
RUNS = "runs"


def lower(
    context: Context,
    keys: Keys,
    network: Network,
    stores: Stores,
    registry: Registry,
    roles: Roles,
) -> tuple[StackBuilder, Learning, Sequence[Skipped]]:
    """Make what the platform asks for; the stack is empty when it asks for nothing.

    Return also what it made that others watch and start, and what is planned and not made.
    """
    stack = StackBuilder("ml")
    around = Surroundings(
        context=context, keys=keys, network=network, stores=stores, registry=registry, roles=roles
    )
    tracking = context.one_of(ExperimentTracking)
    if tracking is not None:
        add_tracking(stack, around, tracking)
        _tensorboard(stack, around, tracking)
    features = tuple(context.all_of(FeatureStore))
    if features:
        add_features(stack, around, features)
    endpoints, scoring, unserved = add_endpoints(stack, around)
    pipelines, unwritten = _pipelines(stack, around)
    watching = {
        monitor.name: _pipeline(stack, watched_by(around), run, run.steps)
        for monitor in context.all_of(ModelMonitor)
        if monitor.endpoint in endpoints
        and (run := job_of(context, monitor)) is not None
        and run.steps is not None
    }
    if endpoints:
        stack.export("endpoint_names", {name: served.name for name, served in endpoints.items()})
    runnable = {
        run.name: text(stores.place("artifacts", ""), run.template)
        for run in (*pipelines.values(), *scoring.values(), *watching.values())
    }
    if runnable:
        stack.export("run_templates", runnable)
    learning = Learning(endpoints=endpoints, pipelines=pipelines, scoring=scoring, watching=watching)
    return stack, learning, (*unserved, *unwritten)


def _tensorboard(stack: StackBuilder, around: Surroundings, intent: ExperimentTracking) -> None:
    """Curves of training, beside the runs in MLflow."""
    context, keys = around.context, around.keys
    board = stack.resource(
        "google_vertex_ai_tensorboard",
        "main",
        {
            "display_name": context.name("display", "experiments"),
            "description": f"Experiments of {context.prefix}",
            "region": context.region,
            "encryption_spec": {"kms_key_name": keys.data} if keys.data is not None else None,
            "deletion_policy": context.deletion_policy,
        },
        origin=describe(intent),
        lifecycle=context.keep,
        holds="the experiments' curves",
    )
    stack.export("tensorboard", board.ref("id"))


def _pipelines(stack: StackBuilder, around: Surroundings) -> tuple[Mapping[str, Runnable], Sequence[Skipped]]:
    """Make the pipelines whose definition, code and images are there, and the code's objects."""
    runnable: dict[str, Runnable] = {}
    planned: list[Skipped] = []
    for intent in around.context.all_of(TrainingPipeline):
        if intent.steps is None:
            planned.append(Skipped(intent=describe(intent), reason=intent.lacks, remedy=intent.remedy))
            continue
        runnable[intent.name] = _pipeline(stack, around, intent, intent.steps)
    return runnable, planned


def _pipeline(
    stack: StackBuilder, around: Surroundings, intent: TrainingPipeline, definition: PipelineDefinition
) -> Runnable:
    """Vertex AI keeps runs, and no pipelines: the template is an object, and a schedule has it inside."""
    template = JsonText(compiled(intent, definition, around))
    objects = [
        node
        for folder in definition.code.values()
        for node in _code(stack, around, intent, folder, many=len(definition.code) > 1)
    ]
    node = stack.resource(
        "google_storage_bucket_object",
        intent.name,
        {
            "bucket": around.stores.bucket("artifacts"),
            "name": template_key(intent.name),
            "content": template,
            "content_type": "application/json",
        },
        origin=describe(intent),
        depends_on=objects,
    )
    if intent.schedule is not None:
        _schedule(stack, around, intent, intent.schedule, template, objects)
    return Runnable(name=intent.name, template=node.ref("name"))


def _schedule(
    stack: StackBuilder,
    around: Surroundings,
    intent: TrainingPipeline,
    cron: str,
    template: JsonText,
    objects: Sequence[Node],
) -> None:
    """Start a run by the clock; one that would overlap is left out."""
    context, keys, attachment = around.context, around.keys, around.network.attachment_id
    job: dict[str, Value] = {
        "display_name": context.name("display", intent.name),
        "pipeline_spec": template,
        "service_account": around.roles[ROLE].email,
        "preflight_validations": True,
        "labels": {"pipeline": intent.name},
        "runtime_config": {
            "gcs_output_directory": around.stores.place("artifacts", f"{RUNS}/{intent.name}"),
            "failure_policy": "PIPELINE_FAILURE_POLICY_FAIL_FAST",
        },
    }
    if keys.data is not None:
        job["encryption_spec"] = {"kms_key_name": keys.data}
    if attachment is not None:
        job["psc_interface_config"] = {"network_attachment": attachment}
    stack.resource(
        "google_colab_schedule",
        intent.name,
        {
            "display_name": context.name("display", intent.name),
            "location": context.region,
            "cron": f"TZ=Etc/UTC {cron}",
            "max_concurrent_run_count": "1",
            "allow_queueing": False,
            "desired_state": "ACTIVE",
            "create_pipeline_job_request": {"pipeline_job": job},
        },
        origin=describe(intent),
        depends_on=objects,
    )


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
            "google_storage_bucket_object",
            f"{intent.name}--{labels[file]}{mark}",
            {
                "bucket": around.stores.bucket("artifacts"),
                "name": f"{start}/{file}",
                "content": content,
                "content_type": "text/plain; charset=utf-8",
            },
            origin=describe(intent),
            lifecycle=Lifecycle(create_before_destroy=True),
        )


def _label(path: str) -> str:
    """A file's path as part of an address."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", path).strip("-")
