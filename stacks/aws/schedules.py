"""Schedules as AWS writes them: five cron fields become EventBridge's six, a monitor's period one that SageMaker has.

Text only. May not know a resource, an intent or a time.
"""

from __future__ import annotations

from stacks.cron import MONTHS, WEEKDAYS, WHOLE, numbers

__all__ = ["cron_fault", "event_schedules", "monitor_hours", "monitor_schedule", "nearest_periods"]

PERIODS_H = (1, 2, 3, 4, 6, 8, 12, 24)
"""Hours between two runs that are the same all day round: SageMaker's schedules start anew each midnight (UTC)."""

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
HOUR_S = 3600


def cron_fault(cron: str) -> str:
    """Say why EventBridge cannot have a schedule; empty when it can.

    cron reads two days that are both restricted as either; a day that starts with a star narrows the other instead,
    which EventBridge has no way to say.
    """
    _, _, day, _, weekday = cron.lower().split(" ")
    starred = [field for field in (day, weekday) if field.startswith("*")]
    if not starred or any(field in WHOLE for field in (day, weekday)):
        return ""
    return f'"{starred[0]}" beside another day field means both at once, which EventBridge cannot say'


def event_schedules(cron: str) -> tuple[str, ...]:
    """Write a schedule for EventBridge: one expression, or two when it names days of the month or of the week.

    A day that both name starts both: cron would start once.
    """
    minute, hour, day, month, weekday = cron.lower().split(" ")
    time = f"{_written(numbers(minute, 0, 59), 60)} {_written(numbers(hour, 0, 23), 24)}"
    months = _written(numbers(month, 1, 12, MONTHS), 12)
    days = _written(numbers(day, 1, 31), 31)
    names = sorted({number % 7 for number in numbers(weekday, 0, 7, WEEKDAYS)})
    weekdays = "*" if len(names) == len(WEEKDAYS) else ",".join(WEEKDAYS[n].upper() for n in names)
    monthly = f"cron({time} {days} {months} ? *)"
    weekly = f"cron({time} ? {months} {weekdays} *)"
    if weekday in WHOLE:
        return (monthly,)
    if day in WHOLE:
        return (weekly,) if weekdays != "*" else (monthly,)
    if "*" in (days, weekdays):
        return (f"cron({time} * {months} ? *)",)
    return monthly, weekly


def _written(numbers: list[int], whole: int) -> str:
    """Numbers as a list in which three and more that follow each other are a range; all there are is a star."""
    if len(numbers) == whole:
        return "*"
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(
        f"{run[0]}-{run[-1]}" if len(run) > 2 else ",".join(str(number) for number in run) for run in runs
    )


def monitor_hours(every: str) -> int | None:
    """The hours between two runs of a monitor; ``None`` for a period that SageMaker does not have."""
    seconds = _seconds(every)
    hours = seconds // HOUR_S
    return hours if seconds % HOUR_S == 0 and hours in PERIODS_H else None


def monitor_schedule(hours: int) -> str:
    """SageMaker's expression for a period (SageMaker API Reference, ScheduleConfig, November 2026)."""
    match hours:
        case 1:
            return "cron(0 * ? * * *)"
        case 24:
            return "cron(0 0 ? * * *)"
        case _:
            return f"cron(0 0/{hours} ? * * *)"


def nearest_periods(every: str) -> tuple[str, ...]:
    """The periods on both sides of one that SageMaker does not have; one only, beyond the longest."""
    seconds = _seconds(every)
    below = [hours for hours in PERIODS_H if hours * HOUR_S < seconds][-1:]
    above = [hours for hours in PERIODS_H if hours * HOUR_S > seconds][:1]
    return tuple(f"{hours}h" for hours in (*below, *above))


def _seconds(duration: str) -> int:
    return int(duration[:-1]) * SECONDS[duration[-1]]
