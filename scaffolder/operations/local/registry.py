"""The registry of models: MLflow on SQLite, without a server, and the models' files in a folder of their own.

``mlflow ui --backend-store-uri sqlite:///.scaffolder/registry/mlflow.db`` shows it. A version is made by one
transaction, after its files are there; a lock makes writers wait for each other. May not import MLflow before an operation
needs it.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from scaffolder.operations.errors import InvalidRequest, NotFound, OperationError
from scaffolder.operations.local.files import disk_errors, locked
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.trees import READ_ONLY, BadTreeError, digest_of, remove_tree
from scaffolder.operations.local.versions import EXCLUSIVE, TAG, read_versions, version_of, whole
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Approval, ModelVersion, ParameterValue, Registration, Stage
from stacks.intents import ModelRegistry

__all__ = ["DATABASE", "LocalRegistry", "mlflow_versions"]

DATABASE = "mlflow.db"
EXPERIMENTS, FILES = "experiments", "files"

_KEPT = ("image", "content_type", "report_uri", "run", "source_commit", "data_uri", "digest")
_PAGE = 1_000
_LONGEST_VALUE = 6_000
"""What MLflow takes as the value of a run's parameter; longer ones are cut."""


class LocalRegistry:
    """Versions of models, and the runs that they come from."""

    def __init__(self, opening: Opening, layout: Layout) -> None:
        self._opening = opening
        self._layout = layout

    # --- versions ----------------------------------------------------------------------------------------------------

    def register(self, registration: Registration) -> ModelVersion:
        """Add a version, with a copy of its files; with the token of an earlier registration, return that version."""
        model = self._model(registration.model)
        with self._writing():
            made = self._by_token(model.name, registration.token)
            return made or self._add(model, registration)

    def list(self, model: str) -> Iterator[ModelVersion]:
        """Yield a model's versions, the newest first."""
        if not self._is_there() or "'" in model:
            return
        read = read_versions(self._layout.registry / DATABASE, model)
        if read is not None:
            yield from read
            return
        with _errors():
            yield from mlflow_versions(self._client, model)

    def get(self, model: str, version: int) -> ModelVersion:
        """Look a version up.

        Raises:
            NotFound: it is not there.
        """
        for one in self.list(model):
            if one.version == version:
                return one
        raise NotFound(
            f"there is no version {version} of the model {model!r}",
            remedy=f"`scaffolder models list {model} --env local` names those that there are.",
        )

    def set_approval(self, model: str, version: int, approval: Approval, note: str = "") -> ModelVersion:
        """Approve a version, or reject it; the note is kept."""
        with self._writing():
            self.get(model, version)
            self._tag(model, version, "approval_note", note)
            self._tag(model, version, "approval", approval)
            return self.get(model, version)

    def set_stage(self, model: str, version: int, stage: Stage) -> ModelVersion:
        """Move a version to a stage. MLflow's alias says who holds one, so that one write moves it."""
        with self._writing():
            self.get(model, version)
            before = self._aliases(model)
            if stage in EXCLUSIVE:
                self._client.set_registered_model_alias(model, stage, str(version))
                self._tag(model, version, "stage", stage)
                if stage in before and before[stage] != version:
                    self._tag(model, before[stage], "stage", Stage.ARCHIVED)
            else:
                self._tag(model, version, "stage", stage)
            for other in EXCLUSIVE:
                if other is not stage and before.get(other) == version:
                    self._client.delete_registered_model_alias(model, other)
            return self.get(model, version)

    def files(self, version: ModelVersion) -> Path:
        """Where a version's files are; also after the whole project was moved."""
        place = self._layout.place(version.artifact_uri)
        return place if place.is_dir() else self._layout.registry / FILES / place.name

    # --- runs --------------------------------------------------------------------------------------------------------

    def log_run(  # noqa: PLR0913 - a run has as much
        self,
        experiment: str,
        name: str,
        *,
        parameters: Mapping[str, ParameterValue],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        started: datetime,
        ended: datetime | None = None,
        succeeded: bool = True,
    ) -> str:
        """Keep a run of a pipeline as MLflow's run of that name, and return MLflow's id; again, and it is that run."""
        with self._writing():
            return self._log_run(
                experiment,
                name,
                parameters={key: str(value)[:_LONGEST_VALUE] for key, value in parameters.items()},
                metrics=metrics,
                tags=tags,
                times=(started, ended),
                succeeded=succeeded,
            )

    def _log_run(
        self,
        experiment: str,
        name: str,
        *,
        parameters: Mapping[str, str],
        metrics: Mapping[str, float],
        tags: Mapping[str, str],
        times: tuple[datetime, datetime | None],
        succeeded: bool,
    ) -> str:
        from mlflow.entities import Metric, Param, RunTag  # noqa: PLC0415 - slow

        started, ended = (None if time is None else int(time.timestamp() * 1000) for time in times)
        id_, status = self._run_named(experiment, name)
        if not id_:
            made = self._client.create_run(
                self._experiment(experiment),
                start_time=started,
                tags={f"{TAG}key": _key(name)},
                run_name=name,
            )
            id_ = made.info.run_id
        if status in {"", "RUNNING"}:
            self._client.log_batch(
                id_,
                metrics=[
                    Metric(key, float(value), ended or started or 0, 0) for key, value in metrics.items()
                ],
                params=[Param(key, value) for key, value in parameters.items()],
                tags=[RunTag(key, value) for key, value in tags.items()],
            )
            if ended:
                self._client.set_terminated(id_, "FINISHED" if succeeded else "FAILED", ended)
        return id_

    def _run_named(self, experiment: str, name: str) -> tuple[str, str]:
        found = self._client.search_runs(
            [self._experiment(experiment)], f"tags.`{TAG}key` = '{_key(name)}'", max_results=1
        )
        return (str(found[0].info.run_id), str(found[0].info.status)) if found else ("", "")

    def _experiment(self, name: str) -> str:
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        place = self._layout.registry / EXPERIMENTS / name
        return str(self._client.create_experiment(name, artifact_location=place.as_uri()))

    # --- what is inside ----------------------------------------------------------------------------------------------

    def _model(self, name: str) -> ModelRegistry:
        models = {one.name: one for one in self._opening.platform.intents if isinstance(one, ModelRegistry)}
        if name not in models:
            raise NotFound(f"the spec has no model {name!r}; it has {', '.join(sorted(models)) or 'none'}")
        return models[name]

    def _add(self, model: ModelRegistry, registration: Registration) -> ModelVersion:
        source = self._layout.place(registration.artifact_uri)
        if not source.is_dir():
            raise NotFound(f"there is no folder {registration.artifact_uri} to register")
        content, place = self._keep(source)
        now = self._opening.now()
        about = {
            **{name: getattr(registration, name) for name in _KEPT},
            "digest": registration.digest or content,
            "content": content,
            "metrics": json.dumps({name: float(value) for name, value in registration.metrics.items()}),
            "key": _key(registration.token),
            "created": now.isoformat(),
            "approval": Approval.APPROVED if model.approval == "automatic" else Approval.PENDING,
            "stage": Stage.NONE,
        }
        run = self._log_run(
            model.name,
            registration.token,
            parameters={},
            metrics={name: float(value) for name, value in registration.metrics.items()},
            tags={f"{TAG}{name}": about[name] for name in ("run", "source_commit", "digest") if about[name]},
            times=(now, now),
            succeeded=True,
        )
        if not self._client.search_registered_models(f"name = '{model.name}'"):
            self._client.create_registered_model(model.name)
        made = self._client.create_model_version(
            model.name,
            source=place.as_uri(),
            run_id=run,
            tags={f"{TAG}{name}": str(value) for name, value in about.items() if value},
        )
        return _version(made, {})

    def _keep(self, source: Path) -> tuple[str, Path]:
        """Copy a folder to where its content says, unless it is there; return its digest and the place."""
        half = self._layout.made(self._layout.scratch) / uuid4().hex
        try:
            shutil.copytree(source, half, symlinks=True)
            content = digest_of(half)
            for file in half.rglob("*"):
                if file.is_file() and not file.is_symlink():
                    file.chmod(READ_ONLY)
            place = self._layout.made(self._layout.registry / FILES) / content.removeprefix("sha256:")
            if not place.exists():
                half.rename(place)
        except BadTreeError as error:
            raise InvalidRequest(f"{source} cannot be registered: {error}") from error
        finally:
            remove_tree(half)
        return content, place

    def _by_token(self, model: str, token: str) -> ModelVersion | None:
        found = self._client.search_model_versions(
            f"name = '{model}' AND tags.`{TAG}key` = '{_key(token)}'", max_results=1
        )
        return self.get(model, int(found[0].version)) if found else None

    def _aliases(self, model: str) -> Mapping[str, int]:
        return _holders(self._client, model)

    def _tag(self, model: str, version: int, name: str, value: str) -> None:
        self._client.set_model_version_tag(model, str(version), f"{TAG}{name}", str(value))

    def _is_there(self) -> bool:
        return (self._layout.registry / DATABASE).is_file()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Let one process write at a time; a killed one gives the lock back."""
        with disk_errors("the registry cannot be written"):
            folder = self._layout.made(self._layout.registry)
            with locked(folder / "lock"), _errors():
                yield

    @cached_property
    def _client(self) -> Any:
        """MLflow's client. The first one makes the database, and is alone when it does."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what MLflow uses of others is its own affair
            return self._opened()

    def _opened(self) -> Any:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("MLFLOW_ENABLE_ASYNC_LOGGING", "false")
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("alembic").setLevel(logging.WARNING)
        from mlflow.tracking import MlflowClient  # noqa: PLC0415 - 2 s

        logging.getLogger("mlflow").setLevel(logging.WARNING)  # importing it says INFO again
        database = self._layout.registry / DATABASE
        with locked(self._layout.registry / "making"), whole(database):
            fresh = sqlite3.connect(database)
            fresh.execute("PRAGMA journal_mode = WAL")
            fresh.close()
            address = f"sqlite:///{database}"
            client = MlflowClient(tracking_uri=address, registry_uri=address)
            client.search_registered_models(max_results=1)
            client.search_experiments(max_results=1)
        return client


