"""An update that is killed, at any moment: the project is as before or as after, and nothing of the attempt is left."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Literal

import pytest

from scaffolder.errors import ProjectError
from scaffolder.projects.applying import apply, recover
from scaffolder.projects.merge import three_way
from tests.projects.histories import History, build, git, read_tree
from tests.projects.updating import expected, renderings, start

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
FILES = 60
MANY = 1_500


def project_of(count: int, folder: Path) -> Path:
    return build(History(name="", old=start(count), new={}, expected={}), folder)


def updating(project: Path, count: int) -> subprocess.Popen[str]:
    """Start the update of a project in a process group of its own."""
    return subprocess.Popen(
        (sys.executable, "-m", "tests.projects.updating", str(project), str(count)),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def state_of(project: Path, count: int) -> Literal["old", "new"]:
    """Which of the two trees is there, to the byte, the mode and git's own opinion; fails if it is neither."""
    found = read_tree(project)
    assert found in (start(count), expected(count))
    status = git(project, "status", "--porcelain", "--untracked-files=all").splitlines()
    if found == start(count):
        assert status == []
        return "old"
    assert status
    assert [line for line in status if line[1] != " "] == []
    return "new"


def assert_nothing_is_left(project: Path) -> None:
    inside = {path.name for path in (project / ".git").iterdir()}
    assert {name for name in inside if "scaffolder" in name or name.endswith(".lock")} == set()


@pytest.mark.parametrize(("how", "times"), [(signal.SIGKILL, 50), (signal.SIGINT, 10), (signal.SIGTERM, 5)])
def test_an_update_that_is_killed_at_any_moment_is_done_or_was_never_begun(
    how: signal.Signals, times: int, tmp_path: Path
) -> None:
    pristine = project_of(FILES, tmp_path)
    taken = [once(pristine, tmp_path / f"measure-{number}", None)[1] for number in range(3)]
    chance = random.Random(6)  # noqa: S311 - the same moments each time
    longest_s = max(taken) * 1.02
    seen: list[str] = []
    while len(seen) < times or (how is signal.SIGKILL and len({*seen}) < 2 and len(seen) < 2 * times):
        moment_s = chance.uniform(0, longest_s)
        seen.append(once(pristine, tmp_path / f"try-{len(seen)}", moment_s, how)[0])
        if seen[-8:] == ["old"] * 8:  # the machine is busier than it was: an update takes longer
            longest_s *= 1.5
        elif seen[-8:] == ["new"] * 8:
            longest_s /= 1.5
    if how is signal.SIGKILL:
        # Where all were early or all late, nothing was shown.
        assert set(seen) == {"old", "new"}


def once(
    pristine: Path, project: Path, after_s: float | None, how: signal.Signals = signal.SIGKILL
) -> tuple[str, float]:
    """Update a copy of a project, kill the update after some seconds; which tree is there, and how long it took."""
    shutil.copytree(pristine, project, symlinks=True)
    git(project, "status")
    began = time.monotonic()
    process = updating(project, FILES)
    if after_s is not None:
        time.sleep(after_s)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
    told, _ = process.communicate(timeout=120)  # the pipe closes with the last process that has it
    took = time.monotonic() - began
    if after_s is None:
        assert told == "updated\n"
    state = state_of(project, FILES)
    recover(project)
    assert state_of(project, FILES) == state
    assert_nothing_is_left(project)
    git(project, "fsck", "--strict", "--no-dangling")
    if state == "old":
        old, new = renderings(FILES)
        with three_way(project, old, new, label_new="model 2.0.0") as merge:
            apply(merge)
        assert state_of(project, FILES) == "new"
    shutil.rmtree(project)
    return state, took


def dies(project: Path, chance: random.Random) -> bool:
    """Kill an update and the child that moves files, as the end of the machine would; whether it was in the middle."""
    process = updating(project, MANY)
    mover = moving_child(process)
    journal = project / ".git" / "scaffolder-update" / "journal.json"
    if mover is not None:
        while process.poll() is None and not journal.exists():
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.1))
        with suppress(ProcessLookupError):
            os.kill(mover, signal.SIGKILL)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=120)
    return journal.exists()


def moving_child(process: subprocess.Popen[str]) -> int | None:
    """The child that leads a session of its own, as soon as it is there; none if the program ends first."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None:
        with suppress(OSError):
            for child in map(int, children.read_text().split()):
                if os.getsid(child) == child:
                    return child
    return None


@pytest.fixture
def half_done(tmp_path: Path) -> Path:
    """A project whose update the end of the machine interrupted after its journal was named."""
    if not Path("/proc/self/task").is_dir():
        pytest.skip("there is no /proc, where the child that moves files can be found")
    pristine = project_of(MANY, tmp_path)
    chance = random.Random(7)  # noqa: S311 - the same moments each time
    for number in range(30):
        project = tmp_path / f"try-{number}"
        shutil.copytree(pristine, project, symlinks=True)
        git(project, "status")
        if dies(project, chance) and list((project / ".git" / "scaffolder-update" / "files").rglob("*.txt")):
            return project
        # What is not in the middle is done, or was never begun.
        recover(project)
        state_of(project, MANY)
        assert_nothing_is_left(project)
        shutil.rmtree(project)
    pytest.fail("none of 30 updates was interrupted in the middle")


def test_the_next_command_finishes_what_the_end_of_the_machine_interrupted(half_done: Path) -> None:
    assert recover(half_done) == "finished"
    assert state_of(half_done, MANY) == "new"
    assert_nothing_is_left(half_done)
    assert recover(half_done) == "nothing"


def test_what_was_changed_in_an_interrupted_update_is_not_written_over(half_done: Path) -> None:
    waiting = sorted((half_done / ".git" / "scaffolder-update" / "files").rglob("*.txt"))
    path = waiting[0].relative_to(half_done / ".git" / "scaffolder-update" / "files")
    (half_done / path).parent.mkdir(parents=True, exist_ok=True)
    (half_done / path).write_bytes(b"written in between\n")
    with pytest.raises(ProjectError, match=f"{path} changed while the update was made"):
        recover(half_done)
    assert (half_done / path).read_bytes() == b"written in between\n"
    (half_done / path).unlink()
    assert recover(half_done) == "finished"
    assert state_of(half_done, MANY) == "new"


def test_an_owner_who_went_on_without_an_interrupted_update_is_left_alone(half_done: Path) -> None:
    (half_done / ".git" / "index.lock").unlink()
    git(half_done, "reset", "-q", "--hard")
    git(half_done, "clean", "-q", "-d", "-f")
    assert recover(half_done) == "left"
    assert state_of(half_done, MANY) == "old"
    assert_nothing_is_left(half_done)
