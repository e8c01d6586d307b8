"""The emulator serves the foundation to the real Terraform, and refuses by name what it can't serve."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.fixture import ACCOUNT, Emulator
from tests.emulator.terraform import Terraform, providers_environment

pytestmark = pytest.mark.slow

_FOUNDATION = Path(__file__).parent / "foundation"
_NAME = "emulated-test"


def _error(raised: pytest.ExceptionInfo[ClientError]) -> tuple[int, str, str]:
    response = raised.value.response
    return (
        response["ResponseMetadata"]["HTTPStatusCode"],
        response["Error"]["Code"],
        response["Error"]["Message"],
    )


@pytest.fixture(autouse=True)
def _an_empty_list_of_operations(emulator: Emulator) -> None:
    emulator.forget_operations()


@pytest.fixture
def bucket(emulator: Emulator) -> str:
    return _new_bucket(emulator)


def _new_bucket(emulator: Emulator) -> str:
    name = f"bucket-{uuid.uuid4().hex}"
    location = {"LocationConstraint": emulator.region}
    emulator.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=location)
    return name


class TestRefusals:
    @pytest.mark.parametrize(
        ("service", "method", "parameters", "named"),
        [
            ("ec2", "describe_verified_access_groups", {}, "ec2:DescribeVerifiedAccessGroups"),
            ("iam", "list_delegation_requests", {}, "iam:ListDelegationRequests"),
            ("logs", "describe_query_definitions", {}, "logs:DescribeQueryDefinitions"),
            (
                "accessanalyzer",
                "list_archive_rules",
                {"analyzerName": "x"},
                "accessanalyzer:ListArchiveRules",
            ),
            ("grafana", "list_workspaces", {}, "grafana:ListWorkspaces"),
            ("pricing", "get_products", {"ServiceCode": "x"}, "pricing:GetProducts"),
        ],
    )
    def test_an_operation_that_nobody_knows_is_a_400_that_names_it(
        self, emulator: Emulator, service: str, method: str, parameters: dict[str, str], named: str
    ) -> None:
        with pytest.raises(ClientError) as raised:
            getattr(emulator.client(service), method)(**parameters)
        status, code, message = _error(raised)
        assert (status, code) == (400, "EmulatorUnknownOperation")
        assert message.startswith(f"{named} is not known to the emulator, nor to moto")
        assert [f"{entry['service']}:{entry['operation']}" for entry in emulator.failures()] == [named]

    def test_a_bucket_setting_that_moto_would_take_for_a_listing_is_refused(
        self, emulator: Emulator, bucket: str
    ) -> None:
        with pytest.raises(ClientError) as raised:
            emulator.client("s3").list_bucket_metrics_configurations(Bucket=bucket)
        status, code, message = _error(raised)
        assert (status, code) == (400, "EmulatorUnknownOperation")
        assert "s3:ListBucketMetricsConfigurations" in message

    def test_a_request_that_moto_fails_at_is_a_400_that_names_the_operation(self, emulator: Emulator) -> None:
        with pytest.raises(ClientError) as raised:
            emulator.client("ec2").describe_subnets(Filters=[{"Name": "invented", "Values": ["x"]}])
        status, code, message = _error(raised)
        assert (status, code) == (400, "EmulatorFailure")
        assert message.startswith("the emulator failed at ec2:DescribeSubnets: FilterNotImplementedError")

    def test_an_error_of_aws_stays_what_it_is(self, emulator: Emulator) -> None:
        for service, method, parameters, expected in [
            ("s3", "get_object", {"Bucket": "none", "Key": "k"}, (404, "NoSuchBucket")),
            ("iam", "get_role", {"RoleName": "none"}, (404, "NoSuchEntity")),
            ("accessanalyzer", "get_analyzer", {"analyzerName": "x"}, (404, "ResourceNotFoundException")),
        ]:
            with pytest.raises(ClientError) as raised:
                getattr(emulator.client(service), method)(**parameters)
            assert _error(raised)[:2] == expected
        assert emulator.failures() == []


class TestOperationsLog:
    def test_every_call_is_listed_in_order_with_its_outcome(self, emulator: Emulator, bucket: str) -> None:
        emulator.client("sts").get_caller_identity()
        with pytest.raises(ClientError):
            emulator.client("s3").get_object(Bucket=bucket, Key="none")
        emulator.client("s3control").put_public_access_block(
            AccountId=ACCOUNT, PublicAccessBlockConfiguration={"BlockPublicAcls": True}
        )
        assert [tuple(entry.values()) for entry in emulator.operations()] == [
            ("s3", "CreateBucket", 200, ""),
            ("sts", "GetCallerIdentity", 200, ""),
            ("s3", "GetObject", 404, "NoSuchKey"),
            ("s3control", "PutPublicAccessBlock", 200, ""),
        ]

    def test_the_list_can_be_started_anew(self, emulator: Emulator, bucket: str) -> None:
        assert emulator.operations(), bucket
        emulator.forget_operations()
        assert emulator.operations() == []


class TestTrails:
    def test_one_of_two_trails_is_described_alone(self, emulator: Emulator, bucket: str) -> None:
        client = emulator.client("cloudtrail")
        arns = [
            client.create_trail(Name=name, S3BucketName=bucket)["TrailARN"] for name in ("first", "second")
        ]
        for asked in (arns[1], "second"):
            found = client.describe_trails(trailNameList=[asked])["trailList"]
            assert [trail["Name"] for trail in found] == ["second"]
        assert len(client.describe_trails()["trailList"]) == 2
        for arn in arns:
            client.delete_trail(Name=arn)


class TestVersions:
    def test_a_bucket_with_deleted_objects_can_be_emptied(self, emulator: Emulator, bucket: str) -> None:
        s3 = emulator.client("s3")
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=bucket, Key="lock", Body=b"")
        s3.delete_object(Bucket=bucket, Key="lock")
        found = s3.list_object_versions(Bucket=bucket)
        versions = [
            {"Key": item["Key"], "VersionId": item["VersionId"]}
            for item in found["Versions"] + found["DeleteMarkers"]
        ]
        s3.delete_objects(Bucket=bucket, Delete={"Objects": versions})
        s3.delete_bucket(Bucket=bucket)


class TestStateLock:
    def test_a_lock_object_is_written_once_and_refused_twice(self, emulator: Emulator, bucket: str) -> None:
        s3 = emulator.client("s3")
        lock = {"Bucket": bucket, "Key": "dev/terraform.tfstate.tflock", "IfNoneMatch": "*"}
        s3.put_object(**lock, Body=b"first")
        for _ in range(2):
            with pytest.raises(ClientError) as raised:
                s3.put_object(**lock, Body=b"second")
            assert _error(raised)[:2] == (412, "PreconditionFailed")
        assert s3.get_object(Bucket=bucket, Key=lock["Key"])["Body"].read() == b"first"
        s3.delete_object(Bucket=bucket, Key=lock["Key"])
        s3.put_object(**lock, Body=b"third")

    @pytest.mark.terraform
    def test_a_second_terraform_run_is_refused_while_the_first_one_holds_the_lock(
        self, emulator: Emulator, bucket: str, tmp_path: Path
    ) -> None:
        first, second = (_backend_only(tmp_path / name, emulator, bucket) for name in ("first", "second"))
        apply = first.command("apply", "-auto-approve", "-input=false")
        environment = dict(first.environment)
        with subprocess.Popen(
            apply, cwd=first.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as holder:
            try:
                _wait_for_lock(emulator, bucket)
                for _ in range(2):
                    refused = second.run("plan", "-input=false")
                    assert refused.returncode == 1
                    assert "Error acquiring the state lock" in refused.stderr
                    assert "PreconditionFailed" in refused.stderr
            finally:
                (first.folder / "finish").touch()
            assert holder.wait(300) == 0
        assert not second.plan().has_changes
        assert [item["Key"] for item in _objects(emulator, bucket)] == ["dev/terraform.tfstate"]


class TestPatches:
    def test_objects_are_written_and_read_under_a_conditional_bucket_policy(
        self, emulator: Emulator, bucket: str
    ) -> None:
        s3 = emulator.client("s3")
        not_over_tls = {"Bool": {"aws:SecureTransport": "false"}}
        s3.put_bucket_policy(Bucket=bucket, Policy=_policy("Deny", "*", f"{bucket}/*", not_over_tls))
        s3.put_object(Bucket=bucket, Key="k", Body=b"x")
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"

    def test_eventbridge_stays_among_a_buckets_notifications(self, emulator: Emulator, bucket: str) -> None:
        s3 = emulator.client("s3")
        queue = emulator.client("sqs").create_queue(QueueName="q")["QueueUrl"].rpartition("/")[2]
        arn = f"arn:aws:sqs:{emulator.region}:{ACCOUNT}:{queue}"
        wanted: list[dict[str, Any]] = [
            {"EventBridgeConfiguration": {}},
            {"QueueConfigurations": [{"Id": "1", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
        ]
        for configuration in (wanted[0], wanted[1], wanted[0] | wanted[1]):
            s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)
            told = s3.get_bucket_notification_configuration(Bucket=bucket)
            del told["ResponseMetadata"]
            assert told == configuration

    def test_access_logs_go_only_where_the_log_buckets_policy_lets_them(
        self, emulator: Emulator, bucket: str
    ) -> None:
        s3, logs = emulator.client("s3"), _new_bucket(emulator)
        principal = {"Service": ["logging.s3.amazonaws.com"]}
        s3.put_bucket_policy(Bucket=logs, Policy=_policy("Allow", principal, f"{logs}/access/*", {}))
        allowed, elsewhere = (
            {"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": prefix}}
            for prefix in ("access/data/", "elsewhere/")
        )
        s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=allowed)
        with pytest.raises(ClientError) as raised:
            s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus=elsewhere)
        assert _error(raised)[1] == "InvalidTargetBucketForLogging"
        assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetPrefix"] == "access/data/"

    def test_a_security_group_rule_changes_its_target_and_description_in_place(
        self, emulator: Emulator
    ) -> None:
        ec2 = emulator.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc)["GroupId"]
        pair = {"GroupId": group, "Description": "before"}
        rule = ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=[{"IpProtocol": "50", "UserIdGroupPairs": [pair]}]
        )["SecurityGroupRules"][0]
        assert (rule["IpProtocol"], rule["Description"]) == ("50", "before")
        changed = {"IpProtocol": "-1", "CidrIpv4": "10.0.0.0/8", "Description": "after"}
        rule_id = rule["SecurityGroupRuleId"]
        ec2.modify_security_group_rules(
            GroupId=group, SecurityGroupRules=[{"SecurityGroupRuleId": rule_id, "SecurityGroupRule": changed}]
        )
        read = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])["SecurityGroupRules"][0]
        assert {name: read[name] for name in changed} == changed
        assert "ReferencedGroupInfo" not in read

    def test_a_trail_is_deleted_by_its_arn(self, emulator: Emulator, bucket: str) -> None:
        cloudtrail = emulator.client("cloudtrail")
        arn = cloudtrail.create_trail(Name="watched", S3BucketName=bucket)["TrailARN"]
        cloudtrail.delete_trail(Name=arn)
        assert cloudtrail.describe_trails()["trailList"] == []
        with pytest.raises(ClientError) as raised:
            cloudtrail.delete_trail(Name=arn)
        assert _error(raised)[1] == "TrailNotFoundException"

    def test_a_key_that_aws_manages_is_not_the_accounts_own(self, emulator: Emulator) -> None:
        kms = emulator.client("kms")
        managed = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]
        own = kms.create_key()["KeyMetadata"]
        assert (managed["KeyManager"], own["KeyManager"]) == ("AWS", "CUSTOMER")


class TestAnswers:
    def test_a_keys_rotation_period_is_kept(self, emulator: Emulator) -> None:
        kms = emulator.client("kms")
        key = kms.create_key()["KeyMetadata"]
        kms.enable_key_rotation(KeyId=key["Arn"], RotationPeriodInDays=180)
        assert kms.get_key_rotation_status(KeyId=key["KeyId"])["RotationPeriodInDays"] == 180
        kms.disable_key_rotation(KeyId=key["KeyId"])
        assert "RotationPeriodInDays" not in kms.get_key_rotation_status(KeyId=key["KeyId"])

    def test_the_default_ebs_key_belongs_to_a_region(self, emulator: Emulator) -> None:
        ec2 = emulator.client("ec2")
        key = emulator.client("kms").create_key()["KeyMetadata"]
        ec2.modify_ebs_default_kms_key_id(KmsKeyId=key["KeyId"])
        assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] == key["Arn"]
        elsewhere = Emulator(emulator.url, region="eu-central-1").client("ec2")
        assert elsewhere.get_ebs_default_kms_key_id()["KmsKeyId"] != key["Arn"]
        ec2.reset_ebs_default_kms_key_id()
        assert ec2.get_ebs_default_kms_key_id()["KmsKeyId"] != key["Arn"]

    def test_an_analyzer_lives_from_create_to_delete(self, emulator: Emulator) -> None:
        client = emulator.client("accessanalyzer")
        arn = client.create_analyzer(analyzerName="a", type="ACCOUNT", tags={"k": "v"})["arn"]
        with pytest.raises(ClientError) as raised:
            client.create_analyzer(analyzerName="a", type="ACCOUNT")
        assert _error(raised)[:2] == (409, "ConflictException")
        client.tag_resource(resourceArn=arn, tags={"l": "w"})
        client.untag_resource(resourceArn=arn, tagKeys=["k"])
        analyzer = client.get_analyzer(analyzerName="a")["analyzer"]
        assert (analyzer["arn"], analyzer["status"], analyzer["tags"]) == (arn, "ACTIVE", {"l": "w"})
        client.delete_analyzer(analyzerName="a")
        assert client.list_analyzers()["analyzers"] == []

    def test_a_reset_empties_the_account(self, emulator: Emulator, bucket: str) -> None:
        emulator.client("accessanalyzer").create_analyzer(analyzerName="a", type="ACCOUNT")
        emulator.reset()
        assert emulator.client("s3").list_buckets()["Buckets"] == [], bucket
        assert emulator.client("accessanalyzer").list_analyzers()["analyzers"] == []


@pytest.mark.terraform
@pytest.mark.slow
def test_the_foundation_is_applied_kept_watched_and_destroyed(emulator: Emulator, tmp_path: Path) -> None:
    emulator.reset()
    emulator.forget_operations()
    folder = tmp_path / "foundation"
    shutil.copytree(_FOUNDATION, folder)
    terraform = Terraform(folder, emulator.environment() | providers_environment(tmp_path))
    terraform.init()
    terraform.validate()
    terraform.apply()
    assert len(terraform.addresses()) > 140

    unchanged = terraform.plan()
    assert not unchanged.has_changes, unchanged.text
    assert emulator.failures() == []

    _loosen(emulator)
    drift = terraform.plan()
    assert drift.has_changes
    assert drift.changed == {
        'aws_kms_key.main["data"]',
        "aws_cloudwatch_event_rule.approved",
        'aws_s3_bucket_public_access_block.main["data"]',
        "aws_vpc_security_group_egress_rule.workloads_to_endpoints",
    }

    terraform.destroy()
    assert terraform.addresses() == []
    assert _left(emulator) == []
    assert emulator.failures() == []


def _loosen(emulator: Emulator) -> None:
    """Do behind Terraform's back what a hurried human does."""
    kms, ec2 = emulator.client("kms"), emulator.client("ec2")
    kms.disable_key_rotation(KeyId=kms.describe_key(KeyId=f"alias/{_NAME}-data")["KeyMetadata"]["KeyId"])
    emulator.client("events").disable_rule(Name=f"{_NAME}-approved")
    emulator.client("s3").put_public_access_block(
        Bucket=f"{_NAME}-data-{ACCOUNT}", PublicAccessBlockConfiguration={"BlockPublicAcls": True}
    )
    for rule in ec2.describe_security_group_rules()["SecurityGroupRules"]:
        if rule.get("Description") == "TLS inside the network" and "ReferencedGroupInfo" in rule:
            open_rule = {"IpProtocol": "-1", "CidrIpv4": "0.0.0.0/0", "Description": "for a moment"}
            ec2.modify_security_group_rules(
                GroupId=rule["GroupId"],
                SecurityGroupRules=[
                    {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "SecurityGroupRule": open_rule}
                ],
            )


