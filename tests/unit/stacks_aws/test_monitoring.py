"""What the monitoring stack makes of endpoints and pipelines that are there, and what it says of those that are not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from stacks.adapter import Skipped
from stacks.aws import monitoring
from stacks.aws.context import Context, Keys, Learning, Network, Runnable, Served, Store, Stores
from stacks.graph import JsonText, Node, Ref, StackBuilder, Text
from stacks.intents import (
    Budget,
    Intent,
    ModelMonitor,
    ModelRegistry,
    Notifications,
    OnlineEndpoint,
    Platform,
    PrivateNetwork,
    StateBackend,
    Target,
    TrainingPipeline,
)
from stacks.pipelines import PipelineDefinition, Register, Step, StepOutput

ENDPOINT = OnlineEndpoint(
    name="churn",
    model="churn",
    mode="realtime",
    instance="cpu.medium",
    min_replicas=1,
    max_replicas=1,
    target_utilization_percent=70,
    capture_percent=20,
    max_latency_ms=300,
    max_error_percent=1.5,
    memory_mb=2048,
    max_concurrency=20,
    schedule=None,
)
BULK = replace(ENDPOINT, name="bulk", mode="batch", schedule="30 4 1 * mon")
PIPELINE = TrainingPipeline(
    name="train", definition="train.yaml", schedule=None, instance="cpu.large", steps=None
)
MODEL = ModelRegistry(
    name="churn", approval="manual", version=None, image=None, data=None, approval_pipeline=None
)
MONITOR = ModelMonitor(
    name="watch",
    endpoint="churn",
    every="1h",
    instance="cpu.medium",
    baseline="churn/1",
    columns=("age", "plan"),
    data_drift_threshold=0.2,
    prediction_drift_threshold=None,
    concept_drift_threshold=None,
    notify=True,
    retrain_pipeline=None,
    image=None,
    code=None,
    breaches=2,
    windows=3,
    cooldown_s=86_400,
)
PEOPLE = Notifications(emails=("a@example.com",))
NETWORK = PrivateNetwork(
    cidr="10.0.0.0/16",
    zones=2,
    zone_ids=(),
    nat_gateways=0,
    private_endpoints=True,
    flow_log_retention_days=365,
)
ROLES = {"monitoring": "arn:monitoring", "triggers": "arn:triggers"}
KEYS = Keys(data="arn:data-key", logs="arn:logs-key")
TRAIN = Runnable(name="churn-dev-train", arn="arn:pipeline/churn-dev-train")


def context(*intents: Intent, region: str = "eu-west-1") -> Context:
    return Context(
        Platform(
            name="churn",
            environment="dev",
            tags={},
            target=Target(provider="aws", region=region, account="123456789012"),
            first_in_account=True,
            deletion_protection=False,
            backend=StateBackend(kind="local", settings={}),
            intents=(NETWORK, *intents),
            overrides=(),
        )
    )


def learned(*endpoints: OnlineEndpoint, train: bool = False, scoring: Sequence[str] = ()) -> Learning:
    """What the ml stack would have made."""
    return Learning(
        endpoints={
            it.name: Served(
                intent=it, name=f"churn-dev-{it.name}", arn=f"arn:endpoint/{it.name}", variant="primary"
            )
            for it in endpoints
        },
        pipelines={"train": TRAIN} if train else {},
        scoring={
            name: Runnable(name=f"{name}--batch", arn=f"arn:pipeline/{name}--batch") for name in scoring
        },
    )


def lowered(
    *intents: Intent, learning: Learning | None = None, keys: Keys = KEYS, region: str = "eu-west-1"
) -> tuple[StackBuilder, Sequence[Skipped]]:
    return monitoring.lower(
        context(*intents, region=region),
        keys,
        Network(
            network_id="vpc-0",
            network_arn="arn:vpc",
            subnet_ids=("subnet-0", "subnet-1"),
            subnet_arns=(),
            security_group_ids=("sg-0",),
            security_group_arns=(),
        ),
        Stores(by_name={name: Store(id=f"b-{name}", arn=f"arn:{name}") for name in ("data", "artifacts")}),
        ROLES,
        learning or Learning(),
    )


def of_type(stack: StackBuilder, type_: str) -> dict[str, Node]:
    return {node.address.name: node for node in stack.nodes if node.address.type == type_}


def alarm(stack: StackBuilder, name: str) -> Mapping[str, Any]:
    return of_type(stack, "aws_cloudwatch_metric_alarm")[name].arguments


def queries(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """An alarm's metrics by id; an expression as its text."""
    return {each["id"]: each.get("metric") or each["expression"] for each in arguments["metric_query"]}


