"""Versions of models: SageMaker's model packages, in the groups that Terraform makes.

What the port knows of a version and SageMaker has no field for is in the package's own metadata. May not make a group.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from scaffolder.operations.aws.runs import utc
from scaffolder.operations.aws.surroundings import Surroundings
from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.values import Approval, ModelVersion, Registration, Stage
from stacks.intents import ModelRegistry

__all__ = ["Packages", "package_of"]

STATUSES: Mapping[Approval, str] = {
    Approval.PENDING: "PendingManualApproval",
    Approval.APPROVED: "Approved",
    Approval.REJECTED: "Rejected",
}
STAGES: Mapping[Stage, tuple[str, str]] = {
    Stage.NONE: ("None", "Removed"),
    Stage.STAGING: ("Staging", "Active"),
    Stage.PRODUCTION: ("Production", "Active"),
    Stage.ARCHIVED: ("Archived", "Removed"),
}
"""Stage and status of a package's life cycle: both are words of the user's own to SageMaker."""

METRIC = "metric."
LONGEST_VALUE = 256
MOST_ENTRIES = 50
"""Of a package's metadata (SageMaker API Reference, CustomerMetadataMap, November 2026)."""

TOKEN_LENGTH = 36
CONTENT = "application/json"


def package_of(surroundings: Surroundings, model: str, version: int) -> str:
    """The ARN of a version's package."""
    context = surroundings.context
    return context.arn("sagemaker", f"model-package/{context.model_group(model)}/{version}")


class Packages:
    """The registry. A version's ref is the package's ARN."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.around = surroundings
        self.account = surroundings.account
        self.context = surroundings.context

    # --- register ---

    def register(self, registration: Registration) -> ModelVersion:
        model = self.around.model(registration.model)
        if not registration.image:
            raise InvalidRequest(
                f"a version of {model.name} needs an image on SageMaker: what its container serves with",
                remedy="Name one of the platform's repositories with a tag, such as serving:1.0.0.",
            )
        group = self.context.model_group(model.name)
        try:
            made = self.account.ask(
                "sagemaker",
                "CreateModelPackage",
                self._package(registration, model, group),
                f"register a version of {model.name}",
            )
        except NotFound as error:
            raise self._no_group(model.name, error) from error
        return self._read(model.name, str(made["ModelPackageArn"]))

    def _package(self, registration: Registration, model: ModelRegistry, group: str) -> dict[str, Any]:
        metadata = _metadata(registration)
        commit = {"CommitId": registration.source_commit} if registration.source_commit else {}
        made_by = {"GeneratedBy": registration.run} if registration.run else {}
        report: dict[str, Any] = {}
        if registration.report_uri:
            report = {
                "ModelMetrics": {
                    "ModelQuality": {
                        "Statistics": {"ContentType": CONTENT, "S3Uri": registration.report_uri},
                    }
                }
            }
        status = STATUSES[Approval.APPROVED if model.approval == "automatic" else Approval.PENDING]
        return {
            "ModelPackageGroupName": group,
            "ClientToken": sha256(registration.token.encode()).hexdigest()[:TOKEN_LENGTH],
            "ModelApprovalStatus": status,
            "InferenceSpecification": {
                "Containers": [
                    {"Image": self.around.image(registration.image), **_artifact(registration.artifact_uri)}
                ],
                "SupportedContentTypes": [registration.content_type],
                "SupportedResponseMIMETypes": [registration.content_type],
            },
            **({"CustomerMetadataProperties": metadata} if metadata else {}),
            **({"MetadataProperties": {**commit, **made_by}} if commit or made_by else {}),
            **report,
        }

    def _no_group(self, model: str, error: NotFound) -> NotFound:
        return NotFound(
            f"there is no group of versions of {model} in {self.context.region} yet",
            code=error.code,
            text=error.text,
            remedy=self.around.deploy_first("ml"),
        )

    # --- look ---

    def list(self, model: str) -> Iterator[ModelVersion]:
        self.around.model(model)
        for arn in self._arns(model):
            yield self._read(model, arn)

    def _arns(self, model: str) -> Iterator[str]:
        packages = self.account.each(
            "sagemaker",
            "ListModelPackages",
            {
                "ModelPackageGroupName": self.context.model_group(model),
                "ModelPackageType": "Versioned",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
            },
            "ModelPackageSummaryList",
            f"list the versions of {model}",
        )
        try:
            arns = [str(package["ModelPackageArn"]) for package in packages]
        except NotFound:
            return  # without a group nothing was registered
        yield from sorted(arns, key=_version_of, reverse=True)

    def get(self, model: str, version: int) -> ModelVersion:
        self.around.model(model)
        return self._read(model, package_of(self.around, model, version))

    def _read(self, model: str, arn: str) -> ModelVersion:
        return _version(model, self._described(model, arn))

    def _described(self, model: str, arn: str) -> Mapping[str, Any]:
        said = self.account.find(
            "sagemaker", "DescribeModelPackage", {"ModelPackageName": arn}, f"read a version of {model}"
        )
        if said is None:
            raise NotFound(f"model {model} has no version {_version_of(arn)}")
        return said

    # --- change ---

    def set_approval(self, model: str, version: int, approval: Approval, note: str = "") -> ModelVersion:
        arn = self.get(model, version).ref
        self.account.ask(
            "sagemaker",
            "UpdateModelPackage",
            {
                "ModelPackageArn": arn,
                "ModelApprovalStatus": STATUSES[approval],
                **({"ApprovalDescription": note} if note else {}),
            },
            f"set the approval of {model} {version}",
        )
        return self._read(model, arn)

    def set_stage(self, model: str, version: int, stage: Stage) -> ModelVersion:
        arn = self.get(model, version).ref
        if stage in {Stage.STAGING, Stage.PRODUCTION}:
            # First the holder goes: a crash in between leaves nobody there, which the next call mends, and never two.
            for other in self._holders(model, stage):
                if other != arn:
                    self._move(model, other, Stage.ARCHIVED)
        self._move(model, arn, stage)
        return self._read(model, arn)

    def _holders(self, model: str, stage: Stage) -> builtins.list[str]:
        return [one.ref for one in self.list(model) if one.stage is stage]

    def _move(self, model: str, arn: str, stage: Stage) -> None:
        word, status = STAGES[stage]
        self.account.ask(
            "sagemaker",
            "UpdateModelPackage",
            {"ModelPackageArn": arn, "ModelLifeCycle": {"Stage": word, "StageStatus": status}},
            f"move {model} {_version_of(arn)} to {stage}",
        )


# --- values ----------------------------------------------------------------------------------------------------------


def _artifact(uri: str) -> dict[str, Any]:
    """A model's files as SageMaker takes them: one archive, or all that is below a folder."""
    if uri.endswith(".tar.gz"):
        return {"ModelDataUrl": uri}
    return {
        "ModelDataSource": {
            "S3DataSource": {
                "S3Uri": f"{uri.rstrip('/')}/",
                "S3DataType": "S3Prefix",
                "CompressionType": "None",
            }
        }
    }


