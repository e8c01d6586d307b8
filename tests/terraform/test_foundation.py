"""The foundation example is deployed by the real Terraform into an emulated AWS, kept, watched and destroyed."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.emulator.fixture import Emulator, emulator
from tests.external_tools import ROOT, Terraform
from tests.terraform.deployment import Deployment
from tests.terraform.iam_actions import action_of, is_allowed, role_statements
from tests.terraform.scan import scan, unaccepted

__all__ = ["emulator"]

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

SPEC = ROOT / "examples" / "02-foundation-aws" / "platform.yaml"
ENVIRONMENT = "dev"
LEAST_PASSED = 100
ONLY_AN_ADMINISTRATOR = {"iam:CreateOpenIDConnectProvider"}
PREFIX = "churn-dev"
SUFFIX = "123456789012-eu-west-1"
SERVICES_WITH_ENDPOINTS = (
    *("sagemaker.api", "sagemaker.runtime", "sagemaker.featurestore-runtime", "sts", "ecr.api", "ecr.dkr"),
    *("logs", "monitoring", "kms", "secretsmanager"),
)


@pytest.fixture(scope="module")
def deployed(
    emulator: Emulator, terraform: Terraform, scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Deployment, frozenset[str]]:
    """The example, synthesized by the command line and applied stack by stack; and the actions that it took."""
    folder = tmp_path_factory.mktemp("foundation") / "project" / "cdktf.out"
    folder.parent.mkdir()
    subprocess.run(
        [scaffolder_cli, "synth", SPEC, "--env", ENVIRONMENT, "--out", folder],
        check=True,
        capture_output=True,
    )
    found = Deployment(folder, terraform, emulator.environment({}))
    found.deploy()
    return found, _actions(emulator)


@pytest.fixture(scope="module")
def deployment(deployed: tuple[Deployment, frozenset[str]]) -> Deployment:
    """The deployed example."""
    return deployed[0]


def test_stacks_are_deployed_in_the_order_of_the_issue(deployment: Deployment) -> None:
    assert deployment.order == (
        (f"{PREFIX}-state",),
        (f"{PREFIX}-security",),
        (f"{PREFIX}-network", f"{PREFIX}-registry", f"{PREFIX}-storage"),
        (f"{PREFIX}-identity",),
    )


def test_a_second_plan_changes_nothing(deployment: Deployment) -> None:
    plans = deployment.plans()
    assert {name: (plan.exit_code, plan.changed) for name, plan in plans.items()} == {
        name: (0, ()) for wave in deployment.order for name in wave
    }


def test_a_plan_does_nothing_that_the_plan_role_may_not(deployment: Deployment, emulator: Emulator) -> None:
    """The emulator lists every call; IAM itself is not evaluated there."""
    allowed = role_statements(emulator, PREFIX, "ci-plan")
    emulator.forget_operations()
    plan = deployment.plan(f"{PREFIX}-identity")
    assert plan.exit_code == 0
    for concern in ("security", "network", "storage", "registry"):
        deployment.plan(f"{PREFIX}-{concern}")
    assert {action for action in _actions(emulator) if not is_allowed(action, allowed)} == set()


def test_an_apply_does_nothing_that_the_deploy_role_may_not(
    deployed: tuple[Deployment, frozenset[str]], emulator: Emulator
) -> None:
    """What only an administrator may is named: the account's identity provider. The ceiling and CI's own are denied."""
    _, taken = deployed
    allowed = role_statements(emulator, PREFIX, "ci-deploy")
    assert {action for action in taken if not is_allowed(action, allowed)} == ONLY_AN_ADMINISTRATOR


def test_the_plans_pass_checkov_but_for_the_written_list(
    deployment: Deployment, checkov: Path, tmp_path: Path
) -> None:
    concerns = {}
    for name in deployment.plans():
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(deployment.show_plan(name)))
        concerns[path] = name.rpartition("-")[2]
    found = scan(checkov, "terraform_plan", concerns, concerns)
    assert found.passed > LEAST_PASSED
    assert unaccepted(found) == []


def test_nothing_was_asked_of_the_emulator_that_it_could_not_answer(
    deployment: Deployment, emulator: Emulator
) -> None:
    assert deployment.folder.exists()
    assert emulator.failures() == []


def test_state_lies_in_the_managed_bucket_encrypted_with_its_own_key(
    deployment: Deployment, emulator: Emulator
) -> None:
    s3 = emulator.client("s3")
    bucket = deployment.output(f"{PREFIX}-state")["bucket"]
    keys = {item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]}
    assert keys == {
        f"dev/{concern}.tfstate" for concern in ("identity", "network", "registry", "security", "storage")
    }
    head = s3.head_object(Bucket=bucket, Key="dev/network.tfstate")
    assert head["ServerSideEncryption"] == "aws:kms"
    assert "alias/churn-dev/state" in head["SSEKMSKeyId"]


def test_buckets_are_closed_versioned_and_encrypted_with_the_platforms_key(
    deployment: Deployment, emulator: Emulator
) -> None:
    s3 = emulator.client("s3")
    key = deployment.output(f"{PREFIX}-security")["data_key_arn"]
    for name in ("data", "artifacts", "exports"):
        bucket = f"{PREFIX}-{name}-{SUFFIX}"
        rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert rule["BucketKeyEnabled"] is True
        assert rule["ApplyServerSideEncryptionByDefault"] == {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": key,
        }
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        closed = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        assert set(closed.values()) == {True}
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        assert {"DenyInsecureTransport", "DenyOldTls", "DenyOtherKeys"} <= {
            item["Sid"] for item in policy["Statement"]
        }
        target = s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
        assert target["TargetBucket"] == f"{PREFIX}-logs-{SUFFIX}"


def test_lifecycles_have_the_days_of_the_spec(deployment: Deployment, emulator: Emulator) -> None:
    s3 = emulator.client("s3")
    assert deployment.folder.exists()
    days = {}
    for name in ("data", "artifacts", "exports", "logs"):
        rules = s3.get_bucket_lifecycle_configuration(Bucket=f"{PREFIX}-{name}-{SUFFIX}")["Rules"]
        (rule,) = rules
        days[name] = (
            rule.get("Expiration", {}).get("Days"),
            rule["NoncurrentVersionExpiration"]["NoncurrentDays"],
            [transition["Days"] for transition in rule.get("Transitions", [])],
        )
    assert days == {
        "data": (730, 90, [60]),
        "artifacts": (None, 365, []),
        "exports": (30, 90, []),
        "logs": (365, 90, []),
    }


def test_endpoints_admit_this_account_only(deployment: Deployment, emulator: Emulator) -> None:
    ec2 = emulator.client("ec2")
    network = deployment.output(f"{PREFIX}-network")["network_id"]
    found = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [network]}])["VpcEndpoints"]
    interfaces = {item["ServiceName"]: item for item in found if item["VpcEndpointType"] == "Interface"}
    assert set(interfaces) == {f"com.amazonaws.eu-west-1.{service}" for service in SERVICES_WITH_ENDPOINTS}
    for item in interfaces.values():
        assert item["PrivateDnsEnabled"] is True
        assert len(item["SubnetIds"]) == 3
        for statement in _statements(item["PolicyDocument"]):
            assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": "123456789012"}}
            assert statement["Action"] != "*"
    (gateway,) = (item for item in found if item["VpcEndpointType"] == "Gateway")
    own = next(
        statement for statement in _statements(gateway["PolicyDocument"]) if statement["Sid"] == "OwnBuckets"
    )
    assert own["Condition"]["StringEquals"]["aws:ResourceAccount"] == "123456789012"


def test_roles_have_exactly_the_least_they_need(deployment: Deployment, emulator: Emulator) -> None:
    iam = emulator.client("iam")
    data_key = deployment.output(f"{PREFIX}-security")["data_key_arn"]
    boundary = deployment.output(f"{PREFIX}-security")["permissions_boundary_arn"]
    serving = _role_policy(iam, "serving")
    models = next(statement for statement in serving if statement["Sid"] == "ReadModels")
    assert models["Action"] == "s3:GetObject"
    assert models["Resource"] == f"arn:aws:s3:::{PREFIX}-artifacts-{SUFFIX}/models/*"
    use_key = next(statement for statement in serving if statement["Sid"] == "UseKey")
    assert use_key["Resource"] == data_key
    for name in (
        "training",
        "pipelines",
        "serving",
        "monitoring",
        "admins",
        "scientists",
        "viewers",
        "ci-plan",
    ):
        role = iam.get_role(RoleName=f"{PREFIX}-{name}")["Role"]
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary
        for statement in _role_policy(iam, name):
            assert statement["Action"] != "*"
        attached = iam.list_attached_role_policies(RoleName=f"{PREFIX}-{name}")["AttachedPolicies"]
        assert all(policy["PolicyName"].startswith(f"{PREFIX}-") for policy in attached)


def test_ci_is_trusted_by_its_token_for_one_environment_of_one_repository(
    deployment: Deployment, emulator: Emulator
) -> None:
    iam = emulator.client("iam")
    assert deployment.folder.exists()
    trust = _document(iam.get_role(RoleName=f"{PREFIX}-ci-deploy")["Role"]["AssumeRolePolicyDocument"])
    (statement,) = trust["Statement"]
    assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
    assert statement["Condition"]["StringEquals"] == {
        "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
        "token.actions.githubusercontent.com:sub": "repo:growth/churn:environment:dev",
    }


def test_the_audit_trail_is_validated_encrypted_and_logging(
    deployment: Deployment, emulator: Emulator
) -> None:
    trail = emulator.client("cloudtrail").get_trail(Name=f"{PREFIX}-audit")["Trail"]
    assert trail["LogFileValidationEnabled"] is True
    assert trail["IsMultiRegionTrail"] is True
    assert trail["KmsKeyId"] == deployment.output(f"{PREFIX}-security")["logs_key_arn"]


def test_drift_is_named_by_the_plan_and_mended_by_an_apply(
    deployment: Deployment, emulator: Emulator
) -> None:
    """Runs after the reads: a key's rotation is turned off, a bucket is opened, a rule is taken away."""
    key = deployment.output(f"{PREFIX}-security")["data_key_arn"]
    emulator.client("kms").disable_key_rotation(KeyId=key)
    emulator.client("s3").put_public_access_block(
        Bucket=f"{PREFIX}-data-{SUFFIX}", PublicAccessBlockConfiguration={"BlockPublicAcls": False}
    )
    _revoke_a_rule(emulator, deployment)
    plans = {name: plan for name, plan in deployment.plans().items() if plan.exit_code}
    assert plans[f"{PREFIX}-security"].changed == ("aws_kms_key.data",)
    assert plans[f"{PREFIX}-storage"].changed == ("aws_s3_bucket_public_access_block.data",)
    assert plans[f"{PREFIX}-network"].changed == (
        "aws_vpc_security_group_ingress_rule.endpoints-from-workloads",
    )
    assert set(plans) == {f"{PREFIX}-security", f"{PREFIX}-storage", f"{PREFIX}-network"}


