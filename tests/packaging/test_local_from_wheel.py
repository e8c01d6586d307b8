"""Example 10 from the built wheel in an environment of its own (`make test-wheel` makes it), once as it is told and once
with processes killed at random moments."""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.packaging.installed_story import Story, Victim, copied

pytestmark = [pytest.mark.slow, pytest.mark.wheel]

SEED = int(os.environ.get("SCAFFOLDER_KILLS_SEED", "1998"))
STORY_S = 300
LATER = "1998-01-02"
A_CUSTOMER = """\
orders,discs,spent,largest,days_since_last,days_since_first,orders_90d,spent_90d
1,2,30.0,30.0,20,200,1,30.0
"""


def found(variable: str) -> Path:
    path = os.environ.get(variable)
    if not path:
        pytest.skip(f"`make test-wheel` runs this: it sets {variable}")
    return Path(path)


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """The example in an otherwise empty folder; whatever a test leaves running is ended."""
    made = Story(found("SCAFFOLDER_LOCAL_PYTHON"), copied(tmp_path / "churn"))
    yield made
    made.run("destroy", "--yes", "churn")
    for process in made.processes():
        with suppress(ProcessLookupError):
            os.kill(process, 9)


def test_the_story_is_told_in_under_five_minutes_and_leaves_what_can_be_run_again(story: Story) -> None:
    (story.folder / "requirements.lock").write_text("# the packages of this environment\n")
    git(story.folder, "init", "--quiet")
    (story.folder / ".gitignore").write_text("data\n__pycache__\ndrift.html\n")
    git(story.folder, "add", ".")
    git(story.folder, "commit", "--quiet", "--message", "The example")
    before_s, begin = start_s(story), time.monotonic()
    told = story.script("story.py")
    took_s = time.monotonic() - begin
    assert took_s < STORY_S * max(1.0, before_s, start_s(story))
    alarms = re.findall(r"(\d+) of 10 breached", told)
    assert alarms[0] == "0"
    assert all(int(each) > 2 for each in alarms[1:])
    assert "version 2 of churn is better" in told
    assert "90 % to v001, 10 % to v002\n50 % to v001, 50 % to v002\n100 % to v002\n" in told
    assert (story.traffic(), [one["version"] for one in story.versions()]) == ({"v001": 100}, [2, 1])
    page = (story.folder / "drift.html").read_text()
    assert "days_since_first" in page

    # The newest training, on the data that is there: the same bytes; the first one's data is gone, and it says so.
    newest, first = (one["ref"] for one in story.runs() if one["pipeline"] == "train")
    again = story.done("runs", "reproduce", newest)
    assert "The same came out: 4 outputs have the digests of then." in again.stdout
    refused = story.run("runs", "reproduce", first)
    assert refused.code == 26
    assert "data: data:orders is not the same" in refused.stderr

    # The same commit, data and lock file elsewhere: the same model, to the bit.
    elsewhere = Story(story.python, story.folder.parent / "elsewhere")
    git(story.folder.parent, "clone", "--quiet", "churn", "elsewhere")
    (elsewhere.folder / "data").symlink_to(story.folder / "data")
    elsewhere.done("run", "train")
    (trained,), (newer, _) = elsewhere.versions(), story.versions()
    assert trained["source_commit"] == newer["source_commit"] != ""
    assert trained["digest"] == newer["digest"]
    assert trained["run"] != newer["run"]

    story.done("destroy", "--yes", "churn")
    assert story.processes_that_stay() == []
    assert [one for one in (story.folder / ".scaffolder").rglob("*") if one.stat().st_size > 10_000] == []


def start_s(story: Story) -> float:
    """How long the command's start takes: a second at most where the machine has time for us."""
    begin = time.monotonic()
    story.done("--version")
    return time.monotonic() - begin


def git(folder: Path, *words: str) -> None:
    who = ("-c", "user.name=growth-ml", "-c", "user.email=growth-ml@example.com")
    subprocess.run(["git", *who, *words], cwd=folder, check=True)