def pattern(node: Node) -> Any:
    found = node.arguments["event_pattern"]
    assert isinstance(found, JsonText)
    return found.document


TOPIC = Ref(next(iter(of_type(lowered(PEOPLE)[0], "aws_sns_topic").values())).address, "arn")


# --- alarms ----------------------------------------------------------------------------------------------------------


def test_without_anything_to_watch_or_to_tell_there_is_no_stack() -> None:
    stack, skipped = lowered(ENDPOINT, PIPELINE)
    assert (stack.nodes, skipped) == ((), ())


def test_a_realtime_endpoint_is_watched_for_errors_and_latency() -> None:
    stack, _ = lowered(ENDPOINT, PEOPLE, learning=learned(ENDPOINT))
    errors, latency = alarm(stack, "errors-churn"), alarm(stack, "latency-churn")
    assert queries(errors)["share"] == "100 * failed / requests"
    assert (errors["threshold"], errors["comparison_operator"]) == (1.5, "GreaterThanThreshold")
    assert (latency["metric_name"], latency["extended_statistic"]) == ("ModelLatency", "p99")
    assert latency["threshold"] == 300_000, "SageMaker counts microseconds"
    for arguments in (errors, latency):
        assert arguments["alarm_actions"] == arguments["ok_actions"] == [TOPIC]
        assert arguments["treat_missing_data"] == "notBreaching"
        assert arguments["datapoints_to_alarm"] < arguments["evaluation_periods"]


def test_an_async_endpoint_counts_no_invocations_and_has_a_queue() -> None:
    slow = replace(ENDPOINT, mode="async")
    stack, _ = lowered(slow, learning=learned(slow))
    errors, backlog = alarm(stack, "errors-churn"), alarm(stack, "backlog-churn")
    assert {metric["metric_name"] for id_, metric in queries(errors).items() if id_ != "share"} == {
        "Invocation5XXErrors"
    }
    assert queries(errors)["failed"]["stat"] == "Average"
    assert backlog["metric_name"] == "ApproximateAgeOfOldestRequest"
    assert set(backlog["dimensions"]) == {"EndpointName"}
    assert "latency-churn" not in of_type(stack, "aws_cloudwatch_metric_alarm")


def test_without_mail_addresses_alarms_show_and_tell_nobody() -> None:
    stack, _ = lowered(ENDPOINT, Budget(monthly=100, currency="USD"), learning=learned(ENDPOINT))
    assert "alarm_actions" not in alarm(stack, "errors-churn")
    assert of_type(stack, "aws_sns_topic"), "the budget publishes"
    assert of_type(stack, "aws_cloudwatch_event_target") == {}


def test_a_failed_pipeline_shows_on_an_alarm_and_is_told_by_an_event() -> None:
    stack, _ = lowered(PIPELINE, PEOPLE, learning=learned(train=True))
    failed = alarm(stack, "failed-train")
    assert failed["namespace"] == "AWS/Sagemaker/ModelBuildingPipeline"
    assert failed["dimensions"] == {"PipelineName": "churn-dev-train"}
    assert "alarm_actions" not in failed, "one failure is told once"
    rule = of_type(stack, "aws_cloudwatch_event_rule")["pipeline-failed-1"]
    assert pattern(rule)["detail"] == {
        "currentPipelineExecutionStatus": ["Failed"],
        "pipelineArn": [TRAIN.arn],
    }


# --- monitors --------------------------------------------------------------------------------------------------------


def test_a_monitor_compares_captured_data_with_the_baseline_inside_the_network() -> None:
    stack, skipped = lowered(ENDPOINT, MONITOR, PEOPLE, learning=learned(ENDPOINT))
    (definition,) = of_type(stack, "aws_sagemaker_data_quality_job_definition").values()
    arguments: Any = definition.arguments
    baseline = arguments["data_quality_baseline_config"]
    assert baseline["statistics_resource"]["s3_uri"] == "s3://b-artifacts/baselines/churn/1/statistics.json"
    assert baseline["constraints_resource"]["s3_uri"] == "s3://b-artifacts/baselines/churn/1/constraints.json"
    output = arguments["data_quality_job_output_config"]
    assert output["kms_key_id"] == "arn:data-key"
    assert output["monitoring_outputs"]["s3_output"]["s3_uri"] == "s3://b-artifacts/monitoring/watch"
    assert arguments["job_resources"]["cluster_config"]["volume_kms_key_id"] == "arn:data-key"
    network = arguments["network_config"]
    assert network["enable_inter_container_traffic_encryption"] is True
    assert network["vpc_config"] == {"subnets": ["subnet-0", "subnet-1"], "security_group_ids": ["sg-0"]}
    assert arguments["role_arn"] == ROLES["monitoring"]
    assert arguments["stopping_condition"]["max_runtime_in_seconds"] < 3600
    assert definition.lifecycle.create_before_destroy
    assert skipped == ()


