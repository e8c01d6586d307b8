"""``scaffolder new``: whole or not at all, over nothing of anybody's, and with words for what is wrong."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.templates.projects import files_of, new_project

pytestmark = pytest.mark.cli

KILLS = 25


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
    assert done.stdout.splitlines()[0] == "churn: 9 files"
    assert done.stdout.splitlines()[-6:] == [
        "Next:",
        "  cd churn",
        "  pip install -r requirements.txt",
        "  scaffolder preview",
        "  cdktf deploy churn-dev-state   # once: the others keep their state there",
        "  cdktf deploy 'churn-dev-*'",
    ]
    assert done.stderr == (
        "Taken by default, and yours to change in platform.yaml: name churn, owner ml-platform, region eu-west-1, "
        "account 123456789012, engine cdktf\n"
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


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_nothing_or_all(scaffolder_cli: Path, tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    started = time.monotonic()
    whole = files_of(new_project(scaffolder_cli, tmp_path / "whole" / "churn"))
    lasts_s = time.monotonic() - started
    moments = random.Random(0)  # noqa: S311 - the same moments every time
    made = 0
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
        time.sleep(moments.uniform(0, lasts_s * 1.1))
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if (place / "churn").exists():
            made += 1
            assert files_of(place / "churn") == whole
        again = run(scaffolder_cli, "platform", "other", cwd=place)
        assert again.returncode == 0, again.stderr
        assert [path.name for path in place.iterdir() if path.name.startswith(".scaffolder")] == []
    assert made < KILLS
