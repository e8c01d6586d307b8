"""What may be asked and what may be answered: size, attempts to take the model over, personal data, and groundedness.

Patterns find what has a form, and no more: the cloud's own guardrails stand beside these, they are not replaced. May not
ask a model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .words import content_words, normalised, sentences, words

__all__ = ["Guardrails", "Refusal", "attack_in", "cited", "grounded_share", "redacted", "ungrounded"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nothing is answered: a code for machines, a sentence for people."""

    code: str
    says: str


# --- personal data ---------------------------------------------------------------------------------------------------

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_CARD = re.compile(r"(?<![\d-])\d(?:[ -]?\d){12,18}(?![\d-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}\b")
_PHONE = re.compile(r"(?<![\w.+-])(?<!\d )(?:\+|00)\d(?:[ ()/-]{0,2}\d){7,13}(?![\w-])")
_KEY = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)


def redacted(text: str) -> tuple[str, tuple[str, ...]]:
    """Put [kind] in the place of personal data and keys; return also the kinds, in alphabetical order."""
    found: set[str] = set()

    def swap(kind: str, pattern: re.Pattern[str], current: str) -> str:
        def put(match: re.Match[str]) -> str:
            if not _is_real(kind, match.group()):
                return match.group()
            found.add(kind)
            return f"[{kind}]"

        return pattern.sub(put, current)

    for kind, pattern in (
        ("key", _KEY),
        ("email", _EMAIL),
        ("iban", _IBAN),
        ("card", _CARD),
        ("phone", _PHONE),
    ):
        text = swap(kind, pattern, text)
    return text, tuple(sorted(found))


def _is_real(kind: str, text: str) -> bool:
    """Hold numbers that carry a check to it: most long numbers are none."""
    if kind == "card":
        return _luhn([int(digit) for digit in text if digit.isdigit()])
    if kind == "iban":
        plain = text.replace(" ", "")
        return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1
    return True


def _luhn(digits: Sequence[int]) -> bool:
    doubled = [
        digit if place % 2 == 0 else sum(divmod(2 * digit, 10))
        for place, digit in enumerate(reversed(digits))
    ]
    return sum(doubled) % 10 == 0 and len(set(digits)) > 1


# --- attempts to take the model over ---------------------------------------------------------------------------------

_ATTACKS: Sequence[tuple[str, re.Pattern[str]]] = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        (
            "override",
            r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,40}\b(?:previous|prior|above|earlier|all|your|the|these|any)\b"
            r".{0,30}\b(?:instruction|prompt|rule|guideline|direction|context|polic|restriction|safety)",
        ),
        (
            "reveal",
            r"\b(?:reveal|show|print|repeat|output|display|leak|tell me|give me|write out|what (?:is|are))\b.{0,40}"
            r"\b(?:your|the|system|hidden|initial)\b.{0,20}\b(?:system prompt|prompt|instructions|initial prompt)\b",
        ),
        ("role", r"\b(?:you are now|act as|pretend (?:to be|you are)|from now on,? you)\b"),
        (
            "mode",
            r"\b(?:developer|god|dan|jailbreak|debug|unrestricted|admin) mode\b|\bdo anything now\b|\bjailbreak",
        ),
        (
            "markup",
            r"</?\s*(?:system|passages?|question|assistant|user|instructions?)\b|\[/?INST\]|<\|im_(?:start|end)\|>|^\s*(?:system|assistant)\s*:",
        ),
        (
            "encoded",
            r"\b(?:base64|rot13|hex)[- ]?(?:decode|encoded)\b.{0,40}\b(?:follow|execute|instruction|run)\b",
        ),
    )
)


def attack_in(text: str) -> str | None:
    """The kind of the attempt in a text, or nothing. What is hidden by look-alikes and zero-width letters is found, too."""
    plain = " ".join(normalised(text).split())
    return next((name for name, pattern in _ATTACKS if pattern.search(plain)), None)


# --- groundedness ----------------------------------------------------------------------------------------------------

_CITATION = re.compile(r"\s*\[(\d{1,3})\]")
LEAST_GROUNDED = 0.7
"""The share of a sentence's content words that must be in the passages. Numbers must all be there."""


def cited(text: str) -> tuple[int, ...]:
    """Numbers of the passages that a text names, without repetition, in order of first mention."""
    return tuple(dict.fromkeys(int(found) for found in _CITATION.findall(text)))


def _uncited(text: str) -> str:
    return _CITATION.sub("", text)


def grounded_share(text: str, passages: Sequence[str]) -> float:
    """The share of a text's sentences that are grounded; 0 where it says nothing."""
    said = [sentence for sentence in sentences(_uncited(text)) if content_words(sentence)]
    if not said:
        return 0.0
    return 1 - len(ungrounded(text, passages)) / len(said)


def ungrounded(text: str, passages: Sequence[str]) -> list[str]:
    """The sentences of a text whose words, or numbers, the passages do not have."""
    held = {word for passage in passages for word in content_words(passage)}
    numbers = {word for passage in passages for word in words(passage) if word[0].isdigit()}
    return [sentence for sentence in sentences(_uncited(text)) if not _is_grounded(sentence, held, numbers)]


def _is_grounded(sentence: str, held: set[str], numbers: set[str]) -> bool:
    if any(word[0].isdigit() and word not in numbers for word in words(sentence)):
        return False
    meant = content_words(sentence)
    return not meant or sum(word in held for word in meant) / len(meant) >= LEAST_GROUNDED


# --- both sides ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Guardrails:
    """The limits of this application. ``least_score`` is how near the nearest passage must be."""

    most_characters: int = 2000
    least_score: float = 0.05

    def question(self, text: str) -> tuple[str, tuple[str, ...]] | Refusal:
        """Return the question without personal data and the kinds that were taken out, or why it is refused."""
        if not text.strip():
            return Refusal("empty", "There is no question.")
        if len(text) > self.most_characters:
            return Refusal(
                "too-long", f"The question has {len(text)} characters; {self.most_characters} are allowed."
            )
        if attack_in(text) is not None:
            return Refusal(
                "prompt-injection",
                "The question looks like instructions to the model, which are not followed.",
            )
        return redacted(normalised(text).strip())

    def answer(self, text: str, passages: Sequence[str]) -> tuple[str, tuple[str, ...]] | Refusal:
        """Return an answer, or a part of it, without personal data, or why it is held back."""
        if not passages:
            return Refusal("no-sources", "The documents have nothing about that.")
        if any(number < 1 or number > len(passages) for number in cited(text)):
            return Refusal("unknown-source", "The model named a source that it was not given.")
        if ungrounded(text, passages):
            return Refusal(
                "ungrounded", "The model's answer is not founded on the documents, so it is held back."
            )
        return redacted(text)
