"""SageMaker as the emulator answers it: what AWS refuses is refused, what was given is told."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.fixture import ACCOUNT, Emulator

_ROLE = f"arn:aws:iam::{ACCOUNT}:role/work"
_CONTAINER = {"Image": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/serve:v1"}
_NETWORK = {"VpcConfig": {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}}
_CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 50,
    "DestinationS3Uri": "s3://data/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}
_SERVERLESS = {"VariantName": "v", "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5}}
_INSTANCES = {"VariantName": "v", "InstanceType": "ml.m6i.large", "InitialInstanceCount": 1}
_DEFINITION = json.dumps({"Version": "2020-12-01", "Steps": [{"Name": "a", "Type": "Fail", "Arguments": {}}]})


@pytest.fixture(autouse=True)
def _no_failures(emulator: Emulator) -> Iterator[None]:
    emulator.forget_operations()
    yield
    assert emulator.failures() == []


@pytest.fixture
def sagemaker(emulator: Emulator) -> Any:
    return emulator.client("sagemaker")


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"n{uuid.uuid4().hex[:12]}"


def _refused(raised: pytest.ExceptionInfo[ClientError], code: str = "ValidationException") -> str:
    response = raised.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == (400, code)
    return str(response["Error"]["Message"])


def _model(sagemaker: Any, **more: object) -> str:
    name = f"model-{uuid.uuid4().hex[:12]}"
    container: dict[str, Any] = {} if "Containers" in more else {"PrimaryContainer": _CONTAINER}
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=_ROLE, **container | more)
    return name


def _endpoint(sagemaker: Any, variant: dict[str, Any], **more: object) -> str:
    name = f"endpoint-{uuid.uuid4().hex[:12]}"
    variants = [variant | {"ModelName": _model(sagemaker)}]
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants, **more)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return name


def _domain(sagemaker: Any, **more: object) -> str:
    settings = {"ExecutionRole": _ROLE}
    domain: dict[str, Any] = {"AuthMode": "IAM", "SubnetIds": ["subnet-1"], "VpcId": "vpc-1"}
    created = sagemaker.create_domain(
        **domain
        | {"DomainName": "d", "DefaultUserSettings": settings, "AppNetworkAccessType": "VpcOnly"}
        | more
    )
    return str(created["DomainId"])


class TestServerlessEndpoints:
    @pytest.mark.parametrize(
        ("model", "config", "named"),
        [
            (_NETWORK, {}, "VpcConfig"),
            ({"EnableNetworkIsolation": True}, {}, "EnableNetworkIsolation"),
            ({"Containers": [_CONTAINER, _CONTAINER]}, {}, "inference pipeline"),
            ({"PrimaryContainer": _CONTAINER | {"Mode": "MultiModel"}}, {}, "multi-model"),
            ({}, {"DataCaptureConfig": _CAPTURE}, "capture"),
            (
                {},
                {"AsyncInferenceConfig": {"OutputConfig": {"S3OutputPath": "s3://data/out"}}},
                "AsyncInferenceConfig",
            ),
        ],
    )
    def test_what_they_exclude_is_refused(
        self, sagemaker: Any, name: str, model: dict[str, Any], config: dict[str, Any], named: str
    ) -> None:
        variant = _SERVERLESS | {"ModelName": _model(sagemaker, **model)}
        with pytest.raises(ClientError) as raised:
            sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], **config)
        assert named in _refused(raised)
        assert sagemaker.list_endpoint_configs(NameContains=name)["EndpointConfigs"] == []

    def test_they_have_one_variant(self, sagemaker: Any, name: str) -> None:
        variant = _SERVERLESS | {"ModelName": _model(sagemaker)}
        variants = [variant, variant | {"VariantName": "w"}]
        with pytest.raises(ClientError) as raised:
            sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)
        assert "one production variant" in _refused(raised)

    def test_a_plain_model_is_served(self, sagemaker: Any) -> None:
        name = _endpoint(sagemaker, _SERVERLESS)
        assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"


class TestEndpoints:
    def test_what_does_not_exist_is_refused(self, sagemaker: Any) -> None:
        variant = _INSTANCES | {"ModelName": "none"}
        with pytest.raises(ClientError) as raised:
            sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
        assert "Could not find model" in _refused(raised)
        with pytest.raises(ClientError) as raised:
            sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="none")
        assert "Could not find endpoint configuration" in _refused(raised)
        name = _endpoint(sagemaker, _INSTANCES)
        with pytest.raises(ClientError) as raised:
            sagemaker.update_endpoint(EndpointName=name, EndpointConfigName="none")
        assert "Could not find endpoint configuration" in _refused(raised)
        with pytest.raises(ClientError) as raised:
            _model(sagemaker, PrimaryContainer={"ModelPackageName": "none"})
        assert "Could not find model package" in _refused(raised)

    def test_a_name_is_used_once(self, sagemaker: Any) -> None:
        name = _endpoint(sagemaker, _INSTANCES)
        config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
        model = config["ProductionVariants"][0]["ModelName"]
        variants = config["ProductionVariants"]
        for method, taken in (
            (sagemaker.create_model, {"ModelName": model, "PrimaryContainer": _CONTAINER}),
            (
                sagemaker.create_endpoint_config,
                {"EndpointConfigName": name, "ProductionVariants": variants},
            ),
            (sagemaker.create_endpoint, {"EndpointName": name, "EndpointConfigName": name}),
        ):
            with pytest.raises(ClientError) as raised:
                method(**taken)
            assert "already existing" in _refused(raised)

    @pytest.mark.parametrize("instance_type", ["ml.g5.xlarge", "ml.g4dn.xlarge", "ml.m5d.large"])
    def test_an_instance_with_disks_of_its_own_takes_no_key(
        self, sagemaker: Any, name: str, instance_type: str
    ) -> None:
        variants = [_INSTANCES | {"ModelName": _model(sagemaker), "InstanceType": instance_type}]
        with pytest.raises(ClientError) as raised:
            sagemaker.create_endpoint_config(
                EndpointConfigName=name, ProductionVariants=variants, KmsKeyId="alias/k"
            )
        assert "local storage" in _refused(raised)
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)

    def test_an_invented_instance_type_is_refused(self, sagemaker: Any) -> None:
        with pytest.raises(ClientError) as raised:
            _endpoint(sagemaker, _INSTANCES | {"InstanceType": "ml.m6i.enormous"})
        assert "ml.m6i.enormous" in _refused(raised)

    def test_an_update_keeps_tags_and_tells_the_last_deployment(self, sagemaker: Any) -> None:
        first, second = _endpoint(sagemaker, _INSTANCES), _endpoint(sagemaker, _INSTANCES)
        endpoint = sagemaker.describe_endpoint(EndpointName=first)
        for value in ("before", "after"):
            sagemaker.add_tags(ResourceArn=endpoint["EndpointArn"], Tags=[{"Key": "k", "Value": value}])
        alarms = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]}}
        sagemaker.update_endpoint(EndpointName=first, EndpointConfigName=second, DeploymentConfig=alarms)
        updated = sagemaker.describe_endpoint(EndpointName=first)
        assert updated["EndpointConfigName"] == second
        assert updated["LastDeploymentConfig"] == alarms
        assert updated["CreationTime"] == endpoint["CreationTime"]
        tags = sagemaker.list_tags(ResourceArn=endpoint["EndpointArn"])["Tags"]
        assert tags == [{"Key": "k", "Value": "after"}]

    def test_a_model_is_told_as_it_was_given(self, sagemaker: Any) -> None:
        isolated = sagemaker.describe_model(ModelName=_model(sagemaker, EnableNetworkIsolation=True))
        networked = sagemaker.describe_model(ModelName=_model(sagemaker, **_NETWORK))
        assert (isolated["EnableNetworkIsolation"], "VpcConfig" in isolated) == (True, False)
        assert (networked["EnableNetworkIsolation"], networked["VpcConfig"]) == (
            False,
            _NETWORK["VpcConfig"],
        )


class TestMonitoring:
    def _watch(self, sagemaker: Any, name: str, endpoint: str, **cluster: object) -> None:
        resources = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
        sagemaker.create_data_quality_job_definition(
            JobDefinitionName=name,
            DataQualityAppSpecification={"ImageUri": _CONTAINER["Image"]},
            DataQualityJobInput={
                "EndpointInput": {"EndpointName": endpoint, "LocalPath": "/opt/ml/processing/input"}
            },
            DataQualityJobOutputConfig={
                "MonitoringOutputs": [{"S3Output": {"S3Uri": "s3://data/m", "LocalPath": "/opt/ml/out"}}]
            },
            JobResources={"ClusterConfig": resources | cluster},
            RoleArn=_ROLE,
        )

    def _schedule(self, sagemaker: Any, name: str) -> None:
        sagemaker.create_monitoring_schedule(
            MonitoringScheduleName=name,
            MonitoringScheduleConfig={
                "MonitoringJobDefinitionName": name,
                "MonitoringType": "DataQuality",
                "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            },
        )

    def test_an_endpoint_that_captures_nothing_is_not_watched(self, sagemaker: Any, name: str) -> None:
        for endpoint, said in (("none", "Could not find"), (_endpoint(sagemaker, _SERVERLESS), "capture")):
            with pytest.raises(ClientError) as raised:
                self._watch(sagemaker, name, endpoint)
            assert said in _refused(raised)

    def test_a_disk_key_is_refused_where_disks_are_local(self, sagemaker: Any, name: str) -> None:
        endpoint = _endpoint(sagemaker, _INSTANCES, DataCaptureConfig=_CAPTURE)
        with pytest.raises(ClientError) as raised:
            self._watch(sagemaker, name, endpoint, InstanceType="ml.g5.xlarge", VolumeKmsKeyId="alias/k")
        assert "local storage" in _refused(raised)

    def test_a_schedule_names_its_definition_and_endpoint(self, sagemaker: Any, name: str) -> None:
        endpoint = _endpoint(sagemaker, _INSTANCES, DataCaptureConfig=_CAPTURE)
        with pytest.raises(ClientError) as raised:
            self._schedule(sagemaker, name)
        assert f"no DataQuality job definition {name}" in _refused(raised)
        self._watch(sagemaker, name, endpoint)
        self._schedule(sagemaker, name)
        told = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
        assert (told["EndpointName"], told["MonitoringScheduleStatus"]) == (endpoint, "Scheduled")
        sagemaker.stop_monitoring_schedule(MonitoringScheduleName=name)
        told = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=name)
        assert told["MonitoringScheduleStatus"] == "Stopped"


class TestStudio:
    def test_a_domain_is_held_by_its_users_and_they_by_their_spaces(self, sagemaker: Any) -> None:
        domain_id = _domain(sagemaker)
        profile = {"DomainId": domain_id, "UserProfileName": "ada"}
        with pytest.raises(ClientError) as raised:
            sagemaker.create_user_profile(**profile)
        assert "SecurityGroups" in _refused(raised)
        sagemaker.create_user_profile(**profile, UserSettings={"SecurityGroups": ["sg-1"]})
        sagemaker.create_space(
            DomainId=domain_id,
            SpaceName="lab",
            OwnershipSettings={"OwnerUserProfileName": "ada"},
            SpaceSharingSettings={"SharingType": "Private"},
        )
        for method, held in (
            (sagemaker.delete_domain, {"DomainId": domain_id}),
            (sagemaker.delete_user_profile, profile),
        ):
            with pytest.raises(ClientError) as raised:
                method(**held)
            _refused(raised, "ResourceInUse")
        sagemaker.delete_space(DomainId=domain_id, SpaceName="lab")
        sagemaker.delete_user_profile(**profile)
        sagemaker.delete_domain(DomainId=domain_id)
        with pytest.raises(ClientError) as raised:
            sagemaker.describe_domain(DomainId=domain_id)
        _refused(raised, "ResourceNotFound")

    @pytest.mark.parametrize(("retention", "left"), [("Retain", 1), ("Delete", 0)])
    def test_the_home_file_system_is_kept_unless_told_otherwise(
        self, emulator: Emulator, sagemaker: Any, retention: str, left: int
    ) -> None:
        domain_id = _domain(sagemaker)
        home = sagemaker.describe_domain(DomainId=domain_id)["HomeEfsFileSystemId"]
        efs = emulator.client("efs")
        assert home in [each["FileSystemId"] for each in efs.describe_file_systems()["FileSystems"]]
        sagemaker.delete_domain(DomainId=domain_id, RetentionPolicy={"HomeEfsFileSystem": retention})
        found = [each["FileSystemId"] for each in efs.describe_file_systems()["FileSystems"]]
        assert found.count(home) == left

    def test_a_user_of_an_iam_domain_has_no_single_sign_on_identity(self, sagemaker: Any) -> None:
        domain_id = _domain(sagemaker, AppNetworkAccessType="PublicInternetOnly")
        with pytest.raises(ClientError) as raised:
            sagemaker.create_user_profile(
                DomainId=domain_id,
                UserProfileName="ada",
                SingleSignOnUserIdentifier="UserName",
                SingleSignOnUserValue="ada",
            )
        assert "SingleSignOnUserValue" in _refused(raised)


class TestFeatureGroups:
    _FEATURES = (("id", "String"), ("at", "String"), ("n", "Integral"))

    def _create(self, sagemaker: Any, name: str, **more: object) -> None:
        definitions = [{"FeatureName": name, "FeatureType": kind} for name, kind in self._FEATURES]
        group: dict[str, Any] = {"RecordIdentifierFeatureName": "id", "EventTimeFeatureName": "at"}
        sagemaker.create_feature_group(
            FeatureGroupName=name, FeatureDefinitions=definitions, **group | {"RoleArn": _ROLE} | more
        )

    @pytest.mark.parametrize(
        ("more", "named"),
        [
            ({}, "an online store or an offline store"),
            (
                {"OnlineStoreConfig": {"EnableOnlineStore": True}, "EventTimeFeatureName": "x"},
                "x is not among",
            ),
            ({"OnlineStoreConfig": {"EnableOnlineStore": True}, "EventTimeFeatureName": "n"}, "Fractional"),
        ],
    )
    def test_one_that_could_hold_nothing_is_refused(
        self, sagemaker: Any, name: str, more: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(ClientError) as raised:
            self._create(sagemaker, name, **more)
        assert named in _refused(raised)

    def test_features_are_added_and_the_time_to_live_changes(self, sagemaker: Any, name: str) -> None:
        self._create(sagemaker, name, OnlineStoreConfig={"EnableOnlineStore": True, "SecurityConfig": {}})
        sagemaker.update_feature_group(
            FeatureGroupName=name,
            FeatureAdditions=[{"FeatureName": "m", "FeatureType": "String"}],
            OnlineStoreConfig={"TtlDuration": {"Unit": "Days", "Value": 30}},
        )
        group = sagemaker.describe_feature_group(FeatureGroupName=name)
        assert [each["FeatureName"] for each in group["FeatureDefinitions"]] == ["id", "at", "n", "m"]
        assert group["OnlineStoreConfig"]["EnableOnlineStore"] is True
        assert group["OnlineStoreConfig"]["TtlDuration"] == {"Unit": "Days", "Value": 30}
        sagemaker.delete_feature_group(FeatureGroupName=name)
        assert name not in [
            each["FeatureGroupName"] for each in sagemaker.list_feature_groups()["FeatureGroupSummaries"]
        ]


class TestPipelines:
    @pytest.mark.parametrize(
        ("definition", "said"),
        [
            ("{", "Unable to parse"),
            ("{}", "Version"),
            ('{"Version": "2020-12-01"}', "Steps"),
            ('{"Version": "2020-12-01", "Steps": [{"Name": "a"}, {"Name": "a"}]}', "names"),
        ],
    )
    def test_a_definition_that_is_none_is_refused(self, sagemaker: Any, definition: str, said: str) -> None:
        with pytest.raises(ClientError) as raised:
            sagemaker.create_pipeline(PipelineName="p", PipelineDefinition=definition, RoleArn=_ROLE)
        assert said in _refused(raised)

    def test_one_from_s3_is_told_as_text(self, emulator: Emulator, sagemaker: Any, name: str) -> None:
        s3 = emulator.client("s3")
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": emulator.region})
        location = {"Bucket": name, "ObjectKey": "p.json"}
        pipeline = {"PipelineName": name, "PipelineDefinitionS3Location": location, "RoleArn": _ROLE}
        with pytest.raises(ClientError) as raised:
            sagemaker.create_pipeline(**pipeline)
        assert f"s3://{name}/p.json" in _refused(raised)
        s3.put_object(Bucket=name, Key="p.json", Body=_DEFINITION)
        sagemaker.create_pipeline(**pipeline)
        assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == _DEFINITION

    def test_a_missing_one_is_not_found(self, sagemaker: Any) -> None:
        for method in (sagemaker.describe_pipeline, sagemaker.delete_pipeline, sagemaker.update_pipeline):
            with pytest.raises(ClientError) as raised:
                method(PipelineName="none")
            _refused(raised, "ResourceNotFound")


class TestRegistry:
    def test_a_group_is_deleted_once_it_is_empty(self, sagemaker: Any, name: str) -> None:
        group = sagemaker.create_model_package_group(ModelPackageGroupName=name)
        policy = json.dumps({"Version": "2012-10-17", "Statement": []})
        sagemaker.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=policy)
        assert (
            sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)["ResourcePolicy"] == policy
        )
        package = sagemaker.create_model_package(
            ModelPackageGroupName=name, InferenceSpecification=_inference()
        )["ModelPackageArn"]
        with pytest.raises(ClientError) as raised:
            sagemaker.delete_model_package_group(ModelPackageGroupName=name)
        _refused(raised, "ConflictException")
        sagemaker.delete_model_package(ModelPackageName=package)
        sagemaker.delete_model_package_group(ModelPackageGroupName=group["ModelPackageGroupArn"])
        with pytest.raises(ClientError) as raised:
            sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)
        assert "Cannot find Model Package Group" in _refused(raised)


def _inference() -> dict[str, Any]:
    types = {"SupportedContentTypes": ["text/csv"], "SupportedResponseMIMETypes": ["text/csv"]}
    return {"Containers": [_CONTAINER], **types}