def test_destroy_leaves_nothing_behind(deployment: Deployment, emulator: Emulator) -> None:
    """Runs last: the emulator's account is empty afterwards, but for keys that wait out their deletion window."""
    deployment.destroy()
    assert emulator.client("s3").list_buckets()["Buckets"] == []
    assert emulator.client("iam").list_roles()["Roles"] == []
    assert emulator.client("iam").list_policies(Scope="Local")["Policies"] == []
    assert emulator.client("ecr").describe_repositories()["repositories"] == []
    assert emulator.client("logs").describe_log_groups()["logGroups"] == []
    assert emulator.client("cloudtrail").describe_trails()["trailList"] == []
    ours = [{"Name": "tag:platform", "Values": ["churn"]}]
    ec2 = emulator.client("ec2")
    assert ec2.describe_vpcs(Filters=ours)["Vpcs"] == []
    assert ec2.describe_subnets(Filters=ours)["Subnets"] == []
    kms = emulator.client("kms")
    states = {
        kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] for key in kms.list_keys()["Keys"]
    }
    assert states <= {"PendingDeletion"}


def _actions(emulator: Emulator) -> frozenset[str]:
    """The actions behind the emulator's calls since the list was started anew."""
    return frozenset(
        action_of(str(call["service"]), str(call["operation"])) for call in emulator.operations()
    )


def _revoke_a_rule(emulator: Emulator, deployment: Deployment) -> None:
    ec2 = emulator.client("ec2")
    network = deployment.output(f"{PREFIX}-network")["network_id"]
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [network]}])["SecurityGroups"]
    group = next(item["GroupId"] for item in groups if item["GroupName"] == f"{PREFIX}-endpoints")
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
        "SecurityGroupRules"
    ]
    (rule,) = (item["SecurityGroupRuleId"] for item in rules if not item["IsEgress"])
    ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule])


def _document(value: Any) -> dict[str, Any]:
    """A policy as boto3 gives it: parsed already, or text, or text with percent signs."""
    document = value if isinstance(value, dict) else json.loads(unquote(value))
    assert isinstance(document, dict)
    return document


def _statements(value: Any) -> list[dict[str, Any]]:
    statements = _document(value)["Statement"]
    return statements if isinstance(statements, list) else [statements]


def _role_policy(iam: Any, name: str) -> list[dict[str, Any]]:
    policy = iam.get_role_policy(RoleName=f"{PREFIX}-{name}", PolicyName=name)["PolicyDocument"]
    return _statements(policy)