def _metadata(registration: Registration) -> dict[str, str]:
    """What SageMaker has no field for, within its limits.

    Raises:
        InvalidRequest: a value is too long, or there are too many metrics.
    """
    said = {
        "data": registration.data_uri,
        "digest": registration.digest,
        "run": registration.run,
        "commit": registration.source_commit,
        **{f"{METRIC}{name}": repr(float(value)) for name, value in registration.metrics.items()},
    }
    kept = {name: value for name, value in sorted(said.items()) if value}
    for name, value in kept.items():
        if len(value) > LONGEST_VALUE:
            raise InvalidRequest(
                f"{name} of a version of {registration.model} has {len(value)} characters: SageMaker keeps {LONGEST_VALUE}"
            )
    if len(kept) > MOST_ENTRIES:
        raise InvalidRequest(
            f"a version of {registration.model} has {len(kept)} properties: SageMaker keeps {MOST_ENTRIES}",
            remedy="Register fewer metrics; the report has all of them.",
        )
    return kept


def _version_of(arn: str) -> int:
    return int(arn.rpartition("/")[2])


def _version(model: str, said: Mapping[str, Any]) -> ModelVersion:
    container = said.get("InferenceSpecification", {}).get("Containers", [{}])[0]
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    metadata: Mapping[str, str] = said.get("CustomerMetadataProperties", {})
    properties = said.get("MetadataProperties", {})
    statistics = said.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {})
    approval = {status: one for one, status in STATUSES.items()}
    stages = {word: stage for stage, (word, _) in STAGES.items()}
    return ModelVersion(
        ref=said["ModelPackageArn"],
        model=model,
        version=int(said["ModelPackageVersion"]),
        approval=approval.get(said.get("ModelApprovalStatus", ""), Approval.PENDING),
        stage=stages.get(said.get("ModelLifeCycle", {}).get("Stage", ""), Stage.NONE),
        created=utc(said["CreationTime"]),
        artifact_uri=container.get("ModelDataUrl") or source.get("S3Uri", "").rstrip("/"),
        image=container.get("Image", ""),
        metrics={
            name.removeprefix(METRIC): float(value)
            for name, value in metadata.items()
            if name.startswith(METRIC)
        },
        report_uri=statistics.get("S3Uri", ""),
        run=metadata.get("run", "") or properties.get("GeneratedBy", ""),
        source_commit=metadata.get("commit", "") or properties.get("CommitId", ""),
        data_uri=metadata.get("data", ""),
        digest=metadata.get("digest", ""),
    )
