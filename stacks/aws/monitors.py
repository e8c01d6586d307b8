"""Data drift on endpoints: SageMaker's monitoring jobs, their schedules, and the alarms on what they find.

What a monitor needs and does not have yet is planned, and said so. May not know who hears an alarm, nor make an
endpoint.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256

from stacks.adapter import Skipped, TargetProblem
from stacks.aws.alarms import metric_alarm
from stacks.aws.catalog import zones_of
from stacks.aws.context import Context, Keys, Network, Runnable, Served, Stores
from stacks.aws.instances import Unavailable, machine
from stacks.aws.names import fitted
from stacks.aws.pipelines import volume_key
from stacks.aws.schedules import monitor_hours, monitor_schedule, nearest_periods
from stacks.aws.watching import LATE_H, MOST_PERIODS, alarms
from stacks.graph import GraphError, Lifecycle, Node, StackBuilder, Value, text
from stacks.intents import ModelMonitor, OnlineEndpoint, describe
from stacks.record import record
from stacks.watching import baseline_remedy, unkept_problems

__all__ = [
    "DRIFT_NAMESPACE",
    "Watch",
    "Watching",
    "add_monitors",
    "drift_metrics",
    "in_parts",
    "monitor_problems",
]

ANALYZER = "sagemaker-model-monitor-analyzer"
ANALYZER_TAG = "latest"
"""AWS publishes no other tag of it (Terraform provider, documentation of the job definition, November 2026)."""

REGIONS = frozenset(
    {
        *("af-south-1", "ap-east-1", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1"),
        *("ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ca-central-1", "eu-central-1", "eu-north-1"),
        *("eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1"),
        *("me-south-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    }
)
"""Where AWS has the analyzer's image (SageMaker Python SDK, image_uri_config/model-monitor.json, as the Terraform
provider 5.100 has it; read November 2026)."""

DRIFT_NAMESPACE = "aws/sagemaker/Endpoints/data-metrics"
FEATURE = "Feature"
DRIFT_DIMENSIONS = (("Endpoint", "MonitoringSchedule"), ("Endpoint", FEATURE, "MonitoringSchedule"))
"""Under which dimensions a drift figure may be: AWS's own code uses either, its guide a third spelling (ADR 11).
An alarm looks at all of these. Sources: aws-samples/amazon-sagemaker-safe-deployment-pipeline,
assets/deploy-model-prd.yml; aws/sagemaker-python-sdk, dashboard/data_quality_dashboard.py; read November 2026."""

MOST_METRICS = 10
"""Metrics of one alarm's expression (CloudWatch User Guide, alarms on metric math, November 2026)."""

VOLUME_GIB = 20
HOUR_S = 3600
LONGEST_RUN_S = 3600
"""The provider accepts no more; an hourly run has half of it, to be over before the next (Developer Guide)."""


@record
class Watching:
    """What monitors are made with; ``endpoints`` are those that exist."""

    context: Context
    keys: Keys
    network: Network
    stores: Stores
    role: Value
    endpoints: Mapping[str, Served]
    jobs: Mapping[str, Runnable]


@record
class Watch:
    """A monitor that was made: SageMaker's ``schedule``, or a ``job`` of ours.

    ``alarm`` is what starts a retraining, ``None`` when nothing rings.
    """

    intent: ModelMonitor
    served: Served
    schedule: Value | None = None
    alarm: Node | None = None
    job: Runnable | None = None


def monitor_problems(context: Context) -> Iterator[TargetProblem]:
    """Say which monitors SageMaker cannot run; a region that the catalog lacks is refused elsewhere."""
    if not zones_of(context.region):
        return
    endpoints = {endpoint.name: endpoint for endpoint in context.all_of(OnlineEndpoint)}
    for intent in context.all_of(ModelMonitor):
        path = ("monitors", intent.name)
        if intent.image is not None:
            yield from unkept_problems([intent], [endpoints[intent.endpoint]])
            yield from _machine_problems(context, intent)
            continue
        if intent.data_drift_threshold is None:
            continue
        if context.region not in REGIONS:
            yield TargetProblem(
                path=path,
                code="monitor-region",
                message=f"monitors.{intent.name} needs Model Monitor, which AWS does not have in {context.region}",
                hint="Take data_drift away, or another region.",
            )
        yield from _endpoint_problems(intent, endpoints[intent.endpoint])
        if monitor_hours(intent.every) is None:
            yield TargetProblem(
                path=(*path, "every"),
                code="monitor-period",
                message=f'monitors.{intent.name}.every "{intent.every}" is not a period of SageMaker\'s monitors: '
                "an hour, or hours that divide a day",
                hint=f"Set it to {' or '.join(nearest_periods(intent.every))}.",
            )
        yield from _alarm_problems(intent)
        yield from _machine_problems(context, intent)


