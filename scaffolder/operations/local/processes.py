"""Processes of steps: started in a session of their own, ended with all that they started, found again after a crash.

What Linux has is used where it is there: a step dies with its runner, and what a step leaves behind becomes the runner's
child. May not know what a step does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

__all__ = [
    "MARK_OF_RUN",
    "MARK_OF_STEP",
    "adopt_orphans",
    "end",
    "end_leftovers",
    "leftovers",
    "marks_of",
    "reap_orphans",
    "start",
    "unmarked",
]

MARK_OF_RUN, MARK_OF_STEP = "SCAFFOLDER_RUN", "SCAFFOLDER_STEP"
"""The variables that mark every process of a step, and all that they start."""

_SET_DEATH_SIGNAL, _SET_SUBREAPER = 1, 36  # linux/prctl.h
_PROC = Path("/proc")


def _linux() -> Any:
    if sys.platform != "linux":
        return None
    import ctypes  # noqa: PLC0415 - only in a runner

    return ctypes.CDLL(None)


_C = None


def adopt_orphans() -> None:
    """Let what a step leaves behind become this process's child, so that it can be found and ended."""
    global _C  # noqa: PLW0603 - opened before the first fork, which must not open a library
    _C = _linux()
    if _C is not None:
        _C.prctl(_SET_SUBREAPER, 1, 0, 0, 0)


def start(
    command: Sequence[str], *, cwd: Path, variables: Mapping[str, str], output: int
) -> subprocess.Popen[bytes]:
    """Start a command in a session of its own, with its two outputs in one pipe and no input."""
    runner = os.getpid()

    def die_with_runner() -> None:
        if _C is not None:
            _C.prctl(_SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != runner:  # it died between the fork and here
                os._exit(1)

    return subprocess.Popen(  # noqa: S603 - the pipeline's command
        command,
        cwd=cwd,
        env=dict(variables),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
        preexec_fn=die_with_runner,  # noqa: PLW1509 - the runner has one thread
    )


def marks_of(run: Path, step: str = "") -> dict[str, str]:
    """The variables of a run's processes, or of one step's; the run's is its folder, which no other project has."""
    return {MARK_OF_RUN: os.path.realpath(run), **({MARK_OF_STEP: step} if step else {})}


def unmarked(variables: Mapping[str, str]) -> dict[str, str]:
    """Variables for a run that a step starts: it is no part of that step's run."""
    return {name: value for name, value in variables.items() if name not in {MARK_OF_RUN, MARK_OF_STEP}}


def end_leftovers(run: Path) -> None:
    """End what is left of a run whose runner is gone."""
    for process in leftovers(marks_of(run)):
        with suppress(OSError):
            os.kill(process, signal.SIGKILL)


def end(group: int, how: signal.Signals) -> None:
    """Send a signal to a process group; one that is gone is fine."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, how)


def reap_orphans(living: frozenset[int], marks: Mapping[str, str]) -> None:
    """End and bury what ended steps have left behind: children of ours that are no living step and carry the marks."""
    with suppress(OSError, ValueError):
        for each in (_PROC / f"self/task/{os.getpid()}/children").read_text().split():
            process = int(each)
            if process in living:
                continue
            with suppress(OSError):
                if os.waitpid(process, os.WNOHANG)[0] or not _marked(process, marks):
                    continue
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)


def leftovers(marks: Mapping[str, str]) -> Iterator[int]:
    """Yield the processes that carry the marks, whoever their parent is."""
    with suppress(OSError):
        for entry in os.scandir(_PROC):
            if entry.name.isdecimal() and int(entry.name) != os.getpid() and _marked(int(entry.name), marks):
                yield int(entry.name)


def _marked(process: int, marks: Mapping[str, str]) -> bool:
    """Whether a process was started with all of some variables; those of a dead one cannot be read."""
    try:
        variables = (_PROC / str(process) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return all(os.fsencode(f"{name}={value}") in variables for name, value in marks.items())
