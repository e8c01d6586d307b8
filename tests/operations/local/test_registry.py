"""The registry of this machine, seen with MLflow's own client, by many processes, and after kills."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scaffolder.operations.errors import InvalidRequest, NotFound, Unavailable
from scaffolder.operations.local.registry import DATABASE, mlflow_versions
from scaffolder.operations.local.trees import digest_of
from scaffolder.operations.local.versions import read_versions
from scaffolder.operations.values import Approval, ModelVersion, Registration, Stage
from tests.operations.local.serving import Project

ROOT = Path(__file__).resolve().parents[3]
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.mktemp("project"), from_nothing=True)


def _client(opened: Project) -> Any:
    from mlflow.tracking import MlflowClient  # noqa: PLC0415 - slow

    address = f"sqlite:///{opened.layout.registry / DATABASE}"
    return MlflowClient(tracking_uri=address, registry_uri=address)


def _files(version: ModelVersion) -> Path:
    return Path(version.artifact_uri.removeprefix("file://"))


def _artifact(opened: Project, name: str, text: str = "{}") -> Path:
    folder = opened.folder / name
    folder.mkdir(exist_ok=True)
    (folder / "model.json").write_text(text)
    return folder


def test_mlflow_shows_versions_with_their_stage_approval_and_run(opened: Project) -> None:
    folder = _artifact(opened, "shown")
    made = opened.registry.register(
        Registration(
            model="churn", artifact_uri=str(folder), token="it's shown", metrics={"auc": 0.9}, run="train-1"
        )
    )
    opened.registry.set_approval("churn", made.version, Approval.APPROVED, "looks good")
    opened.registry.set_stage("churn", made.version, Stage.PRODUCTION)
    client = _client(opened)
    seen = client.get_model_version_by_alias("churn", "production")
    assert int(seen.version) == made.version
    tags = {name.removeprefix("scaffolder."): value for name, value in seen.tags.items()}
    assert (tags["approval"], tags["approval_note"], tags["stage"]) == (
        "approved",
        "looks good",
        "production",
    )
    assert client.get_run(seen.run_id).data.metrics == {"auc": 0.9}


def test_a_versions_files_outlive_the_run_that_made_them(opened: Project) -> None:
    folder = _artifact(opened, "gone", '{"below": 3}')
    first = opened.registry.register(Registration(model="churn", artifact_uri=str(folder), token="gone"))
    again = opened.registry.register(Registration(model="churn", artifact_uri=str(folder), token="gone 2"))
    shutil.rmtree(folder)
    assert (_files(first) / "model.json").read_text() == '{"below": 3}'
    assert first.digest == digest_of(_files(first))
    assert (again.version, again.artifact_uri) == (first.version + 1, first.artifact_uri)


def test_a_project_that_is_moved_keeps_its_versions(tmp_path: Path) -> None:
    before = Project(tmp_path / "before")
    before.version(below=3)
    (tmp_path / "before").rename(tmp_path / "after")
    shutil.rmtree(tmp_path / "after/pipelines")
    after = Project(tmp_path / "after")
    version = after.registry.get("churn", 1)
    assert (after.registry.files(version) / "model.json").read_text() == '{"below": 3}'


def test_what_cannot_be_registered_leaves_nothing(opened: Project) -> None:
    before = [one.version for one in opened.registry.list("churn")]
    with pytest.raises(NotFound, match="there is no folder"):
        opened.registry.register(Registration(model="churn", artifact_uri="nowhere", token="nothing"))
    folder = _artifact(opened, "leaky")
    (folder / "link").symlink_to("/etc/hostname")
    with pytest.raises(InvalidRequest, match="link points to /etc/hostname"):
        opened.registry.register(Registration(model="churn", artifact_uri=str(folder), token="leaky"))
    assert [one.version for one in opened.registry.list("churn")] == before
    assert not [*opened.layout.scratch.iterdir()]


def test_a_stage_that_is_left_is_free(opened: Project) -> None:
    made = opened.registry.register(
        Registration(model="churn", artifact_uri=str(_artifact(opened, "left")), token="left")
    )
    for stage in (Stage.STAGING, Stage.PRODUCTION, Stage.STAGING, Stage.NONE):
        assert opened.registry.set_stage("churn", made.version, stage).stage is stage
    [model] = _client(opened).search_registered_models("name = 'churn'")
    assert made.version not in {int(version) for version in model.aliases.values()}


def test_a_run_is_logged_once_and_goes_on_until_it_has_ended(opened: Project) -> None:
    id_ = ""
    for ended, metrics in ((None, {"auc": 0.5}), (NOON + timedelta(seconds=90), {"auc": 0.9})):
        id_ = opened.registry.log_run(
            "train",
            "train-1",
            parameters={"depth": 3, "long": "x" * 10_000},
            metrics=metrics,
            tags={"commit": "abc"},
            started=NOON,
            ended=ended,
        )
    run = _client(opened).get_run(id_)
    assert (run.info.run_name, run.info.status, run.info.end_time - run.info.start_time) == (
        "train-1",
        "FINISHED",
        90_000,
    )
    assert (run.data.params["depth"], run.data.metrics["auc"], run.data.tags["commit"]) == ("3", 0.9, "abc")
    experiment = _client(opened).get_experiment_by_name("train")
    assert len(_client(opened).search_runs([experiment.experiment_id])) == 1


def test_what_is_read_from_the_database_is_what_mlflow_says(opened: Project) -> None:
    made = [
        opened.registry.register(
            Registration(model="churn", artifact_uri=str(_artifact(opened, "read")), token=f"read {number}")
        )
        for number in range(2)
    ]
    opened.registry.set_stage("churn", made[0].version, Stage.STAGING)
    _client(opened).delete_model_version("churn", str(made[1].version))
    read = [*opened.registry.list("churn")]
    assert read == [*mlflow_versions(_client(opened), "churn")]
    assert made[1].version not in {one.version for one in read}
    assert Stage.STAGING in {one.stage for one in read}


def test_a_damaged_database_is_named_with_what_is_left(tmp_path: Path) -> None:
    project = Project(tmp_path, from_nothing=True)
    database = project.layout.made(project.layout.registry) / DATABASE
    database.write_text("no database")
    with pytest.raises(Unavailable, match=r"mlflow.db is damaged: file is not a database\n.*below files/"):
        [*project.registry.list("churn")]
    (tmp_path / "model").mkdir()
    with pytest.raises(Unavailable, match="is damaged"):
        project.registry.register(
            Registration(model="churn", artifact_uri=str(tmp_path / "model"), token="t")
        )


def test_a_database_of_another_schema_is_left_to_mlflow(tmp_path: Path) -> None:
    assert read_versions(tmp_path / "empty.db", "churn") is None


@pytest.mark.slow
def test_processes_that_register_at_once_wait_for_each_other(tmp_path: Path) -> None:
    opened = Project(tmp_path, from_nothing=True)
    _artifact(opened, "artifact")
    tokens = [[f"own {process} {number}" for number in range(4)] + ["shared"] for process in range(3)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.operations.local.registry_kills", str(tmp_path), "at-once"]
        + [",".join(mine) for mine in tokens],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["ended"] for one in told] == [0, 0, 0]
    said = [one["versions"] for one in told]
    assert len({mine[-1] for mine in said}) == 1
    assert sorted({version for mine in said for version in mine}) == list(range(1, 14))
    assert [one.version for one in opened.registry.list("churn")] == list(range(13, 0, -1))


@pytest.mark.slow
def test_a_killed_registration_is_completed_by_the_next_one(tmp_path: Path) -> None:
    opened = Project(tmp_path, from_nothing=True)
    times = 15
    done = subprocess.run(
        [sys.executable, "-m", "tests.operations.local.registry_kills", str(tmp_path), str(times)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    first, *tries = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["ended"] for one in (first, *tries)} == {0}
    assert sum(one["killed"] for one in tries) > times / 3
    versions = [*opened.registry.list("churn")]
    assert [one.version for one in versions] == list(range(times + 1, 0, -1))
    for one in versions:
        assert json.loads((_files(one) / "model.json").read_text()) == {"below": one.metrics["n"]}
        assert one.digest == digest_of(_files(one))
