"""Cuts documents into passages that end where a sentence ends. May not read a file or know a model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from .documents import Document, Section
from .words import sentences, words

__all__ = ["Chunking", "Passage", "chunk", "matches"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a section; ``source`` is DOCUMENT#ANCHOR, ``id`` changes with its text."""

    id: str
    source: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Chunking:
    """How large passages are, in words, and how much the next one repeats of the one before."""

    most_words: int = 120
    overlap_words: int = 24

    def __post_init__(self) -> None:
        if self.most_words < 10:
            raise ValueError(f"most_words {self.most_words} is less than 10: passages would hold no sentence")
        if not 0 <= self.overlap_words <= self.most_words // 2:
            raise ValueError(
                f"overlap_words {self.overlap_words} is not between 0 and half of {self.most_words}"
            )


def chunk(documents: Iterable[Document], how: Chunking) -> list[Passage]:
    """Cut documents into passages, in their order. A section's first words are its title, which searches find, too."""
    return [
        Passage(id=_id(source, text), source=source, title=_title(document, section), text=text)
        for document in documents
        for section in document.sections
        for source in (f"{document.id}#{section.anchor}",)
        for text in _pieces(section.text, how)
    ]


def matches(expected: str, found: str) -> bool:
    """Whether a passage is of an expected source: the same section, or the document where one of them names no section."""
    if "#" in expected and "#" in found:
        return expected == found
    return expected.partition("#")[0] == found.partition("#")[0]


def _title(document: Document, section: Section) -> str:
    return document.title if section.title == document.title else f"{document.title}: {section.title}"


def _id(source: str, text: str) -> str:
    return hashlib.sha256(f"{source}\0{text}".encode()).hexdigest()[:16]


def _pieces(text: str, how: Chunking) -> Iterator[str]:
    window: list[str] = []
    fresh = False
    for sentence in _bounded(text, how.most_words):
        if window and _length(window) + _length([sentence]) > how.most_words:
            if fresh:
                yield "\n".join(window)
            window = _tail(window, min(how.overlap_words, how.most_words - _length([sentence])))
            fresh = False
        window.append(sentence)
        fresh = True
    if window and fresh:
        yield "\n".join(window)


def _bounded(text: str, most: int) -> Iterator[str]:
    """Sentences; one that is longer than a passage is cut between words."""
    for sentence in sentences(text):
        pieces = sentence.split()
        for start in range(0, len(pieces), most):
            yield " ".join(pieces[start : start + most])


def _tail(window: list[str], most: int) -> list[str]:
    """The last whole sentences that are together no longer than ``most`` words."""
    kept: list[str] = []
    for sentence in reversed(window):
        if _length([sentence, *kept]) > most:
            break
        kept.insert(0, sentence)
    return kept


def _length(parts: Iterable[str]) -> int:
    return sum(max(len(words(part)), 1) for part in parts)
