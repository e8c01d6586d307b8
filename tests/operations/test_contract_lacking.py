"""The suite holds a provider to its table in both directions: what it lacks is refused by name, and what it has works."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffolder.operations.errors import Unsupported
from scaffolder.operations.values import Capability
from stacks.intents import Support, SupportLevel
from tests.operations.contract import needs
from tests.operations.mutation.suite import cases
from tests.operations.worlds import World
from tests.operations.worlds.memory import MemoryWorld

REFUSED = [
    one for one in Capability if one not in {Capability.REPRODUCE, Capability.AUTOSCALING, Capability.CAPTURE}
]
"""But for what is a part of a request."""


@pytest.mark.parametrize("capability", REFUSED)
def test_a_provider_that_lacks_a_capability_passes_by_refusing_it(
    capability: Capability, tmp_path: Path
) -> None:
    lacking = {capability: Support(SupportLevel.NOT_IMPLEMENTED, "not remembered yet")}
    complaints = {}
    for place, case in enumerate(cases()):
        try:
            case.test(world=MemoryWorld(tmp_path / str(place), lacking), **case.parameters)
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - whatever a test says
            complaints[case.name] = repr(error)
    assert complaints == {}


def _unsupported(world: World) -> None:
    del world
    raise Unsupported(Capability.RUNS, "no")


def _works(world: World) -> None:
    del world


def test_what_a_table_calls_full_may_not_be_refused(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        needs(Capability.RUNS)(_unsupported)(world=MemoryWorld(tmp_path))


def test_what_works_may_not_be_called_lacking(tmp_path: Path) -> None:
    lacking = {Capability.RUNS: Support(SupportLevel.NOT_POSSIBLE, "no")}
    with pytest.raises(AssertionError, match="the table says not"):
        needs(Capability.RUNS)(_works)(world=MemoryWorld(tmp_path, lacking))


def test_a_refusal_names_what_the_table_says(tmp_path: Path) -> None:
    lacking = {Capability.LOGS: Support(SupportLevel.NOT_POSSIBLE, "no")}
    with pytest.raises(AssertionError):
        needs(Capability.LOGS)(_unsupported)(world=MemoryWorld(tmp_path, lacking))


def test_what_is_carried_in_part_may_work_or_be_refused(tmp_path: Path) -> None:
    lacking = {Capability.RUNS: Support(SupportLevel.PARTIAL, "a part")}
    for place, test in enumerate((_works, _unsupported)):
        needs(Capability.RUNS)(test)(world=MemoryWorld(tmp_path / str(place), lacking))
