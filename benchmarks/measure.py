"""Run a command to its end and say how long it took or how much memory it held, all its processes together.

Time and memory come from different runs, because watching memory costs time. Linux only: memory is read from
``/proc``. May not know what is measured.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

__all__ = ["Command", "FailedError", "Timing", "command_environment", "peak_mib", "timed"]

_PROC = Path("/proc")
_POLL_S = 0.002
_SHOWN_CHARACTERS = 4000


class FailedError(Exception):
    """A measured command failed, so its numbers mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is run, where, and with which environment (the whole of it)."""

    argv: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Timing:
    """One run: time on the wall, and the processors' time of all its processes, children such as Node included."""

    seconds: float
    cpu_seconds: float


def timed(command: Command) -> Timing:
    """Run a command, undisturbed.

    Raises:
        FailedError: it did not exit with 0.
    """
    with TemporaryFile() as talk:
        start = time.perf_counter()
        process = _started(command, talk)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        _check(command, process.returncode, talk)
    return Timing(seconds, usage.ru_utime + usage.ru_stime)


def peak_mib(command: Command) -> float:
    """Run a command and give the most memory that its processes held at one moment, in MiB.

    That is the largest sum of resident memory over the process and all its descendants, read every few milliseconds,
    or one process's own high-water mark where that is larger. Pages that two processes share are counted in both.

    Raises:
        FailedError: it did not exit with 0.
    """
    peak_kib = 0
    with TemporaryFile() as talk:
        process = _started(command, talk)
        while process.poll() is None:
            resident, marks = _memory_kib(_family(process.pid))
            peak_kib = max(peak_kib, resident, marks)
            time.sleep(_POLL_S)
        _check(command, process.returncode, talk)
    return peak_kib / 1024


def _started(command: Command, talk: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command.argv,
        cwd=command.cwd,
        env=dict(command.environment),
        stdin=subprocess.DEVNULL,
        stdout=talk,
        stderr=subprocess.STDOUT,
    )


def _check(command: Command, code: int, talk: IO[bytes]) -> None:
    if code:
        talk.seek(0)
        said = talk.read().decode(errors="replace")[-_SHOWN_CHARACTERS:]
        raise FailedError(f"exit code {code} from {' '.join(command.argv)}\n{said}")


def _family(root: int) -> set[int]:
    """Find a process and its descendants: not every kernel lists children, so each process is asked for its parent."""
    parents: dict[int, int] = {}
    for entry in os.listdir(_PROC):  # noqa: PTH208 - hundreds of times a second
        if entry.isdecimal():
            with suppress(OSError, ValueError, IndexError):
                after_name = (_PROC / entry / "stat").read_text().rpartition(")")[2]
                parents[int(entry)] = int(after_name.split()[1])
    family, grew = {root}, True
    while grew:
        found = {pid for pid, parent in parents.items() if parent in family} - family
        family |= found
        grew = bool(found)
    return family


def _memory_kib(processes: set[int]) -> tuple[int, int]:
    """Sum what processes hold now, and find the largest high-water mark of one."""
    held, marks = 0, [0]
    for pid in processes:
        fields = _status(pid)
        held += fields.get("VmRSS", 0)
        marks.append(fields.get("VmHWM", 0))
    return held, max(marks)


def _status(pid: int) -> dict[str, int]:
    with suppress(OSError):
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
        split = (line.partition(":") for line in lines if line.startswith(("VmRSS:", "VmHWM:")))
        return {name: int(value.split()[0]) for name, _, value in split}
    return {}


def command_environment(additions: Mapping[str, str]) -> dict[str, str]:
    """Take over this environment without Python's own settings: byte code is then cached as it is for a user."""
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))
    }
    return {**inherited, **additions}
