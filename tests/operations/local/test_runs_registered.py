"""What a run registers, also when it is killed meanwhile; and how all that runs have made goes again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.provider import LocalProvider
from scaffolder.operations.local.records import RunFolder, find_run
from scaffolder.operations.local.register import registration_of
from scaffolder.operations.local.runs import LocalRuns
from scaffolder.operations.local.steps import Steps
from scaffolder.operations.local.trees import digest_of
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Approval, RunState
from stacks.pipelines import BucketPath, Output, Register
from tests.operations.local.scripts import (
    Script,
    ended,
    ended_runs,
    platform_of,
    register,
    runs_of,
    submitted,
)

METRICS, MODEL = Output(kind="metrics", place=None), Output(kind="model", place=None)
SCRIPTS: Mapping[str, Script | Register] = {
    "train": Script(
        text="(out / 'model.json').write_text('{\"below\": 25}')",
        inputs={"raw": BucketPath(bucket="data", path=("raw",))},
        outputs={"out": MODEL},
    ),
    "evaluate": Script(
        text="(out / 'metrics.json').write_text('{\"auc\": 0.9}')",
        inputs={"m": "train.out"},
        outputs={"out": METRICS},
    ),
    "register": register("m", "train.out", "evaluate.out"),
    "serve": Script(text="", after=("register",)),
}
LEFT: Mapping[str, Script | Register] = {name: SCRIPTS[name] for name in ("train", "evaluate")}


def _runs(folder: Path, scripts: Mapping[str, Script | Register]) -> LocalRuns:
    rows = folder / "data/raw/rows.csv"
    rows.parent.mkdir(parents=True)
    rows.write_text("1\n")
    return runs_of(folder, scripts)


def _provider(folder: Path, scripts: Mapping[str, Script | Register]) -> LocalProvider:
    return LocalProvider(Opening(platform=platform_of(scripts), folder=folder, sleep=time.sleep))


@pytest.mark.slow
def test_a_run_that_is_killed_while_it_registers_registers_once(tmp_path: Path) -> None:
    runs, chance = _runs(tmp_path, SCRIPTS), Random(3)  # noqa: S311 - kills need no secrets
    ref = submitted(runs)
    folder = find_run(Layout(tmp_path), ref)
    for _ in range(3):
        while runs.describe(ref).steps[2].state is RunState.QUEUED:
            time.sleep(0.02)
        time.sleep(chance.uniform(0.1, 2.5))
        if runs.describe(ref).state is not RunState.RUNNING:
            break
        os.kill(folder.state().runner, signal.SIGKILL)
        while folder.is_held():
            time.sleep(0.02)
        runs.resume(ref)
    run = ended_runs(runs, ref)
    assert run.state is RunState.SUCCEEDED, run.error
    (version,) = _provider(tmp_path, SCRIPTS).registry.list("m")
    assert (version.version, version.run, version.approval) == (1, ref, Approval.PENDING)
    assert version.metrics == {"auc": 0.9}
    assert version.digest == digest_of(Layout(tmp_path).place(version.artifact_uri))
    assert run.record["registered"] == [version.ref]
    again = ended_runs(runs, runs.reproduce(ref))
    assert {step.name: step.skipped for step in again.steps} == {
        "train": False, "evaluate": False, "register": True, "serve": False,
    }  # fmt: skip
    assert all(each.equal for each in runs.compare(ref, again.ref))
    assert len([*_provider(tmp_path, SCRIPTS).registry.list("m")]) == 1


def test_what_is_registered_is_the_model_with_what_serves_it_and_where_it_comes_from(tmp_path: Path) -> None:
    runs = _runs(tmp_path, LEFT)
    ref = ended(runs).ref
    folder = find_run(Layout(tmp_path), ref)
    registering = SCRIPTS["register"]
    assert isinstance(registering, Register)
    _add_register(folder, registering)
    (folder.path / "code/code/serve.py").write_text("def load(folder): ...")
    place = Steps(Layout(tmp_path), folder, folder.plan()).artifact(
        registering, folder.state(), tmp_path / "made"
    )
    assert sorted(each.name for each in place.iterdir()) == ["model.json", "serve.py"]
    told = registration_of(folder, "register", place)
    assert (told.model, told.token, told.run) == ("m", f"{ref}/register", ref)
    assert (told.image, told.content_type, told.metrics) == ("serving:1", "text/csv", {"auc": 0.9})
    assert told.digest == digest_of(place)
    assert told.data_uri == f"data:raw@{digest_of(tmp_path / 'data/raw')}"
    assert (Path(told.report_uri) / "metrics.json").is_file()


def _add_register(folder: RunFolder, registering: Register) -> None:
    """Let the plan have the step that this run left out."""
    plan = folder.plan()
    step = replace(plan.definition.steps[0], name="register", action=registering)
    definition = replace(plan.definition, steps=(*plan.definition.steps, step))
    folder.write_plan(folder.head(), replace(plan, definition=definition))


LATER_MLFLOW = """
import sys

