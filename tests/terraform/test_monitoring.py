"""Drift monitors, alarms and triggers are deployed into an emulated AWS, changed, and destroyed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.emulator.fixture import Emulator, emulator
from tests.external_tools import Terraform
from tests.terraform.deployment import Deployment

__all__ = ["emulator"]

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

PREFIX = "churn-dev"
MONITORING = f"{PREFIX}-monitoring"
SPEC = """
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
state: {backend: local}
security: {encryption: provider, audit: false}
network:
  existing:
    network_id: vpc-0123456789abcdef0
    subnet_ids: [subnet-0123456789abcdef0]
    security_group_ids: [sg-0123456789abcdef0]
models: {churn: {image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/serving:1"}}
endpoints:
  churn: {model: churn, replicas: {max: 1}}
  nightly: {model: churn, mode: batch, schedule: "30 4 1 * mon"}
monitors:
  watch:
    endpoint: churn
    every: 12h
    baseline: churn/1
    instance: cpu.medium
    data_drift: {columns: [a, b, c, d, e, f, g]}
alerts: {emails: [a@example.com]}
"""


@pytest.fixture(scope="module")
def deployment(
    emulator: Emulator, terraform: Terraform, scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> Deployment:
    """A platform of one watched endpoint and one batch endpoint, applied."""
    folder = tmp_path_factory.mktemp("monitoring") / "cdktf.out"
    _synth(scaffolder_cli, folder, SPEC)
    found = Deployment(folder, terraform, emulator.environment({}))
    found.deploy()
    return found


def _synth(scaffolder_cli: Path, folder: Path, spec: str) -> None:
    file = folder.parent / "platform.yaml"
    file.write_text(spec)
    subprocess.run([scaffolder_cli, "synth", file, "--out", folder], check=True, capture_output=True)


def test_a_second_plan_changes_nothing(deployment: Deployment, emulator: Emulator) -> None:
    plans = deployment.plans()
    assert {name: plan.changed for name, plan in plans.items() if plan.exit_code} == {}
    assert emulator.failures() == []


def test_a_monitor_runs_on_schedule_and_its_parts_ring_one_alarm(
    deployment: Deployment, emulator: Emulator
) -> None:
    sagemaker = emulator.client("sagemaker")
    name = deployment.output(MONITORING)["monitoring_schedule_names"]["watch"]  # type: ignore[index]
    schedule = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
    config = schedule["MonitoringScheduleConfig"]
    assert config["ScheduleConfig"]["ScheduleExpression"] == "cron(0 0/12 ? * * *)"
    definition = sagemaker.describe_data_quality_job_definition(
        JobDefinitionName=config["MonitoringJobDefinitionName"]
    )
    image = definition["DataQualityAppSpecification"]["ImageUri"]
    assert image.endswith(".dkr.ecr.eu-west-1.amazonaws.com/sagemaker-model-monitor-analyzer:latest")
    assert definition["DataQualityJobInput"]["EndpointInput"]["EndpointName"] == f"{PREFIX}-churn"
    alarms = emulator.client("cloudwatch").describe_alarms(
        AlarmTypes=["MetricAlarm", "CompositeAlarm"], AlarmNamePrefix=f"{PREFIX}-watch-drift"
    )
    (whole,) = alarms["CompositeAlarms"]
    parts = [alarm["AlarmName"] for alarm in alarms["MetricAlarms"]]
    assert len(parts) == 2
    assert whole["AlarmRule"] == " OR ".join(f'ALARM("{part}")' for part in sorted(parts))
    assert whole["AlarmActions"] == [deployment.output(MONITORING)["alerts_topic_arn"]]


@pytest.mark.usefixtures("deployment")
def test_rules_are_on_and_what_they_lose_is_kept(emulator: Emulator) -> None:
    events = emulator.client("events")
    rules = events.list_rules(NamePrefix=PREFIX)["Rules"]
    assert {rule["State"] for rule in rules} == {"ENABLED"}
    scheduled = {rule["ScheduleExpression"] for rule in rules if "ScheduleExpression" in rule}
    assert scheduled == {"cron(30 4 1 * ? *)", "cron(30 4 ? * MON *)"}
    targets = [
        target for rule in rules for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    ]
    assert len(targets) >= len(rules)
    assert {target["DeadLetterConfig"]["Arn"].rsplit(":", 1)[1] for target in targets} == {
        f"{PREFIX}-triggers-undelivered"
    }
    pipelines = {target["Arn"].rsplit("/", 1)[1] for target in targets if ":pipeline/" in target["Arn"]}
    assert pipelines == {f"{PREFIX}-nightly--batch"}


def test_a_changed_job_is_made_before_the_old_one_goes(
    deployment: Deployment, emulator: Emulator, scaffolder_cli: Path
) -> None:
    sagemaker = emulator.client("sagemaker")

    def definitions() -> set[str]:
        found = sagemaker.list_data_quality_job_definitions()["JobDefinitionSummaries"]
        return {each["MonitoringJobDefinitionName"] for each in found}

    before = definitions()
    _synth(scaffolder_cli, deployment.folder, SPEC.replace("churn/1", "churn/2"))
    deployment.deploy_stack(MONITORING)
    after = definitions()
    assert len(before) == len(after) == 1
    assert before != after
    (schedule,) = (sagemaker.describe_monitoring_schedule(MonitoringScheduleName=f"{PREFIX}-watch"),)
    assert {schedule["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]} == after
    assert deployment.plan(MONITORING).exit_code == 0


def test_destroy_leaves_nothing_behind(deployment: Deployment, emulator: Emulator) -> None:
    deployment.destroy()
    cloudwatch = emulator.client("cloudwatch")
    alarms = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    assert (alarms["MetricAlarms"], alarms["CompositeAlarms"]) == ([], [])
    assert cloudwatch.list_dashboards()["DashboardEntries"] == []
    assert emulator.client("events").list_rules()["Rules"] == []
    assert "QueueUrls" not in emulator.client("sqs").list_queues()
    assert emulator.client("sagemaker").list_data_quality_job_definitions()["JobDefinitionSummaries"] == []
