"""What the tests of the local provider's endpoints share: a project whose endpoint serves, and requests for it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.registry import LocalRegistry
from scaffolder.operations.local.serving import LocalServing
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Autoscaling, Deployment, DeployRequest, EndpointState, Registration
from tests.operations.platforms import platform_in
from tests.operations.registries import give_registry

__all__ = ["PATIENCE_S", "ROWS", "Project", "project", "until"]

ROWS = b"tenure,charge\n3,40\n50,60\n"
PATIENCE_S = 300.0
"""What a busy machine may take for anything; a test that passes waits for none of it."""


def until(done: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, f"not in {PATIENCE_S:.0f} s: {what}"
        time.sleep(0.02)


class Project:
    """The suite's project in a folder, with its registry and its endpoint ``churn``.

    ``from_nothing``: the registry is made when it is needed, as a user's is.
    """

    def __init__(self, folder: Path, *, from_nothing: bool = False) -> None:
        self.folder = folder
        if not from_nothing:
            give_registry(folder)
        self.opening = Opening(platform=platform_in("local", folder), folder=folder, sleep=time.sleep)
        self.layout = Layout(folder)
        self.registry = LocalRegistry(self.opening, self.layout)
        self.serving = LocalServing(self.opening, self.layout)

    def version(self, *, below: float = 25, serve: str = "", token: str = "") -> int:
        """Register a threshold on the tenure, or what a ``serve.py`` says."""
        folder = self.folder / f"artifact-{time.monotonic_ns()}"
        folder.mkdir()
        (folder / "model.json").write_text(json.dumps({"below": below}))
        plain = (self.folder / "pipelines/churn/serve.py").read_text()
        (folder / "serve.py").write_text(serve or plain)
        registration = Registration(model="churn", artifact_uri=str(folder), token=token or folder.name)
        return self.registry.register(registration).version

    def request(
        self, name: str, version: int, *, replicas: int = 1, capture_percent: int = 0
    ) -> DeployRequest:
        return DeployRequest(
            endpoint="churn",
            deployment=name,
            model="churn",
            version=version,
            instance="cpu.medium",
            scaling=Autoscaling(min_replicas=replicas, max_replicas=replicas),
            capture_percent=capture_percent,
        )

    def deploy(self, name: str, version: int, *, replicas: int = 1, capture_percent: int = 0) -> None:
        """Deploy a version, and wait until all of its replicas answer."""
        self.serving.deploy(self.request(name, version, replicas=replicas, capture_percent=capture_percent))
        until(lambda: self.deployment(name).replicas == replicas, f"{name} serves")

    def deployment(self, name: str) -> Deployment:
        return next(one for one in self.serving.describe("churn").deployments if one.name == name)

    def settled(self, name: str) -> Deployment:
        until(lambda: self.deployment(name).state is not EndpointState.CREATING, f"{name} is settled")
        return self.deployment(name)

    @property
    def url(self) -> str:
        return self.serving.describe("churn").url


@contextmanager
def project(folder: Path) -> Iterator[Project]:
    """Open the project, and end its endpoint's server at last."""
    opened = Project(folder)
    try:
        yield opened
    finally:
        opened.serving.remove("churn")
