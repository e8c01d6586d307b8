"""Schedules in AWS's own spelling."""

from __future__ import annotations

import pytest

from stacks.aws.schedules import (
    cron_fault,
    event_schedules,
    monitor_hours,
    monitor_schedule,
    nearest_periods,
)


@pytest.mark.parametrize(
    ("cron", "written"),
    [
        ("0 3 * * *", "cron(0 3 * * ? *)"),
        ("05 03 * * *", "cron(5 3 * * ? *)"),
        ("*/15 8-18 * * mon-fri", "cron(0,15,30,45 8-18 ? * MON,TUE,WED,THU,FRI *)"),
        ("30 4 * * 0", "cron(30 4 ? * SUN *)"),
        ("30 4 * * 7", "cron(30 4 ? * SUN *)"),
        ("30 4 * * 1", "cron(30 4 ? * MON *)"),
        ("30 4 * * 5-7", "cron(30 4 ? * SUN,FRI,SAT *)"),
        ("30 4 * * */2", "cron(30 4 ? * SUN,TUE,THU,SAT *)"),
        ("30 4 * * 1/3", "cron(30 4 ? * SUN,MON,THU *)"),
        ("0 0 29 feb *", "cron(0 0 29 2 ? *)"),
        ("0 0 1-7,15 jan-mar *", "cron(0 0 1-7,15 1-3 ? *)"),
        ("0 */6 */1 * *", "cron(0 0,6,12,18 * * ? *)"),
        ("* * * * *", "cron(* * * * ? *)"),
        ("0 0 * * 0-6", "cron(0 0 * * ? *)"),
        ("0 0 1-31 * mon", "cron(0 0 * * ? *)"),
        ("10-11 0 * * *", "cron(10,11 0 * * ? *)"),
    ],
)
def test_five_fields_become_six(cron: str, written: str) -> None:
    assert event_schedules(cron) == (written,)
    assert cron_fault(cron) == ""


def test_days_of_the_month_and_of_the_week_are_either_and_so_two_rules() -> None:
    assert event_schedules("30 4 1,15 * 0") == ("cron(30 4 1,15 * ? *)", "cron(30 4 ? * SUN *)")


@pytest.mark.parametrize("cron", ["0 0 */2 * mon", "0 0 1 * */2", "0 0 */2 * */3"])
def test_days_that_narrow_each_other_cannot_be_said(cron: str) -> None:
    assert "both at once" in cron_fault(cron)


@pytest.mark.parametrize(
    ("every", "hours", "written"),
    [
        ("1h", 1, "cron(0 * ? * * *)"),
        ("60m", 1, "cron(0 * ? * * *)"),
        ("2h", 2, "cron(0 0/2 ? * * *)"),
        ("43200s", 12, "cron(0 0/12 ? * * *)"),
        ("24h", 24, "cron(0 0 ? * * *)"),
        ("1d", 24, "cron(0 0 ? * * *)"),
    ],
)
def test_a_monitor_runs_at_even_hours_of_the_day(every: str, hours: int, written: str) -> None:
    assert monitor_hours(every) == hours
    assert monitor_schedule(hours) == written


@pytest.mark.parametrize(
    ("every", "nearest"),
    [("90m", ("1h", "2h")), ("5h", ("4h", "6h")), ("23h", ("12h", "24h")), ("7d", ("24h",))],
)
def test_other_periods_have_none_and_say_what_is_near(every: str, nearest: tuple[str, ...]) -> None:
    assert monitor_hours(every) is None
    assert nearest_periods(every) == nearest
