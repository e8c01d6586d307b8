"""Runs a function that a stranger's template steers in a process of its own, with bounds on time and memory.

The process is a fork, so nothing is imported anew; what it returns comes back as JSON and bytes, never as objects. May
not know what the function does.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NoReturn

from scaffolder.errors import TemplateError
from scaffolder.projects.tree import shown_path
from stacks.record import record

__all__ = ["BOUNDS", "Bounds", "contained", "contained_together"]


@record
class Bounds:
    """What one rendering may take."""

    seconds: int = 20
    memory_mib: int = 768
    """Beyond what this process has already."""
    result_bytes: int = 64 * 1024 * 1024


BOUNDS = Bounds()
PIECE = 1 << 16


def contained(
    function: Callable[[], tuple[object, bytes]], what: str, bounds: Bounds = BOUNDS
) -> tuple[object, bytes]:
    """Call a function apart, and return the JSON value and the bytes that it returned.

    Raises:
        TemplateError: the function raised one, did not end in time, took too much memory, or gave back too much.
            ``what`` names the function's work in the message.
    """
    return contained_together((function,), what, bounds)[0]


def contained_together(
    functions: Sequence[Callable[[], tuple[object, bytes]]], what: str, bounds: Bounds = BOUNDS
) -> tuple[tuple[object, bytes], ...]:
    """Call some functions apart at the same time, each within the bounds; the results in the functions' order.

    Raises:
        TemplateError: as :func:`contained`, of the first function in that order that has one.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    running: list[_Running] = []
    try:
        running.extend(_started(function, what, bounds) for function in functions)
        return tuple(each.result(what, bounds) for each in running)
    finally:
        for each in running:
            each.end()


class _Running:
    """A function at work in a child."""

    def __init__(self, reader: int, child: int, until: float) -> None:
        self._reader = reader
        self._child = child
        self._until = until
        self._status: int | None = None

    def result(self, what: str, bounds: Bounds) -> tuple[object, bytes]:
        received = _received(self._reader, self._child, what, bounds, self._until)
        return _opened(received, self.end(), what, bounds)

    def end(self) -> int:
        """End the child if it has not ended; how it ended."""
        if self._status is None:
            os.close(self._reader)
            with suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)
            _, self._status = os.waitpid(self._child, 0)
        return self._status


def _started(function: Callable[[], tuple[object, bytes]], what: str, bounds: Bounds) -> _Running:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _work(function, writer, what, bounds)
    os.close(writer)
    return _Running(reader, child, time.monotonic() + bounds.seconds)


def _work(function: Callable[[], tuple[object, bytes]], writer: int, what: str, bounds: Bounds) -> NoReturn:
    """Be the child: never return, and leave no trace in the parent's streams."""
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        _bound(bounds)
        _end_with_reader(writer)
        try:
            value, content = function()
            head = json.dumps({"value": value, "bytes": len(content)})
        except TemplateError as error:
            head, content = json.dumps({"problem": str(error)}), b""
        except MemoryError:
            head, content = json.dumps({"memory": True}), b""
        except RecursionError:
            head, content = json.dumps({"problem": f"{what} calls itself without an end"}), b""
        except Exception as error:  # noqa: BLE001 - the parent says what it was
            head, content = json.dumps({"problem": f"{what} failed: {_told(error)}"}), b""
        signal.signal(signal.SIGIO, signal.SIG_IGN)  # from here on, it would come whenever the parent reads
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(head.encode() + b"\n" + content)
        code = 0
    except BaseException:  # noqa: BLE001, S110 - whatever it is, the parent sees that no answer came
        pass
    finally:
        os._exit(code)


def _told(error: Exception) -> str:
    """An error in one line; what a stranger wrote into it cannot steer a terminal."""
    first = (str(error).splitlines() or [""])[0]
    return shown_path(f"{type(error).__name__}: {first}")


def _bound(bounds: Bounds) -> None:
    import resource  # noqa: PLC0415 - only the child needs it

    resource.setrlimit(resource.RLIMIT_CPU, (bounds.seconds, bounds.seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with suppress(OSError, ValueError):  # where the system does not count it, the time is still bounded
        with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - pathlib may not be loaded yet
            taken = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        most = taken + bounds.memory_mib * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _end_with_reader(writer: int) -> None:
    """Have the system end this process when the parent is gone, whatever the function is at by then.

    SIGIO comes when the pipe's last reader is closed, and ends a process that does not handle it (fcntl(2), O_ASYNC).
    """
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGIO})
    with suppress(OSError):  # a system without it has the bounds on time
        fcntl.fcntl(writer, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(writer, fcntl.F_SETFL, fcntl.fcntl(writer, fcntl.F_GETFL) | os.O_ASYNC)
        gone = select.poll()
        gone.register(writer, 0)
        if gone.poll(0):  # it was gone before the system was asked
            os._exit(1)


def _received(reader: int, child: int, what: str, bounds: Bounds, until: float) -> bytes:
    pieces: list[bytes] = []
    size = 0
    while True:
        ready, _, _ = select.select([reader], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            raise TemplateError(f"{what} took more than {bounds.seconds} seconds, and was stopped")
        piece = os.read(reader, PIECE)
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        size += len(piece)
        if size > bounds.result_bytes:
            os.kill(child, signal.SIGKILL)
            raise TemplateError(f"{what} gave more than {bounds.result_bytes} bytes, and was stopped")


def _opened(received: bytes, status: int, what: str, bounds: Bounds) -> tuple[object, bytes]:
    head, found, content = received.partition(b"\n")
    if not found:
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL}:
            raise TemplateError(
                f"{what} took more than {bounds.seconds} seconds or too much memory, and was stopped"
            )
        raise TemplateError(f"{what} did not come to an end")
    told = json.loads(head)
    if told.get("memory"):
        raise TemplateError(f"{what} took more than {bounds.memory_mib} MiB of memory, and was stopped")
    if "problem" in told:
        raise TemplateError(str(told["problem"]))
    if told["bytes"] != len(content):
        raise TemplateError(f"{what} did not come to an end")
    return told["value"], content
