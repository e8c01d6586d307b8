"""Each kind of a single value: what it takes, what it refuses, and that its schema agrees."""

from __future__ import annotations

import jsonschema
import pytest

from scaffolder.spec.cron import cron_problem
from scaffolder.spec.nodes import Mark, Scalar
from scaffolder.spec.scalars import (
    Boolean,
    Choice,
    Cidr,
    Duration,
    Email,
    Instance,
    Integer,
    Number,
    Refused,
    RelativePath,
    ScalarKind,
    Str,
)


def scalar(value: str | float | bool | None) -> Scalar:  # noqa: FBT001  # a value of any sort
    return Scalar(Mark(1, 1), str(value), value)


HOUR = Duration(shortest_s=3600, longest_s=86400)
RANGE = Cidr(longest=20, shortest=16)
WORD = Str(pattern="[a-z]+", minimum=2, maximum=4, says="a word")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (WORD, ["ab", "abcd"], ["a", "abcde", "AB", "ab\n", "", 1, True, None]),
        (Boolean(), [True, False], ["true", 1, 0, None]),
        (Integer(minimum=1, maximum=3), [1, 3], [0, 4, 1.5, True, "2", None]),
        (Number(minimum=0.5, maximum=3), [0.5, 1, 3], [0, 3.1, True, "2", None]),
        (Choice("a", "b"), ["a", "b"], ["c", "A", "", 1, None]),
        (
            RANGE,
            ["10.40.0.0/16", "0.0.0.0/20"],
            ["10.40.0.0/15", "10.40.0.0/21", "10.40.0.0", "10.40.0/16", "::/16", "256.0.0.0/16"],
        ),
        (
            Email(),
            ["a.b+c@d-e.example", "x@y.zz"],
            ["a", "a@b", "a b@c.dd", "a@b..cc", ".a@b.cc", "a@-b.cc", "@b.cc"],
        ),
        (
            Instance(),
            [
                "cpu.small",
                "gpu.a10",
                "gpu.a100×16",
                "ml.p4d.24xlarge",
                "n1-standard-4",
                "Standard_NC24ads_A100_v4",
            ],
            [
                "cpu",
                "cpu.huge",
                "cpu.small×2",
                "gpu.t4×0",
                "gpu.t4×17",
                "gpu.v100",
                "ml.m5",
                "large",
                "Standard_",
                "",
            ],
        ),
        (
            RelativePath(),
            ["a", "a/b.yaml", ".hidden/x", "a..b"],
            ["/a", "../a", "a/../b", "a/", "./a", "a//b", "a\\b", "~", "a b", ""],
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_kind_and_its_schema_take_the_same(kind: ScalarKind, good: list[object], bad: list[object]) -> None:
    validator = jsonschema.Draft202012Validator(kind.schema())
    for value in good:
        assert isinstance(value, str | float | int)
        assert kind.read(scalar(value)) == value
        assert validator.is_valid(value), value
    for value in bad:
        assert value is None or isinstance(value, str | float | int)
        with pytest.raises(Refused):
            kind.read(scalar(value))
        if value != "ab\n":  # "$" stands before a last line end in Python, unlike in JavaScript
            assert not validator.is_valid(value), value


@pytest.mark.parametrize("text", ["1h", "60m", "3600s", "1d"])
def test_a_duration_within_its_limits_is_taken(text: str) -> None:
    assert HOUR.read(scalar(text)) == text


@pytest.mark.parametrize("text", ["59m", "2d", "1", "h", "1.5h", "0h", "1h30m", "01h", "1 h", "1w"])
def test_any_other_duration_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        HOUR.read(scalar(text))


def test_the_count_of_gpus_may_be_written_with_an_x() -> None:
    assert Instance().read(scalar("gpu.h100x8")) == "gpu.h100×8"


def test_limits_are_said_in_the_units_that_people_use() -> None:
    assert HOUR.valid == "a duration from 1h to 1d, such as 90m, 12h or 7d"
    assert Number(minimum=1, maximum=1e9).valid == "a number from 1 to 1 000 000 000"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "* * * * *",
            "0 3 * * *",
            "*/15 8-18 * * mon-fri",
            "0,30 0 1,15 */2 sun",
            "59 23 31 12 7",
            "5/10 * * * *",
        ),
        *("0 0 29 2 *", "0 0 31 jan,apr *", "0 0 30 2 mon", "00 03 * * *", "0 3 * JAN MON"),
    ],
)
def test_a_good_schedule_has_no_problem(text: str) -> None:
    assert cron_problem(text) == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "it has 0 fields"),
        ("0 3 * *", "it has 4 fields"),
        ("0 0 3 * * *", "it has 6 fields"),
        ("0  3 * * *", "one space stands between two fields"),
        ("60 * * * *", "its minute is 0 to 59, with *, lists, ranges and steps"),
        ("-1 * * * *", "its minute is 0 to 59, with *, lists, ranges and steps"),
        ("*/0 * * * *", "its minute is 0 to 59, with *, lists, ranges and steps"),
        ("1, * * * *", "its minute is 0 to 59, with *, lists, ranges and steps"),
        ("* 24 * * *", "its hour is 0 to 23, with *, lists, ranges and steps"),
        ("* 5-3 * * *", "its hour is 0 to 23, with *, lists, ranges and steps"),
        ("* * 0 * *", "its day of month is 1 to 31, with *, lists, ranges and steps"),
        ("* * L * *", "its day of month is 1 to 31, with *, lists, ranges and steps"),
        ("* * * 13 *", "its month is 1 to 12 or jan to dec, with *, lists, ranges and steps"),
        ("* * * mon *", "its month is 1 to 12 or jan to dec, with *, lists, ranges and steps"),
        ("* * * * 8", "its day of week is 0 to 7 or sun to sat, with *, lists, ranges and steps"),
        ("* * * * mon#1", "its day of week is 0 to 7 or sun to sat, with *, lists, ranges and steps"),
        ("0 0 30 feb *", "no month that it names has such a day"),
        ("0 0 31 4,6,9,11 *", "no month that it names has such a day"),
    ],
)
def test_a_bad_schedule_says_what_is_wrong(text: str, problem: str) -> None:
    assert cron_problem(text) == problem
