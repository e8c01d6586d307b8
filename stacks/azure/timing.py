"""Schedules as Azure ML writes them: five cron fields become its cron trigger, or a recurrence where days of a month count.

Azure ML takes a cron expression's days of the month and months for stars (Azure Machine Learning, "Schedule data import
jobs" and "Schedule pipeline jobs", November 2026), so they are never written into one. Text only; all times are UTC.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from stacks.cron import MONTHS, WEEKDAYS, WHOLE, numbers

__all__ = ["BEGUN", "schedule_fault", "triggers"]

Trigger: TypeAlias = Mapping[str, Any]

BEGUN = "2020-01-01T00:00:00"
"""A start that has passed: the first job is the next one by the clock. Without one, making the schedule may start a job."""


def schedule_fault(cron: str) -> str:
    """Say why Azure ML cannot have a schedule; empty when it can."""
    _, _, day, month, weekday = cron.lower().split(" ")
    if len(numbers(month, 1, 12, MONTHS)) < len(MONTHS):
        return f'Azure ML starts in every month, and not in "{month}" only'
    starred = [field for field in (day, weekday) if field.startswith("*")]
    if starred and not any(field in WHOLE for field in (day, weekday)):
        return f'"{starred[0]}" beside another day field means both at once, which Azure ML cannot say'
    return ""


def triggers(cron: str) -> tuple[Trigger, ...]:
    """Write a schedule that has no fault: one trigger, or two where it names days of the month and of the week.

    A day that both name starts both: cron would start once.
    """
    minute, hour, day, _, weekday = cron.lower().split(" ")
    minutes, hours = numbers(minute, 0, 59), numbers(hour, 0, 23)
    days = numbers(day, 1, 31)
    names = sorted({number % 7 for number in numbers(weekday, 0, 7, WEEKDAYS)})
    weekly = _cron(minutes, hours, names)
    monthly = _recurrence(minutes, hours, days)
    every_day, every_weekday = len(days) == 31, len(names) == len(WEEKDAYS)
    if every_day and (every_weekday or day in WHOLE):
        return (weekly,)
    if weekday in WHOLE:
        return (monthly,)
    if every_day or every_weekday:
        return (_cron(minutes, hours, [*range(len(WEEKDAYS))]),)
    return monthly, weekly


def _cron(minutes: list[int], hours: list[int], weekdays: list[int]) -> Trigger:
    fields = (
        _listed(minutes, 60),
        _listed(hours, 24),
        "*",
        "*",
        _listed(weekdays, len(WEEKDAYS)),
    )
    return {"triggerType": "Cron", "timeZone": "UTC", "startTime": BEGUN, "expression": " ".join(fields)}


def _recurrence(minutes: list[int], hours: list[int], days: list[int]) -> Trigger:
    return {
        "triggerType": "Recurrence",
        "timeZone": "UTC",
        "startTime": BEGUN,
        "frequency": "Month",
        "interval": 1,
        "schedule": {"minutes": minutes, "hours": hours, "monthDays": days},
    }


def _listed(numbers: list[int], whole: int) -> str:
    return "*" if len(numbers) == whole else ",".join(map(str, numbers))
