"""The full example's machine learning stacks are deployed into an emulated AWS, kept, watched and destroyed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.fixture import Emulator, emulator
from tests.external_tools import ROOT, Terraform
from tests.terraform.deployment import Deployment
from tests.terraform.iam_actions import action_of, is_allowed, role_statements

__all__ = ["emulator"]

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

SPEC = ROOT / "examples" / "04-full-aws" / "platform.yaml"
PREFIX = "churn-dev"
ONLY_AN_ADMINISTRATOR = {"iam:AttachRolePolicy", "iam:CreateOpenIDConnectProvider"}


@pytest.fixture(scope="module")
def deployed(
    emulator: Emulator, terraform: Terraform, scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Deployment, frozenset[str]]:
    """The example, synthesized by the command line and applied; and the actions that it took."""
    folder = tmp_path_factory.mktemp("full") / "project" / "cdktf.out"
    folder.parent.mkdir()
    subprocess.run([scaffolder_cli, "synth", SPEC, "--out", folder], check=True, capture_output=True)
    found = Deployment(folder, terraform, emulator.environment({}))
    found.deploy()
    return found, _actions(emulator)


@pytest.fixture(scope="module")
def deployment(deployed: tuple[Deployment, frozenset[str]]) -> Deployment:
    """The deployed example."""
    return deployed[0]


def test_a_second_plan_changes_nothing(deployment: Deployment, emulator: Emulator) -> None:
    plans = deployment.plans()
    assert {name: plan.changed for name, plan in plans.items() if plan.exit_code} == {}
    assert emulator.failures() == []


def test_the_domain_is_inside_the_network_and_stops_idle_machines(
    deployment: Deployment, emulator: Emulator
) -> None:
    sagemaker = emulator.client("sagemaker")
    domain = sagemaker.describe_domain(DomainId=deployment.output(f"{PREFIX}-workspace")["domain_id"])
    network = deployment.output(f"{PREFIX}-network")
    assert domain["AppNetworkAccessType"] == "VpcOnly"
    assert domain["VpcId"] == network["network_id"]
    assert domain["KmsKeyId"] == deployment.output(f"{PREFIX}-security")["data_key_arn"]
    idle = domain["DefaultUserSettings"]["JupyterLabAppSettings"]["AppLifecycleManagement"]["IdleSettings"]
    assert (idle["LifecycleManagement"], idle["IdleTimeoutInMinutes"]) == ("ENABLED", 60)


def test_features_are_encrypted_in_both_stores(deployment: Deployment, emulator: Emulator) -> None:
    key = deployment.output(f"{PREFIX}-security")["data_key_arn"]
    group = emulator.client("sagemaker").describe_feature_group(FeatureGroupName=f"{PREFIX}-customer")
    assert group["OnlineStoreConfig"]["SecurityConfig"]["KmsKeyId"] == key
    assert group["OfflineStoreConfig"]["S3StorageConfig"]["KmsKeyId"] == key
    assert {item["FeatureName"] for item in group["FeatureDefinitions"]} == {
        *("customer_id", "updated_at", "tenure_months", "monthly_charge", "plan", "active")
    }


def test_requests_are_captured_and_encrypted_as_the_spec_asks(
    deployment: Deployment, emulator: Emulator
) -> None:
    key = deployment.output(f"{PREFIX}-security")["data_key_arn"]
    configuration = _configuration(emulator, "churn")
    capture = configuration["DataCaptureConfig"]
    assert (capture["EnableCapture"], capture["InitialSamplingPercentage"]) == (True, 50)
    assert capture["KmsKeyId"] == configuration["KmsKeyId"] == key
    assert {option["CaptureMode"] for option in capture["CaptureOptions"]} == {"Input", "Output"}
    (variant,) = configuration["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.xlarge", 2)


def test_each_mode_has_what_aws_takes_and_nothing_more(deployment: Deployment, emulator: Emulator) -> None:
    sagemaker = emulator.client("sagemaker")
    serverless, asynchronous = _configuration(emulator, "uplift"), _configuration(emulator, "uplift-slow")
    (variant,) = serverless["ProductionVariants"]
    assert variant["ServerlessConfig"] == {"MemorySizeInMB": 3072, "MaxConcurrency": 10}
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert "VpcConfig" not in model
    assert not model.get("EnableNetworkIsolation")
    assert "DataCaptureConfig" not in serverless
    enclosed = sagemaker.describe_model(
        ModelName=_configuration(emulator, "churn")["ProductionVariants"][0]["ModelName"]
    )
    assert enclosed["EnableNetworkIsolation"] is True
    assert len(enclosed["VpcConfig"]["Subnets"]) == 3
    # A T4 comes with local disks, whose volume takes no key; the answers are encrypted all the same.
    assert "KmsKeyId" not in asynchronous
    output = asynchronous["AsyncInferenceConfig"]["OutputConfig"]
    assert output["KmsKeyId"] == deployment.output(f"{PREFIX}-security")["data_key_arn"]
    topic = deployment.output(f"{PREFIX}-ml")["async_topic_arn"]
    assert output["NotificationConfig"] == {"SuccessTopic": topic, "ErrorTopic": topic}
    batch = sagemaker.describe_pipeline(PipelineName=f"{PREFIX}-churn-bulk--batch")
    (step,) = json.loads(batch["PipelineDefinition"])["Steps"]
    assert step["Type"] == "Transform"


def test_endpoints_scale_between_the_specs_bounds(deployment: Deployment, emulator: Emulator) -> None:
    assert deployment.state(f"{PREFIX}-ml")
    scaling = emulator.client("application-autoscaling")
    targets = {
        target["ResourceId"]: (target["MinCapacity"], target["MaxCapacity"])
        for target in scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    }
    assert targets == {
        f"endpoint/{PREFIX}-churn/variant/primary": (2, 8),
        f"endpoint/{PREFIX}-uplift-slow/variant/primary": (0, 3),
    }
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    tracking = {
        policy["PolicyName"]: policy["TargetTrackingScalingPolicyConfiguration"]
        for policy in policies
        if policy["PolicyType"] == "TargetTrackingScaling"
    }
    # Sixty percent of each of four processors.
    assert tracking[f"{PREFIX}-churn-load"]["TargetValue"] == 240
    assert (
        tracking[f"{PREFIX}-uplift-slow-load"]["CustomizedMetricSpecification"]["MetricName"]
        == "ApproximateBacklogSizePerInstance"
    )


def test_alarms_watch_what_the_spec_bounds(deployment: Deployment, emulator: Emulator) -> None:
    topic = deployment.output(f"{PREFIX}-monitoring")["alerts_topic_arn"]
    alarms = {
        alarm["AlarmName"]: alarm for alarm in emulator.client("cloudwatch").describe_alarms()["MetricAlarms"]
    }
    latency = alarms[f"{PREFIX}-churn-latency"]
    assert (latency["Threshold"], latency["ExtendedStatistic"]) == (300_000, "p99")
    assert latency["AlarmActions"] == [topic]
    assert alarms[f"{PREFIX}-churn-errors"]["AlarmActions"] == [topic]
    drift = alarms[f"{PREFIX}-churn-drift"]
    assert drift["Threshold"] == 0.2
    watched = {
        query["MetricStat"]["Metric"]["MetricName"] for query in drift["Metrics"] if "MetricStat" in query
    }
    assert watched == {"feature_baseline_drift_tenure_months", "feature_baseline_drift_monthly_charge"}


def test_rules_start_pipelines_by_schedule_on_drift_and_on_approval(
    deployment: Deployment, emulator: Emulator
) -> None:
    events = emulator.client("events")
    rules = {rule["Name"]: rule for rule in events.list_rules()["Rules"]}
    train = deployment.output(f"{PREFIX}-ml")["pipeline_arns"]["train"]  # type: ignore[index]
    started = {
        name: targets
        for name in rules
        if (targets := events.list_targets_by_rule(Rule=name)["Targets"])
        and any(target["Arn"] == train for target in targets)
    }
    schedules = {rules[name].get("ScheduleExpression") for name in started} - {None}
    patterns = [json.loads(rules[name]["EventPattern"]) for name in started if "EventPattern" in rules[name]]
    assert schedules == {"cron(0 3 * * ? *)"}
    assert sorted(pattern["source"][0] for pattern in patterns) == ["aws.cloudwatch", "aws.sagemaker"]
    assert {rule["State"] for rule in rules.values()} == {"ENABLED"}
    for targets in started.values():
        assert all("DeadLetterConfig" in target for target in targets if target["Arn"] == train)


def test_the_monitor_runs_every_hour_inside_the_network(deployment: Deployment, emulator: Emulator) -> None:
    assert deployment.state(f"{PREFIX}-monitoring")
    sagemaker = emulator.client("sagemaker")
    (schedule,) = sagemaker.list_monitoring_schedules()["MonitoringScheduleSummaries"]
    config = sagemaker.describe_monitoring_schedule(
        MonitoringScheduleName=schedule["MonitoringScheduleName"]
    )["MonitoringScheduleConfig"]
    assert config["ScheduleConfig"]["ScheduleExpression"] == "cron(0 * ? * * *)"
    job = sagemaker.describe_data_quality_job_definition(
        JobDefinitionName=config["MonitoringJobDefinitionName"]
    )
    assert job["NetworkConfig"]["EnableInterContainerTrafficEncryption"] is True
    assert job["DataQualityBaselineConfig"]["ConstraintsResource"]["S3Uri"].endswith(
        "/baselines/churn/constraints.json"
    )


def test_language_models_are_guarded_and_logged(deployment: Deployment, emulator: Emulator) -> None:
    assert deployment.state(f"{PREFIX}-llm")
    bedrock = emulator.client("bedrock")
    (guardrail,) = bedrock.list_guardrails()["guardrails"]
    found = bedrock.get_guardrail(guardrailIdentifier=guardrail["id"])
    assert found["kmsKeyArn"] == deployment.output(f"{PREFIX}-security")["data_key_arn"]
    logging = bedrock.get_model_invocation_logging_configuration()["loggingConfig"]
    assert logging["cloudWatchConfig"]["logGroupName"].startswith(f"/{PREFIX}/")
    (base,) = emulator.client("bedrock-agent").list_knowledge_bases()["knowledgeBaseSummaries"]
    assert base["status"] == "ACTIVE"


def _configuration(emulator: Emulator, endpoint: str) -> dict[str, Any]:
    """What is behind an endpoint."""
    sagemaker = emulator.client("sagemaker")
    name = sagemaker.describe_endpoint(EndpointName=f"{PREFIX}-{endpoint}")["EndpointConfigName"]
    found: dict[str, Any] = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    return found


def test_alerts_reach_people_through_an_encrypted_topic(deployment: Deployment, emulator: Emulator) -> None:
    topic = deployment.output(f"{PREFIX}-monitoring")["alerts_topic_arn"]
    sns = emulator.client("sns")
    attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert attributes["KmsMasterKeyId"] == deployment.output(f"{PREFIX}-security")["logs_key_arn"]
    (subscription,) = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert subscription["Endpoint"] == "mlops@example.com"


def test_ci_may_plan_and_deploy_these_stacks(
    deployed: tuple[Deployment, frozenset[str]], emulator: Emulator
) -> None:
    deployment, taken = deployed
    deploy = role_statements(emulator, PREFIX, "ci-deploy")
    assert {action for action in taken if not is_allowed(action, deploy)} <= ONLY_AN_ADMINISTRATOR
    plan = role_statements(emulator, PREFIX, "ci-plan")
    emulator.forget_operations()
    for concern in ("workspace", "ml", "llm", "monitoring"):
        deployment.plan(f"{PREFIX}-{concern}")
    assert {action for action in _actions(emulator) if not is_allowed(action, plan)} == set()


def test_drift_is_named(deployment: Deployment, emulator: Emulator) -> None:
    domain = deployment.output(f"{PREFIX}-workspace")["domain_id"]
    emulator.client("sagemaker").update_domain(
        DomainId=domain, DefaultUserSettings={"StudioWebPortal": "DISABLED"}
    )
    assert deployment.plan(f"{PREFIX}-workspace").changed == ("aws_sagemaker_domain.main",)
    events = emulator.client("events")
    (rule,) = [rule["Name"] for rule in events.list_rules()["Rules"] if "drift" in rule["Name"]]
    events.disable_rule(Name=rule)
    emulator.client("application-autoscaling").register_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=f"endpoint/{PREFIX}-churn/variant/primary",
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
        MaxCapacity=50,
    )
    assert deployment.plan(f"{PREFIX}-monitoring").changed == ("aws_cloudwatch_event_rule.drift-churn",)
    assert deployment.plan(f"{PREFIX}-ml").changed == ("aws_appautoscaling_target.churn",)


def test_destroy_leaves_nothing_behind(deployment: Deployment, emulator: Emulator) -> None:
    deployment.destroy()
    sagemaker = emulator.client("sagemaker")
    assert sagemaker.list_domains()["Domains"] == []
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_models()["Models"] == []
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []
    assert sagemaker.list_monitoring_schedules()["MonitoringScheduleSummaries"] == []
    assert emulator.client("bedrock").list_guardrails()["guardrails"] == []
    assert emulator.client("events").list_rules()["Rules"] == []
    assert emulator.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert emulator.client("sns").list_topics()["Topics"] == []
    assert emulator.client("s3").list_buckets()["Buckets"] == []
    assert emulator.client("iam").list_roles()["Roles"] == []


def _actions(emulator: Emulator) -> frozenset[str]:
    """The actions behind the emulator's calls since the list was started anew."""
    return frozenset(
        action_of(str(call["service"]), str(call["operation"])) for call in emulator.operations()
    )