def _machine_problems(context: Context, intent: ModelMonitor) -> Iterator[TargetProblem]:
    found = machine(intent.instance, "processing", context.region)
    if isinstance(found, Unavailable):
        yield TargetProblem(
            path=("monitors", intent.name, "instance"),
            code="instance",
            message=f"monitors.{intent.name}.instance {found.message}",
            hint=found.hint,
        )


def _alarm_problems(intent: ModelMonitor) -> Iterator[TargetProblem]:
    """An alarm on figures of an hour looks back seven days."""
    looks_back = (monitor_hours(intent.every) or 1) * intent.windows + LATE_H
    if looks_back > MOST_PERIODS:
        yield TargetProblem(
            path=("monitors", intent.name, "windows"),
            code="alarm",
            message=f"monitors.{intent.name}.windows {intent.windows} of {intent.every} are more than the seven days that "
            "an alarm of CloudWatch looks back",
            hint="Look more often, count fewer windows, or name an image: a job of its own remembers.",
        )


def _endpoint_problems(intent: ModelMonitor, endpoint: OnlineEndpoint) -> Iterator[TargetProblem]:
    """A monitor reads what an endpoint keeps of its requests."""
    path = ("monitors", intent.name, "endpoint")
    said = f'monitors.{intent.name}.endpoint "{intent.endpoint}"'
    if endpoint.mode != "realtime":
        yield TargetProblem(
            path=path,
            code="monitor-endpoint",
            message=f"{said} is {endpoint.mode}: there is nothing to compare, since it keeps no requests",
            hint="Watch a realtime endpoint, or take data_drift away.",
        )
    elif endpoint.capture_percent == 0:
        yield TargetProblem(
            path=path,
            code="monitor-endpoint",
            message=f"{said} has capture_percent 0: there is nothing to compare, since it keeps no requests",
            hint=f"Set endpoints.{intent.endpoint}.capture_percent to 1 or more.",
        )


def add_monitors(
    stack: StackBuilder, watching: Watching, heard: Sequence[Value]
) -> tuple[Sequence[Watch], Sequence[Skipped]]:
    """Make the monitors whose endpoint and baseline are there, and say what is left out."""
    made: list[Watch] = []
    left: list[Skipped] = []
    for intent in watching.context.all_of(ModelMonitor):
        served = watching.endpoints.get(intent.endpoint)
        if intent.image is None:
            left += _never(intent)
            if intent.data_drift_threshold is None:
                continue
        if served is None or intent.baseline is None:
            left.append(_not_yet(intent, is_served=served is not None))
            continue
        if intent.name in watching.jobs:
            drifts, retrains = alarms(stack, watching.context, intent, heard)
            job = watching.jobs[intent.name]
            made.append(Watch(intent=intent, served=served, alarm=retrains or drifts, job=job))
            continue
        schedule = _monitor(stack, watching, intent, served, intent.baseline)
        watch = Watch(intent=intent, served=served, schedule=schedule)
        if not intent.columns:
            left.append(_silent(intent))
        made.append(replace(watch, alarm=_drift_alarm(stack, watching.context, watch, heard)))
    return made, left


def _never(intent: ModelMonitor) -> Iterator[Skipped]:
    tests = {
        "prediction drift": intent.prediction_drift_threshold,
        "concept drift": intent.concept_drift_threshold,
    }
    for test, threshold in tests.items():
        if threshold is not None:
            yield Skipped(
                intent=describe(intent),
                reason=f"{test} is not watched: Terraform's provider has no job definition for model quality",
                remedy=f"Name an image in monitors.{intent.name}.image: a job of its own looks for it.",
            )


