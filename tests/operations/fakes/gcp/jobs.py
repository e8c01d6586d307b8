"""Batch predictions and monitors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.operations.fakes.gcp.cloud import Cloud, Part, Refused, selected, stamp
from tests.operations.fakes.gcp.discovery import Called
from tests.operations.fakes.gcp.endpoints import Endpoints
from tests.operations.fakes.gcp.models import Models
from tests.operations.fakes.gcp.project import check_labels

__all__ = ["Jobs", "Monitors", "Schedules"]

ENDED = {"JOB_STATE_SUCCEEDED", "JOB_STATE_FAILED", "JOB_STATE_CANCELLED"}
FORMATS = {"jsonl", "csv", "bigquery", "tf-record", "tf-record-gzip", "file-list"}


class Jobs(Part):
    """Batch predictions."""

    METHODS: Mapping[str, str] = {
        "aiplatform.projects.locations.batchPredictionJobs.create": "create",
        "aiplatform.projects.locations.batchPredictionJobs.get": "get",
        "aiplatform.projects.locations.batchPredictionJobs.list": "list",
        "aiplatform.projects.locations.batchPredictionJobs.cancel": "cancel",
    }

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.jobs: dict[str, dict[str, Any]] = {}

    def create(self, called: Called) -> Any:
        self.cloud.at_home(called)
        body = called.body
        self.cloud.part(Models).find(body["model"])
        check_labels(body.get("labels", {}))
        self.cloud.check_account(body["serviceAccount"])
        if (
            body["inputConfig"]["instancesFormat"] not in FORMATS
            or body["outputConfig"]["predictionsFormat"] not in FORMATS
        ):
            raise Refused(400, "INVALID_ARGUMENT", "Invalid format.")
        name = f"{self.cloud.home}/batchPredictionJobs/{self.cloud.fresh()}"
        now = stamp(self.cloud.now())
        self.jobs[name] = {**body, "name": name, "state": "JOB_STATE_PENDING", "createTime": now}
        return self.jobs[name]

    def _job(self, called: Called) -> dict[str, Any]:
        self.cloud.at_home(called)
        name = f"{self.cloud.home}/batchPredictionJobs/{called.path[2]}"
        if name not in self.jobs:
            raise Refused(404, "NOT_FOUND", f"The BatchPredictionJob does not exist: {name}")
        return self.jobs[name]

    def get(self, called: Called) -> Any:
        return self._job(called)

    def list(self, called: Called) -> Any:
        self.cloud.at_home(called)
        found = selected([*self.jobs.values()], called.query.get("filter", ""))
        return {"batchPredictionJobs": found} if found else {}

    def cancel(self, called: Called) -> Any:
        job = self._job(called)
        if job["state"] in ENDED:
            raise Refused(400, "FAILED_PRECONDITION", "The job has ended.")
        job["state"] = "JOB_STATE_CANCELLING"
        return {}

    def finish(self, name: str, state: str) -> None:
        """Bring a job to its end."""
        job = self.jobs[self.cloud.ours(name)]
        if job["state"] in ENDED:
            return
        now = stamp(self.cloud.now())
        job |= {"state": f"JOB_STATE_{state}", "startTime": now, "endTime": now}
        if state == "SUCCEEDED":
            prefix = job["outputConfig"]["gcsDestination"]["outputUriPrefix"]
            job["outputInfo"] = {"gcsOutputDirectory": f"{prefix}/prediction-churn-{now}"}
        elif state == "FAILED":
            job["error"] = {"code": 3, "message": "The model container failed."}


class Schedules(Part):
    """Schedules of pipelines, which the stacks make."""

    METHODS: Mapping[str, str] = {"aiplatform.projects.locations.schedules.list": "list"}

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.schedules: list[dict[str, Any]] = []

    def list(self, called: Called) -> Any:
        self.cloud.at_home(called)
        match = re.fullmatch(r'display_name="([^"]+)"', called.query.get("filter", ""))
        if match is None:
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid filter: {called.query.get('filter')}")
        found = [it for it in self.schedules if it["displayName"] == match[1]]
        return {"schedules": found} if found else {}


class Monitors(Part):
    """Monitors of deployed models, and what they found."""

    METHODS: Mapping[str, str] = {
        "aiplatform.projects.locations.modelDeploymentMonitoringJobs.list": "list",
        "aiplatform.projects.locations.modelDeploymentMonitoringJobs.get": "get",
        "aiplatform.projects.locations.modelDeploymentMonitoringJobs.delete": "delete",
        "aiplatform.projects.locations.modelDeploymentMonitoringJobs.searchModelDeploymentMonitoringStatsAnomalies": "search",
    }

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.jobs: dict[str, dict[str, Any]] = {}
        self.found: dict[str, list[dict[str, Any]]] = {}

    def list(self, called: Called) -> Any:
        self.cloud.at_home(called)
        return {"modelDeploymentMonitoringJobs": [*self.jobs.values()]} if self.jobs else {}

    def _job(self, called: Called) -> dict[str, Any]:
        self.cloud.at_home(called)
        name = f"{self.cloud.home}/modelDeploymentMonitoringJobs/{called.path[2]}"
        if name not in self.jobs:
            raise Refused(404, "NOT_FOUND", f"{name} does not exist.")
        return self.jobs[name]

    def get(self, called: Called) -> Any:
        return self._job(called)

    def delete(self, called: Called) -> Any:
        name = self._job(called)["name"]

        def gone() -> Mapping[str, Any]:
            del self.jobs[name]
            for shell in self.cloud.part(Endpoints).shells.values():
                if shell.get("modelDeploymentMonitoringJob") == name:
                    del shell["modelDeploymentMonitoringJob"]
            return {}

        return self.cloud.begin(name, "DeleteOperationMetadata", 10, gone, "google.protobuf.Empty")

    def search(self, called: Called) -> Any:
        name = self._job(called)["name"]
        asked = {it["type"] for it in called.body["objectives"]}
        found = [
            it
            for it in self.found.get(name, ())
            if it["deployedModelId"] == called.body["deployedModelId"] and it["objective"] in asked
        ]
        return {"monitoringStats": found} if found else {}
