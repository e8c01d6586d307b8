"""A generated project of each cloud: whole, valid, and green by its own tests, with stand-ins for the providers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scaffolder.spec.providers import PROVIDERS
from stacks.adapter import STACKS
from tests.external_tools import NodeTools, Terraform
from tests.provider.install import installed, types_in
from tests.templates.projects import SYSTEMS, files_of, new_project

pytestmark = [pytest.mark.cli, pytest.mark.slow]

REAL = ("aws",)
"""Clouds whose projects are tested with the real provider, in test_project_terraform.py."""
OTHERS = [name for name in STACKS if name not in REAL]
WAITS = re.compile(r"# needs: (\S+)\n")


@pytest.fixture(scope="module", params=[(cloud, ci) for cloud in OTHERS for ci in SYSTEMS], ids="-".join)
def project(
    request: pytest.FixtureRequest, scaffolder_cli: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str, str]:
    cloud, ci = request.param
    folder = tmp_path_factory.mktemp("projects") / "fraud-platform"
    return new_project(scaffolder_cli, folder, "--provider", cloud, "--ci", ci), cloud, ci


def test_a_project_is_of_its_cloud_and_no_other(project: tuple[Path, str, str]) -> None:
    folder, cloud, ci = project
    found = files_of(folder)
    kept = json.loads(found[".scaffolder-project.json"])["layers"][0]["answers"]
    assert (kept["provider"], kept["ci"], kept["name"]) == (cloud, ci, "fraud")
    strangers = {"aws": b"aws", "gcp": b"google", "azure": b"azurerm"}
    del strangers[cloud]
    for name, content in found.items():
        assert b"cookiecutter" not in content, name
        assert b"{%" not in content, name
        if name != "platform.schema.json":
            assert [word for word in strangers.values() if word in content.lower()] == [], name


def test_a_project_is_valid_and_passes_its_own_tests(
    project: tuple[Path, str, str], scaffolder_cli: Path
) -> None:
    folder, _, _ = project
    subprocess.run([scaffolder_cli, "validate"], cwd=folder, check=True, capture_output=True)
    own = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_platform.py"]
    done = subprocess.run(own, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_projects_python_passes_formatter_and_linter(project: tuple[Path, str, str]) -> None:
    folder, _, _ = project
    for arguments in (
        ["format", "--isolated", "--line-length", "120", "--check", "."],
        ["check", "--isolated", "."],
    ):
        command = [sys.executable, "-m", "ruff", *arguments]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


@pytest.mark.terraform
@pytest.mark.parametrize("cloud", OTHERS)
def test_its_stacks_keep_their_promises(
    cloud: str, scaffolder_cli: Path, tmp_path: Path, terraform: Terraform, node_tools: NodeTools
) -> None:
    folder = new_project(scaffolder_cli, tmp_path / "fraud", "--provider", cloud, "--name", "fraud")
    subprocess.run(
        [scaffolder_cli, "synth", "--out", tmp_path / "out"], cwd=folder, check=True, capture_output=True
    )
    documents = [path.read_text() for path in (tmp_path / "out").glob("stacks/*/cdk.tf.json")]
    stand_in = installed(terraform, tmp_path, types_in(documents))
    own = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider", "tests/terraform"]
    path = f"{Path(sys.executable).parent}:{stand_in.environment['PATH']}"
    done = subprocess.run(
        own,
        cwd=folder,
        env={**stand_in.environment, "JSII_NODE": node_tools.environment["JSII_NODE"], "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:]
    waiting = [path for path in folder.glob("tests/terraform/*.hcl") if WAITS.match(path.read_text())]
    assert done.stdout.count("SKIPPED") <= 2 * len(waiting)


def test_an_account_of_another_cloud_is_refused(scaffolder_cli: Path, tmp_path: Path) -> None:
    for cloud, shapes in PROVIDERS.items():
        done = subprocess.run(
            [
                scaffolder_cli,
                "new",
                "platform",
                tmp_path / cloud,
                "--provider",
                cloud,
                "--account",
                "Nobody's",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        says = shapes.account.says.removesuffix(", in quotes")
        assert (done.returncode, f'account must be {says}, not "Nobody' in done.stderr) == (64, True)
        assert not (tmp_path / cloud).exists()


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (".github/workflows/platform.yml", "vendor.github-workflows"),
        (".gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
def test_the_pipeline_fits_its_vendors_schema(project: tuple[Path, str, str], file: str, schema: str) -> None:
    folder, _, _ = project
    if (folder / file).exists():
        command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, file]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_actions_are_pinned_and_no_secret_is_stored(project: tuple[Path, str, str]) -> None:
    folder, cloud, ci = project
    if ci != "github":
        return
    text = (folder / ".github" / "workflows" / "platform.yml").read_text()
    assert "secrets." not in text
    uses = re.findall(r"uses: (\S+)@(\S+)", text)
    actions = {action.partition("/")[0] for action, _ in uses}
    assert actions == {"actions", {"gcp": "google-github-actions", "azure": "azure"}[cloud]}
    assert all(re.fullmatch(r"[0-9a-f]{40}", commit) for _, commit in uses)
    zizmor = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--quiet", "--no-exit-codes"]
    done = subprocess.run(
        [*zizmor, "--format", "json", "."], cwd=folder, capture_output=True, text=True, check=False
    )
    assert json.loads(done.stdout) == []


def test_the_scan_accepts_what_it_names_and_nothing_else(
    project: tuple[Path, str, str], scaffolder_cli: Path, checkov: Path
) -> None:
    folder, _, ci = project
    if ci != "github":
        return
    subprocess.run([scaffolder_cli, "synth"], cwd=folder, check=True, capture_output=True)
    scan = [str(checkov), "--config-file", ".checkov.yaml"]
    done = subprocess.run(scan, cwd=folder, capture_output=True, text=True, check=False)
    shutil.rmtree(folder / "cdktf.out")
    assert done.returncode == 0, done.stdout[-4000:]


DOCKER = """#!/usr/bin/env bash
# A registry of images: a file for each address. Takes the commands of ci/images.sh.
set -eu
file="$REGISTRY/$(printf '%s' "${!#}" | tr '/:' '__')"
case "$1" in
  login) [ "$(cat)" = token ] && echo "$5" > "$REGISTRY/host" ;;
  manifest) [ -e "$file" ] || { echo "no such manifest: $3" >&2; exit 1; } ;;
  build) : ;;
  push) echo pushed > "$file" ;;
esac
"""


def test_images_that_are_not_there_are_pushed_to_the_environments_registry(
    project: tuple[Path, str, str], scaffolder_cli: Path, tmp_path: Path
) -> None:
    folder, _, ci = project
    if ci == "none":
        return
    subprocess.run([scaffolder_cli, "synth"], cwd=folder, check=True, capture_output=True)
    docker = tmp_path / "programs" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    registry = tmp_path / "registry"
    registry.mkdir()
    path = os.pathsep.join([str(docker.parent), os.environ["PATH"]])

    def build() -> list[str]:
        done = subprocess.run(
            ["bash", "ci/images.sh", "dev"],
            cwd=folder,
            env={"PATH": path, "REGISTRY": str(registry), "REGISTRY_TOKEN": "token"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.split("\n")[:-1]

    assert build() == ["serving:0.1.0 is pushed", "training:0.1.0 is pushed"]
    assert build() == ["serving:0.1.0 is there", "training:0.1.0 is there"]
    host = (registry / "host").read_text().strip()
    assert {path.name for path in registry.glob("*_0.1.0")} == {
        path.name for path in registry.iterdir() if path.name.startswith(host)
    }
    shutil.rmtree(folder / "cdktf.out")