def test_a_machine_with_local_disks_gets_no_volume_key() -> None:
    stack, _ = lowered(ENDPOINT, replace(MONITOR, instance="ml.g4dn.xlarge"), learning=learned(ENDPOINT))
    (definition,) = of_type(stack, "aws_sagemaker_data_quality_job_definition").values()
    resources: Any = definition.arguments["job_resources"]
    assert "volume_kms_key_id" not in resources["cluster_config"]


@pytest.mark.parametrize(
    "change",
    [{"baseline": "churn/2"}, {"instance": "cpu.large"}, {"every": "2h"}],
    ids=lambda change: next(iter(change)),
)
def test_another_job_has_another_name_so_that_it_can_be_made_first(change: dict[str, Any]) -> None:
    names = []
    for monitor in (MONITOR, replace(MONITOR, **change)):
        stack, _ = lowered(ENDPOINT, monitor, learning=learned(ENDPOINT))
        (definition,) = of_type(stack, "aws_sagemaker_data_quality_job_definition").values()
        (schedule,) = of_type(stack, "aws_sagemaker_monitoring_schedule").values()
        names.append((definition.arguments["name"], schedule.arguments["name"]))
    assert names[0][0] != names[1][0]
    assert names[0][1] == names[1][1]


def test_one_alarm_takes_the_highest_drift_under_both_spellings_of_the_dimensions() -> None:
    stack, _ = lowered(ENDPOINT, MONITOR, PEOPLE, learning=learned(ENDPOINT))
    arguments = alarm(stack, "drift-watch")
    found = queries(arguments)
    assert found.pop("drift") == "MAX([m0_0, m0_1, m1_0, m1_1])"
    assert {metric["metric_name"] for metric in found.values()} == {
        "feature_baseline_drift_age",
        "feature_baseline_drift_plan",
    }
    assert [sorted(metric["dimensions"]) for metric in found.values()] == [
        ["Endpoint", "MonitoringSchedule"],
        ["Endpoint", "Feature", "MonitoringSchedule"],
    ] * 2
    assert arguments["threshold"] == 0.2
    assert arguments["comparison_operator"] == "GreaterThanOrEqualToThreshold"
    assert arguments["alarm_actions"] == [TOPIC]


@pytest.mark.parametrize("every", ["1h", "12h", "1d"])
def test_an_alarm_looks_back_over_the_windows_that_count_and_rings_for_the_breaches(every: str) -> None:
    stack, _ = lowered(ENDPOINT, replace(MONITOR, every=every), learning=learned(ENDPOINT))
    arguments = alarm(stack, "drift-watch")
    hours = {"1h": 1, "12h": 12, "1d": 24}[every]
    assert arguments["evaluation_periods"] > 3 * hours
    assert arguments["evaluation_periods"] * 3600 <= 604_800, "CloudWatch looks back seven days"
    assert arguments["datapoints_to_alarm"] == 2


def test_many_columns_are_watched_in_parts_under_one_alarm() -> None:
    columns = tuple(f"c{number}" for number in range(12))
    stack, _ = lowered(ENDPOINT, PEOPLE, replace(MONITOR, columns=columns), learning=learned(ENDPOINT))
    parts = [
        node
        for name, node in of_type(stack, "aws_cloudwatch_metric_alarm").items()
        if name.startswith("drift-")
    ]
    (whole,) = of_type(stack, "aws_cloudwatch_composite_alarm").values()
    watched = [id_ for part in parts for id_ in queries(part.arguments)]
    assert len(parts) == 3
    assert all(len(queries(part.arguments)) - 1 <= 10 for part in parts), "CloudWatch's limit"
    assert len(watched) - len(parts) == 24
    assert all("alarm_actions" not in part.arguments for part in parts)
    assert whole.arguments["alarm_actions"] == [TOPIC]
    rule = whole.arguments["alarm_rule"]
    assert isinstance(rule, Text)
    assert [part for part in rule.parts if isinstance(part, Ref)] == [
        part.ref("alarm_name") for part in parts
    ]
    assert "".join(part for part in rule.parts if isinstance(part, str)) == " OR ".join(['ALARM("")'] * 3)


