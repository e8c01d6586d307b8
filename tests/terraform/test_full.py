"""The full example's machine learning stacks are deployed into an emulated AWS, kept, watched and destroyed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.emulator.fixture import Emulator, emulator
from tests.external_tools import ROOT, Terraform
from tests.terraform.deployment import Deployment
from tests.terraform.iam_actions import action_of, is_allowed, role_statements

__all__ = ["emulator"]

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

SPEC = ROOT / "examples" / "04-full-aws" / "platform.yaml"
PREFIX = "churn-dev"
ONLY_AN_ADMINISTRATOR = {"iam:AttachRolePolicy", "iam:CreateOpenIDConnectProvider", "iam:CreatePolicy"}


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
    for concern in ("workspace", "ml", "monitoring"):
        deployment.plan(f"{PREFIX}-{concern}")
    assert {action for action in _actions(emulator) if not is_allowed(action, plan)} == set()


def test_drift_is_named(deployment: Deployment, emulator: Emulator) -> None:
    domain = deployment.output(f"{PREFIX}-workspace")["domain_id"]
    emulator.client("sagemaker").update_domain(
        DomainId=domain, DefaultUserSettings={"StudioWebPortal": "DISABLED"}
    )
    assert deployment.plan(f"{PREFIX}-workspace").changed == ("aws_sagemaker_domain.main",)


def test_destroy_leaves_nothing_behind(deployment: Deployment, emulator: Emulator) -> None:
    deployment.destroy()
    sagemaker = emulator.client("sagemaker")
    assert sagemaker.list_domains()["Domains"] == []
    assert sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"] == []
    assert emulator.client("sns").list_topics()["Topics"] == []
    assert emulator.client("s3").list_buckets()["Buckets"] == []
    assert emulator.client("iam").list_roles()["Roles"] == []


def _actions(emulator: Emulator) -> frozenset[str]:
    """The actions behind the emulator's calls since the list was started anew."""
    return frozenset(
        action_of(str(call["service"]), str(call["operation"])) for call in emulator.operations()
    )