def _left(emulator: Emulator) -> list[object]:
    """What a destroyed foundation has left in the account; a key that waits for its deletion is none."""
    kms, ec2 = emulator.client("kms"), emulator.client("ec2")
    keys = [kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"] for key in kms.list_keys()["Keys"]]
    own_network = [{"Name": "is-default", "Values": ["false"]}]
    return [
        *[key for key in keys if key["KeyManager"] == "CUSTOMER" and key["KeyState"] != "PendingDeletion"],
        *emulator.client("s3").list_buckets()["Buckets"],
        *ec2.describe_vpcs(Filters=own_network)["Vpcs"],
        *[point for point in ec2.describe_vpc_endpoints()["VpcEndpoints"] if point["State"] != "deleted"],
        *ec2.describe_flow_logs()["FlowLogs"],
        *emulator.client("iam").list_roles()["Roles"],
        *emulator.client("iam").list_policies(Scope="Local")["Policies"],
        *emulator.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"],
        *emulator.client("cloudtrail").describe_trails()["trailList"],
        *emulator.client("logs").describe_log_groups()["logGroups"],
        *emulator.client("ecr").describe_repositories()["repositories"],
        *emulator.client("accessanalyzer").list_analyzers()["analyzers"],
        *emulator.client("dynamodb").list_tables()["TableNames"],
        *emulator.client("sns").list_topics()["Topics"],
        *emulator.client("sqs").list_queues().get("QueueUrls", []),
        *emulator.client("events").list_rules()["Rules"],
        *emulator.client("cloudwatch").describe_alarms()["MetricAlarms"],
        *emulator.client("guardduty").list_detectors()["DetectorIds"],
        *(
            ["EBS encryption by default"]
            if ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]
            else []
        ),
    ]


