"""A model gets its first version, and then its next one: endpoints appear, and are moved without a gap."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.fixture import Emulator, emulator
from tests.external_tools import Terraform
from tests.terraform.deployment import Deployment

__all__ = ["emulator"]

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

PREFIX = "churn-dev"
ML = f"{PREFIX}-ml"
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
models: {churn: {}}
endpoints:
  online: {model: churn, replicas: {min: 2, max: 3}}
  nightly: {model: churn, mode: batch}
"""


class Project:
    """A spec, and where it is synthesized to and deployed from."""

    def __init__(self, folder: Path, cli: Path, terraform: Terraform, cloud: Emulator) -> None:
        self.folder = folder
        self.cli = cli
        self.deployment = Deployment(folder / "cdktf.out", terraform, cloud.environment({}))

    def synth(self, spec: str) -> dict[str, Any]:
        """Synthesize a spec; return what the command says."""
        (self.folder / "platform.yaml").write_text(spec, encoding="utf-8")
        done = subprocess.run(
            [self.cli, "synth", "platform.yaml", "--out", "cdktf.out", "--json"],
            cwd=self.folder,
            check=True,
            capture_output=True,
            text=True,
        )
        said: dict[str, Any] = json.loads(done.stdout)["specs"][0]
        return said


@pytest.fixture(scope="module")
def project(
    emulator: Emulator, terraform: Terraform, scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> Project:
    """The platform before any version is registered, applied."""
    found = Project(tmp_path_factory.mktemp("served"), scaffolder_cli, terraform, emulator)
    found.synth(SPEC)
    found.deployment.deploy()
    return found


def registered(cloud: Emulator) -> int:
    """Register a version as a pipeline would, and approve it; return its number."""
    sagemaker = cloud.client("sagemaker")
    made = sagemaker.create_model_package(
        ModelPackageGroupName=f"{PREFIX}-churn",
        InferenceSpecification={
            "Containers": [
                {"Image": "registry.example.com/serving:1", "ModelDataUrl": "s3://bucket/model.tar.gz"}
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        ModelApprovalStatus="Approved",
    )
    return int(made["ModelPackageArn"].rpartition("/")[2])


def served(cloud: Emulator) -> tuple[str, str]:
    """The configuration behind the endpoint, and the model package behind that."""
    sagemaker = cloud.client("sagemaker")
    configuration = sagemaker.describe_endpoint(EndpointName=f"{PREFIX}-online")["EndpointConfigName"]
    variant = sagemaker.describe_endpoint_config(EndpointConfigName=configuration)["ProductionVariants"][0]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    return configuration, model["PrimaryContainer"]["ModelPackageName"]


def test_before_its_first_version_an_endpoint_is_planned_and_says_what_to_do(
    project: Project, emulator: Emulator
) -> None:
    skipped = {each["intent"]: each for each in project.synth(SPEC)["skipped"]}
    assert skipped["online endpoint online"]["reason"] == "model churn has no version to serve yet"
    assert "models.churn.version" in skipped["online endpoint online"]["remedy"]
    assert emulator.client("sagemaker").list_endpoints()["Endpoints"] == []
    groups = emulator.client("sagemaker").list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert [group["ModelPackageGroupName"] for group in groups] == [f"{PREFIX}-churn"]


def test_with_a_version_the_endpoint_serves_it_and_with_the_next_one_it_is_moved(
    project: Project, emulator: Emulator
) -> None:
    first = registered(emulator)
    said = project.synth(SPEC.replace("churn: {}", f"churn: {{version: {first}}}"))
    assert not [each for each in said["skipped"] if "endpoint" in each["intent"]]
    project.deployment.deploy()
    before, package = served(emulator)
    assert package.endswith(f"model-package/{PREFIX}-churn/{first}")
    created = emulator.client("sagemaker").describe_endpoint(EndpointName=f"{PREFIX}-online")["CreationTime"]

    second = registered(emulator)
    project.synth(SPEC.replace("churn: {}", f"churn: {{version: {second}}}"))
    emulator.forget_operations()
    project.deployment.deploy()
    after, package = served(emulator)
    assert package.endswith(f"model-package/{PREFIX}-churn/{second}")
    assert after != before
    sagemaker = emulator.client("sagemaker")
    assert sagemaker.describe_endpoint(EndpointName=f"{PREFIX}-online")["CreationTime"] == created
    calls = [call["operation"] for call in emulator.operations()]
    assert "DeleteEndpoint" not in calls
    assert (
        calls.index("CreateEndpointConfig")
        < calls.index("UpdateEndpoint")
        < calls.index("DeleteEndpointConfig")
    )
    # The batch endpoint's model goes at any time; the online one's is the last.
    assert calls.index("UpdateEndpoint") < len(calls) - 1 - calls[::-1].index("DeleteModel")
    names = [each["EndpointConfigName"] for each in sagemaker.list_endpoint_configs()["EndpointConfigs"]]
    assert names == [after]


def test_a_second_plan_changes_nothing(project: Project, emulator: Emulator) -> None:
    plan = project.deployment.plan(ML)
    assert (plan.exit_code, plan.changed) == (0, ()), plan.text
    assert emulator.failures() == []


def test_a_canary_is_one_machine_and_an_alarm_takes_it_back(project: Project, emulator: Emulator) -> None:
    assert project.deployment.state(ML)
    endpoint = emulator.client("sagemaker").describe_endpoint(EndpointName=f"{PREFIX}-online")
    deployment = endpoint["LastDeploymentConfig"]
    routing = deployment["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert routing["Type"] == "CANARY"
    assert routing["CanarySize"] == {"Type": "INSTANCE_COUNT", "Value": 1}
    (alarm,) = deployment["AutoRollbackConfiguration"]["Alarms"]
    (found,) = emulator.client("cloudwatch").describe_alarms(AlarmNames=[alarm["AlarmName"]])["MetricAlarms"]
    assert found.get("AlarmActions", []) == []


def test_destroy_leaves_no_endpoint(project: Project, emulator: Emulator) -> None:
    sagemaker = emulator.client("sagemaker")
    # A group that has versions stays: Terraform made none of them, and takes none away.
    for package in sagemaker.list_model_packages(ModelPackageGroupName=f"{PREFIX}-churn")[
        "ModelPackageSummaryList"
    ]:
        sagemaker.delete_model_package(ModelPackageName=package["ModelPackageArn"])
    project.deployment.destroy_stack(ML)
    assert sagemaker.list_endpoints()["Endpoints"] == []
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []
    assert sagemaker.list_models()["Models"] == []
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []
