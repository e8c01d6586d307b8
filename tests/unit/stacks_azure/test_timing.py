"""Azure ML's triggers start when cron does: at moments of drawn schedules, read as its documentation reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scaffolder.spec.cron import cron_problem
from stacks.azure.timing import schedule_fault, triggers

BEGIN = datetime(2027, 1, 30)  # noqa: DTZ001 - all is UTC; with the end of a month and of February in sight
MOMENTS = [
    BEGIN + timedelta(days=day, hours=hour, minutes=minute)
    for day in range(35)
    for hour in (0, 1, 6, 9)
    for minute in (0, 5)
]
"""Of each way to write an hour and a minute, some that are meant and some that are not."""

FIELDS = {
    "minute": ("0", "*/20", "5,35"),
    "hour": ("*", "6", "8-10", "*/12", "1,23"),
    "day": ("*", "1", "15,31", "1-7", "*/10", "*/1"),
    "month": ("*", "1-12"),
    "weekday": ("*", "mon", "1-5", "0", "7", "sun,wed", "0-6", "1-7", "*/2"),
}
crons = st.tuples(*(st.sampled_from(values) for values in FIELDS.values())).map(" ".join)


def _in(text: str, value: int, least: int, most: int) -> bool:
    """Whether a value is of a cron field, read anew."""
    names = {
        name: str(number) for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))
    }
    for item in text.split(","):
        span, _, step = item.partition("/")
        low, _, high = span.partition("-")
        first = least if span == "*" else int(names.get(low, low))
        last = most if span == "*" else int(names.get(high, high) or first)
        if value in range(first, last + 1, int(step or 1)):
            return True
    return False


def _cron_starts(cron: str, at: datetime) -> bool:
    """As crontab(5) has it: of two days that are both restricted, either."""
    minute, hour, day, month, weekday = cron.split(" ")
    number = at.isoweekday() % 7
    of_month = _in(day, at.day, 1, 31)
    of_week = _in(weekday, number, 0, 7) or (number == 0 and _in(weekday, 7, 0, 7))
    either = not day.startswith("*") and not weekday.startswith("*")
    days = (of_month or of_week) if either else (of_month and of_week)
    return (
        _in(minute, at.minute, 0, 59) and _in(hour, at.hour, 0, 23) and _in(month, at.month, 1, 12) and days
    )


def _starts(trigger: Mapping[str, Any], at: datetime) -> bool:
    """As Azure ML has it: a cron expression's days of the month and months are stars."""
    if trigger["triggerType"] == "Cron":
        minute, hour, day, month, weekday = trigger["expression"].split(" ")
        assert (day, month) == ("*", "*")
        of = _in(weekday, at.isoweekday() % 7, 0, 6)
        return _in(minute, at.minute, 0, 59) and _in(hour, at.hour, 0, 23) and of
    assert (trigger["frequency"], trigger["interval"]) == ("Month", 1)
    schedule = trigger["schedule"]
    return (
        at.minute in schedule["minutes"] and at.hour in schedule["hours"] and at.day in schedule["monthDays"]
    )


@given(crons)
def test_a_trigger_starts_when_cron_does(cron: str) -> None:
    assert cron_problem(cron) == ""
    if schedule_fault(cron):
        return
    written = triggers(cron)
    for at in MOMENTS:
        assert any(_starts(one, at) for one in written) == _cron_starts(cron, at), at


@pytest.mark.parametrize(
    ("cron", "says"),
    [
        ("0 6 1 1 *", 'Azure ML starts in every month, and not in "1" only'),
        ("0 6 1 jan-jun *", 'Azure ML starts in every month, and not in "jan-jun" only'),
        ("0 6 */2 * mon", '"*/2" beside another day field means both at once, which Azure ML cannot say'),
        ("0 6 1,15 1-12 mon", ""),
    ],
)
def test_what_azure_ml_cannot_say_is_refused(cron: str, says: str) -> None:
    assert schedule_fault(cron) == says