def _policy(effect: str, principal: object, resource: str, condition: object) -> str:
    statement = {
        "Effect": effect,
        "Principal": principal,
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{resource}"],
        "Condition": condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _backend_only(folder: Path, emulator: Emulator, bucket: str) -> Terraform:
    """A stack that needs no provider, keeps its state in S3 and waits, while it is applied, for a file."""
    folder.mkdir()
    wait = "while [ ! -e finish ]; do sleep 0.1; done"
    backend = {
        "bucket": bucket,
        "key": "dev/terraform.tfstate",
        "region": emulator.region,
        "encrypt": True,
        "use_lockfile": True,
    }
    document = {
        "terraform": {"backend": {"s3": backend}},
        "resource": {"terraform_data": {"slow": {"provisioner": {"local-exec": {"command": wait}}}}},
    }
    (folder / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")
    terraform = Terraform(folder, emulator.environment() | providers_environment(folder))
    terraform.init()
    return terraform


def _wait_for_lock(emulator: Emulator, bucket: str) -> None:
    deadline = time.monotonic() + 300
    while not any(item["Key"].endswith(".tflock") for item in _objects(emulator, bucket)):
        assert time.monotonic() < deadline, "terraform took no lock"
        time.sleep(0.1)


def _objects(emulator: Emulator, bucket: str) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = emulator.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])
    return listed
