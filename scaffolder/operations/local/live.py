"""A step whose process runs: what it writes, how long it may go on, and how it ended. May not know a run's state."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress

from scaffolder.operations.local.logs import Lines
from scaffolder.operations.local.processes import end, start
from scaffolder.operations.local.steps import Attempt, Inputs, StepFailedError
from stacks.pipelines import Step

__all__ = ["Live"]

GRACE_S = 3.0
"""From asking a step to end to ending it."""
CHUNK = 65_536
MOST_CHUNKS = 64
"""What is read after a process has ended: more than a pipe holds, and no more of what others write on."""
SHOWN = 300
NO_MODULE = f" (steps run with {sys.executable}: install there what their code imports)"


class Live:
    """One attempt that runs; ``pipe`` is where it can be read."""

    def __init__(self, step: Step, attempt: Attempt, inputs: Inputs, timeout_s: float) -> None:
        """Start it.

        Raises:
            StepFailedError: there is no such program, or it is none.
        """
        self.step = step
        self.attempt = attempt
        self.inputs = inputs
        self.cancelled = False
        self.timed_out = False
        self._lines = Lines()
        self._last = ""
        self._deadline = time.monotonic() + timeout_s
        self._kill_at: float | None = None
        self.pipe, output = os.pipe()
        try:
            self.process = start(attempt.command, cwd=attempt.cwd, variables=attempt.variables, output=output)
        except OSError as refused:
            os.close(self.pipe)
            raise StepFailedError(f"{attempt.command[0]} cannot be started: {refused.strerror}") from refused
        finally:
            os.close(output)
        os.set_blocking(self.pipe, False)

    def read(self) -> list[bytes] | None:
        """Read lines that are whole; ``None`` when nobody can write any more."""
        with suppress(BlockingIOError):
            content = os.read(self.pipe, CHUNK)
            return self._noted(self._lines.add(content)) if content else None
        return []

    def bury(self) -> list[bytes]:
        """End what the process has left in its group, and return its last lines."""
        end(self.process.pid, signal.SIGKILL)
        lines: list[bytes] = []
        for _ in range(MOST_CHUNKS):
            more = self.read()
            if not more:
                break
            lines += more
        os.close(self.pipe)
        return lines + self._noted(self._lines.end())

    def hurry(self, *, asked: bool) -> None:
        """Ask it to end when it takes too long or is not wanted any more, and end it when it does not."""
        now = time.monotonic()
        if self._kill_at is None and (asked or now > self._deadline):
            self.cancelled, self.timed_out = asked, not asked
            self._kill_at = now + GRACE_S
            end(self.process.pid, signal.SIGTERM)
        elif self._kill_at is not None and now > self._kill_at:
            end(self.process.pid, signal.SIGKILL)

    def problem(self) -> str:
        """Say how it ended, with the last that it said; empty where it ended well."""
        code: int = self.process.returncode
        said = f": {self._last[:SHOWN]}" if self._last else ""
        if self.timed_out:
            return f"it took longer than its timeout{said}"
        if code < 0:
            name = signal.Signals(-code).name if -code in {*signal.Signals} else f"signal {-code}"
            memory = " (the machine may be out of memory)" if name == "SIGKILL" else ""
            return f"it was ended by {name}{memory}{said}"
        lacks = NO_MODULE if self._last.startswith("ModuleNotFoundError:") else ""
        return f"it ended with exit code {code}{said}{lacks}" if code else ""

    def _noted(self, lines: list[bytes]) -> list[bytes]:
        shown = [line for line in lines if line.strip()]
        self._last = shown[-1].decode() if shown else self._last
        return lines
