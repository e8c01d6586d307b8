"""Endpoints: shells that a test makes as the stacks do, deployed models behind them, traffic, and answers."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping
from typing import Any

from tests.operations.fakes.gcp.cloud import Cloud, Part, Refused, stamp
from tests.operations.fakes.gcp.discovery import Answered, Called
from tests.operations.fakes.gcp.models import Models
from tests.operations.fakes.gcp.project import Storage, check_labels

__all__ = ["Endpoints", "Operations"]

DEPLOY_S, UNDEPLOY_S = 240, 30
MACHINE = re.compile(r"(?:[acgmn]\d[a-z]?|e2)-[a-z]+-\d+g?")
METRICS = {
    "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle",
    "aiplatform.googleapis.com/prediction/online/cpu/utilization",
    "aiplatform.googleapis.com/prediction/online/request_count",
}


class Endpoints(Part):
    """Vertex AI Prediction."""

    METHODS: Mapping[str, str] = {
        "aiplatform.projects.locations.endpoints.get": "get",
        "aiplatform.projects.locations.endpoints.patch": "patch",
        "aiplatform.projects.locations.endpoints.deployModel": "deploy",
        "aiplatform.projects.locations.endpoints.undeployModel": "undeploy",
        "aiplatform.projects.locations.endpoints.rawPredict": "predict",
    }

    def __init__(self, cloud: Cloud) -> None:
        super().__init__(cloud)
        self.shells: dict[str, dict[str, Any]] = {}
        self.answered = 0

    def make(self, ident: str, display: str, *, capture: float, private: bool = True) -> str:
        """Make a shell, as the stack *ml* does."""
        name = f"{self.cloud.home}/endpoints/{ident}"
        network = f"projects/{self.cloud.project}/global/networks/net"
        self.shells[name] = {
            "name": name,
            "displayName": display,
            "etag": self.cloud.fresh(),
            "labels": {"model": "churn"},
            "createTime": stamp(self.cloud.now()),
            "predictRequestResponseLoggingConfig": {"enabled": capture > 0, "samplingRate": capture},
        }
        if private:
            self.shells[name]["privateServiceConnectConfig"] = {
                "enablePrivateServiceConnect": True,
                "pscAutomationConfigs": [{"projectId": self.cloud.project, "network": network}],
            }
        return name

    def serves(self, model: str) -> bool:
        """Whether a model is behind any endpoint."""
        deployed = (it for shell in self.shells.values() for it in shell.get("deployedModels", ()))
        return any(self.cloud.ours(it["model"]).partition("@")[0] == model for it in deployed)

    # --- methods ---

    def _shell(self, called: Called) -> dict[str, Any]:
        self.cloud.at_home(called)
        name = f"{self.cloud.home}/endpoints/{called.path[2]}"
        if name not in self.shells:
            raise Refused(404, "NOT_FOUND", f"The Endpoint does not exist: {name}")
        return self.shells[name]

    def get(self, called: Called) -> Any:
        return self._shell(called)

    def patch(self, called: Called) -> Any:
        shell = self._shell(called)
        if called.body.get("etag") not in {None, shell["etag"]}:
            raise Refused(409, "ABORTED", "The etag is not the resource's.")
        mask = {*called.query.get("updateMask", "").split(",")}
        if not mask <= {"labels", "trafficSplit"} or set(called.body) - {"name", "etag"} - mask:
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid update mask: {sorted(mask)}")
        if "labels" in mask:
            check_labels(called.body.get("labels", {}))
            shell["labels"] = called.body.get("labels", {})
        if "trafficSplit" in mask:
            shell["trafficSplit"] = self._split(shell, called.body.get("trafficSplit", {}))
        shell["etag"] = self.cloud.fresh()
        return shell

    def _split(self, shell: Mapping[str, Any], split: Mapping[str, int]) -> dict[str, int]:
        there = {it["id"] for it in shell.get("deployedModels", ())}
        if set(split) - there:
            raise Refused(
                400, "INVALID_ARGUMENT", f"Traffic for {set(split) - there}, which is not deployed."
            )
        if split and sum(split.values()) != 100:
            raise Refused(400, "INVALID_ARGUMENT", "The traffic percentages must add up to 100.")
        return dict(split)

    def deploy(self, called: Called) -> Any:
        shell, wanted = self._shell(called), called.body["deployedModel"]
        self._free(shell)
        self._judge(shell, wanted)
        version = self.cloud.part(Models).find(wanted["model"])
        split = called.body.get("trafficSplit", {})
        if split and sum(split.values()) != 100:
            raise Refused(400, "INVALID_ARGUMENT", "The traffic percentages must add up to 100.")

        def make() -> Mapping[str, Any]:
            made = {
                **wanted,
                "model": self.cloud.ours(wanted["model"]).partition("@")[0],
                "modelVersionId": version["versionId"],
                "createTime": stamp(self.cloud.now()),
                "status": {"availableReplicaCount": wanted["dedicatedResources"]["minReplicaCount"]},
            }
            shell["deployedModels"] = [*shell.get("deployedModels", ()), made]
            if split:
                shell["trafficSplit"] = {made["id"] if key == "0" else key: it for key, it in split.items()}
            for automated in shell.get("privateServiceConnectConfig", {}).get("pscAutomationConfigs", ()):
                automated["ipAddress"] = self.cloud.private_address
            shell["etag"] = self.cloud.fresh()
            return {"deployedModel": made}

        answers = "google.cloud.aiplatform.v1.DeployModelResponse"
        return self.cloud.begin(shell["name"], "DeployModelOperationMetadata", DEPLOY_S, make, answers)

    def _free(self, shell: Mapping[str, Any]) -> None:
        if self.cloud.busy(shell["name"]):
            text = "There are other operations running on the Endpoint. Operations must be performed one at a time."
            raise Refused(400, "FAILED_PRECONDITION", text)

    def _judge(self, shell: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
        if not re.fullmatch(r"\d{1,10}", wanted.get("id", "1")):
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid deployed model id: {wanted['id']}")
        if wanted.get("id") in {it["id"] for it in shell.get("deployedModels", ())}:
            raise Refused(409, "ALREADY_EXISTS", f"DeployedModel {wanted['id']} already exists.")
        self.cloud.check_account(wanted["serviceAccount"])
        resources = wanted["dedicatedResources"]
        if not MACHINE.fullmatch(resources["machineSpec"].get("machineType", "")):
            raise Refused(
                400, "INVALID_ARGUMENT", f"Machine type is not supported: {resources['machineSpec']}"
            )
        if not 1 <= resources["minReplicaCount"] <= resources["maxReplicaCount"]:
            raise Refused(400, "INVALID_ARGUMENT", "Invalid replica counts.")
        for spec in resources.get("autoscalingMetricSpecs", ()):
            if spec["metricName"] not in METRICS:
                raise Refused(400, "INVALID_ARGUMENT", f"Metric is not supported: {spec['metricName']}")

    def undeploy(self, called: Called) -> Any:
        shell, ident = self._shell(called), called.body["deployedModelId"]
        self._free(shell)
        if ident not in {it["id"] for it in shell.get("deployedModels", ())}:
            raise Refused(404, "NOT_FOUND", f"DeployedModel {ident} does not exist.")
        if shell.get("trafficSplit", {}).get(ident):
            raise Refused(400, "FAILED_PRECONDITION", f"DeployedModel {ident} has traffic assigned to it.")

        def gone() -> Mapping[str, Any]:
            shell["deployedModels"] = [it for it in shell["deployedModels"] if it["id"] != ident]
            shell["etag"] = self.cloud.fresh()
            return {}

        answers = "google.cloud.aiplatform.v1.UndeployModelResponse"
        return self.cloud.begin(shell["name"], "UndeployModelOperationMetadata", UNDEPLOY_S, gone, answers)

    # --- answers ---

    def predict(self, called: Called) -> Any:
        """Answer as the container of the version would that the traffic chooses: a threshold out of its own files."""
        shell = self._shell(called)
        split = {key: it for key, it in shell.get("trafficSplit", {}).items() if it}
        if not split:
            raise Refused(
                400, "FAILED_PRECONDITION", "The Endpoint has no deployed model that takes traffic."
            )
        self.answered += 1
        ident = _chosen(split, (self.answered * 37) % 100)
        deployed = next(it for it in shell["deployedModels"] if it["id"] == ident)
        model = self._files(f"{deployed['model']}@{deployed['modelVersionId']}")
        rows = csv.DictReader(io.StringIO(called.body.decode()))
        answers = [str(int(float(row["tenure"]) < model["below"])) for row in rows]
        headers = (("X-Vertex-AI-Endpoint-Id", called.path[2]), ("X-Vertex-AI-Deployed-Model-Id", ident))
        return Answered(("\n".join(answers) + "\n").encode(), "text/csv", headers)

    def _files(self, model: str) -> dict[str, Any]:
        home, _, path = (
            self.cloud.part(Models).find(model)["artifactUri"].removeprefix("gs://").partition("/")
        )
        _, content = self.cloud.part(Storage).objects[home, f"{path}/model.json"]
        found: dict[str, Any] = json.loads(content)
        return found


def _chosen(split: Mapping[str, int], place: int) -> str:
    """Who answers, by the traffic: of a hundred places, each has its percents."""
    for ident, share in split.items():
        if place < share:
            return ident
        place -= share
    raise AssertionError("the percents are not a hundred")


class Operations(Part):
    """Long-running operations, by the paths that Google publishes."""

    METHODS: Mapping[str, str] = {
        "aiplatform.projects.locations.endpoints.operations.get": "get_of_endpoint",
        "aiplatform.projects.locations.endpoints.operations.list": "list_of_endpoint",
        "aiplatform.projects.locations.models.operations.get": "get_of_model",
        "aiplatform.projects.locations.models.operations.list": "list_of_model",
    }

    def _get(self, owner: str, called: Called) -> Any:
        name = f"{self.cloud.home}/{owner}/{called.path[2]}/operations/{called.path[3]}"
        for operation in self.cloud.operations:
            if operation.name == name:
                return operation.body()
        raise Refused(404, "NOT_FOUND", f"The Operation does not exist: {name}")

    def _list(self, owner: str, called: Called) -> Any:
        start = f"{self.cloud.home}/{owner}/{called.path[2]}/operations/"
        found = [it.body() for it in self.cloud.operations if it.name.startswith(start)]
        return {"operations": found} if found else {}

    def get_of_endpoint(self, called: Called) -> Any:
        return self._get("endpoints", called)

    def list_of_endpoint(self, called: Called) -> Any:
        return self._list("endpoints", called)

    def get_of_model(self, called: Called) -> Any:
        return self._get("models", called)

    def list_of_model(self, called: Called) -> Any:
        return self._list("models", called)
