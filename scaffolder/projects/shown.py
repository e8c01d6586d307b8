"""A stranger's text as a terminal may show it. May not know what the text is of."""

from __future__ import annotations

__all__ = ["shown_text"]


def shown_text(text: str) -> str:
    """A text in one line, with escapes for what would steer a terminal or turn the direction of writing."""
    return "".join(
        letter
        if letter.isprintable()
        else " "
        if letter in "\n\t"
        else letter.encode("unicode_escape").decode()
        for letter in text
    )
