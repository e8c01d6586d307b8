"""What every provider promises of itself, of doctor's questions, of Terraform's state and of the way down."""

from __future__ import annotations

from dataclasses import replace

import pytest

from scaffolder.operations.errors import Conflict, OperationError
from scaffolder.operations.values import Capability, Lock, Outcome, Probe
from stacks.intents import SupportLevel
from tests.operations.contract import deployed, deployment, needs, neutral, run_request
from tests.operations.worlds import World

PROBES = {
    "credentials": "credentials",
    "permissions": "permissions",
    "services": "services",
    "quotas": "quota",
    "names": "names",
}
"""The question → the group that its answers are of."""
WELL = {
    "credentials": {Outcome.PASS},
    "permissions": {Outcome.PASS, Outcome.FAIL},
    "services": {Outcome.PASS},
    "names": {Outcome.PASS, Outcome.FAIL},
}
"""What is found in a world where all is well: everything is known."""


def test_a_provider_says_of_every_capability_how_far_it_goes(world: World) -> None:
    table = world.provider.support
    assert {*table} == {*Capability}
    assert [each for each, it in table.items() if bool(it.reason) == (it.level is SupportLevel.FULL)] == []


def test_opening_a_provider_asks_nothing(world: World) -> None:
    assert (world.calls(), world.slept()) == (0, 0.0)


@needs(Capability.IDENTITY)
def test_a_provider_knows_who_it_is(world: World) -> None:
    principal = neutral(world.provider.identity.whoami())
    assert principal.principal
    assert world.provider.identity.whoami() == principal


@needs(Capability.PREFLIGHT)
@pytest.mark.parametrize("question", PROBES)
def test_a_probe_answers_and_a_failure_has_a_remedy(world: World, question: str) -> None:
    found: list[Probe] = neutral([*getattr(world.provider.preflight, question)()])
    assert {probe.group for probe in found} <= {PROBES[question], "tools"}
    assert [probe for probe in found if not probe.subject or not probe.detail] == []
    assert [probe for probe in found if probe.outcome is Outcome.FAIL and not probe.remedy] == []
    assert len({(probe.group, probe.subject) for probe in found}) == len(found)
    assert {probe.outcome for probe in found} <= WELL.get(question, {*Outcome})


@needs(Capability.PREFLIGHT)
def test_doctor_has_an_answer_to_its_first_question(world: World) -> None:
    assert [*world.provider.preflight.credentials()] != []


@needs(Capability.STATE)
def test_a_dry_run_makes_nothing(world: World) -> None:
    first = neutral([*world.provider.state.ensure(dry_run=True)])
    assert [*world.provider.state.ensure(dry_run=True)] == first
    made = [*world.provider.state.ensure()]
    assert [(one.subject, one.action) for one in made] == [(one.subject, one.action) for one in first]
    assert "created" in {one.action for one in made}


@needs(Capability.STATE)
def test_bootstrapping_again_changes_nothing(world: World) -> None:
    first = [*world.provider.state.ensure()]
    again = [*world.provider.state.ensure()]
    assert [one.subject for one in again] == [one.subject for one in first]
    assert {one.action for one in again} == {"unchanged"}
    assert {one.action for one in world.provider.state.ensure(dry_run=True)} == {"unchanged"}


@needs(Capability.STATE)
def test_a_lock_has_one_holder_and_says_who(world: World) -> None:
    list(world.provider.state.ensure())
    lock = neutral(world.provider.state.acquire("dev", "ada@example.com"))
    assert (lock.name, lock.owner) == ("dev", "ada@example.com")
    with pytest.raises(Conflict, match=r"ada@example\.com"):
        world.provider.state.acquire("dev", "bob@example.com")
    other = world.provider.state.acquire("prod", "bob@example.com")
    world.provider.state.release(lock)
    world.provider.state.release(lock)
    taken = world.provider.state.acquire("dev", "bob@example.com")
    assert taken.owner == "bob@example.com"
    world.provider.state.release(taken)
    world.provider.state.release(other)


@needs(Capability.STATE)
def test_a_lock_is_not_given_back_by_another(world: World) -> None:
    list(world.provider.state.ensure())
    lock = world.provider.state.acquire("dev", "ada@example.com")
    for foreign in (_foreign(lock), _earlier(world, lock)):
        world.provider.state.release(foreign)
        with pytest.raises(Conflict, match=r"ada@example\.com"):
            world.provider.state.acquire("dev", "bob@example.com")
    world.provider.state.release(lock)


def _foreign(lock: Lock) -> Lock:
    """The lock with another token of the same form."""
    swapped = str.maketrans("0123456789abcdef", "123456789abcdef0")
    return replace(lock, owner="bob@example.com", token=lock.token.translate(swapped))


def _earlier(world: World, lock: Lock) -> Lock:
    """A lock that was real, of another name, and is gone."""
    gone = world.provider.state.acquire("gone", "bob@example.com")
    world.provider.state.release(gone)
    return replace(gone, name=lock.name)


@needs(Capability.TEARDOWN)
def test_what_was_never_made_need_not_go(world: World) -> None:
    assert [*world.provider.teardown.inventory()] == [*world.provider.teardown.inventory()]


@needs(Capability.TEARDOWN, Capability.REALTIME)
def test_what_operations_made_goes_in_order_and_can_go_again(world: World) -> None:
    deployed(world, "blue")
    items = neutral([*world.provider.teardown.inventory()])
    assert items == [*world.provider.teardown.inventory()]
    assert "churn" in " ".join(one.name for one in items)
    assert len({one.ref for one in items}) == len(items)
    assert not any(world.provider.teardown.is_gone(one) for one in items)
    for one in items:
        world.provider.teardown.remove(one)
        world.settle("churn")
        assert world.provider.teardown.is_gone(one), one
    for one in items:
        world.provider.teardown.remove(one)
    assert [*world.provider.teardown.inventory()] == []
    assert world.provider.serving.describe("churn").deployments == ()


def test_no_error_says_a_secret(world: World) -> None:
    provider = world.provider
    errors: list[OperationError] = []
    for attempt in (
        lambda: provider.runs.describe("nowhere"),
        lambda: provider.runs.submit(run_request("one", sead=7)),
        lambda: provider.registry.get("churn", 99),
        lambda: provider.serving.deploy(deployment("blue", 99)),
        lambda: provider.serving.invoke("churn", b"tenure\n1\n"),
        lambda: provider.batch.describe("nowhere"),
    ):
        with pytest.raises(OperationError) as refused:
            attempt()
        errors.append(refused.value)
    for error in errors:
        said = " ".join(
            [str(error), error.code, error.text, error.remedy, repr(error), repr(error.__cause__)]
        )
        assert [secret for secret in world.secrets() if secret in said] == []
