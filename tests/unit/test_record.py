"""A record is what a frozen dataclass with slots and named arguments is."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field, fields, replace

import pytest

from stacks.record import record


@record
class Point:
    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x is negative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    x: int
    y: int = 2
    tags: list[str] = field(default_factory=list)


@record
class Empty:
    """Has nothing."""


def test_it_has_the_fields_defaults_and_text_of_a_dataclass() -> None:
    assert [(each.name, each.kw_only) for each in fields(Point)] == [
        (each.name, each.kw_only) for each in fields(Plain)
    ]
    assert repr(Point(x=1)) == repr(Plain(x=1)).replace("Plain", "Point")
    assert Point(x=1).tags is not Point(x=1).tags
    assert replace(Point(x=1), y=5) == Point(x=1, y=5)
    assert Empty() == Empty()


def test_it_is_equal_by_its_values_and_to_its_own_kind_only() -> None:
    assert Point(x=1) == Point(x=1, y=2)
    assert Point(x=1) != Point(x=2)
    assert Point(x=1) != Plain(x=1)  # type: ignore[comparison-overlap]  # that is the test
    assert len({Empty(), Empty()}) == 1


def test_it_cannot_be_changed_and_has_no_place_for_more() -> None:
    point = Point(x=1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]  # that is the test
    with pytest.raises(FrozenInstanceError):
        del point.y
    assert not hasattr(point, "__dict__")


def test_its_arguments_have_names_and_are_checked() -> None:
    with pytest.raises(TypeError):
        Point(1)  # type: ignore[call-arg]  # that is the test
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]  # that is the test
    with pytest.raises(ValueError, match="negative"):
        Point(x=-1)
