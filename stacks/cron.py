"""Five cron fields as numbers, for the clouds whose schedules are written otherwise. May not know a cloud or a time."""

from __future__ import annotations

import re

__all__ = ["MONTHS", "WEEKDAYS", "WHOLE", "numbers"]

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
WHOLE = ("*", "*/1")
ITEM = re.compile(r"(?:(\*)|([a-z]{3}|[0-9]{1,2})(?:-([a-z]{3}|[0-9]{1,2}))?)(?:/([0-9]{1,2}))?")


def numbers(part: str, first: int, last: int, words: tuple[str, ...] = ()) -> list[int]:
    """The numbers that a field's text stands for, sorted; the text was read before."""
    values: set[int] = set()
    for item in part.split(","):
        match = ITEM.fullmatch(item)
        if match is None:
            raise ValueError(f"{part!r} is not a cron field")
        star, low, high, step = match.groups()
        start = first if star else _number(low, first, words)
        end = last if star or (step and not high) else _number(high or low, first, words)
        values.update(range(start, end + 1, int(step or 1)))
    return sorted(values)


def _number(text: str, first: int, words: tuple[str, ...]) -> int:
    return words.index(text) + first if text in words else int(text)
