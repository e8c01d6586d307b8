"""Scoring of files: SageMaker's transform jobs, with a version that the request names.

May not touch the pipeline that Terraform makes of a batch endpoint whose version the spec pins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from scaffolder.operations.aws.hosting import Hosting
from scaffolder.operations.aws.registry import Packages
from scaffolder.operations.aws.runs import utc
from scaffolder.operations.aws.surroundings import Surroundings
from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest
from scaffolder.operations.values import BatchJob, BatchRequest, RunState
from stacks import names
from stacks.intents import OnlineEndpoint
from stacks.names import NameRule

__all__ = ["Transforms"]

STATES: Mapping[str, RunState] = {
    "InProgress": RunState.RUNNING,
    "Completed": RunState.SUCCEEDED,
    "Failed": RunState.FAILED,
    "Stopping": RunState.STOPPING,
    "Stopped": RunState.STOPPED,
}
TOKEN_LENGTH = 12
JOB_START = NameRule(
    longest=63 - TOKEN_LENGTH - 2,
    pattern=r"[a-zA-Z0-9](-*[a-zA-Z0-9])*",
    source="SageMaker API Reference, TransformJobName, less two hyphens and the token",
)


class Transforms:
    """Jobs that score files. A job's ref is its ARN."""

    def __init__(self, surroundings: Surroundings, hosting: Hosting, packages: Packages) -> None:
        self.around = surroundings
        self.account = surroundings.account
        self.context = surroundings.context
        self.hosting = hosting
        self.packages = packages

    def submit(self, request: BatchRequest) -> str:
        endpoint = self.around.endpoint(request.endpoint)
        instance = self.around.machine(request.instance, "transform")
        version = self.packages.get(request.model, request.version)
        model = self.hosting.model(endpoint.name, version.model, version.version)
        digest = sha256(request.token.encode()).hexdigest()[:TOKEN_LENGTH]
        name = f"{self._start(endpoint.name)}{digest}"
        try:
            made = self.account.ask(
                "sagemaker",
                "CreateTransformJob",
                self._job(name, model, instance, request),
                f"score with {request.model} {request.version}",
            )
        except (AlreadyExists, Conflict):
            return self.context.arn("sagemaker", f"transform-job/{name}")
        return str(made["TransformJobArn"])

    def _start(self, endpoint: str) -> str:
        """How the names of an endpoint's jobs begin: no name in a spec has two hyphens in a row."""
        return f"{names.fitted('transform job', JOB_START, f'{self.context.prefix}-{endpoint}')}--"

    def _job(self, name: str, model: str, instance: str, request: BatchRequest) -> dict[str, Any]:
        key, volume = self.around.data_key, self.around.volume_key(instance)
        return {
            "TransformJobName": name,
            "ModelName": model,
            "BatchStrategy": "MultiRecord",
            "TransformInput": {
                "DataSource": {
                    "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": request.input_uri},
                },
                "ContentType": "text/csv",
                "SplitType": "Line",
            },
            "TransformOutput": {
                "S3OutputPath": request.output_uri,
                "Accept": "text/csv",
                "AssembleWith": "Line",
                **({"KmsKeyId": key} if key else {}),
            },
            "TransformResources": {
                "InstanceType": instance,
                "InstanceCount": request.replicas,
                **({"VolumeKmsKeyId": volume} if volume else {}),
            },
            "Tags": self.around.tags,
        }

    def describe(self, ref: str) -> BatchJob:
        name = self._name_of(ref)
        said = self.account.ask(
            "sagemaker", "DescribeTransformJob", {"TransformJobName": name}, f"look at job {name}"
        )
        return BatchJob(
            ref=said["TransformJobArn"],
            endpoint=self._endpoint_of(name),
            state=STATES.get(said["TransformJobStatus"], RunState.UNKNOWN),
            native_state=said["TransformJobStatus"],
            created=utc(said["CreationTime"]),
            ended=utc(said["TransformEndTime"]) if "TransformEndTime" in said else None,
            output_uri=said.get("TransformOutput", {}).get("S3OutputPath", ""),
            error=said.get("FailureReason", ""),
        )

    def list(self, endpoint: str) -> Iterator[BatchJob]:
        start = self._start(self.around.endpoint(endpoint).name)
        jobs = self.account.each(
            "sagemaker",
            "ListTransformJobs",
            {"NameContains": start, "SortBy": "CreationTime", "SortOrder": "Descending"},
            "TransformJobSummaries",
            f"list the jobs of {endpoint}",
        )
        for said in jobs:
            if said["TransformJobName"].startswith(start):
                yield BatchJob(
                    ref=said["TransformJobArn"],
                    endpoint=endpoint,
                    state=STATES.get(said["TransformJobStatus"], RunState.UNKNOWN),
                    native_state=said["TransformJobStatus"],
                    created=utc(said["CreationTime"]),
                    ended=utc(said["TransformEndTime"]) if "TransformEndTime" in said else None,
                    error=said.get("FailureReason", ""),
                )

    def cancel(self, ref: str) -> None:
        if self.describe(ref).native_state != "InProgress":
            return
        name = self._name_of(ref)
        try:
            self.account.ask("sagemaker", "StopTransformJob", {"TransformJobName": name}, f"stop job {name}")
        except (Conflict, InvalidRequest):
            if self.describe(ref).native_state == "InProgress":
                raise

    def _name_of(self, ref: str) -> str:
        start = self.context.arn("sagemaker", "transform-job/")
        if not ref.startswith(start):
            raise InvalidRequest(f"{ref!r} is not the ref of a scoring job: those begin with {start}")
        return ref.removeprefix(start)

    def _endpoint_of(self, job: str) -> str:
        endpoints = self.context.all_of(OnlineEndpoint)
        return next((one.name for one in endpoints if job.startswith(self._start(one.name))), "")
