"""The emulator serves the whole SageMaker platform to the real Terraform: made, changed, watched, destroyed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from tests.emulator.fixture import ACCOUNT, Emulator
from tests.emulator.terraform import Terraform, providers_environment

_PLATFORM = Path(__file__).parent / "platform"
_NAME = "emulated-ml"
_VARIANT = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": f"endpoint/{_NAME}-realtime/variant/primary",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}

pytestmark = [pytest.mark.terraform, pytest.mark.slow]


@pytest.fixture(scope="module")
def platform(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    """The platform, applied once for the tests of this module, which run in their order."""
    folder = tmp_path_factory.mktemp("terraform")
    shutil.copytree(_PLATFORM, folder / "platform")
    with ZipFile(folder / "platform" / "deploy.zip", "w") as code:
        code.writestr("deploy.py", "def handler(event, context):\n    return event\n")
    environment = emulator.environment() | providers_environment(folder)
    terraform = Terraform(folder / "platform", environment)
    terraform.init()
    terraform.validate()
    terraform.apply()
    yield terraform
    terraform.destroy()
    assert terraform.addresses() == []
    assert _left(emulator) == []
    assert emulator.failures() == []


def test_a_second_plan_finds_nothing_to_do(emulator: Emulator, platform: Terraform) -> None:
    assert len(platform.addresses()) > 90
    unchanged = platform.plan()
    assert not unchanged.has_changes, unchanged.text
    assert emulator.failures() == []


def test_what_was_asked_for_is_what_is_there(emulator: Emulator, platform: Terraform) -> None:
    sagemaker, scaling = emulator.client("sagemaker"), emulator.client("application-autoscaling")
    assert platform.addresses()
    domain = _domain(emulator)
    assert (domain["AppNetworkAccessType"], domain["AuthMode"], domain["Status"]) == (
        "VpcOnly",
        "IAM",
        "InService",
    )
    endpoint = sagemaker.describe_endpoint(EndpointName=f"{_NAME}-realtime")
    assert endpoint["EndpointStatus"] == "InService"
    assert endpoint["DataCaptureConfig"]["CaptureStatus"] == "Started"
    assert endpoint["DataCaptureConfig"]["CurrentSamplingPercentage"] == 20
    assert endpoint["LastDeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"] == [
        {"AlarmName": f"{_NAME}-5xx"}
    ]
    model = sagemaker.describe_model(ModelName=f"{_NAME}-isolated")
    assert (model["EnableNetworkIsolation"], len(model["VpcConfig"]["Subnets"])) == (True, 2)
    target = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"][0]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 6)
    schedule = sagemaker.list_monitoring_schedules(EndpointName=f"{_NAME}-realtime")
    assert [each["MonitoringScheduleStatus"] for each in schedule["MonitoringScheduleSummaries"]] == [
        "Scheduled"
    ]
    composite = emulator.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm"])[
        "CompositeAlarms"
    ]
    assert [alarm["ActionsSuppressor"] for alarm in composite] == [f"{_NAME}-error-rate"]


def test_drift_is_named(emulator: Emulator, platform: Terraform) -> None:
    _loosen(emulator)
    drift = platform.plan()
    assert drift.changed == {
        "aws_appautoscaling_target.realtime",
        "aws_bedrock_guardrail.main",
        "aws_budgets_budget.monthly",
        "aws_cloudwatch_composite_alarm.endpoint",
        "aws_lambda_function.deploy",
        'aws_cloudwatch_event_rule.pattern["drifted"]',
        "aws_sagemaker_domain.main",
        "aws_sagemaker_endpoint.realtime",
        'aws_sagemaker_model_package_group_policy.main["ranker"]',
        "aws_sagemaker_monitoring_schedule.drift",
        "aws_sagemaker_pipeline.train",
    }
    platform.apply()
    repaired = platform.plan()
    assert not repaired.has_changes, repaired.text


def test_changes_in_place_are_kept(emulator: Emulator, platform: Terraform) -> None:
    before = _domain(emulator)["DomainId"]
    second = replace(platform, environment={**platform.environment, "TF_VAR_revision": "2"})
    second.apply()
    unchanged = second.plan()
    assert not unchanged.has_changes, unchanged.text
    domain = _domain(emulator)
    idle = domain["DefaultUserSettings"]["JupyterLabAppSettings"]["AppLifecycleManagement"]["IdleSettings"]
    assert (domain["DomainId"], idle["IdleTimeoutInMinutes"]) == (before, 90)
    sagemaker = emulator.client("sagemaker")
    named = sagemaker.describe_endpoint(EndpointName=f"{_NAME}-realtime")["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=named)
    assert config["ProductionVariants"][0]["InstanceType"] == "ml.m7i.large"
    assert emulator.failures() == []


def _domain(emulator: Emulator) -> dict[str, Any]:
    sagemaker = emulator.client("sagemaker")
    domain_id = sagemaker.list_domains()["Domains"][0]["DomainId"]
    described: dict[str, Any] = sagemaker.describe_domain(DomainId=domain_id)
    return described


def _loosen(emulator: Emulator) -> None:
    """Do behind Terraform's back what a hurried human does."""
    sagemaker = emulator.client("sagemaker")
    sagemaker.update_domain(DomainId=_domain(emulator)["DomainId"], AppNetworkAccessType="PublicInternetOnly")
    sagemaker.delete_model_package_group_policy(ModelPackageGroupName=f"{_NAME}-ranker")
    sagemaker.update_endpoint(EndpointName=f"{_NAME}-realtime", EndpointConfigName=f"{_NAME}-async")
    sagemaker.update_pipeline(PipelineName=f"{_NAME}-train", PipelineDescription="changed by hand")
    hourly = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=f"{_NAME}-drift")
    config = hourly["MonitoringScheduleConfig"] | {"ScheduleConfig": {"ScheduleExpression": "NOW"}}
    sagemaker.update_monitoring_schedule(
        MonitoringScheduleName=f"{_NAME}-drift", MonitoringScheduleConfig=config
    )
    emulator.client("application-autoscaling").register_scalable_target(
        **_VARIANT, MinCapacity=0, MaxCapacity=6
    )
    emulator.client("lambda").update_function_configuration(
        FunctionName=f"{_NAME}-deploy", DeadLetterConfig={"TargetArn": ""}
    )
    emulator.client("events").disable_rule(Name=f"{_NAME}-drifted")
    cloudwatch = emulator.client("cloudwatch")
    alarm = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
    cloudwatch.put_composite_alarm(AlarmName=alarm["AlarmName"], AlarmRule=alarm["AlarmRule"])
    _loosen_guardrail(emulator)
    _unsubscribe_from_budget(emulator)


