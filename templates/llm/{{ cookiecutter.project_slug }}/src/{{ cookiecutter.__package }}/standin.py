"""A stand-in for a language model, on this machine and without one: it quotes sentences of the passages it is given.

It understands nothing and writes nothing of its own. It is there so that the whole application runs, is tested and is
measured without an account, and gives the same answer to the same question. May not open a connection.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from .gateway import Completion, Request, Usage
from .prompts import NO_ANSWER, passages_in, question_in
from .words import content_words, sentences, words

__all__ = ["ExtractiveModel"]

MOST_SENTENCES = 2
LEAST_SHARE = 0.5
"""How much of the question's weight must be in a sentence, with its title, for it to be quoted."""
SECOND_SHARE = 0.85
"""How near the second sentence must come to the first."""


class ExtractiveModel:
    """Quotes the sentences that have most of the question's words, rare ones first."""

    model = "extractive"

    def complete(self, request: Request) -> Completion:
        prompt = request.messages[-1].text
        text = " ".join(self._quotes(prompt)) or NO_ANSWER
        allowed = text.split()[: request.most_tokens]
        usage = Usage(len(words(request.system)) + len(words(prompt)), len(allowed))
        stop = "end" if len(allowed) == len(text.split()) else "length"
        return Completion(" ".join(allowed), self.model, stop, usage)  # type: ignore[arg-type]

    def stream(self, request: Request) -> Iterator[str | Completion]:
        whole = self.complete(request)
        yield from re.findall(r"\S+\s*", whole.text)
        yield whole

    def _quotes(self, prompt: str) -> Iterator[str]:
        asked = set(content_words(question_in(prompt)))
        candidates = [
            (number, sentence, set(content_words(sentence)), set(content_words(title)))
            for number, title, text in passages_in(prompt)
            for sentence in sentences(text)
        ]
        if not asked or not candidates:
            return
        seen = Counter(word for _, _, held, title in candidates for word in held | title)
        weight = {word: math.log(1 + len(candidates) / (1 + seen[word])) for word in asked}
        whole = sum(weight.values())

        def share(held: set[str], title: set[str]) -> float:
            """A title's words count half: they say what the sentence is about, and not what it says of it."""
            own = sum(weight[word] for word in asked & held)
            return (own + 0.5 * sum(weight[word] for word in (asked & title) - held)) / whole

        ranked = sorted(
            (
                (share(held, title), -place, number, sentence)
                for place, (number, sentence, held, title) in enumerate(candidates)
            ),
            reverse=True,
        )
        best = ranked[0][0]
        if best < LEAST_SHARE:
            return
        quoted: set[str] = set()
        for score, _, number, sentence in ranked:
            if len(quoted) == MOST_SENTENCES or score < SECOND_SHARE * best:
                return
            if sentence not in quoted:
                quoted.add(sentence)
                yield f"{_ended(sentence)} [{number}]"


def _ended(sentence: str) -> str:
    plain = re.sub(r"^(?:[-*]|\d+\.)\s+", "", " ".join(sentence.split()))
    return plain if plain.endswith((".", "!", "?")) else f"{plain}."
