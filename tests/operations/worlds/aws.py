"""The world of AWS: the platform as Terraform would have left it, on a loopback server with a clock of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scaffolder.operations.aws.provider import Aws
from scaffolder.operations.port import Opening
from scaffolder.operations.values import RunState
from stacks.aws.context import Context, Keys, Network, Registry, Store, Stores, Surroundings
from stacks.aws.pipelines import compiled
from stacks.graph import Value
from stacks.intents import ModelMonitor, ModelRegistry, Platform, TrainingPipeline
from tests.operations.fakes.aws.cloud import Cloud
from tests.operations.fakes.aws.server import running_cloud
from tests.operations.platforms import platform_in, raw_rows
from tests.operations.worlds import Fault

__all__ = ["AwsWorld", "open_world", "surroundings"]

SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLEEXAMPLETOKEN"

STATUSES: Mapping[RunState, tuple[str, str]] = {
    RunState.SUCCEEDED: ("Succeeded", "Completed"),
    RunState.FAILED: ("Failed", "Failed"),
    RunState.STOPPED: ("Stopped", "Stopped"),
}


class Clock:
    """A clock that only sleeping turns."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 2, 12, tzinfo=UTC)
        self.slept = 0.0

    def now(self) -> datetime:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.moment += timedelta(seconds=seconds)


class AwsWorld:
    """The provider, and the cloud that it takes for AWS."""

    def __init__(self, platform: Platform, folder: Path, cloud: Cloud, clock: Clock) -> None:
        self.platform = platform
        self.cloud = cloud
        self.clock = clock
        self.context = Context(platform)
        opening = Opening(platform=platform, folder=folder, sleep=clock.sleep, now=clock.now)
        self.provider = Aws(opening)

    def finish(self, ref: str, state: RunState = RunState.SUCCEEDED) -> None:
        of_run, of_job = STATUSES[state]
        if ":transform-job/" in ref:
            self.cloud.transforms.finish(ref.rpartition("/")[2], of_job)
        else:
            self.cloud.pipelines.finish(ref, of_run)
        self.clock.moment += timedelta(seconds=1)

    def settle(self, endpoint: str) -> None:
        self.cloud.hosting.settle(self.context.endpoint(endpoint))

    def an_artifact(self) -> str:
        return f"s3://{self.context.bucket('artifacts')}/models/churn/first"

    def much_to_score(self) -> str:
        return self.scoring_input()  # a job of this world goes on until it is told to end

    def scoring_input(self) -> str:
        return f"s3://{self.context.bucket('data')}/batch/scores/input"

    def find_drift(self, monitor: str) -> None:
        """Write what SageMaker's analyzer writes, in a window that ends now; Terraform has made the schedule."""
        name, now = self.context.name("sagemaker", monitor), self.clock.now()
        job = f"model-monitoring-{self.cloud.place.word()}"
        place = f"s3://{self.context.bucket('artifacts')}/monitoring/{monitor}/{job}"
        found = {
            "feature_name": "tenure",
            "constraint_check_type": "baseline_drift_check",
            "description": "Baseline drift distance: 0.4131 exceeds threshold: 0.2",
        }
        self.cloud.write(f"{place}/constraint_violations.json", json.dumps({"violations": [found]}).encode())
        self.cloud.pipelines.processing[job] = _monitoring_job(self.cloud, job, place)
        add_monitor(self.platform, self.cloud)
        self.cloud.monitors.executions.append(
            {
                "MonitoringScheduleName": name,
                "ScheduledTime": now,
                "CreationTime": now,
                "LastModifiedTime": now,
                "MonitoringExecutionStatus": "CompletedWithViolations",
                "ProcessingJobArn": self.cloud.place.arn(f"processing-job/{job}"),
                "MonitoringType": "DataQuality",
            }
        )

    def inject(self, fault: Fault, *, times: int = 1, after: int = 0) -> None:
        self.cloud.faults.inject(fault, times=times, after=after)

    def slept(self) -> float:
        return self.clock.slept

    def calls(self) -> int:
        return len(self.cloud.calls)

    def secrets(self) -> tuple[str, ...]:
        return (SECRET, TOKEN)


@contextmanager
def open_world(folder: Path) -> Iterator[AwsWorld]:
    platform = platform_in("aws", folder)
    clock = Clock()
    account, region = platform.target.account, platform.target.region
    with running_cloud(account, region, clock.now) as cloud, _credentials(cloud.url):
        lay_out(platform, cloud)
        yield AwsWorld(platform, folder, cloud, clock)


@contextmanager
def _credentials(url: str) -> Iterator[None]:
    """The environment of somebody who signed in; what the developer has set for AWS does not get through.

    Worlds may overlap: the last one that closes puts back what was there before the first.
    """
    if not _OPEN:
        _BEFORE.clear()
        _BEFORE.update(os.environ)
    mark = object()
    _OPEN.append(mark)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "ASIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_SESSION_TOKEN": TOKEN,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    try:
        yield
    finally:
        _OPEN.remove(mark)
        if not _OPEN:
            os.environ.clear()
            os.environ.update(_BEFORE)


