"""Judges whether an answer says what was expected: by its words on this machine, or by a model. May not see the passages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .gateway import Gateway
from .guardrails import redacted
from .pricing import spend
from .prompts import filled, load_prompt
from .words import content_words, words

__all__ = ["Judge", "ModelJudge", "WordJudge"]


class Judge(Protocol):
    """The port: 0 is wrong, 1 is right."""

    @property
    def name(self) -> str: ...
    def judge(self, question: str, expected: str, facts: Sequence[str], answer: str) -> float: ...


class WordJudge:
    """Looks for the facts, word by word. It knows no synonyms: an answer in other words gets less than it deserves."""

    name = "words"

    def judge(self, question: str, expected: str, facts: Sequence[str], answer: str) -> float:
        """The share of the facts whose words are all there; without facts, of the expected answer's words."""
        del question
        said = {*content_words(answer), *words(answer)}
        wanted = [set(content_words(fact)) for fact in facts] or [{word} for word in content_words(expected)]
        if not wanted:
            return 0.0
        return sum(fact <= said for fact in wanted) / len(wanted)


@dataclass(frozen=True, slots=True)
class ModelJudge:
    """Asks a model, best another one than the one that answered. What it writes beside a number counts as 0."""

    gateway: Gateway

    @property
    def name(self) -> str:
        return f"{self.gateway.model}, judge {load_prompt('judge').version}"

    def judge(self, question: str, expected: str, facts: Sequence[str], answer: str) -> float:
        wanted = expected if not facts else f"{expected}\nIt must say: {'; '.join(facts)}"
        values = {"question": question, "expected": wanted, "answer": redacted(answer)[0]}
        completion = self.gateway.complete(filled(load_prompt("judge"), values, most_tokens=8))
        spend(self.gateway.model, completion.usage)
        found = re.fullmatch(r"\s*(0(?:\.\d+)?|1(?:\.0+)?)\s*\.?\s*", completion.text)
        return float(found[1]) if found else 0.0