def mlflow_versions(client: Any, model: str) -> Iterator[ModelVersion]:
    """Yield a model's versions, the newest first, as MLflow's client tells them."""
    holders = _holders(client, model)
    page = ""
    while True:
        found = client.search_model_versions(
            f"name = '{model}'", max_results=_PAGE, order_by=["version_number DESC"], page_token=page or None
        )
        yield from (_version(one, holders) for one in found)
        page = found.token
        if not page:
            return


def _holders(client: Any, model: str) -> Mapping[str, int]:
    found = client.search_registered_models(f"name = '{model}'")
    return {str(alias): int(version) for one in found for alias, version in one.aliases.items()}


def _version(found: Any, holders: Mapping[str, int]) -> ModelVersion:
    stamp_ms = int(found.creation_timestamp)
    return version_of(found.name, int(found.version), str(found.source), stamp_ms, found.tags, holders)


def _key(text: str) -> str:
    """Make a name that MLflow's filters, which have no escapes, can look for."""
    return sha256(text.encode()).hexdigest()


@contextmanager
def _errors() -> Iterator[None]:
    """Turn MLflow's errors into ours.

    Raises:
        OperationError: MLflow refuses something; NotFound and InvalidRequest where it says so.
    """
    from mlflow.exceptions import MlflowException  # noqa: PLC0415 - slow

    try:
        yield
    except MlflowException as error:
        code = str(error.error_code)
        kind = {"RESOURCE_DOES_NOT_EXIST": NotFound, "INVALID_PARAMETER_VALUE": InvalidRequest}.get(
            code, OperationError
        )
        raise kind("the registry refuses", code=code, text=str(error.message)) from error
