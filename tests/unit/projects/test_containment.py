"""Work of a stranger's template in a process of its own: its bounds stop it, and nothing is left behind."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from scaffolder.errors import TemplateError
from scaffolder.projects.containment import Bounds, contained
from scaffolder.projects.jinja import Jinja

Work = Callable[[], tuple[object, bytes]]
TIGHT = Bounds(seconds=1, memory_mib=64, result_bytes=100_000)


def jinja(source: str) -> Work:
    return lambda: (Jinja({}, {}).text(source, {}, "a.txt", 10**9), b"")


def children() -> set[int]:
    """Processes whose parent this one is."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if re.search(rf"^PPid:\s+{os.getpid()}$", text, re.MULTILINE):
            found.add(int(status.parent.name))
    return found


def forever() -> tuple[object, bytes]:
    while True:
        pass


def asleep() -> tuple[object, bytes]:
    time.sleep(3600)
    return "never", b""


def greedy() -> tuple[object, bytes]:
    return len(bytearray(1 << 30)), b""


def talkative() -> tuple[object, bytes]:
    return "much", b"x" * 10_000_000


def dead() -> tuple[object, bytes]:
    os.kill(os.getpid(), signal.SIGKILL)
    return "never", b""


def wrong() -> tuple[object, bytes]:
    raise KeyError("a\x1b[2Jb\nsecond line")


def deep() -> tuple[object, bytes]:
    return deep()


def refused() -> tuple[object, bytes]:
    raise TemplateError("a.txt:3: a reason, with ümlauts\nand a second line")


def broken() -> tuple[object, bytes]:
    return object(), b""


STOPPED = {
    "time": (forever, "the work took more than 1 seconds, and was stopped"),
    "waiting": (asleep, "the work took more than 1 seconds, and was stopped"),
    "memory": (greedy, "the work took more than 64 MiB of memory, and was stopped"),
    "memory by Jinja": (
        jinja("{{ 'x' * 10**9 }}"),
        "the work took more than 64 MiB of memory, and was stopped",
    ),
    "memory by a loop": (
        jinja(
            "{% set ns = namespace(a='x') %}{% for i in range(40) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}"
        ),
        "the work took more than 64 MiB of memory, and was stopped",
    ),
    "a power without an end": (
        jinja("{{ 9 ** (9 ** 9) }}"),
        "the work took more than 1 seconds, and was stopped",
    ),
    "loops in loops": (
        jinja("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"),
        "the work took more than 1 seconds, and was stopped",
    ),
    "output": (talkative, "the work gave more than 100000 bytes, and was stopped"),
    "recursion": (deep, "the work calls itself without an end"),
    "a kill": (dead, "the work took more than 1 seconds or too much memory, and was stopped"),
    "another error": (wrong, "the work failed: KeyError: 'a\\x1b[2Jb\\nsecond line'"),
    "its own reason": (refused, "a.txt:3: a reason, with ümlauts\nand a second line"),
    "a value that is no data": (
        broken,
        "the work failed: TypeError: Object of type object is not JSON serializable",
    ),
}


@pytest.mark.parametrize(("work", "told"), STOPPED.values(), ids=STOPPED.keys())
def test_what_goes_beyond_its_bounds_is_stopped_and_leaves_no_process(work: Work, told: str) -> None:
    before = children()
    started = time.monotonic()
    bounds = TIGHT if "seconds" in told else replace(TIGHT, seconds=600)  # a busy machine takes its time
    with pytest.raises(TemplateError) as stopped:
        contained(work, "the work", bounds)
    assert str(stopped.value) == told
    assert time.monotonic() - started < 300
    assert children() == before


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (None, b""),
        ([["a\nb", True, 0], ["größe/文.txt", False, 3]], b"\n\n\n"),
        ({"k": [1, 2.5, "\ud800", "\x00"]}, bytes(range(256)) * 1000),
    ],
)
def test_what_comes_back_is_what_was_given(value: object, content: bytes) -> None:
    assert contained(lambda: (value, content), "the work") == (value, content)


def test_what_is_printed_goes_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    def talking() -> tuple[object, bytes]:
        os.write(1, b"out")
        os.write(2, b"err")
        return os.read(0, 10).decode(), b""

    assert contained(talking, "the work") == ("", b"")
    assert capfd.readouterr() == ("", "")


def test_what_waits_in_this_process_to_be_printed_is_printed_once(capfd: pytest.CaptureFixture[str]) -> None:
    sys.stdout.write("once")
    contained(lambda: (None, b""), "the work")
    sys.stdout.flush()
    assert capfd.readouterr().out == "once"


def test_no_file_can_be_written(tmp_path: Path) -> None:
    def writing() -> tuple[object, bytes]:
        (tmp_path / "made").write_text("x")
        return None, b""

    with pytest.raises(TemplateError, match=r"^the work "):
        contained(writing, "the work")
    assert not (tmp_path / "made").exists() or not (tmp_path / "made").read_bytes()


def test_no_descriptor_is_left_open() -> None:
    before = len([*Path("/proc/self/fd").iterdir()])
    for _ in range(5):
        contained(lambda: (1, b"x"), "the work")
        with pytest.raises(TemplateError):
            contained(refused, "the work")
    assert len([*Path("/proc/self/fd").iterdir()]) == before


ABANDONED = """
import os, re, sys, time
from scaffolder.projects.containment import Bounds, contained_together

def at_work(how):
    def work():
        os.write(int(sys.argv[1]), b"x")
        while how == "sleeping":
            time.sleep(1)
        re.fullmatch("(a*)*b", "a" * 60)  # in C, where no handler of Python's is called
        return None, b""
    return work

contained_together([at_work("sleeping"), at_work("matching")], "the work", Bounds(seconds=600))
"""


def test_a_child_ends_with_its_parent_whatever_it_is_at() -> None:
    reading, writing = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", ABANDONED, str(writing)], pass_fds=[writing], stdout=subprocess.PIPE
    ) as parent:
        os.close(writing)
        with open(reading, "rb", buffering=0) as pipe:  # noqa: PTH123 - it has a number, no path
            begun = b""
            while len(begun) < 2:
                begun += pipe.read(2)
            parent.kill()
            parent.wait()
            # The pipe ends when the last of the processes that hold it has ended.
            assert select.select([pipe], [], [], 300)[0]
            assert pipe.read(1) == b""
