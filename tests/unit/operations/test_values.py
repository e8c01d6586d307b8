"""The words of operations are the ones that the semantics name, and values are told apart by what they hold."""

from __future__ import annotations

import inspect
import re
from dataclasses import FrozenInstanceError, fields, is_dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from scaffolder.operations import port, values
from scaffolder.operations.values import (
    FINISHED,
    Approval,
    Capability,
    LogLine,
    Principal,
    RunRequest,
    RunState,
    Stage,
)

RECORDS = [one for one in vars(values).values() if is_dataclass(one) and isinstance(one, type)]


def test_what_has_ended_does_not_change_any_more() -> None:
    assert {*RunState} - FINISHED == {
        RunState.QUEUED,
        RunState.RUNNING,
        RunState.STOPPING,
        RunState.UNKNOWN,
    }


@pytest.mark.parametrize("words", [RunState, Approval, Stage, Capability])
def test_words_are_lower_case_and_have_no_sign_of_a_programmer(words: Any) -> None:
    assert [str(one) for one in words if not re.fullmatch(r"[a-z]+( [a-z]+)*", one)] == []


@pytest.mark.parametrize("kind", RECORDS, ids=lambda kind: kind.__name__)
def test_every_value_is_listed_and_frozen(kind: type[Any]) -> None:
    assert kind.__name__ in values.__all__
    with pytest.raises(FrozenInstanceError):
        object.__new__(kind).anything = 1


def test_a_time_has_its_zone_in_the_lists_that_are_sorted() -> None:
    line = LogLine(time=datetime(2026, 11, 2, tzinfo=UTC), step="train", text="done", cursor="1")
    assert line == LogLine(time=datetime(2026, 11, 2, tzinfo=UTC), step="train", text="done", cursor="1")
    assert line.time.utcoffset() is not None


def test_a_requests_defaults_are_not_shared() -> None:
    one, other = (RunRequest(pipeline="train", token=token) for token in ("1", "2"))
    assert one.parameters is not other.parameters


def test_no_group_of_the_port_is_large() -> None:
    """A provider of anybody's has to fill each of them in."""
    groups = {*port.__all__} - {"Provider", "Scheduling", "Opening"}
    sizes = {name: len(_members(vars(port)[name])) for name in groups}
    assert {name: size for name, size in sizes.items() if not 1 <= size <= 6} == {}
    held = {name for name, it in vars(port.Provider).items() if isinstance(it, property)} - {
        "name",
        "support",
    }
    assert held <= {{"StateStore": "state"}.get(group, group.lower()) for group in groups}


def _members(group: type[Any]) -> list[str]:
    return [name for name, it in vars(group).items() if inspect.isfunction(it) and not name.startswith("_")]


def test_a_value_says_its_fields() -> None:
    principal = Principal(principal="ada", account="1")
    assert repr(principal) == "Principal(principal='ada', account='1', tenant='')"
    assert [each.name for each in fields(principal)] == ["principal", "account", "tenant"]