def test_a_monitor_that_need_not_notify_tells_nobody() -> None:
    stack, _ = lowered(ENDPOINT, PEOPLE, replace(MONITOR, notify=False), learning=learned(ENDPOINT))
    assert "alarm_actions" not in alarm(stack, "drift-watch")


# --- what is left out ------------------------------------------------------------------------------------------------


def test_a_monitor_without_its_endpoint_is_planned() -> None:
    stack, (skipped,) = lowered(ENDPOINT, MONITOR)
    assert stack.nodes == ()
    assert (skipped.intent, skipped.reason) == ("model monitor watch", "endpoint churn is not there yet")
    assert skipped.remedy


def test_a_monitor_without_a_baseline_is_planned_and_says_how_to_get_one() -> None:
    stack, (skipped,) = lowered(ENDPOINT, replace(MONITOR, baseline=None), learning=learned(ENDPOINT))
    assert of_type(stack, "aws_sagemaker_monitoring_schedule") == {}
    assert "monitors.watch.baseline" in skipped.remedy


def test_without_columns_the_monitor_runs_and_the_alarm_is_planned() -> None:
    stack, (skipped,) = lowered(ENDPOINT, replace(MONITOR, columns=()), learning=learned(ENDPOINT))
    assert "watch" in of_type(stack, "aws_sagemaker_monitoring_schedule")
    assert "drift-watch" not in of_type(stack, "aws_cloudwatch_metric_alarm")
    assert "monitors.watch.data_drift.columns" in skipped.remedy


def test_drift_of_predictions_and_concepts_needs_a_job_of_its_own() -> None:
    only = replace(
        MONITOR, data_drift_threshold=None, prediction_drift_threshold=0.1, concept_drift_threshold=0.1
    )
    stack, skipped = lowered(ENDPOINT, only, learning=learned(ENDPOINT))
    assert of_type(stack, "aws_sagemaker_monitoring_schedule") == {}
    assert [each.reason.split(" is not")[0] for each in skipped] == ["prediction drift", "concept drift"]
    assert all("monitors.watch.image" in each.remedy for each in skipped)


def test_a_monitor_with_an_image_is_told_how_our_own_baseline_is_made() -> None:
    own = replace(MONITOR, baseline=None, image="training:1.0.0")
    _, (skipped,) = lowered(ENDPOINT, own, learning=learned(ENDPOINT))
    assert "drift-baseline.json" in skipped.remedy
    assert "statistics.json" not in skipped.remedy


def test_a_pipeline_that_cannot_be_started_yet_is_named() -> None:
    _, skipped = lowered(
        ENDPOINT,
        PIPELINE,
        replace(MODEL, approval_pipeline="train"),
        replace(MONITOR, retrain_pipeline="train"),
        learning=learned(ENDPOINT),
    )
    assert [each.intent for each in skipped] == ["model monitor watch", "model registry churn"]
    assert all("pipeline train" in each.reason and "pipeline train" in each.remedy for each in skipped)


# --- triggers --------------------------------------------------------------------------------------------------------


def test_a_schedule_starts_its_pipeline_by_the_role_for_it() -> None:
    scheduled = replace(PIPELINE, schedule="0 3 * * *")
    stack, _ = lowered(scheduled, learning=learned(train=True))
    rule = of_type(stack, "aws_cloudwatch_event_rule")["schedule-train"]
    target = of_type(stack, "aws_cloudwatch_event_target")["schedule-train--pipeline"]
    assert rule.arguments["schedule_expression"] == "cron(0 3 * * ? *)"
    assert rule.arguments["state"] == "ENABLED"
    assert (target.arguments["arn"], target.arguments["role_arn"]) == (TRAIN.arn, ROLES["triggers"])


