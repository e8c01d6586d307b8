"""The real command lines of both engines take the output folder as their own, from synthesis to destroy.

The stacks hold Terraform's built-in type only: no provider, no network, no cloud.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.external_tools import NodeTools

pytestmark = [pytest.mark.terraform, pytest.mark.slow]

ROOT = Path(__file__).resolve().parents[2]
APP = """
import os
from pathlib import Path
from stacks.emit.files import write_output
from stacks.emit.terraform_json import files
from stacks.graph import Backend, Stack, StackBuilder, link

first, second = StackBuilder("first"), StackBuilder("second")
made = first.resource("terraform_data", "a", {"input": os.environ["SAID"]}, origin="a")
second.resource("terraform_data", "b", {"input": made.ref("output")}, origin="b")
second.export("said", made.ref("output"))
stacks = [
    Stack(
        name=builder.concern, concern=builder.concern, environment="dev", nodes=builder.nodes, providers=(),
        backend=Backend(kind="local", config={}), required_terraform=">= 1.5", exports=builder.exports,
    )
    for builder in (second, first)
]
print(write_output(Path(os.environ["CDKTF_OUTDIR"]), files(link(stacks))))
"""


@pytest.mark.parametrize("engine", ["cdktf", "cdktn"])
def test_the_command_line_deploys_what_was_written(
    node_tools: NodeTools, tmp_path: Path, engine: str
) -> None:
    if shutil.which("terraform") is None:
        pytest.skip("there is no terraform on PATH")
    (tmp_path / "app.py").write_text(APP)
    settings = {
        "language": "python",
        "app": f"{sys.executable} app.py",
        "projectId": "x",
        "sendCrashReports": "false",
    }
    (tmp_path / "cdktf.json").write_text(json.dumps(settings))
    command = node_tools.cdktf if engine == "cdktf" else node_tools.cdktn

    def run(*arguments: str, said: str = "hello ${x}") -> str:
        environment = {
            **os.environ,
            **node_tools.environment,
            "PYTHONPATH": str(ROOT),
            "SAID": said,
            "CI": "1",
        }
        environment["HOME"] = str(tmp_path)
        done = subprocess.run(
            [command, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "first" in run("list")
    deploy = ("deploy", "first", "second", "--auto-approve", "--skip-provider-lock")
    assert "hello ${x}" in run(*deploy)
    for name in ("first", "second"):
        assert (tmp_path / f"terraform.{name}.tfstate").is_file()
    lock = tmp_path / "cdktf.out/stacks/second/.terraform"
    assert lock.is_dir()
    inode = (lock / "terraform.tfstate").stat().st_ino
    assert "goodbye" in run(*deploy, said="goodbye")
    assert (lock / "terraform.tfstate").stat().st_ino == inode
    run("destroy", "first", "second", "--auto-approve", "--skip-provider-lock", said="goodbye")
    state = json.loads((tmp_path / "terraform.second.tfstate").read_bytes())
    assert state["resources"] == []
    assert sorted(path.name for path in tmp_path.glob(".cdktf.out*")) == []
