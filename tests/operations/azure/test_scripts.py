"""The two programs that run inside Azure's jobs, really run: one registers a version, one scores files."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scaffolder.operations.azure.batch import SCORES
from stacks.azure.assets import workspace_id
from stacks.azure.commands import REGISTERS
from stacks.azure.context import Context
from tests.operations.fakes.azure.requests import Answer, Request, said
from tests.operations.fakes.azure.server import Faults, certificate, serving
from tests.operations.fakes.azure.service import MANAGER, Azure
from tests.operations.platforms import platform_in

TOKEN = "the-jobs-own-token"
SECRET = "what-the-job-is-given"


@contextmanager
def _job(folder: Path) -> Iterator[tuple[Azure, str, dict[str, str]]]:
    """A workspace, its address, and what Azure ML puts into the environment of a job with an identity."""
    platform = platform_in("azure", folder)
    azure = Azure(platform, {"https://management.azure.com": TOKEN}, "")

    def answer(request: Request) -> Answer:
        if request.path == "/msi/token":
            assert request.headers["secret"] == SECRET
            assert request.query["resource"] == "https://management.azure.com/"
            return said({"access_token": TOKEN})
        return azure.answer(replace(request, host=MANAGER))

    with serving(answer, Faults()) as port:
        address = f"https://127.0.0.1:{port}"
        given = {
            **os.environ,
            "SSL_CERT_FILE": str(certificate()),
            "MSI_ENDPOINT": f"{address}/msi/token",
            "MSI_SECRET": SECRET,
            "AZUREML_ROOT_RUN_ID": "train-0123456789abcdef",
        }
        given.pop("DEFAULT_IDENTITY_CLIENT_ID", None)
        yield azure, address, given


def test_a_step_registers_one_version_for_each_run(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text('{"accuracy": 0.91}', encoding="utf-8")
    with _job(tmp_path / "project") as (azure, address, given):
        workspace = workspace_id(Context(platform_in("azure", tmp_path / "again")))
        words = ["azureml://datastores/artifacts/paths/m", "text/csv", "serving:1.0.0", "pending", "register"]
        command = [
            sys.executable,
            "-c",
            REGISTERS,
            address,
            workspace,
            "churn",
            *words,
            str(tmp_path / "metrics.json"),
        ]
        found: list[dict[str, Any]] = []
        for run, versions in (("train-1", 1), ("train-1", 1), ("train-2", 2)):
            done = subprocess.run(
                command,
                env={**given, "AZUREML_ROOT_RUN_ID": run},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stderr
            found = [it.document for it in azure.resources.below(f"{workspace}/models/churn/versions")]
            assert [it["name"] for it in found] == [str(number + 1) for number in range(versions)]
        properties = found[0]["properties"]
        assert (properties["jobName"], properties["tags"]["approval"]) == ("train-1", "pending")
        assert json.loads(properties["properties"]["metrics"]) == {"accuracy": 0.91}
        assert azure.unknown == []


def test_what_azure_refuses_fails_the_step_and_is_said(tmp_path: Path) -> None:
    with _job(tmp_path) as (_, address, given):
        words = ["azureml://x", "text/csv", "", "pending", "register", ""]
        command = [sys.executable, "-c", REGISTERS, address, "/subscriptions/x/nowhere", "churn", *words]
        done = subprocess.run(command, env=given, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert TOKEN not in done.stderr


SERVER = """\
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/ping" else 404); self.end_headers()
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/invocations" and self.headers["Content-Type"] == "text/csv"
        answer = body.upper() + os.environ["MODEL_CONTENT_TYPE"].encode()
        self.send_response(200); self.send_header("Content-Length", str(len(answer))); self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
"""


@pytest.fixture
def port() -> Iterator[int]:
    """A port that nobody listens at; no other program of this machine gets it, and one that asks for it does."""
    with socket.socket() as kept:
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.bind(("127.0.0.1", 0))
        yield int(kept.getsockname()[1])


def _score(folder: Path, server: str, port: int, **more: str) -> subprocess.CompletedProcess[str]:
    program = folder / "serve"
    program.write_text(f"#!{sys.executable}\n{server}", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    words = [
        str(folder / "model"),
        str(folder / "data"),
        str(folder / "scored"),
        "text/csv",
        str(program),
        str(port),
    ]
    given = {**os.environ, "HOME": str(folder), **more}
    return subprocess.run(
        [sys.executable, "-c", SCORES.replace("/opt/ml", str(folder / "opt")), *words],
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_file_is_scored_by_the_images_own_server(tmp_path: Path, port: int) -> None:
    for name in ("a.csv", "deep/b.csv"):
        file = tmp_path / "data" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name, encoding="utf-8")
    done = _score(tmp_path, SERVER.replace("{port}", str(port)), port)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "scored/a.csv.out").read_text() == "A.CSVtext/csv"
    assert (tmp_path / "scored/deep/b.csv.out").read_text() == "DEEP/B.CSVtext/csv"


def test_of_two_machines_each_scores_its_share(tmp_path: Path, port: int) -> None:
    (tmp_path / "data").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "data" / name).write_text(name, encoding="utf-8")
    done = _score(tmp_path, SERVER.replace("{port}", str(port)), port, RANK="1", WORLD_SIZE="2")
    assert done.returncode == 0, done.stderr
    assert [it.name for it in (tmp_path / "scored").iterdir()] == ["b.out"]


def test_a_server_that_ends_fails_the_job(tmp_path: Path, port: int) -> None:
    (tmp_path / "data").mkdir()
    done = _score(tmp_path, "raise SystemExit(3)", port)
    assert done.returncode == 1
    assert "the image's server ended with 3" in done.stderr