_OPEN: list[object] = []
_BEFORE: dict[str, str] = {}


# --- what Terraform leaves -------------------------------------------------------------------------------------------


def lay_out(platform: Platform, cloud: Cloud) -> None:
    """Make what the stacks make and operations need, through AWS's own interfaces."""
    context = Context(platform)
    _make_buckets(context, cloud)
    _make_network(context, cloud)
    kms = cloud.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=context.alias("data"), TargetKeyId=key["KeyId"])
    sagemaker = cloud.client("sagemaker")
    for model in context.all_of(ModelRegistry):
        sagemaker.create_model_package_group(ModelPackageGroupName=context.model_group(model.name))
    around = surroundings(context, key["Arn"])
    for pipeline in context.all_of(TrainingPipeline):
        if pipeline.steps is not None:
            sagemaker.create_pipeline(
                PipelineName=context.pipeline(pipeline.name),
                PipelineDefinition=json.dumps(compiled(pipeline, pipeline.steps, around)),
                RoleArn=str(around.roles["pipelines"]),
                ClientRequestToken=f"{pipeline.name:-<32}",
            )
    cloud.basics.quotas = {
        f"ml.m5.xlarge for {use}": 8.0 for use in ("endpoint usage", "transform job usage")
    }
    cloud.calls.clear()


def add_monitor(platform: Platform, cloud: Cloud) -> None:
    """Make the schedules of SageMaker's own monitors, as the monitoring stack does once there are baselines."""
    context = Context(platform)
    now = cloud.place.now()
    for monitor in context.all_of(ModelMonitor):
        name = context.name("sagemaker", monitor.name)
        cloud.monitors.schedules[name] = {
            "MonitoringScheduleArn": cloud.place.arn(f"monitoring-schedule/{name}"),
            "MonitoringScheduleName": name,
            "MonitoringScheduleStatus": "Scheduled",
            "MonitoringType": "DataQuality",
            "CreationTime": now,
            "LastModifiedTime": now,
            "MonitoringScheduleConfig": {
                "MonitoringJobDefinitionName": f"{name}-01234567",
                "MonitoringType": "DataQuality",
                "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            },
        }


def _make_buckets(context: Context, cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    for name in ("data", "artifacts"):
        s3.create_bucket(
            Bucket=context.bucket(name),
            CreateBucketConfiguration={"LocationConstraint": context.region},
        )
    s3.put_object(
        Bucket=context.bucket("data"), Key="raw/2026-11-01/rows.csv", Body=raw_rows(rows=20).encode()
    )


def _make_network(context: Context, cloud: Cloud) -> None:
    ec2 = cloud.client("ec2")
    network = ec2.create_vpc(CidrBlock="10.40.0.0/16", TagSpecifications=_named("vpc", context.prefix))
    vpc = network["Vpc"]["VpcId"]
    for number in range(2):
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"10.40.{16 * number}.0/20",
            TagSpecifications=_named("subnet", f"{context.prefix}-private-euw1-az{number + 1}"),
        )
    ec2.create_security_group(
        GroupName=context.name("security-group", "workloads"),
        Description="SageMaker jobs, notebooks and endpoints",
        VpcId=vpc,
        TagSpecifications=_named("security-group", f"{context.prefix}-workloads"),
    )


def _named(kind: str, name: str) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]


def surroundings(context: Context, key: str) -> Surroundings:
    """What the ml stack compiles with, as texts."""
    host = f"{context.account}.dkr.ecr.{context.region}.amazonaws.com"
    roles: dict[str, Value] = {
        purpose: context.arn("iam", f"role/{context.name('role', purpose)}", regional=False)
        for purpose in ("training", "pipelines", "serving", "monitoring")
    }
    return Surroundings(
        context=context,
        keys=Keys(data=key),
        network=Network(
            network_id="vpc-0",
            network_arn="",
            subnet_ids=("subnet-0a1b2c3d",),
            subnet_arns=(),
            security_group_ids=("sg-0a1b2c3d",),
            security_group_arns=(),
        ),
        stores=Stores(
            by_name={
                name: Store(id=context.bucket(name), arn=f"arn:aws:s3:::{context.bucket(name)}")
                for name in ("data", "artifacts")
            }
        ),
        registry=Registry(urls={name: f"{host}/{context.prefix}/{name}" for name in ("training", "serving")}),
        roles=roles,
    )


def _monitoring_job(cloud: Cloud, job: str, place: str) -> dict[str, Any]:
    now = cloud.place.now()
    return {
        "ProcessingJobName": job,
        "ProcessingJobArn": cloud.place.arn(f"processing-job/{job}"),
        "ProcessingJobStatus": "Completed",
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 20}
        },
        "AppSpecification": {"ImageUri": "sagemaker-model-monitor-analyzer"},
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "monitoring_output",
                    "S3Output": {
                        "S3Uri": place,
                        "LocalPath": "/opt/ml/processing/output",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "CreationTime": now,
    }
