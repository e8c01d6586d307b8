"""The world of the provider of this machine: what runs here runs for real."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scaffolder.operations.adapters import open_provider
from scaffolder.operations.port import Opening, Provider
from scaffolder.operations.values import (
    FINISHED,
    Autoscaling,
    BatchJob,
    DeployRequest,
    EndpointState,
    Registration,
    Run,
    RunState,
)
from scaffolder.operations.waiting import Polling, wait_until
from stacks.intents import ModelMonitor, OnlineEndpoint, Platform
from tests.operations.local.captures import captured
from tests.operations.platforms import platform_in, raw_rows
from tests.operations.registries import give_registry
from tests.operations.worlds import Fault

__all__ = ["LocalWorld", "open_world"]

POLLING = Polling(start_s=0.05, factor=1.2, most_s=0.5, timeout_s=600)
DAY = "2026-11-01"
MANY_FILES = 600
"""Minutes of scoring: the model of these tests takes its time for rows that say so."""
SLOW = """
_predict = predict

def predict(model, body, content_type):
    if b"999999" in body:
        import time

        time.sleep(0.3)
    return _predict(model, body, content_type)
"""
MOVING = {EndpointState.CREATING, EndpointState.UPDATING, EndpointState.DELETING}


class LocalWorld:
    """The provider over a folder, and the machine's own clock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.platform: Platform = platform_in("local", folder)
        give_registry(folder)
        rows = folder / "data/raw" / DAY / "rows.csv"
        rows.parent.mkdir(parents=True)
        rows.write_text(raw_rows())
        self._slept = 0.0
        opening = Opening(platform=self.platform, folder=folder, sleep=self._sleep)
        self.provider: Provider = open_provider("local", opening)

    def _sleep(self, seconds: float) -> None:
        self._slept += seconds
        time.sleep(seconds)

    def finish(self, ref: str, state: RunState = RunState.SUCCEEDED) -> None:
        del state  # it follows from the request

        def look() -> Run | BatchJob:
            batch = self.folder / ".scaffolder/batch" / ref
            return self.provider.batch.describe(ref) if batch.exists() else self.provider.runs.describe(ref)

        wait_until(look, lambda seen: seen.state in FINISHED, what=ref, sleep=time.sleep, polling=POLLING)

    def settle(self, endpoint: str) -> None:
        def done() -> bool:
            status = self.provider.serving.describe(endpoint)
            return not MOVING & {status.state, *(each.state for each in status.deployments)}

        wait_until(done, bool, what=endpoint, sleep=time.sleep, polling=POLLING)

    def an_artifact(self) -> str:
        model = self.folder / "a-model"
        if not model.exists():
            model.mkdir()
            (model / "model.json").write_text(json.dumps({"column": "tenure", "below": 25}))
            serve = self.folder / "pipelines/churn/serve.py"
            (model / "serve.py").write_text(serve.read_text() + SLOW)
        return str(model)

    def much_to_score(self) -> str:
        folder = self.folder / "much-to-score"
        if not folder.exists():
            folder.mkdir()
            for number in range(MANY_FILES):
                (folder / f"{number}.csv").write_text("tenure,charge\n999999,50\n")
        return str(folder)

    def scoring_input(self) -> str:
        rows = self.folder / "to-score" / "rows.csv"
        if not rows.exists():
            rows.parent.mkdir()
            lines = raw_rows(rows=20).splitlines()
            rows.write_text("\n".join(line.rpartition(",")[0] for line in lines) + "\n")
        return str(rows.parent)

    def find_drift(self, monitor: str) -> None:
        """Serve a model that was trained on rows, ask it about others, and look."""
        watched = next(
            each for each in self.platform.intents if isinstance(each, ModelMonitor) and each.name == monitor
        )
        endpoint = next(
            each
            for each in self.platform.intents
            if isinstance(each, OnlineEndpoint) and each.name == watched.endpoint
        )
        self._serve(endpoint)
        shifted = raw_rows(shift=80).splitlines()
        body = "\n".join(line.rpartition(",")[0] for line in shifted) + "\n"
        kept = self.folder / f".scaffolder/endpoints/{endpoint.name}/capture"
        before = len([*captured(kept)])
        for _ in range(3):
            self.provider.serving.invoke(endpoint.name, body.encode())
        wait_until(  # they are written after their answers
            lambda: len([*captured(kept)]),
            lambda many: many == before + 3,
            what="capture",
            sleep=time.sleep,
            polling=POLLING,
        )
        self.finish(self.provider.monitoring.run(monitor, f"drift {time.time_ns()}"))

    def _serve(self, endpoint: OnlineEndpoint) -> None:
        if self.provider.serving.describe(endpoint.name).deployments:
            return
        version = self.provider.registry.register(
            Registration(
                model=endpoint.model,
                artifact_uri=self.an_artifact(),
                token="drift",
                data_uri=f"data:raw/{DAY}",
            )
        )
        request = DeployRequest(
            endpoint=endpoint.name,
            deployment=f"v{version.version}x",
            model=endpoint.model,
            version=version.version,
            instance=endpoint.instance,
            scaling=Autoscaling(min_replicas=1, max_replicas=1),
            capture_percent=100,
        )
        self.provider.serving.deploy(request)
        self.settle(endpoint.name)

    def inject(self, fault: Fault, *, times: int = 1, after: int = 0) -> None:
        raise NotImplementedError(f"{times} times {fault} after {after}: there is no service")

    def slept(self) -> float:
        return self._slept

    def calls(self) -> int:
        return 0

    def secrets(self) -> tuple[str, ...]:
        return ()


@contextmanager
def open_world(folder: Path) -> Iterator[LocalWorld]:
    """Open the world, and leave no process behind."""
    world = LocalWorld(folder)
    try:
        yield world
    finally:
        for item in world.provider.teardown.inventory():
            world.provider.teardown.remove(item)