def _not_yet(intent: ModelMonitor, *, is_served: bool) -> Skipped:
    if not is_served:
        return Skipped(
            intent=describe(intent),
            reason=f"endpoint {intent.endpoint} is not there yet",
            remedy=f"Do what endpoint {intent.endpoint} waits for; the monitor comes with it.",
        )
    if intent.image is not None:
        remedy = baseline_remedy(intent)
        return Skipped(intent=describe(intent), reason="there is no baseline to compare with", remedy=remedy)
    return Skipped(
        intent=describe(intent),
        reason="there is no baseline to compare with",
        remedy=(
            "Let SageMaker's analyzer suggest a baseline from the training data, put its statistics.json and "
            "constraints.json into one folder below baselines/ of the artifacts bucket, and set "
            f"monitors.{intent.name}.baseline to the folder."
        ),
    )


def _silent(intent: ModelMonitor) -> Skipped:
    return Skipped(
        intent=describe(intent),
        reason="no column is named whose drift would raise the alarm, so there is none; the monitor itself runs",
        remedy=f"Name columns in monitors.{intent.name}.data_drift.columns.",
    )


# --- jobs ------------------------------------------------------------------------------------------------------------


def _monitor(
    stack: StackBuilder, watching: Watching, intent: ModelMonitor, served: Served, baseline: str
) -> Value:
    """The job and its schedule; return the schedule's name. A changed job is a new one, to which the schedule moves."""
    context = watching.context
    hours = monitor_hours(intent.every)
    instance = machine(intent.instance, "processing", context.region)
    if hours is None or isinstance(instance, Unavailable):
        raise GraphError(f"monitor {intent.name} was not checked against its target")
    origin = describe(intent)
    decided: dict[str, Value] = {
        "data_quality_app_specification": {
            "image_uri": _analyzer(stack, origin).ref("registry_path"),
            "environment": {"publish_cloudwatch_metrics": "Enabled"},
        },
        **_decided(watching, intent, served, baseline, instance, hours),
    }
    mark = sha256(json.dumps([repr(decided), context.placement]).encode()).hexdigest()[:8]
    definition = stack.resource(
        "aws_sagemaker_data_quality_job_definition",
        intent.name,
        {
            "name": fitted("sagemaker", f"{context.prefix}-{intent.name}-{mark}"),
            "role_arn": watching.role,
            **decided,
        },
        origin=origin,
        lifecycle=Lifecycle(create_before_destroy=True),
    )
    schedule = stack.resource(
        "aws_sagemaker_monitoring_schedule",
        intent.name,
        {
            "name": context.name("sagemaker", intent.name),
            "monitoring_schedule_config": {
                "monitoring_job_definition_name": definition.ref("name"),
                "monitoring_type": "DataQuality",
                "schedule_config": {"schedule_expression": monitor_schedule(hours)},
            },
        },
        origin=origin,
    )
    return schedule.ref("name")


def _analyzer(stack: StackBuilder, origin: str) -> Node:
    """The address of AWS's image, out of the provider's own table: no network is asked."""
    known = [node for node in stack.nodes if node.address.type == "aws_sagemaker_prebuilt_ecr_image"]
    return (
        known[0]
        if known
        else stack.data(
            "aws_sagemaker_prebuilt_ecr_image",
            "analyzer",
            {"repository_name": ANALYZER, "image_tag": ANALYZER_TAG},
            origin=origin,
        )
    )


