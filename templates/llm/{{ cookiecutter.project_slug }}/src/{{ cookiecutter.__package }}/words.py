"""Cuts text into words and sentences, and reduces words to stems. May not know a document or a model."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["STOP_WORDS", "content_words", "normalised", "sentences", "stem", "words"]

STOP_WORDS = frozenset(
    (
        "a about after all also an and any are as at be because been before being but by can could did do does doing for "
        "from get gets had has have having he her here his how i if in into is it its itself just may me more most must my "
        "no nor not of off on once only or other our out over own same she should so some such than that the their them "
        "then there these they this those through to too under until up us very was way we were what when where whether "
        "which while who whom why will with within without would you your"
    ).split()
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_END = re.compile(
    r"(?<=[.!?])\s+(?=[\"'(\[A-Z0-9])|(?<=[.!?][\"')\]])\s+(?=[\"'(\[A-Z0-9])|\n{2,}|\n(?=\s*(?:[-*]|\d+\.)\s)"
)
_SUFFIXES = (
    "ations",
    "ation",
    "ings",
    "ing",
    "ments",
    "ment",
    "ers",
    "ies",
    "ied",
    "ed",
    "er",
    "es",
    "ly",
    "s",
    "e",
)
_SHORTEST_STEM = 3


def normalised(text: str) -> str:
    """Compose and fold what looks alike (NFKC), and drop what is not seen: zero-width and other format characters."""
    folded = unicodedata.normalize("NFKC", text)
    return "".join(letter for letter in folded if unicodedata.category(letter) != "Cf")


def words(text: str) -> list[str]:
    """Words in lower case, in their order."""
    return [found.group().lower() for found in _WORD.finditer(normalised(text))]


def stem(word: str) -> str:
    """Cut a usual English ending, so that "deploys" and "deployed" meet. Crude, and the same everywhere."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST_STEM:
            return word[: -len(suffix)]
    return word


def content_words(text: str) -> list[str]:
    """Stems of the words that carry meaning, in their order."""
    return [stem(word) for word in words(text) if word not in STOP_WORDS]


def sentences(text: str) -> Iterator[str]:
    """Sentences and list items, without surrounding space."""
    for part in _END.split(text):
        if part.strip():
            yield part.strip()
