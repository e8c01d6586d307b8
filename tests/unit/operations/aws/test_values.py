"""What the AWS adapter reckons without AWS: percents, cursors, names."""

from __future__ import annotations

import pytest

from scaffolder.operations.aws import open_provider
from scaffolder.operations.aws.logs import Position
from scaffolder.operations.aws.serving import percents
from scaffolder.operations.errors import InvalidRequest


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        ({"blue": 1.0, "green": 0.0}, {"blue": 100, "green": 0}),
        ({"blue": 90.0, "green": 10.0}, {"blue": 90, "green": 10}),
        ({"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 34, "b": 33, "c": 33}),
        ({"a": 0.0}, {"a": 0}),
        ({}, {}),
    ],
)
def test_weights_are_whole_percents_together_a_hundred(
    weights: dict[str, float], shares: dict[str, int]
) -> None:
    assert percents(weights) == shares


def test_a_position_survives_its_cursor() -> None:
    position = Position({"job/algo-1": ("f/12", 3), "job/algo-2": ("", 1)})
    assert Position.read(position.written()) == position
    assert Position.read("") == Position()


@pytest.mark.parametrize("cursor", ["nonsense", "e30x", "WzFd"])
def test_a_cursor_that_is_not_ours_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        Position.read(cursor)


def test_the_package_has_one_function() -> None:
    assert callable(open_provider)
