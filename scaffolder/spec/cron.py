"""The five fields of a cron schedule and what each may hold.

May not compute when a schedule runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["cron_problem"]

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
LONGEST_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
ITEM = re.compile(r"(?:(\*)|([a-z]{3}|[0-9]{1,2})(?:-([a-z]{3}|[0-9]{1,2}))?)(?:/([0-9]{1,2}))?")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    first: int
    last: int
    words: tuple[str, ...] = ()


FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, MONTHS),
    _Field("day of week", 0, 7, WEEKDAYS),
)


def cron_problem(text: str) -> str:
    """Say what is wrong with a schedule; empty for a good one."""
    written = text.lower().split(" ")
    if len(written) != len(FIELDS):
        count = len(text.split())
        return f"it has {count} fields" if count != len(FIELDS) else "one space stands between two fields"
    sets = []
    for field, part in zip(FIELDS, written, strict=True):
        values = _values(field, part)
        if values is None:
            return f"its {field.name} is {_allowed(field)}, with *, lists, ranges and steps"
        sets.append(values)
    if written[4] == "*" and not any(min(sets[2]) <= LONGEST_MONTH[month - 1] for month in sets[3]):
        return "no month that it names has such a day"
    return ""


def _allowed(field: _Field) -> str:
    words = f" or {field.words[0]} to {field.words[-1]}" if field.words else ""
    return f"{field.first} to {field.last}{words}"


def _values(field: _Field, part: str) -> frozenset[int] | None:
    """The numbers that a field's text stands for."""
    values: set[int] = set()
    for item in part.split(","):
        match = ITEM.fullmatch(item)
        if match is None:
            return None
        star, low, high, step = match.groups()
        first = field.first if star else _number(field, low)
        last = field.last if star or (step and not high) else _number(field, high or low)
        every = int(step or 1)
        if first is None or last is None or first > last or every < 1:
            return None
        values.update(range(first, last + 1, every))
    return frozenset(values)


def _number(field: _Field, text: str) -> int | None:
    if text in field.words:
        return field.words.index(text) + field.first
    if not text.isdigit():
        return None
    return int(text) if field.first <= int(text) <= field.last else None
