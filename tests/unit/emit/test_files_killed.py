"""Real SIGKILLs: before every single file operation of a write, and at random moments of many writes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stacks.emit.exchange import exchange, exchange_by_two_renames
from stacks.emit.files import write_output

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
OLD = {"manifest.json": b"old\n", "stacks/a/cdk.tf.json": b"same\n", "stacks/gone/cdk.tf.json": b"old\n"}
NEW = {"manifest.json": b"new\n", "stacks/a/cdk.tf.json": b"same\n", "stacks/fresh/cdk.tf.json": b"new\n"}
OTHERS = {
    "stacks/a/.terraform/plugin": b"\0plugin",
    "stacks/gone/terraform.tfstate": b"state",
    "notes": b"mine",
}

# Kills itself before its n-th file operation; exits with 0 when there were fewer.
KILLED_AT = """
import ast, os, signal, sys
from pathlib import Path
from stacks.emit import exchange
from stacks.emit.files import write_output
out, swap, moment, files = sys.argv[1:]
left = int(moment)
events = {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.utime", "open",
          "ctypes.dlsym", "os.scandir", "fcntl.flock"}
def hook(event, arguments):
    global left
    if event in events:
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1
files = ast.literal_eval(files)
sys.addaudithook(hook)
write_output(Path(out), files, swap=getattr(exchange, swap))
os._exit(0)
"""

# Writes two outputs in turn until it is killed.
ALTERNATING = """
import ast, sys
from pathlib import Path
from stacks.emit.files import write_output
out, one, other = sys.argv[1:]
one, other = ast.literal_eval(one), ast.literal_eval(other)
print("ready", flush=True)
while True:
    write_output(Path(out), one)
    write_output(Path(out), other)
"""


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".scaffolder.json"
    }


def child(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-B", "-S", "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )


def prepare(out: Path, old: dict[str, bytes]) -> None:
    write_output(out, old)
    for path, data in OTHERS.items():
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        (out / path).write_bytes(data)


def killed_at(out: Path, swap: str, moment: int) -> bool:
    """Run a write that is killed at a moment; say whether it was."""
    with child(KILLED_AT, str(out), swap, str(moment), repr(NEW)) as process:
        process.communicate()
    assert process.returncode in {0, -signal.SIGKILL}
    return process.returncode != 0


def compile_all(out: Path, swap: str) -> None:
    """Write once with what is imported compiled: a file that is compiled between two writes would shift their moments."""
    prepare(out, OLD)
    arguments = [str(out), swap, "1000000", repr(NEW)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run([sys.executable, "-S", "-c", KILLED_AT, *arguments], env=environment, check=True)


@pytest.mark.parametrize("swap", ["exchange", "exchange_by_two_renames"])
def test_killed_before_any_file_operation_the_folder_is_old_or_new(tmp_path: Path, swap: str) -> None:
    compile_all(tmp_path / "compiled" / "out", swap)
    seen = {"old": 0, "new": 0, "missing": 0}
    moment, killed = 0, True
    while killed:
        out = tmp_path / str(moment) / "out"
        prepare(out, OLD)
        killed = killed_at(out, swap, moment)
        if not out.exists():
            seen["missing"] += 1
        else:
            found = content(out)
            assert found in ({**OLD, **OTHERS}, {**NEW, **OTHERS}), f"a mix after {moment} operations"
            seen["old" if found == {**OLD, **OTHERS} else "new"] += 1
        again = getattr(sys.modules[exchange.__module__], swap)
        write_output(out, NEW, swap=again)
        assert content(out) == {**NEW, **OTHERS}
        assert [path.name for path in out.parent.iterdir()] == ["out"]
        moment += 1
    assert seen["old"] > 20
    assert seen["new"] > 5
    # Where the system exchanges folders in one step there is no moment without one.
    assert seen["missing"] <= (1 if swap == "exchange_by_two_renames" else 0)


def test_a_first_write_that_is_killed_leaves_nothing_or_all(tmp_path: Path) -> None:
    moment, killed = 0, True
    while killed:
        out = tmp_path / str(moment) / "out"
        out.parent.mkdir()
        killed = killed_at(out, "exchange", moment)
        assert not out.exists() or content(out) == NEW
        write_output(out, NEW)
        assert content(out) == NEW
        assert [path.name for path in out.parent.iterdir()] == ["out"]
        moment += 1
    assert moment > 10


def test_killed_at_random_moments_the_folder_is_one_of_both(tmp_path: Path) -> None:
    out = tmp_path / "out"
    prepare(out, OLD)
    chance = random.Random(20)  # noqa: S311 - moments, not secrets
    seen: set[bytes] = set()
    for number in range(600):
        if number >= 60 and len(seen) == 2:
            break
        with child(ALTERNATING, str(out), repr(OLD), repr(NEW)) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0, 0.02) * (1 + number // 60))  # a busy machine may write more slowly
            process.kill()
        found = content(out)
        assert found in ({**OLD, **OTHERS}, {**NEW, **OTHERS})
        seen.add(found["manifest.json"])
    assert seen == {b"old\n", b"new\n"}
    write_output(out, NEW)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_system_under_test_can_exchange_folders_in_one_step(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    exchange(tmp_path / "one", tmp_path / "other", tmp_path / "aside")
    assert (tmp_path / "one/other").exists()
    exchange_by_two_renames(tmp_path / "one", tmp_path / "other", tmp_path / "aside")
    assert (tmp_path / "other/other").exists()
    assert (tmp_path / "aside/one").exists()
