from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.cli

SPEC = """\
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
environments:
  dev: {}
  prod: {deletion_protection: true}
containers: {repositories: [training, serving]}
storage: {buckets: {exports: {}}}
"""
SAFE = SPEC.replace("[training, serving]", "[training, serving, batch]")
LOSING = SPEC.replace("[training, serving]", "[training]")


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    for name, text in (("old", SPEC), ("safe", SAFE), ("losing", LOSING), ("broken", "version: 1\n")):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def run(
    scaffolder: Path, *arguments: str, cwd: Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [scaffolder, *arguments],
        cwd=cwd,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_addition_is_shown_and_nothing_is_lost(scaffolder_cli: Path, specs: Path) -> None:
    done = run(scaffolder_cli, "diff", "old.yaml", "safe.yaml", "--env", "dev", cwd=specs)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("old.yaml -> safe.yaml\n\nenvironment dev\n")
    assert "\n      + aws_ecr_repository.batch\n      + aws_ecr_lifecycle_policy.batch\n" in done.stdout
    assert "!" not in done.stdout
    assert "\x1b" not in done.stdout
    assert "prod" not in done.stdout


def test_a_loss_is_marked(scaffolder_cli: Path, specs: Path) -> None:
    done = run(scaffolder_cli, "diff", "old.yaml", "losing.yaml", cwd=specs)
    assert "\n      - aws_ecr_repository.serving\n          ! loses every image in it\n" in done.stdout
    assert "\n! 2 changes may lose data or leave it behind.\n" in done.stdout


@pytest.mark.parametrize(
    ("new", "code"),
    [("old.yaml", 0), ("safe.yaml", 1), ("losing.yaml", 10), ("broken.yaml", 2)],
)
def test_the_exit_code_tells_nothing_changes_losses_and_errors_apart(
    scaffolder_cli: Path, specs: Path, new: str, code: int
) -> None:
    assert run(scaffolder_cli, "diff", "old.yaml", new, "--exit-code", cwd=specs).returncode == code
    without = 2 if new == "broken.yaml" else 0
    assert run(scaffolder_cli, "diff", "old.yaml", new, cwd=specs).returncode == without


def test_the_json_is_json_alone(scaffolder_cli: Path, specs: Path) -> None:
    done = run(scaffolder_cli, "diff", "old.yaml", "losing.yaml", "--json", "--exit-code", cwd=specs)
    document = json.loads(done.stdout)
    assert done.returncode == 10
    assert document["totals"]["data_losing"] == 2
    assert document["findings"] == []
    assert [each["name"] for each in document["environments"]] == ["dev", "prod"]


def test_the_json_of_a_broken_spec_has_its_findings(scaffolder_cli: Path, specs: Path) -> None:
    done = run(scaffolder_cli, "diff", "old.yaml", "broken.yaml", "--json", cwd=specs)
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (2, "")
    assert (document["totals"], document["environments"]) == (None, [])
    assert {finding["code"] for finding in document["findings"]} == {"missing"}
    assert {finding["file"] for finding in document["findings"]} == {"broken.yaml"}


def test_an_environment_on_one_side_only_can_be_asked_for(scaffolder_cli: Path, specs: Path) -> None:
    (specs / "one.yaml").write_text(
        SPEC.replace("  prod: {deletion_protection: true}\n", ""), encoding="utf-8"
    )
    done = run(scaffolder_cli, "diff", "one.yaml", "old.yaml", "--env", "prod", cwd=specs)
    assert "\n+ environment prod\n" in done.stdout
    done = run(scaffolder_cli, "diff", "one.yaml", "old.yaml", "--env", "stage", cwd=specs)
    assert (done.returncode, done.stdout) == (64, "")
    assert 'there is no environment "stage"; the specs have dev, prod.' in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["old.yaml"], "name OLD and NEW, or give --from REV or --target CLOUD and NEW"),
        (["old.yaml", "safe.yaml", "losing.yaml"], "diff compares two specs, not 3"),
        (["--from", "HEAD", "old.yaml", "safe.yaml"], "--from REV takes the place of OLD"),
        (["--from=--output=stolen", "old.yaml"], "is not a git revision"),
        (["--from", "HEAD", "old.yaml"], "git has no old.yaml there"),
    ],
)
def test_what_cannot_be_compared_is_a_usage_error(
    scaffolder_cli: Path, specs: Path, arguments: list[str], says: str
) -> None:
    # The folder is in no repository, whatever lies above it.
    environment = {"GIT_CEILING_DIRECTORIES": str(specs.parent)}
    done = run(scaffolder_cli, "diff", *arguments, cwd=specs, environment=environment)
    assert (done.returncode, done.stdout) == (64, "")
    assert says in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git on PATH")
def test_a_spec_is_compared_with_itself_at_a_git_revision(scaffolder_cli: Path, tmp_path: Path) -> None:
    folder = tmp_path / "deep er"
    folder.mkdir()
    spec = folder / "platform.yaml"
    spec.write_text(SPEC, encoding="utf-8")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"], ["tag", "v1"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    spec.write_text(LOSING, encoding="utf-8")
    done = run(scaffolder_cli, "diff", "--from", "v1", "deep er/platform.yaml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("v1:deep er/platform.yaml -> deep er/platform.yaml\n")
    assert "! loses every image in it" in done.stdout
    done = run(scaffolder_cli, "diff", "--from", "v2", "platform.yaml", cwd=folder)
    assert done.returncode == 64
    assert "v2" in done.stderr


@pytest.mark.skipif(shutil.which("git") is None, reason="there is no git on PATH")
def test_a_pipelines_code_is_compared_with_what_it_was_at_a_revision(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "deep er"
    code = folder / "pipelines" / "src"
    code.mkdir(parents=True)
    (folder / "platform.yaml").write_text(
        f"{SPEC}pipelines: {{train: {{definition: pipelines/train.yaml}}}}\n", encoding="utf-8"
    )
    (folder / "pipelines" / "train.yaml").write_text(
        'version: 1\nimage: "a.example.com/t:1"\ncode: pipelines/src\n'
        "steps: {one: {command: [python, one.py]}}\n",
        encoding="utf-8",
    )
    (code / "one.py").write_text("print(1)\n", encoding="utf-8")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *words], cwd=tmp_path, check=True)
    same = run(scaffolder_cli, "diff", "--from", "HEAD", "platform.yaml", "--exit-code", cwd=folder)
    assert same.returncode == 0, same.stdout + same.stderr
    (code / "one.py").write_text("print(2)\n", encoding="utf-8")
    done = run(scaffolder_cli, "diff", "--from", "HEAD", "platform.yaml", "--exit-code", cwd=folder)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "-/+ aws_s3_object.train--one-py" in done.stdout
    assert "~ aws_sagemaker_pipeline.train" in done.stdout
