"""Tells MLflow about a run, where there is one to tell: `--tracking`, or MLFLOW_TRACKING_URI. May not decide anything.

A folder of your own needs no server: `--tracking sqlite:////home/ada/mlflow.db`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

NONE = "none"
SQLITE = "sqlite:///"
TRACKING_HELP = "MLflow's address; none: MLFLOW_TRACKING_URI's, if it is set"
FILE = "run.json"
"""Beside a model: the run that made it."""


def _beside(address: str) -> str | None:
    """Where files go: beside a database on this machine, and not below whatever folder a step runs in."""
    if not address.startswith(SQLITE):
        return None
    return (Path(address.removeprefix(SQLITE)).resolve().parent / "mlruns").as_uri()


class Tracking:
    """One run in MLflow; without an address, every call does nothing."""

    def __init__(self, address: str, name: str, run: str = "") -> None:
        chosen = address if address not in ("", NONE) else os.environ.get("MLFLOW_TRACKING_URI", "")
        self._client: Any = None
        self.run = ""
        if not chosen:
            return
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient

        self._client = MlflowClient(tracking_uri=chosen)
        if run:
            self.run = run
            return
        found = self._client.get_experiment_by_name(name)
        experiment = found.experiment_id if found is not None else self._client.create_experiment(name, _beside(chosen))
        self.run = str(self._client.create_run(experiment).info.run_id)

    @classmethod
    def of_model(cls, address: str, name: str, model: Path) -> Tracking:
        """Go on with the run that made a model."""
        path = model / FILE
        run = str(json.loads(path.read_text())["run"]) if path.is_file() else ""
        return cls(address, name, run)

    def write(self, model: Path) -> None:
        """Say beside a model which run made it."""
        if self._client is not None:
            (model / FILE).write_text(json.dumps({"run": self.run}) + "\n")

    def parameters(self, values: Mapping[str, object]) -> None:
        if self._client is not None:
            for name, value in values.items():
                self._client.log_param(self.run, name, value)

    def metric(self, name: str, value: float, step: int = 0) -> None:
        if self._client is not None:
            self._client.log_metric(self.run, name, value, step=step)

    def artifacts(self, folder: Path, place: str) -> None:
        if self._client is not None:
            self._client.log_artifacts(self.run, str(folder), place)

    def register(self, name: str, place: str, tags: Mapping[str, str]) -> str:
        """Register what was logged at a place as a model's next version; return the version, empty without MLflow."""
        if self._client is None:
            return ""
        from mlflow.exceptions import MlflowException

        try:
            self._client.create_registered_model(name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"{self._client.get_run(self.run).info.artifact_uri}/{place}"
        version = self._client.create_model_version(name, source=source, run_id=self.run, tags=dict(tags))
        return str(version.version)

    def end(self) -> None:
        """The run is over; another step may still add to it."""
        if self._client is not None:
            self._client.set_terminated(self.run)