def _loosen_guardrail(emulator: Emulator) -> None:
    bedrock = emulator.client("bedrock")
    guardrail = bedrock.list_guardrails()["guardrails"][0]["id"]
    bedrock.update_guardrail(
        guardrailIdentifier=guardrail,
        name=_NAME,
        blockedInputMessaging="This can't be asked.",
        blockedOutputsMessaging="This can't be answered.",
        wordPolicyConfig={"managedWordListsConfig": [{"type": "PROFANITY"}]},
    )


def _unsubscribe_from_budget(emulator: Emulator) -> None:
    budgets = emulator.client("budgets")
    budget = {"AccountId": ACCOUNT, "BudgetName": f"{_NAME}-monthly"}
    notifications = budgets.describe_notifications_for_budget(**budget)["Notifications"]
    actual = next(each for each in notifications if each["NotificationType"] == "ACTUAL")
    subscriber = {"SubscriptionType": "EMAIL", "Address": "team@example.com"}
    budgets.delete_subscriber(**budget, Notification=actual, Subscriber=subscriber)


def _left(emulator: Emulator) -> list[object]:
    """What a destroyed platform has left in the account."""
    sagemaker, serverless = emulator.client("sagemaker"), emulator.client("opensearchserverless")
    events, agents = emulator.client("events"), emulator.client("bedrock-agent")
    alarms = emulator.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm", "MetricAlarm"])
    return [
        *sagemaker.list_domains()["Domains"],
        *sagemaker.list_user_profiles()["UserProfiles"],
        *sagemaker.list_spaces()["Spaces"],
        *sagemaker.list_studio_lifecycle_configs()["StudioLifecycleConfigs"],
        *sagemaker.list_notebook_instances()["NotebookInstances"],
        *sagemaker.list_code_repositories()["CodeRepositorySummaryList"],
        *sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"],
        *sagemaker.list_feature_groups()["FeatureGroupSummaries"],
        *sagemaker.list_mlflow_tracking_servers()["TrackingServerSummaries"],
        *sagemaker.list_pipelines()["PipelineSummaries"],
        *sagemaker.list_models()["Models"],
        *sagemaker.list_endpoint_configs()["EndpointConfigs"],
        *sagemaker.list_endpoints()["Endpoints"],
        *sagemaker.list_data_quality_job_definitions()["JobDefinitionSummaries"],
        *sagemaker.list_monitoring_schedules()["MonitoringScheduleSummaries"],
        *emulator.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")[
            "ScalableTargets"
        ],
        *emulator.client("efs").describe_file_systems()["FileSystems"],
        *alarms["CompositeAlarms"],
        *alarms["MetricAlarms"],
        *emulator.client("logs").describe_log_groups()["logGroups"],
        *emulator.client("sns").list_topics()["Topics"],
        *emulator.client("sqs").list_queues().get("QueueUrls", []),
        *events.list_rules()["Rules"],
        *events.list_archives()["Archives"],
        *emulator.client("lambda").list_functions()["Functions"],
        *emulator.client("stepfunctions").list_state_machines()["stateMachines"],
        *emulator.client("scheduler").list_schedules()["Schedules"],
        *emulator.client("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"],
        *emulator.client("ce").get_anomaly_monitors()["AnomalyMonitors"],
        *emulator.client("ce").get_anomaly_subscriptions()["AnomalySubscriptions"],
        *emulator.client("glue").get_databases()["DatabaseList"],
        *emulator.client("secretsmanager").list_secrets()["SecretList"],
        *emulator.client("bedrock").list_guardrails()["guardrails"],
        *agents.list_knowledge_bases()["knowledgeBaseSummaries"],
        *agents.list_agents()["agentSummaries"],
        *agents.list_prompts()["promptSummaries"],
        *serverless.list_collections()["collectionSummaries"],
        *serverless.list_access_policies(type="data")["accessPolicySummaries"],
        *serverless.list_security_policies(type="encryption")["securityPolicySummaries"],
        *serverless.list_security_policies(type="network")["securityPolicySummaries"],
        *serverless.list_vpc_endpoints()["vpcEndpointSummaries"],
        *emulator.client("s3").list_buckets()["Buckets"],
        *emulator.client("iam").list_roles()["Roles"],
    ]
