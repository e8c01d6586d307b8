"""What is around a runner in its process: signals, what an earlier runner has left, and errors of its own.

May not decide what a run does.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from scaffolder.operations.local.files import explain
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.processes import adopt_orphans, end_leftovers
from scaffolder.operations.local.records import RunFolder
from scaffolder.operations.local.runner import Runner
from scaffolder.operations.local.trees import remove_tree
from scaffolder.operations.values import RunState

__all__ = ["run_to_the_end"]

SCRATCH_S = 86_400
"""After so long, what is half made was left by a program that was killed."""


def run_to_the_end(path: str, lock: int) -> int:
    """Be the runner of a run whose lock this process holds; what goes wrong with the runner itself is the run's error."""
    folder = RunFolder(Path(path))
    try:
        end_leftovers(folder.path)
        adopt_orphans()
        layout = Layout(folder.path.parent.parent.parent)
        _sweep(layout.scratch, time.time() - SCRATCH_S)
        runner = Runner(layout, folder)
        runner.wake_with(_signals(folder.cancel))
        runner.run()
    except Exception as problem:  # noqa: BLE001 - there is nobody to raise it to
        folder.reserve.unlink(missing_ok=True)
        with suppress(OSError):
            traceback.print_exc()
        state = replace(folder.state(), state=RunState.FAILED.value, ended=time.time(), error=_error(problem))
        folder.write_state(state)
        return 1
    folder.reserve.unlink(missing_ok=True)
    os.close(lock)
    runner.tidy()
    return 0


def _error(problem: Exception) -> str:
    if isinstance(problem, OSError):
        return f"the runner failed: {'. '.join(part for part in explain(problem) if part)}"
    return f"the runner failed: {type(problem).__name__}: {problem}"


def _signals(cancel: Path) -> int:
    """Wake up when a child ends; being asked to end is being asked to stop the run. Return what to read from."""
    ours, theirs = os.pipe()
    for each in (ours, theirs):
        os.set_blocking(each, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: cancel.touch())
    signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    return ours


def _sweep(scratch: Path, before: float) -> None:
    """Remove what programs that were killed have left half made."""
    with suppress(OSError):
        for each in scratch.iterdir():
            if each.stat().st_mtime < before:
                remove_tree(each)
