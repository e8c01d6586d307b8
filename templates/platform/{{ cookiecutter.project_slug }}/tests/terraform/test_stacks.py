"""Each stack keeps its promises: `terraform test` plans it against a mocked AWS. Needs Terraform, and no account.

`storage.tftest.hcl` is for the stack `...-storage` of every environment, `storage-more.tftest.hcl` too. What a file's
first line says it needs may not be made yet: then it is skipped, and `scaffolder preview` says what to do.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from scaffolder.pipeline import synthesize

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
FILES = {path.name.removesuffix(".tftest.hcl"): path for path in sorted(HERE.glob("*.tftest.hcl"))}
STACKS = {linked.stack.name: linked.stack.concern for linked in synthesize(PROJECT / "platform.yaml").stacks}
CASES = [(stack, name) for stack, concern in STACKS.items() for name in FILES if name.partition("-")[0] == concern]
OTHER_STACKS_OUTPUT = re.compile(r"terraform_remote_state\.[\w-]+\.outputs\.([\w-]+)")
NEEDS = re.compile(r"# needs: (\w+)\.([\w-]+)\n")
TIMEOUT_S = 600
# No account is asked, whatever this machine knows of one.
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")} | {
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
    "CHECKPOINT_DISABLE": "1",
}


def run(command: list[str], folder: Path, **environment: str) -> None:
    done = subprocess.run(
        command,
        cwd=folder,
        env=ENVIRONMENT | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="session")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the project's app synthesizes."""
    if shutil.which("terraform") is None:
        pytest.skip("there is no terraform on PATH")
    folder = tmp_path_factory.mktemp("synthesized")
    app = json.loads((PROJECT / "cdktf.json").read_text())["app"]
    run(shlex.split(app), PROJECT, CDKTF_OUTDIR=str(folder))
    return folder / "stacks"


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for one stack after the other, so that the provider is installed once."""
    folder = tmp_path_factory.mktemp("workshop")
    shutil.copytree(HERE / "mocks", folder / "mocks")
    (folder / "mocks" / "stacks").mkdir()
    return folder


def other_stacks(document: str) -> dict[str, str]:
    """Outputs of other stacks that a stack reads; each is told by its own name."""
    names = sorted(set(OTHER_STACKS_OUTPUT.findall(document)))
    start = "arn:aws:mock:us-east-1:123456789012:"
    return {name: f"{start}{name}" if name.endswith("_arn") else name for name in names}


def install(workshop: Path, document: dict) -> None:
    """Install what a stack requires, where the stack before it required something else."""
    required = json.dumps([document["terraform"].get("required_providers"), document.get("module")])
    installed = workshop / "installed.txt"
    if not installed.exists() or installed.read_text() != required:
        run(["terraform", "init", "-backend=false", "-input=false", "-no-color"], workshop)
        installed.write_text(required)


@pytest.mark.parametrize(("stack", "name"), CASES)
def test_a_stack_keeps_its_promises(stack: str, name: str, documents: Path, workshop: Path) -> None:
    document = (documents / stack / "cdk.tf.json").read_text()
    needs = NEEDS.match(FILES[name].read_text())
    if needs and needs[2] not in json.loads(document)["resource"].get(needs[1], {}):
        pytest.skip(f"{stack} has no {needs[1]}.{needs[2]} yet; `scaffolder preview` says what to do")
    (workshop / "cdk.tf.json").write_text(document)
    mock = {"mock_data": {"terraform_remote_state": {"defaults": {"outputs": other_stacks(document)}}}}
    (workshop / "mocks" / "stacks" / "outputs.tfmock.json").write_text(json.dumps(mock))
    for old in workshop.glob("*.tftest.hcl"):
        old.unlink()
    shutil.copy(FILES[name], workshop)
    install(workshop, json.loads(document))
    run(["terraform", "test", "-no-color"], workshop)


def test_every_stack_of_the_platform_is_tested() -> None:
    assert set(STACKS) - {stack for stack, _ in CASES} == set()
