"""Follows a run to its end: its states as they change, and its log lines as they come.

Only looks: a run goes on when nobody follows it. May not know a provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NoReturn

from scaffolder.operations.errors import InvalidRequest, NotFound, OperationError, RunFailed
from scaffolder.operations.port import Runs
from scaffolder.operations.values import FINISHED, LogLine, Run, RunState
from scaffolder.operations.waiting import Polling, wait_until

__all__ = ["FOLLOWING", "fail_with", "follow_logs", "follow_run", "resolved_ref", "short_ref"]

FOLLOWING = Polling(start_s=0.1, factor=1.3, most_s=10.0, timeout_s=7 * 86_400.0)
"""Quick at first, since a run on this machine takes seconds; a cloud's takes minutes."""
MOST_LISTED = 1000


def follow_run(
    runs: Runs,
    ref: str,
    *,
    sleep: Callable[[float], None],
    on_change: Callable[[Run], None] | None = None,
    on_line: Callable[[LogLine], None] | None = None,
    polling: Polling = FOLLOWING,
) -> Run:
    """Look until the run has ended, however it did; say each state, and each log line once.

    Raises:
        TimedOut: it has not ended in time; it goes on.
    """
    cursor = ""

    def look() -> Run:
        nonlocal cursor
        run = runs.describe(ref)
        if on_change is not None:
            on_change(run)
        if on_line is not None:
            for line in runs.logs(ref, after=cursor):
                cursor = line.cursor
                on_line(line)
        return run

    return wait_until(
        look, lambda run: run.state in FINISHED, what=f"the run {ref}", sleep=sleep, polling=polling
    )


def follow_logs(
    runs: Runs,
    ref: str,
    *,
    sleep: Callable[[float], None],
    step: str | None = None,
    after: str = "",
    polling: Polling = FOLLOWING,
) -> Iterator[LogLine]:
    """Yield lines as they come, until the run has ended and its log is read to the end.

    What a step wrote before the run was seen to have ended is read after that once more, so that nothing is left out.
    """
    cursor = after
    pauses = polling.pauses()
    while True:
        ended = runs.describe(ref).state in FINISHED
        came = False
        for line in runs.logs(ref, step=step, after=cursor):
            cursor, came = line.cursor, True
            yield line
        if ended:
            return
        if came:
            pauses = polling.pauses()
        pause = next(pauses, None)
        if pause is None:
            return
        sleep(pause)


def fail_with(run: Run, *, resumable: bool) -> NoReturn:
    """Say how a run ended that did not succeed, and what to do next.

    Raises:
        RunFailed: always.
    """
    short = short_ref(run.ref)
    if run.state is RunState.STOPPED:
        message = f'the run {short} of the pipeline "{run.pipeline}" was stopped'
    else:
        message = f'the run {short} of the pipeline "{run.pipeline}" failed: {run.error or run.native_state}'
    remedy = f"`scaffolder runs logs {short}` prints its whole log."
    if resumable:
        remedy += f"\n  `scaffolder runs resume {short}` goes on after the steps that are done, with the code of then."
    raise RunFailed(run.ref, message, remedy=remedy)


def short_ref(ref: str) -> str:
    """Name a run as people do: by the last part of a cloud's long name for it."""
    return ref.rpartition("/")[2].rpartition(":")[2] or ref


def resolved_ref(runs: Runs, given: str) -> str:
    """Find the run that a ref, its last part, or the beginning of that names.

    Raises:
        NotFound: no run has it.
        InvalidRequest: several have.
    """
    try:
        return runs.describe(given).ref
    except (NotFound, InvalidRequest) as error:
        found = [*_named(runs, given)]
        if not found:
            raise _no_run(given, error) from error
    if len(found) > 1 and given not in map(short_ref, found):
        shown = ", ".join(map(short_ref, found[:5]))
        raise InvalidRequest(f'"{given}" is the beginning of {len(found)} runs: {shown}')
    return next((ref for ref in found if short_ref(ref) == given), found[0])


def _named(runs: Runs, given: str) -> Iterator[str]:
    for number, run in enumerate(runs.list()):
        if number >= MOST_LISTED:
            return
        if short_ref(run.ref).startswith(given):
            yield run.ref


def _no_run(given: str, error: OperationError) -> NotFound:
    return NotFound(
        f'there is no run "{given}"',
        code=error.code,
        text=error.text,
        remedy="`scaffolder runs list` shows them.",
    )