def test_the_story_ends_well_though_its_processes_are_killed_at_random_moments(story: Story) -> None:
    chance = random.Random(SEED)  # noqa: S311 - the same moments each time
    story.script("orders.py", "--until", "1997-10-28")
    trained(story, chance, "detached", 8.0, "run", "train")
    story.done("models", "approve", "churn", "1")
    done_at_last(story, chance, "command", 0.5, "models", "deploy", "churn", "1", "--now")
    story.script("orders.py", "--until", "1998-06-30")
    for window in range(2):
        victim = ("worker", "server")[window]
        hit, _ = story.killed(chance, victim, 0.0, "endpoints", "show", "churn")
        assert hit
        story.done("endpoints", "invoke", "churn", "--body", A_CUSTOMER)
        story.script("traffic.py", "--url", story.url(), "--as-of", LATER, "--skip", str(window * 800))
        done_at_last(story, chance, ("detached", "looking")[window], 2.0, "monitors", "run", "churn")
    (monitor,) = story.asked("monitors", "list")["monitors"]
    assert monitor["alarm"]

    done_at_last(story, chance, "command", 6.0, "retrain", "churn")
    story.idle()
    newest = story.versions()[0]["version"]
    story.done("models", "approve", "churn", str(newest))
    done_at_last(
        story,
        chance,
        "server",
        3.0,
        "models",
        "deploy",
        "churn",
        str(newest),
        "--step-wait",
        "1s",
        "--keep-old",
    )
    assert story.traffic() == {f"v{newest:03}": 100}
    done_at_last(story, chance, "command", 0.5, "models", "rollback", "churn", "--to", "1")
    assert story.traffic() == {"v001": 100}
    story.done("endpoints", "invoke", "churn", "--body", A_CUSTOMER)

    whole(story)
    story.done("destroy", "--yes", "churn")
    assert story.processes_that_stay() == []


def trained(story: Story, chance: random.Random, victim: Victim, most_s: float, *words: str) -> None:
    """Run a pipeline whose runner is killed; what is shown as failed is resumed, and succeeds."""
    hit, ran = story.killed(chance, victim, most_s, *words)
    newest = story.runs()[0]
    if not hit or newest["state"] == "succeeded":  # its runner had written the end, and was about to leave
        assert ran.code == 0, ran.stderr
        return
    assert (ran.code, newest["state"]) == (31, "failed"), (ran.stderr, newest)
    assert f"scaffolder runs resume {newest['ref']}" in ran.stderr
    story.done("runs", "resume", newest["ref"])
    assert story.runs()[0]["state"] == "succeeded"


def done_at_last(story: Story, chance: random.Random, victim: Victim, most_s: float, *words: str) -> None:
    """Run a command that something happens to; the same command typed again brings it to its end."""
    hit, ran = story.killed(chance, victim, most_s, *words)
    assert hit or ran.code == 0, ran.stderr
    if ran.code:
        story.idle()
        story.done(*words)
    assert "Traceback" not in ran.stderr


def whole(story: Story) -> None:
    """Each run has ended, each version has its files, and what the cache gives is what the registry has."""
    assert {one["state"] for one in story.runs()} <= {"succeeded", "failed"}
    versions = story.versions()
    assert [one["version"] for one in versions] == [*range(len(versions), 0, -1)]
    for one in versions:
        assert story.digest_of(one["artifact_uri"].removeprefix("file://")) == one["digest"]
    story.done("run", "train")
    newest, before, *_ = story.versions()
    assert newest["digest"] == before["digest"]
    steps = {one["name"]: one["cached"] for one in story.runs()[0]["steps"]}
    assert steps["features"]


def test_without_the_extra_an_operation_names_it_and_how_to_install_it(tmp_path: Path) -> None:
    executable = found("SCAFFOLDER_EXE")
    bare = Story(executable.with_name("python"), copied(tmp_path / "churn"))
    orders = bare.folder / "data" / "orders"
    orders.mkdir(parents=True)
    for words in (("run", "train"), ("models", "register", "churn", "--artifact", "data:orders")):
        refused = bare.run(*words)
        assert (refused.code, refused.stdout) == (5, "")
        assert "pip install 'scaffolder[local]'" in refused.stderr
        assert "Traceback" not in refused.stderr
    asked = bare.run("doctor")
    assert asked.code == 1
    assert asked.stdout.count("-> pip install 'scaffolder[local]'") == 3
