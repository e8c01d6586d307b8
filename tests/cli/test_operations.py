"""The commands that run a platform, as processes: an installed provider, terminals, Ctrl-C, and ``kill -9``."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.operations.installed import NAME, install_memory
from tests.operations.platforms import write_project

pytestmark = pytest.mark.cli


@pytest.fixture
def installed(cli: Cli, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The project is in the command's folder; with this environment a quick provider is there."""
    write_project(NAME, cli.folder)
    return {"PYTHONPATH": str(install_memory(tmp_path_factory.mktemp("installed")))}


@pytest.fixture
def slow(installed: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The same provider, whose steps take longer than a test waits."""
    del installed
    return {"PYTHONPATH": str(install_memory(tmp_path_factory.mktemp("slow"), pace_s=600.0))}


def started(cli: Cli, environment: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [cli.executable, *arguments, "--provider", NAME],
        cwd=cli.folder,
        env={**cli.environment, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read_until(process: subprocess.Popen[str], beginning: str) -> list[str]:
    """Read what is told, until a line begins so."""
    assert process.stderr is not None
    told = []
    for line in process.stderr:
        told.append(line.rstrip("\n"))
        if line.startswith(beginning):
            return told
    raise AssertionError(told)


def test_a_provider_that_is_not_installed_is_named_with_those_that_are(cli: Cli) -> None:
    write_project(NAME, cli.folder)
    ran = cli.run("runs", "list", "--provider", "memroy")
    assert (ran.code, ran.stdout) == (64, "")
    assert ran.stderr == (
        "error: there is no operations provider 'memroy'; there are aws, azure, gcp, local\n"
    )


def test_an_installed_provider_runs_the_platform_from_one_process_to_the_next(
    cli: Cli, installed: dict[str, str]
) -> None:
    assert cli.run("run", "train", "--provider", NAME, environment=installed).code == 0
    approved = cli.run("models", "approve", "churn", "1", "--provider", NAME, environment=installed)
    assert approved.stdout.startswith("churn 1: approved\n")
    spec = cli.folder / "elsewhere"
    (cli.folder / "platform.yaml").rename(cli.folder / "churn.yaml")
    lost = cli.run("models", "list", "--provider", NAME, environment=installed)
    assert (lost.code, lost.stdout) == (2, "")
    assert "platform.yaml" in lost.stderr
    found = cli.run("models", "list", "-f", "churn.yaml", "--provider", NAME, environment=installed)
    assert (found.code, not spec.exists()) == (0, True)
    assert "approved" in found.stdout


def test_ctrl_c_leaves_the_run_going_and_says_how_to_follow_or_stop_it(
    cli: Cli, slow: dict[str, str]
) -> None:
    process = started(cli, slow, "run", "train", "--env", "dev")
    read_until(process, "run run-000001 of train")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=600)
    assert (process.returncode, out) == (130, "")
    assert err.splitlines() == [
        "",
        "The run run-000001 goes on without you.",
        "  to follow it: scaffolder runs logs run-000001 --follow --env dev --provider memory",
        "  to stop it:   scaffolder runs cancel run-000001 --env dev --provider memory",
    ]
    listed = cli.run("runs", "list", "--provider", NAME, environment=slow)
    assert "queued" in listed.stdout
    stopped = cli.run("runs", "cancel", "run-000001", "--provider", NAME, environment=slow)
    assert stopped.stdout.startswith("run-000001: train stopping")


def test_a_rollout_that_was_killed_is_taken_up_by_the_same_command(
    cli: Cli, installed: dict[str, str]
) -> None:
    def run(*arguments: str) -> str:
        ran = cli.run(*arguments, "--provider", NAME, environment=installed)
        assert ran.code == 0, ran.stderr
        return ran.stdout

    for version in ("1", "2"):
        run("models", "register", "churn", "--artifact", "memory://m")
        run("models", "approve", "churn", version)
    run("models", "deploy", "churn", "1")
    process = started(cli, installed, "models", "deploy", "churn", "2", "--step-wait", "1h")
    read_until(process, "90 % to v001, 10 % to v002")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=600)[1].splitlines()[-4:] == [
        "The rollout stopped where it was; the endpoint goes on as it is.",
        "  to look at it: scaffolder endpoints show churn --provider memory",
        "  to go on:      scaffolder models deploy churn 2 --provider memory",
        "  to go back:    scaffolder models rollback churn --provider memory",
    ]
    process = started(cli, installed, "models", "deploy", "churn", "2", "--step-wait", "1h")
    read_until(process, "90 % to v001, 10 % to v002")
    process.kill()
    process.communicate(timeout=600)
    assert "90 % v001, 10 % v002" in run("endpoints", "list")
    assert run("models", "deploy", "churn", "2", "--dry-run").splitlines()[1:3] == [
        "  1. v002 is there already",
        "  2. traffic 90 % v001, 10 % v002, watched for 1 min 0 s",
    ]
    assert run("models", "deploy", "churn", "2", "--step-wait", "0s").endswith("100 % v002\n")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no terminals")
def test_a_terminal_shows_what_is_under_way_and_nothing_of_it_stays(cli: Cli, slow: dict[str, str]) -> None:
    reader, writer = os.openpty()
    process = subprocess.Popen(
        [cli.executable, "run", "train", "--provider", NAME],
        cwd=cli.folder,
        env={**cli.environment, **slow, "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=writer,
    )
    os.close(writer)
    seen, until = b"", time.monotonic() + 600
    while b"no step yet" not in seen and time.monotonic() < until:
        seen += os.read(reader, 4096)
    process.send_signal(signal.SIGINT)
    try:
        while more := os.read(reader, 4096):
            seen += more
    except OSError:  # Linux says so when the last writer is gone
        pass
    os.close(reader)
    process.wait(600)
    assert "\r\033[K  train queued: no step yet" in seen.decode()
    assert "\r\033[K\r\nThe run run-000001 goes on" in seen.decode()


def test_the_spec_may_be_anywhere_and_state_is_beside_it(cli: Cli, installed: dict[str, str]) -> None:
    below: Path = cli.folder / "below"
    write_project(NAME, below)
    ran = cli.run(
        *("run", "train", "--detach", "--spec", "below/platform.yaml"),
        *("--provider", NAME),
        environment=installed,
    )
    assert "--spec below/platform.yaml" in ran.stderr
    assert (below / ".scaffolder").is_dir()
    assert not (cli.folder / ".scaffolder").exists()


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no terminals")
@pytest.mark.parametrize(("typed", "code", "out"), [("churn\n", 0, "1 removed.\n"), ("y\n", 26, "")])
def test_destroy_asks_at_a_terminal_for_the_platforms_name(
    cli: Cli, installed: dict[str, str], typed: str, code: int, out: str
) -> None:
    cli.run("monitors", "run", "churn", "--provider", NAME, environment=installed)
    keyboard, terminal = os.openpty()
    process = subprocess.Popen(
        [cli.executable, "destroy", "--provider", NAME],
        cwd=cli.folder,
        env={**cli.environment, **installed},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.write(keyboard, typed.encode())
    told, err = process.communicate(timeout=600)
    os.close(keyboard)
    os.close(terminal)
    assert (process.returncode, told) == (code, out)
    assert "Type the platform's name (churn) to remove all of these: " in err
    assert ("nothing was removed" in err) is bool(code)
