"""Model package groups and versions. May not run anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.operations.fakes.aws.store import Answers, Parameters, Place, page, refused, taken

__all__ = ["Packages"]


class Packages:
    def __init__(self, place: Place) -> None:
        self.place = place
        self.groups: dict[str, dict[str, Any]] = {}
        self.packages: dict[str, dict[str, Any]] = {}
        self.tokens: dict[str, tuple[str, Parameters]] = {}

    @property
    def answers(self) -> Answers:
        return {
            "CreateModelPackageGroup": self.create_group,
            "DescribeModelPackageGroup": self.describe_group,
            "CreateModelPackage": self.create,
            "DescribeModelPackage": self.describe,
            "ListModelPackages": self.list,
            "UpdateModelPackage": self.update,
        }

    def create_group(self, asked: Parameters) -> Mapping[str, Any]:
        name = asked["ModelPackageGroupName"]
        arn = self.place.arn(f"model-package-group/{name}")
        if name in self.groups:
            raise taken("model package group", arn)
        self.groups[name] = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupArn": arn,
            "CreationTime": self.place.now(),
            "CreatedBy": {},
            "ModelPackageGroupStatus": "Completed",
        }
        return {"ModelPackageGroupArn": arn}

    def describe_group(self, asked: Parameters) -> Mapping[str, Any]:
        return self._group(asked["ModelPackageGroupName"])

    def _group(self, name: str) -> dict[str, Any]:
        found = self.groups.get(name.rpartition("/")[2])
        if found is None:
            raise refused(
                f"ModelPackageGroup {self.place.arn(f'model-package-group/{name}')} does not exist."
            )
        return found

    def create(self, asked: Parameters) -> Mapping[str, Any]:
        token = asked.get("ClientToken")
        if token in self.tokens:
            arn, before = self.tokens[token]
            if before != asked:
                raise refused("ClientToken was used with other parameters.", "ConflictException")
            return {"ModelPackageArn": arn}
        if "ModelPackageGroupName" not in asked:
            raise refused("A versioned model package needs a ModelPackageGroupName.")
        group = self._group(asked["ModelPackageGroupName"])["ModelPackageGroupName"]
        for container in asked.get("InferenceSpecification", {}).get("Containers", ()):
            _check_container(container)
        version = 1 + sum(one["ModelPackageGroupName"] == group for one in self.packages.values())
        arn = self.place.arn(f"model-package/{group}/{version}")
        kept = {name: value for name, value in asked.items() if name not in {"ClientToken", "Tags"}}
        self.packages[arn] = {
            **kept,
            "ModelPackageName": group,  # its description leaves no room for the version
            "ModelPackageGroupName": group,
            "ModelPackageVersion": version,
            "ModelPackageArn": arn,
            "CreationTime": self.place.now(),
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": []},
        }
        self.place.tag(arn, asked.get("Tags", ()))
        if token:
            self.tokens[token] = (arn, asked)
        return {"ModelPackageArn": arn}

    def _package(self, arn: str) -> dict[str, Any]:
        if arn not in self.packages:
            raise refused(f"ModelPackage {arn} does not exist.")
        return self.packages[arn]

    def describe(self, asked: Parameters) -> Mapping[str, Any]:
        return self._package(asked["ModelPackageName"])

    def list(self, asked: Parameters) -> Mapping[str, Any]:
        group = self._group(asked["ModelPackageGroupName"])["ModelPackageGroupName"]
        found = [one for one in self.packages.values() if one["ModelPackageGroupName"] == group]
        if asked.get("SortOrder", "Descending") == "Descending":
            found.reverse()
        members = (
            *("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "CreationTime"),
            *("ModelPackageStatus", "ModelApprovalStatus", "ModelLifeCycle"),
        )
        summaries = [{name: one[name] for name in members if name in one} for one in found]
        return page(summaries, asked, "ModelPackageSummaryList")

    def update(self, asked: Parameters) -> Mapping[str, Any]:
        package = self._package(asked["ModelPackageArn"])
        for name in ("ModelApprovalStatus", "ApprovalDescription", "ModelLifeCycle", "SourceUri"):
            if name in asked:
                package[name] = asked[name]
        package.setdefault("CustomerMetadataProperties", {})
        package["CustomerMetadataProperties"] |= asked.get("CustomerMetadataProperties", {})
        for name in asked.get("CustomerMetadataPropertiesToRemove", ()):
            package["CustomerMetadataProperties"].pop(name, None)
        if not package["CustomerMetadataProperties"]:
            del package["CustomerMetadataProperties"]
        package["LastModifiedTime"] = self.place.now()
        return {"ModelPackageArn": package["ModelPackageArn"]}


def _check_container(container: Parameters) -> None:
    """A container has an image, and its files in one of two ways (SageMaker API Reference)."""
    if "Image" not in container:
        raise refused("InferenceSpecification.Containers needs an Image.")
    if "ModelDataUrl" in container and "ModelDataSource" in container:
        raise refused("Either ModelDataUrl or ModelDataSource.")
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if source.get("S3DataType") == "S3Prefix" and not source["S3Uri"].endswith("/"):
        raise refused("S3Uri of type S3Prefix has to end with a slash.")
