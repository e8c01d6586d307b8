"""The pipeline's steps, run on this machine on made-up customers, and the server with the model that comes out."""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from socket import socket

import pytest

pytest.importorskip("sklearn", reason="pip install -r containers/requirements.txt")

PROJECT = Path(__file__).parents[1]
SRC = PROJECT / "pipelines" / "src"
SERVE = PROJECT / "containers" / "serving" / "serve.py"
SEED = 3
CUSTOMERS = 400
LABEL = "label"
STARTUP_S = 60


def run(step: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SRC / f"{step}.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def must(step: str, *arguments: object) -> None:
    done = run(step, *arguments)
    assert done.returncode == 0, done.stderr


def customers(signal: float) -> list[dict[str, object]]:
    """Customers who leave by their months and plan; with signal 0, by chance."""
    chance = random.Random(SEED)
    made = []
    for _ in range(CUSTOMERS):
        months, plan = chance.randint(1, 60), chance.choice(["monthly", "yearly", ""])
        leaves = chance.random() < 0.5 + signal * (
            (0.3 if months < 24 else -0.3) + (0.15 if plan == "monthly" else -0.15)
        )
        made.append({"months": months, "plan": plan, "charge": round(chance.uniform(10, 99), 2), LABEL: int(leaves)})
    return made


def write_raw(folder: Path, rows: list[dict[str, object]]) -> Path:
    folder.mkdir(parents=True)
    with (folder / "customers.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
    return folder


def trained(folder: Path, signal: float) -> dict[str, float]:
    """Run all steps; return the metrics."""
    raw = write_raw(folder / "raw", customers(signal))
    must("prepare", "--raw", raw, "--label", LABEL, "--train", folder / "train", "--test", folder / "test")
    must("train", "--data", folder / "train", "--label", LABEL, "--model", folder / "model")
    return evaluated(folder, folder / "model")


def evaluated(folder: Path, model: Path) -> dict[str, float]:
    must("evaluate", "--model", model, "--data", folder / "test", "--label", LABEL, "--report", folder / "report")
    metrics: dict[str, float] = json.loads((folder / "report" / "metrics.json").read_text())
    return metrics


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the steps ran on customers that can be told apart."""
    folder = tmp_path_factory.mktemp("learned")
    trained(folder, 1.0)
    return folder


def test_a_model_that_can_learn_passes_the_gate_and_one_that_cannot_does_not(learned: Path, tmp_path: Path) -> None:
    least = 0.7  # parameters.min_auc of pipelines/train.yaml
    assert evaluated(learned, learned / "model")["auc"] >= least
    assert trained(tmp_path, 0.0)["auc"] < least


def test_no_row_is_both_trained_and_tested_on(learned: Path) -> None:
    train, test = ((learned / part / f"{part}.csv").read_text().splitlines()[1:] for part in ("train", "test"))
    assert len(train) > len(test) > 0
    assert not set(train) & set(test)


def test_a_model_is_read_from_the_archive_of_a_training_job(learned: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as archive:
        archive.add(learned / "model" / "model.joblib", "model.joblib")
    assert evaluated(learned, tmp_path) == evaluated(learned, learned / "model")


def test_data_that_cannot_be_trained_on_is_refused(tmp_path: Path) -> None:
    raw = write_raw(tmp_path / "raw", [{"months": 1, LABEL: 1}] * 30)
    parts = ("--train", tmp_path / "train", "--test", tmp_path / "test")
    assert "labels" in run("prepare", "--raw", raw, "--label", LABEL, *parts).stderr
    assert "there is no column gone" in run("prepare", "--raw", raw, "--label", "gone", *parts).stderr


def ask(port: int, body: bytes, kind: str) -> tuple[int, bytes]:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": kind})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTUP_S
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server did not start")


def test_the_server_scores_rows(learned: Path) -> None:
    with closing(socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, str(SERVE), "serve", "--model", str(learned / "model"), "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(port, server)
            status, scored = ask(port, b"3,monthly,50.0\n55,yearly,50.0\n", "text/csv")
            soon, late = map(float, scored.split())
            rows = [{"months": 3, "plan": "monthly", "charge": 50.0}, {"months": 55, "plan": "yearly", "charge": 50.0}]
            assert (status, soon > late) == (200, True)
            assert json.loads(ask(port, json.dumps(rows).encode(), "application/json")[1]) == [soon, late]
            assert ask(port, b"3,monthly\n", "text/csv")[0] == 400
            assert ask(port, b"{}", "text/html")[0] == 415
        finally:
            server.terminate()