def _decided(
    watching: Watching, intent: ModelMonitor, served: Served, baseline: str, instance: str, hours: int
) -> dict[str, Value]:
    """All of a job's definition that makes another one when it changes."""
    artifacts = watching.stores.by_name["artifacts"].id
    key = watching.keys.data
    volume = volume_key(watching.keys, instance)
    compared = text("s3://", artifacts, f"/baselines/{baseline}")
    return {
        "data_quality_baseline_config": {
            "statistics_resource": {"s3_uri": text(compared, "/statistics.json")},
            "constraints_resource": {"s3_uri": text(compared, "/constraints.json")},
        },
        "data_quality_job_input": {"endpoint_input": {"endpoint_name": served.name}},
        "data_quality_job_output_config": {
            "monitoring_outputs": {
                "s3_output": {"s3_uri": text("s3://", artifacts, f"/monitoring/{intent.name}")}
            },
            **({"kms_key_id": key} if key is not None else {}),
        },
        "job_resources": {
            "cluster_config": {
                "instance_count": 1,
                "instance_type": instance,
                "volume_size_in_gb": VOLUME_GIB,
                **({"volume_kms_key_id": volume} if volume is not None else {}),
            }
        },
        "network_config": {
            "enable_inter_container_traffic_encryption": True,
            "enable_network_isolation": False,
            "vpc_config": {
                "subnets": list(watching.network.subnet_ids),
                "security_group_ids": list(watching.network.security_group_ids),
            },
        },
        "stopping_condition": {"max_runtime_in_seconds": min(hours * HOUR_S // 2, LONGEST_RUN_S)},
    }


# --- alarms ----------------------------------------------------------------------------------------------------------


def drift_metrics(column: str, endpoint: Value, schedule: Value) -> list[dict[str, Value]]:
    """The dimensions of a column's drift figure, in each of the ways in which it may be kept."""
    values: dict[str, Value] = {"Endpoint": endpoint, FEATURE: column, "MonitoringSchedule": schedule}
    return [{name: values[name] for name in names} for names in DRIFT_DIMENSIONS]


def in_parts(intent: ModelMonitor) -> list[tuple[str, ...]]:
    """The columns in groups of which each fits one alarm."""
    most = MOST_METRICS // len(DRIFT_DIMENSIONS)
    return [intent.columns[start : start + most] for start in range(0, len(intent.columns), most)]


def _drift_alarm(stack: StackBuilder, context: Context, watch: Watch, heard: Sequence[Value]) -> Node | None:
    """What rings when a column has drifted: one alarm, or one over several where there are many columns."""
    intent = watch.intent
    told = heard if intent.notify else ()
    parts = in_parts(intent)
    if len(parts) <= 1:
        return next((_part(stack, context, watch, part, told) for part in parts), None)
    alarms = [
        _part(stack, context, watch, part, (), number=f"{number}")
        for number, part in enumerate(parts, start=1)
    ]
    rule = [piece for alarm in alarms for piece in (" OR ", 'ALARM("', alarm.ref("alarm_name"), '")')][1:]
    return stack.resource(
        "aws_cloudwatch_composite_alarm",
        f"drift-{intent.name}",
        {
            "alarm_name": context.name("alarm", intent.name, "drift"),
            "alarm_description": _drifted(intent, intent.columns),
            "alarm_rule": text(*rule),
            "alarm_actions": list(told) or None,
            "ok_actions": list(told) or None,
        },
        origin=describe(intent),
    )


def _part(
    stack: StackBuilder,
    context: Context,
    watch: Watch,
    columns: Sequence[str],
    heard: Sequence[Value],
    *,
    number: str = "",
) -> Node:
    """The highest drift of some columns, of which each run gives one figure: it rings when enough of the last are high."""
    intent = watch.intent
    queries: dict[str, Value] = {
        f"m{place}_{way}": {
            "namespace": DRIFT_NAMESPACE,
            "metric_name": f"feature_baseline_drift_{column}",
            "dimensions": dimensions,
            "period": HOUR_S,
            "stat": "Maximum",
        }
        for place, column in enumerate(columns)
        for way, dimensions in enumerate(drift_metrics(column, watch.served.name, watch.schedule))
    }
    highest: Value = {
        "id": "drift",
        "expression": f"MAX([{', '.join(queries)}])",
        "label": "Highest drift",
        "return_data": True,
    }
    return metric_alarm(
        stack,
        context,
        f"drift-{intent.name}--{number}" if number else f"drift-{intent.name}",
        (intent.name, "drift", number) if number else (intent.name, "drift"),
        {
            "alarm_description": _drifted(intent, columns),
            "comparison_operator": "GreaterThanOrEqualToThreshold",
            "threshold": intent.data_drift_threshold,
            "evaluation_periods": (monitor_hours(intent.every) or 1) * intent.windows + LATE_H,
            "datapoints_to_alarm": intent.breaches,
            "metric_query": [*({"id": id_, "metric": metric} for id_, metric in queries.items()), highest],
        },
        heard=heard,
        origin=describe(intent),
    )


def _drifted(intent: ModelMonitor, columns: Sequence[str]) -> str:
    named = ", ".join(columns[:5]) + (f" and {len(columns) - 5} more" if len(columns) > 5 else "")
    return f"The inputs of endpoint {intent.endpoint} have drifted from the training data: {named}"
