"""``scaffolder new``: whole or not at all, over nothing of anybody's, and with words for what is wrong."""

from __future__ import annotations

import json
import os
import pty
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from scaffolder.pipeline import synthesize
from scaffolder.spec.load import load_spec
from tests.templates.projects import files_of, new_project

pytestmark = pytest.mark.cli

KILLS = 30
WRITES_S = 0.004
"""About as long as a project takes to be put in its place."""


def run(scaffolder: Path, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run it without a terminal."""
    return subprocess.run(
        [scaffolder, "new", *arguments],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_project_is_made_and_the_next_steps_are_said(scaffolder_cli: Path, tmp_path: Path) -> None:
    done = run(scaffolder_cli, "platform", "churn", "--ci", "none", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == f"churn: {len(files_of(tmp_path / 'churn'))} files"
    assert done.stdout.splitlines()[-6:] == [
        "Next:",
        "  cd churn",
        "  pip install -r requirements.txt",
        "  scaffolder preview",
        "  cdktf deploy churn-dev-state   # once: the others keep their state there",
        "  cdktf deploy 'churn-dev-*'",
    ]
    assert done.stderr == (
        "Taken by default, and yours to change in platform.yaml: name churn, owner ml-platform, provider aws, "
        "region eu-west-1, account 123456789012, email ml-platform@example.com, engine cdktf\n"
    )


def test_a_dry_run_makes_nothing(scaffolder_cli: Path, tmp_path: Path) -> None:
    done = run(scaffolder_cli, "platform", "churn", "--dry-run", "--json", cwd=tmp_path)
    made = json.loads(done.stdout)
    assert made["dry_run"] is True
    assert "platform.yaml" in made["files"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--account", "12"], 'error: account must be an AWS account\'s 12 digits, not "12"'),
        (
            ["--name", "Fraud!"],
            'error: name must be lower-case words joined by hyphens, 3 to 20 characters, not "Fraud!"',
        ),
        (
            ["--region", "eu-wst-1"],
            'error: the answers make no valid platform:\ntarget.region "eu-wst-1" is not a region',
        ),
        (["--engine", "cdk"], "Error: Invalid value for '--engine': 'cdk' is not one of 'cdktf', 'cdktn'."),
    ],
)
def test_an_answer_that_does_not_fit_is_refused(
    scaffolder_cli: Path, tmp_path: Path, flags: list[str], told: str
) -> None:
    done = run(scaffolder_cli, "platform", "churn", *flags, cwd=tmp_path)
    assert done.returncode == 64
    assert told in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_refused_and_left_alone(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "churn"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    done = run(scaffolder_cli, "platform", "churn", cwd=tmp_path)
    assert done.returncode == 3
    assert f"error: {folder} is not empty: it holds mine.txt." in done.stderr
    assert files_of(tmp_path) == {"churn/mine.txt": b"mine"}


def test_an_empty_folder_is_filled(scaffolder_cli: Path, tmp_path: Path) -> None:
    (tmp_path / "churn").mkdir()
    assert run(scaffolder_cli, "platform", "churn", cwd=tmp_path).returncode == 0
    assert (tmp_path / "churn" / "platform.yaml").is_file()


@pytest.mark.parametrize("owner", ["1234", "on", "a: b", "@team", "- team", "null"])
def test_an_owner_is_text_whatever_yaml_makes_of_it(scaffolder_cli: Path, tmp_path: Path, owner: str) -> None:
    done = run(scaffolder_cli, "platform", "churn", "--name", "yes", "--owner", owner, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    spec = load_spec(tmp_path / "churn" / "platform.yaml").environments[0].spec
    assert (spec.name, spec.owner) == ("yes", owner)


@pytest.mark.parametrize("folder", ["{{ cookiecutter.name }}", 'my "churn"', "{% if", "Ünï", "$HOME", "a/b"])
def test_a_folder_may_have_any_name_and_lie_anywhere(
    scaffolder_cli: Path, tmp_path: Path, folder: str
) -> None:
    done = run(scaffolder_cli, "platform", folder, "--ci", "github", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    settings = json.loads((tmp_path / folder / "cdktf.json").read_text())
    assert re.fullmatch(r"[A-Za-z0-9._-]+", settings["projectId"])
    assert synthesize(tmp_path / folder / "platform.yaml").stacks


@pytest.mark.parametrize("flags", [["--dry-run"], ["--region", "eu-wst-1"]])
def test_what_is_not_made_leaves_no_folders_on_the_way(
    scaffolder_cli: Path, tmp_path: Path, flags: list[str]
) -> None:
    run(scaffolder_cli, "platform", "a/b/churn", *flags, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_current_folder_is_refused_since_it_would_be_another_one_afterwards(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    done = run(scaffolder_cli, "platform", ".", "--name", "churn", cwd=tmp_path)
    assert done.returncode == 3
    assert (
        done.stderr.splitlines()[-1]
        == f"error: {tmp_path} is the current folder, and would be replaced. Run this from outside of it."
    )


def test_what_a_killed_run_left_is_taken_away(scaffolder_cli: Path, tmp_path: Path) -> None:
    left = tmp_path / ".scaffolder-new" / "project" / "tests"
    left.mkdir(parents=True)
    (left / "half").write_text("")
    assert run(scaffolder_cli, "platform", "churn", cwd=tmp_path).returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["churn"]
    assert not (tmp_path / "churn" / "tests" / "half").exists()


def test_runs_beside_each_other_wait_for_each_other(scaffolder_cli: Path, tmp_path: Path) -> None:
    names = ["one", "two", "three", "four"]
    runs = [
        subprocess.Popen(
            [scaffolder_cli, "new", "platform", tmp_path / name, "--defaults"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for name in names
    ]
    assert [each.wait(60) for each in runs] == [0] * len(names)
    assert {path.name for path in tmp_path.iterdir()} == {*names}


def test_the_users_own_settings_of_cookiecutter_are_neither_read_nor_written(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    settings = tmp_path / ".cookiecutterrc"
    settings.write_text(f"default_context: {{owner: theirs}}\nreplay_dir: {tmp_path / 'replay'}\n")
    subprocess.run(
        [scaffolder_cli, "new", "platform", "churn", "--defaults"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={"HOME": str(tmp_path), "COOKIECUTTER_CONFIG": str(settings), "PATH": os.defpath},
    )
    assert {path.name for path in tmp_path.iterdir()} == {"churn", ".cookiecutterrc"}
    assert "theirs" not in (tmp_path / "churn" / "platform.yaml").read_text()


def test_at_a_terminal_each_open_question_is_asked_until_its_answer_fits(
    scaffolder_cli: Path, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [scaffolder_cli, "new", "platform", "churn", "--engine", "cdktn", "--region", "eu-north-1"],
        cwd=tmp_path,
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, b"\nteam: a\naws\n12\n\nnobody\nops@acme.io\ngithb\nnone\n")
        try:
            stdout, stderr = process.communicate(timeout=60)
        finally:
            process.kill()  # it would wait for an answer that nobody gives
    os.close(ours)
    os.close(theirs)
    assert process.returncode == 0, stderr
    assert stdout.startswith(f"churn: {len(files_of(tmp_path / 'churn'))} files\n")
    for told in (
        'account must be an AWS account\'s 12 digits, not "12"\nAWS account [123456789012]: ',
        'email must be a mail address, such as team@example.com, not "nobody"\n',
        'ci must be one of github, gitlab, circleci, jenkins, azure-devops, none, not "githb". ',
    ):
        assert told in stderr
    for not_asked in ("AWS region", "CDKTF engine", "Repository"):
        assert not_asked not in stderr
    spec = load_spec(tmp_path / "churn" / "platform.yaml").environments[0].spec
    assert (spec.owner, spec.target.region, spec.identity.ci) == ("team: a", "eu-north-1", None)
    assert spec.alerts.emails == ("ops@acme.io",)


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_nothing_or_all(scaffolder_cli: Path, tmp_path: Path) -> None:
    """Half of the kills come while the project is put in its place, the others at any time; one comes at once."""
    (tmp_path / "whole").mkdir()
    whole = files_of(new_project(scaffolder_cli, tmp_path / "whole" / "churn"))
    started = time.monotonic()
    new_project(scaffolder_cli, tmp_path / "whole" / "again")
    lasts_s = time.monotonic() - started
    moments = random.Random(0)  # noqa: S311 - the same moments every time
    made = []
    for number in range(KILLS):
        place = tmp_path / f"killed-{number}"
        place.mkdir()
        process = subprocess.Popen(
            [scaffolder_cli, "new", "platform", place / "churn", "--defaults"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        if number % 2:
            while process.poll() is None and not any(place.iterdir()):
                time.sleep(0.0001)
            time.sleep(moments.uniform(0, WRITES_S))
        elif number:
            time.sleep(moments.uniform(0, lasts_s))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        made.append((place / "churn").exists())
        if made[-1]:
            assert files_of(place / "churn") == whole
        again = run(scaffolder_cli, "platform", "other", cwd=place)
        assert again.returncode == 0, again.stderr
        assert [path.name for path in place.iterdir() if path.name.startswith(".scaffolder")] == []
    assert not made[0]
    assert sum(made) < KILLS
