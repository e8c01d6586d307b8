"""Waiting for what a provider does, and trying again: bounded, and on a clock that tests can turn.

May not know a provider.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TypeVar

from scaffolder.operations.errors import OperationError, TimedOut
from stacks.record import record

__all__ = ["Patience", "Polling", "retried", "wait_until"]

T = TypeVar("T")


@record
class Polling:
    """How often to look, in seconds: first ``start_s``, each time ``factor`` longer, at most ``most_s``."""

    start_s: float = 1.0
    factor: float = 1.5
    most_s: float = 30.0
    timeout_s: float = 86_400.0

    def pauses(self) -> Iterator[float]:
        """Yield the pauses between looks; they end when the timeout is used up."""
        left, pause = self.timeout_s, self.start_s
        while left > 0:
            yield min(pause, left)
            left -= pause
            pause = min(pause * self.factor, self.most_s)


def wait_until(
    look: Callable[[], T],
    done: Callable[[T], bool],
    *,
    what: str,
    sleep: Callable[[float], None],
    polling: Polling | None = None,
) -> T:
    """Look until it is done, and return what was seen last.

    Raises:
        TimedOut: it is not done in time; nothing is undone.
    """
    polling = polling or Polling()
    for pause in polling.pauses():
        seen = look()
        if done(seen):
            return seen
        sleep(pause)
    seen = look()
    if done(seen):
        return seen
    raise TimedOut(
        f"{what} is not done after {polling.timeout_s:.0f} s", remedy="It goes on; look again later."
    )


@record
class Patience:
    """How often a call is tried again where the service asks for it, and how long the pauses are, in seconds.

    Pauses double from ``start_s`` to ``most_s``; each is drawn between half of that and all of it.
    """

    attempts: int = 5
    start_s: float = 0.5
    most_s: float = 20.0


def retried(
    call: Callable[[], T],
    *,
    sleep: Callable[[float], None],
    patience: Patience | None = None,
    chance: Callable[[], float] = random.random,
) -> T:
    """Call, and again while what it raises is retryable. Only calls that are safe to repeat may be given.

    Raises:
        OperationError: it cannot be retried, or was too often; the last error.
    """
    patience = patience or Patience()
    pause = patience.start_s
    for _ in range(patience.attempts - 1):
        try:
            return call()
        except OperationError as error:
            if not error.retryable:
                raise
        sleep(pause * (0.5 + chance() / 2))
        pause = min(pause * 2, patience.most_s)
    return call()
