"""Measures and cuts text by the columns that it takes on a screen; knows nothing of what the text says."""

from __future__ import annotations

from unicodedata import combining, east_asian_width

__all__ = ["shortened", "width_of"]


def width_of(text: str) -> int:
    """Count columns: two for wide characters, none for combining ones."""
    if text.isascii():
        return len(text)
    return sum(map(_width, text))


def shortened(text: str, columns: int, mark: str = "...") -> str:
    """Cut a text to a number of columns, ``mark`` at its end where something was cut off."""
    if width_of(text) <= columns:
        return text
    room = max(columns - width_of(mark), 0)
    kept = 0
    for index, character in enumerate(text):
        kept += _width(character)
        if kept > room:
            return text[:index] + mark
    return text


def _width(character: str) -> int:
    if combining(character):
        return 0
    return 2 if east_asian_width(character) in "WF" else 1