def test_a_batch_endpoint_scores_by_two_rules_where_cron_says_either() -> None:
    stack, _ = lowered(BULK, learning=learned(scoring=["bulk"]))
    rules = of_type(stack, "aws_cloudwatch_event_rule")
    assert {name: rule.arguments["schedule_expression"] for name, rule in rules.items()} == {
        "schedule-bulk--batch": "cron(30 4 1 * ? *)",
        "schedule-bulk--batch--weekdays": "cron(30 4 ? * MON *)",
    }
    targets = of_type(stack, "aws_cloudwatch_event_target").values()
    assert {target.arguments["arn"] for target in targets} == {"arn:pipeline/bulk--batch"}


def test_drift_starts_the_pipeline_that_retrains() -> None:
    stack, skipped = lowered(
        ENDPOINT,
        PIPELINE,
        replace(MONITOR, retrain_pipeline="train"),
        learning=learned(ENDPOINT, train=True),
    )
    found = pattern(of_type(stack, "aws_cloudwatch_event_rule")["drift-watch"])
    assert found["detail"] == {"state": {"value": ["ALARM"]}}
    assert found["resources"] == [of_type(stack, "aws_cloudwatch_metric_alarm")["drift-watch"].ref("arn")]
    assert (
        of_type(stack, "aws_cloudwatch_event_target")["drift-watch--pipeline"].arguments["arn"] == TRAIN.arn
    )
    assert skipped == ()


def test_an_approved_version_starts_a_pipeline_and_is_told() -> None:
    stack, _ = lowered(
        replace(MODEL, approval_pipeline="train"), PIPELINE, PEOPLE, learning=learned(train=True)
    )
    rule = of_type(stack, "aws_cloudwatch_event_rule")["approved-churn"]
    assert pattern(rule)["detail"] == {
        "ModelPackageGroupName": ["churn-dev-churn"],
        "ModelApprovalStatus": ["Approved"],
        "ModelPackageStatus": ["Completed"],
    }
    targets = of_type(stack, "aws_cloudwatch_event_target")
    assert targets["approved-churn--pipeline"].arguments["arn"] == TRAIN.arn
    told: Any = targets["approved-churn--people"].arguments
    assert told["arn"] == TOPIC
    template = told["input_transformer"]["input_template"]
    assert template.startswith('"')
    assert template.endswith('"')
    assert all(f"<{name}>" in template for name in told["input_transformer"]["input_paths"])


def test_what_cannot_be_delivered_waits_in_an_encrypted_queue_that_is_watched() -> None:
    stack, _ = lowered(replace(PIPELINE, schedule="0 3 * * *"), PEOPLE, learning=learned(train=True))
    (queue,) = of_type(stack, "aws_sqs_queue").values()
    assert queue.arguments["kms_master_key_id"] == "arn:logs-key"
    targets: Any = of_type(stack, "aws_cloudwatch_event_target").values()
    assert len(targets) > 1
    for target in targets:
        assert target.arguments["dead_letter_config"] == {"arn": queue.ref("arn")}
        assert target.arguments["retry_policy"]["maximum_retry_attempts"] > 0
    assert alarm(stack, "undelivered")["alarm_actions"] == [TOPIC]


def test_without_keys_of_ones_own_the_queue_has_that_of_the_service() -> None:
    stack, _ = lowered(replace(PIPELINE, schedule="0 3 * * *"), keys=Keys(), learning=learned(train=True))
    (queue,) = of_type(stack, "aws_sqs_queue").values()
    assert queue.arguments["sqs_managed_sse_enabled"] is True
    assert "kms_master_key_id" not in queue.arguments


def test_many_endpoints_are_told_of_by_patterns_that_fit() -> None:
    endpoints = [replace(ENDPOINT, name=f"e{number}") for number in range(30)]
    stack, _ = lowered(*endpoints, PEOPLE, learning=learned(*endpoints))
    rules = [
        rule
        for name, rule in of_type(stack, "aws_cloudwatch_event_rule").items()
        if name.startswith("endpoint-failed")
    ]
    names = [name for rule in rules for name in pattern(rule)["detail"]["EndpointName"]]
    assert sorted(names) == sorted(f"churn-dev-e{number}" for number in range(30))
    assert max(len(pattern(rule)["detail"]["EndpointName"]) for rule in rules) * 66 < 1500


# --- the dashboard ---------------------------------------------------------------------------------------------------


def widgets(stack: StackBuilder) -> list[Any]:
    (dashboard,) = of_type(stack, "aws_cloudwatch_dashboard").values()
    body = dashboard.arguments["dashboard_body"]
    assert isinstance(body, JsonText)
    document: Any = body.document
    found = document["widgets"]
    assert isinstance(found, list)
    return found