class NeedsNumpy:
    def find_spec(self, name, path=None, target=None):
        if name == "mlflow" and sys.modules.get("numpy", self) is None:
            open("kept-out", "a").write("x")
            raise ImportError("this MLflow needs numpy")

sys.meta_path.insert(0, NeedsNumpy())
"""


@pytest.mark.slow
def test_an_mlflow_that_needs_what_is_kept_out_gets_it(tmp_path: Path) -> None:
    runs = _runs(tmp_path, LEFT)
    folder = find_run(Layout(tmp_path), ended(runs).ref)
    registering = SCRIPTS["register"]
    assert isinstance(registering, Register)
    _add_register(folder, registering)
    attempt, site = tmp_path / "attempt", tmp_path / "site"
    for made in (attempt, site):
        made.mkdir()
    Steps(Layout(tmp_path), folder, folder.plan()).artifact(registering, folder.state(), attempt)
    (site / "sitecustomize.py").write_text(LATER_MLFLOW)
    done = subprocess.run(
        [
            *(sys.executable, "-P", "-m", "scaffolder.operations.local.register"),
            *(str(folder.path), "register", str(attempt)),
        ],
        cwd=attempt,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "version 1 of m: pending\n"), done.stderr
    assert (attempt / "kept-out").read_text() == "x", "tried without, and once"
    assert len([*_provider(tmp_path, LEFT).registry.list("m")]) == 1


def test_no_registry_is_imported_where_nothing_is_registered(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.operations.local.test_runs_registered import LEFT, _runs, ended\n"
        "run = ended(_runs(Path(sys.argv[1]), LEFT)); assert run.state == 'succeeded', run.error\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert not {"mlflow", "sqlalchemy", "numpy", "pandas", "fastapi"} & {*done.stdout.split()}


def test_what_runs_have_made_goes_in_order_and_twice_is_once(tmp_path: Path) -> None:
    slow = Script(text="time.sleep(60)")
    kept = Script(text="(out / 'a').touch()", cache_s=3600)
    placed = Output(kind="folder", place=BucketPath(bucket="artifacts", path=("x",)))
    scripts = {"kept": kept, "placed": Script(text="", outputs={"out": placed}), "slow": slow}
    runs = runs_of(tmp_path, scripts)
    ref = submitted(runs)
    while [step.state for step in runs.describe(ref).steps].count(RunState.SUCCEEDED) < 2:
        time.sleep(0.05)
    teardown = _provider(tmp_path, scripts).teardown
    items = [*teardown.inventory()]
    assert [item.kind for item in items] == ["run", "cache", "buckets"]
    assert [item.holds_data for item in items] == [True, False, True]
    assert "goes on" in items[0].detail
    for item in items:
        assert not teardown.is_gone(item)
        teardown.remove(item)
        teardown.remove(item)
        assert teardown.is_gone(item)
    assert [*teardown.inventory()] == []
    assert [each.name for each in (tmp_path / ".scaffolder").iterdir() if any(each.iterdir() if each.is_dir() else [1])] == [".gitignore"]  # fmt: skip
