"""A project of each framework and task is really trained, served and called, by an interpreter that has it.

Their type checkers and own tests are run by test_rows.py, with those of every other row of the matrix.
SCAFFOLDER_MODEL_PYTHON names the interpreter; requirements/model.in says what it needs.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.templates.model import DEEP, FRAMEWORKS, MODULES, TASKS, Choice, model_project

PYTHON = "SCAFFOLDER_MODEL_PYTHON"
MOST_S = 900
STARTS_S = 120

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.cli,
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get(PYTHON), reason=f"{PYTHON} names no interpreter"),
]

PROJECTS = tuple(Choice(framework, task, flags=True) for framework in FRAMEWORKS for task in TASKS)


def project(scaffolder_cli: Path, folder: Path, choice: Choice) -> Path:
    """A project whose framework is there; skips by its name where it is not."""
    module = MODULES[choice.framework]
    found = subprocess.run([python(), "-c", f"import {module}"], capture_output=True, check=False)
    if found.returncode != 0:
        pytest.skip(f"{module} cannot be imported by {PYTHON}")
    return model_project(scaffolder_cli, folder, choice)


def python() -> str:
    return os.environ[PYTHON]


def variables(folder: Path) -> Mapping[str, str]:
    fixed = {"OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return {**os.environ, **fixed, "PYTHONPATH": str(folder / "src")}


def must(folder: Path, *words: object) -> str:
    """Run the interpreter in a project; what it printed, where it succeeds."""
    command = [python(), *map(str, words)]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=MOST_S,
        env=variables(folder),
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-8000:]
    return done.stdout


def steps(folder: Path, definition: Path) -> Iterator[tuple[str, list[str]]]:
    """The commands of a pipeline's definition, with folders below `out` for their inputs and outputs."""
    document = yaml.safe_load(definition.read_text())
    for name, step in document["steps"].items():
        if "command" not in step:
            continue
        words = []
        for word in step["command"][1:]:
            filled = word
            for parameter, value in document.get("parameters", {}).items():
                filled = filled.replace(f"{{params.{parameter}}}", str(value))
            for label, source in step.get("inputs", {}).items():
                place = (
                    f"data/{source.partition(':')[2]}" if ":" in source else f"out/{source.replace('.', '/')}"
                )
                filled = filled.replace(f"{{inputs.{label}}}", str(folder / place))
            for label in step.get("outputs", {}):
                filled = filled.replace(f"{{outputs.{label}}}", str(folder / "out" / name / label))
            words.append(filled)
        yield name, words


@pytest.mark.parametrize("choice", PROJECTS, ids=str)
def test_it_is_trained_by_its_pipeline_into_files_without_a_pickle_served_and_called(
    choice: Choice, scaffolder_cli: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    folder = project(scaffolder_cli, tmp_path / "project", choice)
    must(folder, "-m", f"{choice.package}.sample", "--out", "data/raw")
    done = [
        name for name, words in steps(folder, folder / "pipelines" / "train.yaml") if must(folder, *words)
    ]
    assert done == ["ingest", "validate", "features", "train", "evaluate", "release"]
    metrics = json.loads((folder / "out" / "evaluate" / "report" / "metrics.json").read_text())
    assert metrics["accuracy"] > metrics["accuracy_of_the_commonest"]
    model = folder / "out" / "release" / "released"
    assert (model / "MODEL_CARD.md").stat().st_size > 500
    no_pickle(choice, folder / "out")
    with served(folder, choice, model) as (port, began, server):
        status, body = ask(port, "/invocations", request_of(choice, folder))
        seconds = time.monotonic() - began
        assert status == 200, body
        said = json.loads(body)
        assert len(said["predictions"]) == 1
        assert sum(said["predictions"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-4)
        assert ask(port, "/predict", b'[{"nonsense": 1}]')[0] == 400
        memory = resident_mib(server.pid)
        told = f"first answer {seconds:.1f} s, {memory:.0f} MiB, accuracy {metrics['accuracy']:.3f}"
        record_property("told", told)
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0


def no_pickle(choice: Choice, made: Path) -> None:
    """A model's files are read as data, never run."""
    files = [*made.rglob("estimator/*")]
    for path in files:
        assert path.suffix not in {".pkl", ".pickle", ".joblib", ".pt", ".pth"}, path
        assert not path.read_bytes().startswith(b"\x80"), path
    assert choice.framework in DEEP or files


def request_of(choice: Choice, folder: Path) -> bytes:
    match choice.task:
        case "tabular":
            row: object = {
                "tenure_months": 3,
                "monthly_charge": 40,
                "support_calls": 2,
                "plan": "basic",
                "payment": None,
            }
        case "text":
            row = "where is my parcel"
        case _:
            row = {"b64": base64.b64encode((folder / "data" / "raw" / "0003.png").read_bytes()).decode()}
    return json.dumps({"instances": [row]}).encode()


@contextmanager
def served(folder: Path, choice: Choice, model: Path) -> Iterator[tuple[int, float, subprocess.Popen[bytes]]]:
    """The service as a process of its own, ready."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    words = [
        "-m",
        f"{choice.package}.serve",
        "--model",
        str(model),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    began = time.monotonic()
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [python(), *words], stdout=log, stderr=log, env={**variables(folder), "LINGER_S": "0.2"}
        ) as server,
    ):
        try:
            until = time.monotonic() + STARTS_S
            while ask(port, "/readyz")[0] != 200:
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < until, (folder / "log").read_text()
                time.sleep(0.05)
            yield port, began, server
        finally:
            server.kill()


def ask(port: int, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    headers = {"content-type": "application/json"} if body else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - our own service, on loopback
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()
    except OSError:
        return 0, b""


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)
