"""Waiting and trying again are bounded, and sleep by the clock that is given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolder.operations.errors import InvalidRequest, OperationError, Throttled, TimedOut, Unavailable
from scaffolder.operations.waiting import Patience, Polling, retried, wait_until


class _Service:
    """Fails with each of some errors in turn, then answers."""

    def __init__(self, *errors: OperationError) -> None:
        self.errors = [*errors]
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "answer"


class _Clock:
    def __init__(self) -> None:
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def test_what_answers_is_called_once_and_nobody_sleeps() -> None:
    service, clock = _Service(), _Clock()
    assert retried(service, sleep=clock.sleep) == "answer"
    assert (service.calls, clock.pauses) == (1, [])


def test_what_may_succeed_later_is_tried_again() -> None:
    service, clock = _Service(Throttled("slowly"), Unavailable("later")), _Clock()
    assert retried(service, sleep=clock.sleep, chance=lambda: 1.0) == "answer"
    assert (service.calls, clock.pauses) == (3, [0.5, 1.0])


def test_what_will_not_succeed_later_is_not_tried_again() -> None:
    service, clock = _Service(InvalidRequest("no")), _Clock()
    with pytest.raises(InvalidRequest):
        retried(service, sleep=clock.sleep)
    assert (service.calls, clock.pauses) == (1, [])


def test_an_error_that_stays_is_raised_after_so_many_attempts() -> None:
    service, clock = _Service(*(Throttled(f"attempt {n}") for n in range(9))), _Clock()
    with pytest.raises(Throttled, match="attempt 3"):
        retried(service, sleep=clock.sleep, patience=Patience(attempts=4))
    assert (service.calls, len(clock.pauses)) == (4, 3)


def test_what_is_no_error_of_an_operation_is_not_tried_again() -> None:
    def breaks() -> str:
        raise ZeroDivisionError

    clock = _Clock()
    with pytest.raises(ZeroDivisionError):
        retried(breaks, sleep=clock.sleep)
    assert clock.pauses == []


@given(
    attempts=st.integers(1, 12),
    start=st.floats(0.01, 5),
    most=st.floats(5, 60),
    chance=st.floats(0, 1),
)
def test_a_pause_is_between_half_of_its_length_and_all_of_it(
    attempts: int, start: float, most: float, chance: float
) -> None:
    clock = _Clock()
    with pytest.raises(Throttled):
        retried(
            _Service(*(Throttled("slowly") for _ in range(attempts))),
            sleep=clock.sleep,
            patience=Patience(attempts=attempts, start_s=start, most_s=most),
            chance=lambda: chance,
        )
    assert len(clock.pauses) == attempts - 1
    for number, pause in enumerate(clock.pauses):
        whole = min(start * 2**number, most)
        assert whole / 2 <= pause <= whole


def test_what_is_done_is_returned_as_it_was_seen() -> None:
    clock, seen = _Clock(), iter([1, 2, 3])
    assert wait_until(lambda: next(seen), lambda one: one == 3, what="it", sleep=clock.sleep) == 3
    assert clock.pauses == [1.0, 1.5]


def test_what_is_not_done_in_time_is_said_to_go_on() -> None:
    clock = _Clock()
    with pytest.raises(TimedOut) as late:
        wait_until(
            lambda: 0, bool, what="the run", sleep=clock.sleep, polling=Polling(start_s=4, timeout_s=10)
        )
    assert str(late.value) == "the run is not done after 10 s\n  It goes on; look again later."
    assert sum(clock.pauses) == 10


def test_the_last_look_counts() -> None:
    clock = _Clock()
    seen = wait_until(
        lambda: sum(clock.pauses),
        lambda gone: gone >= 5,
        what="it",
        sleep=clock.sleep,
        polling=Polling(start_s=5, timeout_s=5),
    )
    assert seen == 5


@given(start=st.floats(0.01, 60), factor=st.floats(1, 3), most=st.floats(0.01, 60), timeout=st.floats(0, 600))
def test_pauses_end_when_the_timeout_is_used_up(
    start: float, factor: float, most: float, timeout: float
) -> None:
    pauses = [*Polling(start_s=start, factor=factor, most_s=most, timeout_s=timeout).pauses()]
    assert sum(pauses) == pytest.approx(timeout)
    assert all(pause <= max(start, most) for pause in pauses)
