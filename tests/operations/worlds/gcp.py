"""The world of Google Cloud: the provider as it is, over loopback servers, on a clock that only sleeping turns."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from scaffolder.operations.adapters import open_provider
from scaffolder.operations.port import Opening, Provider
from scaffolder.operations.values import RunState
from stacks.gcp.context import Context
from stacks.gcp.services import services_of
from stacks.intents import ObjectStore, OnlineEndpoint, Platform
from tests.operations.fakes.gcp.bigquery import BigQuery
from tests.operations.fakes.gcp.cloud import Cloud
from tests.operations.fakes.gcp.endpoints import Endpoints, Operations
from tests.operations.fakes.gcp.identity import Issuer
from tests.operations.fakes.gcp.jobs import Jobs, Monitors, Schedules
from tests.operations.fakes.gcp.models import Models
from tests.operations.fakes.gcp.pipelines import Pipelines
from tests.operations.fakes.gcp.project import Keys, Logging, Project, Storage
from tests.operations.fakes.gcp.server import Servers, serving
from tests.operations.platforms import platform_in, raw_rows
from tests.operations.worlds import Fault

__all__ = ["GcpWorld", "open_world"]

STATES = {RunState.SUCCEEDED: "SUCCEEDED", RunState.FAILED: "FAILED", RunState.STOPPED: "CANCELLED"}
SERVICES = ("aiplatform", "cloudkms", "cloudresourcemanager", "logging", "oauth2", "serviceusage", "storage")
LIMITED = ("custom_model_training_nvidia_t4_gpus", "custom_model_training_cpus", "custom_model_serving_cpus")
"""The quotas that there are; a page of their list has two."""


class GcpWorld:
    """The provider, and the project behind it with what the stacks make."""

    def __init__(self, folder: Path, platform: Platform, servers: Servers, *, apply: bool = True) -> None:
        self.folder = folder
        self.platform = platform
        self.servers = servers
        self.cloud = servers.cloud
        self.context = Context(platform)
        opening = Opening(platform=platform, folder=folder, sleep=self.cloud.sleep, now=self.cloud.now)
        self.provider: Provider = open_provider("gcp", opening)
        if apply:
            self._apply()

    def _apply(self) -> None:
        """Make what ``terraform apply`` would have made."""
        storage, endpoints = self.cloud.part(Storage), self.cloud.part(Endpoints)
        for store in self.context.all_of(ObjectStore):
            storage.make(self.context.bucket(store.name))
        for endpoint in self.context.all_of(OnlineEndpoint):
            if endpoint.mode == "realtime":
                ident, display = (
                    self.context.endpoint_id(endpoint.name),
                    self.context.name("display", endpoint.name),
                )
                endpoints.make(ident, display, capture=endpoint.capture_percent / 100)
        project = self.cloud.part(Project)
        project.enabled = {f"{service}.googleapis.com" for service in services_of(self.context)}
        project.limits = dict.fromkeys(LIMITED, 42)

    def finish(self, ref: str, state: RunState = RunState.SUCCEEDED) -> None:
        part = Pipelines if "/pipelineJobs/" in ref else Jobs
        self.cloud.part(part).finish(ref, STATES[state])

    def settle(self, endpoint: str) -> None:
        del endpoint
        self.cloud.settle()

    def an_artifact(self) -> str:
        bucket = self.context.bucket("artifacts")
        content = json.dumps({"column": "tenure", "below": 25}).encode()
        self.cloud.part(Storage).put(bucket, "models/churn/model.json", content)
        return f"gs://{bucket}/models/churn"

    def much_to_score(self) -> str:
        return self.scoring_input()  # a job of this world goes on until it is told to end

    def scoring_input(self) -> str:
        bucket = self.context.bucket("data")
        self.cloud.part(Storage).put(bucket, "raw/2026-11-01/rows.csv", raw_rows().encode())
        return f"gs://{bucket}/raw/2026-11-01"

    def find_drift(self, monitor: str) -> None:
        raise NotImplementedError(f"{monitor}: this provider makes no monitor")

    def inject(self, fault: Fault, *, times: int = 1, after: int = 0) -> None:
        self.servers.faults = [*[""] * after, *[fault] * times]

    def slept(self) -> float:
        return self.cloud.slept

    def calls(self) -> int:
        return len(self.servers.called)

    def secrets(self) -> tuple[str, ...]:
        return self.servers.issuer.secrets()


@contextmanager
def open_world(folder: Path) -> Iterator[GcpWorld]:
    """Open the project's world; what was asked of it that no description allows fails at the end."""
    platform = platform_in("gcp", folder)
    context = Context(platform)
    cloud = Cloud(project=context.project, region=context.region)
    email = f"ci@{context.project}.iam.gserviceaccount.com"
    parts = (
        Storage,
        Keys,
        Logging,
        Pipelines,
        Models,
        Endpoints,
        Operations,
        Jobs,
        Monitors,
        Schedules,
        BigQuery,
    )
    cloud.parts = [*(part(cloud) for part in parts), Project(cloud, email)]
    issuer = Issuer(email, context.project)
    hidden = folder / ".world"
    hidden.mkdir()
    with serving(cloud, issuer, hidden) as servers:
        overrides = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{it.upper()}": servers.address for it in SERVICES}
        key = issuer.write(hidden / "key.json")
        with _environment({**overrides, "GOOGLE_APPLICATION_CREDENTIALS": str(key), "NO_PROXY": "127.0.0.1"}):
            yield GcpWorld(folder, platform, servers)
        assert servers.mistakes == [], servers.mistakes


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
