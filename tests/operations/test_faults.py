"""Services that fail: calls are tried again within bounds, nothing is made twice, and what stays says what to do.

Over every provider that has a service behind it. These are fakes on loopback: what a real service says when it fails,
and when it really has done what it was asked, only an account can show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from scaffolder.operations.errors import (
    Conflict,
    NotAuthenticated,
    OperationError,
    PermissionDenied,
    Throttled,
    TimedOut,
    Unavailable,
)
from scaffolder.operations.values import RunState
from stacks.adapter import STACKS
from tests.operations.contract import a_version, deployed, deployment, registration, run_request
from tests.operations.worlds import WORLDS, Fault, World, open_world

SERVED = tuple(name for name in WORLDS if name in STACKS)
PASSING: Mapping[Fault, tuple[type[OperationError], ...]] = {
    "throttled": (Throttled,),
    "server error": (Unavailable,),
    "timeout": (TimedOut, Unavailable),
    "half a reply": (Unavailable,),
    "conflict": (Conflict,),
}
"""What may be gone at the next try, and what is raised where it stays."""
REFUSED: Mapping[Fault, type[OperationError]] = {
    "expired credentials": NotAuthenticated,
    "denied": PermissionDenied,
}
LOST: tuple[Fault, ...] = ("timeout", "half a reply")
FOREVER = 1000
MOST_TRIES = 8
MOST_SLEPT_S = 120.0

Operation = Callable[[World], object]


def _submit(world: World) -> object:
    return world.provider.runs.submit(run_request("one"))


def _register(world: World) -> object:
    return world.provider.registry.register(registration(world, "one")).version


def _deploy(world: World) -> object:
    return world.provider.serving.deploy(deployment("blue", 1))


def _prepare_nothing(world: World) -> None:
    del world


def _prepare_version(world: World) -> None:
    a_version(world, "one")


CREATING: Mapping[str, tuple[Operation, Operation, Callable[[World], int]]] = {
    "a run": (_prepare_nothing, _submit, lambda world: len([*world.provider.runs.list("train")])),
    "a version": (_prepare_nothing, _register, lambda world: len([*world.provider.registry.list("churn")])),
    "a deployment": (
        _prepare_version,
        _deploy,
        lambda world: len(world.provider.serving.describe("churn").deployments),
    ),
}
"""What is made: what has to be there first, how it is made, and how many there are."""


@pytest.fixture(params=SERVED)
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], World]]:
    """Opens worlds of one provider, one after another."""
    opened: list[AbstractContextManager[World]] = []

    def another() -> World:
        folder = tmp_path / str(len(opened))
        folder.mkdir()
        context = open_world(request.param, folder)
        opened.append(context)
        return context.__enter__()

    yield another
    for context in opened:
        context.__exit__(None, None, None)


# --- it stays --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", PASSING)
def test_what_stays_is_tried_within_bounds_and_then_named(served: Callable[[], World], fault: Fault) -> None:
    world = served()
    world.provider.registry.register(registration(world, "one"))
    calls, slept = world.calls(), world.slept()
    world.inject(fault, times=FOREVER)
    with pytest.raises(PASSING[fault]) as stayed:
        world.provider.registry.get("churn", 1)
    assert 2 <= world.calls() - calls <= MOST_TRIES
    assert 0 < world.slept() - slept <= MOST_SLEPT_S
    _is_clear(world, stayed.value)


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_refused_is_not_tried_again(served: Callable[[], World], fault: Fault) -> None:
    world = served()
    world.provider.registry.register(registration(world, "one"))
    calls, slept = world.calls(), world.slept()
    world.inject(fault, times=FOREVER)
    with pytest.raises(REFUSED[fault]) as refused:
        world.provider.registry.get("churn", 1)
    assert world.calls() - calls <= 2  # the second may be a try to sign in anew
    assert world.slept() == slept
    assert refused.value.remedy
    _is_clear(world, refused.value)


def _is_clear(world: World, error: OperationError) -> None:
    said = " ".join([str(error), repr(error), error.code, error.text, error.remedy])
    assert error.message
    assert [secret for secret in world.secrets() if secret in said] == []
    assert "Traceback" not in said
    assert "<html" not in said.lower()


@pytest.mark.parametrize("fault", [each for each in (*PASSING, *REFUSED) if each != "timeout"])
def test_doctor_answers_whatever_the_service_does(served: Callable[[], World], fault: Fault) -> None:
    world = served()
    world.inject(fault, times=FOREVER)
    preflight = world.provider.preflight
    asked = (
        preflight.credentials,
        preflight.permissions,
        preflight.services,
        preflight.quotas,
        preflight.names,
    )
    probes = [probe for ask in asked for probe in ask()]
    assert probes
    assert [probe for probe in probes if probe.outcome == "fail" and not probe.remedy] == []
    if fault == "expired credentials":
        assert "pass" not in {probe.outcome for probe in probes if probe.group == "credentials"}


# --- it passes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", CREATING)
@pytest.mark.parametrize("fault", PASSING)
def test_what_passes_is_not_seen_and_nothing_is_made_twice(
    served: Callable[[], World], what: str, fault: Fault
) -> None:
    """At each of the calls that making it takes, where an answer is lost; else at the first and at the last."""
    prepare, make, count = CREATING[what]
    calm = served()
    prepare(calm)
    before = calm.calls()
    expected = make(calm)
    calls = range(calm.calls() - before)
    for place in calls if fault in LOST else {calls[0], calls[-1]}:
        world = served()
        prepare(world)
        world.inject(fault, after=place)
        assert make(world) == expected, f"{fault} at call {place}"
        assert count(world) == 1, f"{fault} at call {place}"


@pytest.mark.parametrize("what", CREATING)
@pytest.mark.parametrize("fault", LOST)
def test_after_an_answer_that_was_lost_for_good_the_same_request_goes_on(
    served: Callable[[], World], what: str, fault: Fault
) -> None:
    """As when the command is killed, and given again."""
    prepare, make, count = CREATING[what]
    calm = served()
    prepare(calm)
    before = calm.calls()
    expected = make(calm)
    for place in range(calm.calls() - before):
        world = served()
        prepare(world)
        world.inject(fault, times=MOST_TRIES, after=place)
        with pytest.raises(OperationError):
            make(world)
        world.inject(fault, times=0)
        assert make(world) == expected, f"{fault} at call {place}"
        assert count(world) == 1, f"{fault} at call {place}"


@pytest.mark.parametrize("fault", PASSING)
def test_a_lock_is_held_by_one_whatever_the_service_does(served: Callable[[], World], fault: Fault) -> None:
    world = served()
    list(world.provider.state.ensure())
    world.inject(fault)
    lock = world.provider.state.acquire("dev", "ada@example.com")
    assert lock.owner == "ada@example.com"
    with pytest.raises(Conflict, match=r"ada@example\.com"):
        world.provider.state.acquire("dev", "bob@example.com")
    world.inject(fault)
    world.provider.state.release(lock)
    world.provider.state.release(world.provider.state.acquire("dev", "bob@example.com"))


@pytest.mark.parametrize("fault", PASSING)
def test_bootstrapping_goes_on_after_what_passes(served: Callable[[], World], fault: Fault) -> None:
    world = served()
    world.inject(fault, after=2)
    made = [*world.provider.state.ensure()]
    assert "created" in {one.action for one in made}
    assert {one.action for one in world.provider.state.ensure()} == {"unchanged"}


@pytest.mark.parametrize("fault", PASSING)
def test_traffic_is_moved_once_and_whole(served: Callable[[], World], fault: Fault) -> None:
    world = served()
    deployed(world, "blue", "green")
    world.inject(fault, after=1)
    world.provider.serving.set_traffic("churn", {"blue": 30, "green": 70})
    world.settle("churn")
    status = world.provider.serving.describe("churn")
    assert {one.name: one.traffic_percent for one in status.deployments} == {"blue": 30, "green": 70}


# --- credentials -----------------------------------------------------------------------------------------------------


def test_credentials_that_expire_during_a_run_are_said_to_have_and_the_run_goes_on(
    served: Callable[[], World],
) -> None:
    world = served()
    ref = world.provider.runs.submit(run_request("one"))
    world.inject("expired credentials", times=FOREVER)
    with pytest.raises(NotAuthenticated) as expired:
        world.provider.runs.describe(ref)
    assert expired.value.remedy
    assert not expired.value.retryable
    world.inject("expired credentials", times=0)
    world.finish(ref)
    assert world.provider.runs.describe(ref).state is RunState.SUCCEEDED
