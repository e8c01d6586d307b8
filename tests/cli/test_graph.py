from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

pytestmark = pytest.mark.cli

SPEC = """\
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
environments: {dev: {}, prod: {}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "platform.yaml").write_text(SPEC, encoding="utf-8")
    return tmp_path


def run(scaffolder: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [scaffolder, "graph", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_mermaid_is_printed(scaffolder_cli: Path, folder: Path) -> None:
    done = run(scaffolder_cli, "platform.yaml", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[2] == "flowchart LR"
    assert '["churn-prod-storage<br/>' in done.stdout
    assert "\n  stack_churn_dev_security --> stack_churn_dev_network\n" in done.stdout


def test_one_environment_and_its_resources(scaffolder_cli: Path, folder: Path) -> None:
    done = run(scaffolder_cli, "platform.yaml", "--env", "dev", "--level", "resources", cwd=folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert '["aws_s3_bucket.data"]' in done.stdout
    assert "prod" not in done.stdout


def test_a_flowchart_that_mermaid_refuses_by_default_brings_a_warning(
    scaffolder_cli: Path, folder: Path
) -> None:
    done = run(scaffolder_cli, "platform.yaml", "--level", "resources", cwd=folder)
    assert done.returncode == 0
    assert "warning: this flowchart has " in done.stderr
    assert "maxTextSize" in done.stderr


def test_svg_is_printed_or_written_by_the_files_name(scaffolder_cli: Path, folder: Path) -> None:
    printed = run(scaffolder_cli, "platform.yaml", "--format", "svg", cwd=folder).stdout
    ET.fromstring(printed)  # noqa: S314 - our own
    done = run(scaffolder_cli, "platform.yaml", "--out", "stacks.svg", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "")
    assert (folder / "stacks.svg").read_text("utf-8") == printed
    assert sorted(path.name for path in folder.iterdir()) == ["platform.yaml", "stacks.svg"]


def test_its_own_file_is_written_anew_and_no_other(scaffolder_cli: Path, folder: Path) -> None:
    for _ in range(2):
        assert run(scaffolder_cli, "platform.yaml", "--out", "stacks.mmd", cwd=folder).returncode == 0
    done = run(scaffolder_cli, "platform.yaml", "--out", "platform.yaml", cwd=folder)
    assert done.returncode == 3
    assert "platform.yaml is there and was not made by `scaffolder graph`; name another file" in done.stderr
    assert (folder / "platform.yaml").read_text("utf-8") == SPEC


def test_a_place_that_cannot_be_written_is_named(scaffolder_cli: Path, folder: Path) -> None:
    done = run(scaffolder_cli, "platform.yaml", "--out", "nowhere/stacks.svg", cwd=folder)
    assert done.returncode == 3
    assert "nowhere/stacks.svg cannot be written: No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_environment_that_is_not_there_is_a_usage_error(scaffolder_cli: Path, folder: Path) -> None:
    done = run(scaffolder_cli, "platform.yaml", "--env", "prd", cwd=folder)
    assert (done.returncode, done.stdout) == (64, "")
    assert 'Did you mean "prod"?' in done.stderr