def test_the_dashboard_shows_what_is_there_and_the_alarms_of_all() -> None:
    stack, _ = lowered(
        ENDPOINT,
        PIPELINE,
        MONITOR,
        PEOPLE,
        Budget(monthly=100, currency="EUR"),
        learning=learned(ENDPOINT, train=True),
    )
    shown = {widget["properties"].get("title", ""): widget["properties"] for widget in widgets(stack)}
    assert {*shown} >= {
        *("Alarms", "churn: requests", "churn: errors", "churn: latency (µs)"),
        *("train: executions", "train: duration (ms)", "watch: drift of the inputs"),
    }
    assert "100.00 EUR" in shown[""]["markdown"]
    assert shown["Alarms"]["alarms"] == [
        node.ref("arn") for node in stack.nodes if node.address.type == "aws_cloudwatch_metric_alarm"
    ]


def test_widgets_do_not_overlap() -> None:
    stack, _ = lowered(ENDPOINT, PIPELINE, MONITOR, PEOPLE, learning=learned(ENDPOINT, train=True))
    taken: set[tuple[int, int]] = set()
    for widget in widgets(stack):
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert max(x for x, _ in cells) < 24
        assert not taken & cells
        taken |= cells


# --- what aws refuses ------------------------------------------------------------------------------------------------


def problems(*intents: Intent, region: str = "eu-west-1") -> list[tuple[str, str]]:
    found = monitoring.monitoring_problems(context(*intents, region=region))
    return [(".".join(problem.path), problem.message + " " + problem.hint) for problem in found]


def test_what_can_be_watched_is_no_problem() -> None:
    assert problems(ENDPOINT, MONITOR, replace(PIPELINE, schedule="0 3 1 * mon"), BULK) == []


@pytest.mark.parametrize("mode", ["serverless", "async", "batch"])
def test_only_a_realtime_endpoint_keeps_what_a_monitor_compares(mode: Any) -> None:
    ((path, message),) = problems(replace(ENDPOINT, mode=mode), MONITOR)
    assert path == "monitors.watch.endpoint"
    assert f'"churn" is {mode}' in message


def test_an_endpoint_that_captures_nothing_cannot_be_watched() -> None:
    ((path, message),) = problems(replace(ENDPOINT, capture_percent=0), MONITOR)
    assert path == "monitors.watch.endpoint"
    assert "endpoints.churn.capture_percent" in message


def test_a_period_that_sagemaker_lacks_is_refused_with_the_nearest() -> None:
    ((path, message),) = problems(ENDPOINT, replace(MONITOR, every="7d"))
    assert path == "monitors.watch.every"
    assert "Set it to 24h." in message


def test_a_machine_that_runs_no_processing_is_refused() -> None:
    ((path, message),) = problems(ENDPOINT, replace(MONITOR, instance="ml.m5.xlargee"))
    assert path == "monitors.watch.instance"
    assert "ml.m5.xlarge" in message


def test_a_region_without_the_analyzer_is_refused() -> None:
    found = problems(ENDPOINT, replace(MONITOR, instance="ml.m5.xlarge"), region="mx-central-1")
    assert ("monitors.watch", True) in [(path, "mx-central-1" in message) for path, message in found]


def test_a_monitor_without_data_drift_is_not_checked_as_one() -> None:
    only = replace(MONITOR, data_drift_threshold=None, concept_drift_threshold=0.1, every="7d")
    assert problems(replace(ENDPOINT, mode="async"), only) == []


def test_a_schedule_that_eventbridge_lacks_is_refused() -> None:
    ((path, message),) = problems(replace(PIPELINE, schedule="0 0 */2 * mon"))
    assert path == "pipelines.train.schedule"
    assert "both at once" in message


def test_an_approval_that_starts_itself_is_refused() -> None:
    step = Step(
        name="register",
        after=(),
        gate=None,
        retries=0,
        action=Register(
            model="churn",
            source=StepOutput(step="fit", output="model"),
            image="serving:1",
            content_type="text/csv",
            metrics=None,
        ),
    )
    registering = replace(
        PIPELINE, steps=PipelineDefinition(description="", parameters=(), code={}, steps=(step,))
    )
    automatic = replace(MODEL, approval="automatic", approval_pipeline="train")
    ((path, _),) = problems(registering, automatic)
    assert path == "models.churn.on_approval"
    assert problems(registering, replace(automatic, approval="manual")) == []
