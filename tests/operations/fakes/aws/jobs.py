"""Transform jobs, by the clock. May not score."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from tests.operations.fakes.aws.hosting import Hosting
from tests.operations.fakes.aws.store import Answers, Parameters, Place, absent, page, refused

__all__ = ["Transforms"]

JOB_S = 300
STOP_S = 30


class Transforms:
    def __init__(self, place: Place, hosting: Hosting) -> None:
        self.place = place
        self.hosting = hosting
        self.jobs: dict[str, dict[str, Any]] = {}

    @property
    def answers(self) -> Answers:
        return {
            "CreateTransformJob": self.create,
            "DescribeTransformJob": lambda asked: self.job(asked["TransformJobName"]),
            "ListTransformJobs": self.list,
            "StopTransformJob": self.stop,
        }

    def create(self, asked: Parameters) -> Mapping[str, Any]:
        name = asked["TransformJobName"]
        if name in self.jobs:
            raise refused("Job name must be unique within an AWS account and region.", "ResourceInUse")
        if asked["ModelName"] not in self.hosting.models:
            raise absent(f"Model {asked['ModelName']}", "ResourceNotFound")
        arn = self.place.arn(f"transform-job/{name}")
        kept = {key: value for key, value in asked.items() if key != "Tags"}
        now = self.place.now()
        self.jobs[name] = {
            **kept,
            "TransformJobArn": arn,
            "TransformJobStatus": "InProgress",
            "CreationTime": now,
            "TransformStartTime": now,
        }
        return {"TransformJobArn": arn}

    def job(self, name: str) -> dict[str, Any]:
        if name not in self.jobs:
            raise absent(f"Transform job {name}", "ResourceNotFound")
        job = self.jobs[name]
        lasts = {"InProgress": JOB_S, "Stopping": STOP_S}.get(job["TransformJobStatus"])
        if lasts is not None and job["CreationTime"] + timedelta(seconds=lasts) <= self.place.now():
            self.finish(name, "Completed" if lasts == JOB_S else "Stopped")
        return job

    def finish(self, name: str, status: str) -> None:
        """Bring a job to an end."""
        job = self.jobs[name]
        if status == "Stopped" and job["TransformJobStatus"] != "Stopping":
            raise AssertionError(f"nobody stopped {name}")
        if job["TransformJobStatus"] in {"InProgress", "Stopping"}:
            job |= {"TransformJobStatus": status, "TransformEndTime": self.place.now()}
            if status == "Failed":
                job["FailureReason"] = "AlgorithmError: See job logs for more information"

    def list(self, asked: Parameters) -> Mapping[str, Any]:
        members = (
            *("TransformJobName", "TransformJobArn", "CreationTime", "TransformEndTime"),
            *("TransformJobStatus", "FailureReason"),
        )
        found = [
            {name: one[name] for name in members if name in one}
            for one in map(self.job, list(self.jobs))
            if asked.get("NameContains", "") in one["TransformJobName"]
        ]
        if asked.get("SortOrder", "Descending") == "Descending":
            found.reverse()
        return page(found, asked, "TransformJobSummaries")

    def stop(self, asked: Parameters) -> Mapping[str, Any]:
        job = self.job(asked["TransformJobName"])
        if job["TransformJobStatus"] not in {"InProgress", "Stopping"}:
            raise refused(f"The job is {job['TransformJobStatus']} and cannot be stopped.")
        job["TransformJobStatus"] = "Stopping"
        return {}
