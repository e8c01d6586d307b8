"""Answers a question from the documents: guard, retrieve, prompt, ask, guard again. May not know which model or store it is.

What is streamed is whole sentences, each checked before it leaves: a sentence that is not founded on the passages is
never seen.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from .gateway import Completion, Gateway, Usage
from .guardrails import Guardrails, Refusal, cited, grounded_share
from .pricing import Cost, Price, ledger, spend, total
from .prompts import NO_ANSWER, filled, load_prompt, shown
from .store import Found, Retriever
from .tracing import Span, Tracer
from .words import sentences

__all__ = ["Answer", "Assistant", "Source"]

PROMPT = "answer"
_UNKNOWN = Refusal("no-answer", "The documents do not answer that.")
_CUT = Refusal("filtered", "The model's own filter stopped the answer.")


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that an answer names."""

    number: int
    source: str
    title: str
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered, or ``refused`` with its code and ``text`` saying why."""

    text: str
    refused: str | None
    sources: Sequence[Source]
    retrieved: Sequence[Found]
    model: str
    prompt: str
    usage: Usage
    cost: Cost
    trace_id: str
    redacted: Sequence[str] = ()
    grounded: float = 1.0
    """The share of the draft's sentences that the passages bear out. Who says nothing claims nothing: 1."""
    draft: str = ""
    """What the model wrote, held back or not; it is for evaluation and leaves the process nowhere."""


@dataclass(frozen=True, slots=True)
class Assistant:
    """The application, put together; one for all requests, from any thread."""

    gateway: Gateway
    retriever: Retriever
    guardrails: Guardrails
    prices: Mapping[str, Price]
    tracer: Tracer
    passages: int = 4
    most_tokens: int = 400
    temperature: float = 0.0

    def answer(self, question: str) -> Answer:
        """Answer at once."""
        return next(part for part in self.stream(question) if isinstance(part, Answer))

    def stream(self, question: str) -> Iterator[str | Answer]:
        """Yield sentences as they are ready, and last the whole answer. To be run by one thread from end to end."""
        with ledger() as spent, self.tracer.span("answer") as span:
            answer: Answer | None = None
            with closing(self._parts(question)) as parts:
                for part in parts:
                    if isinstance(part, str):
                        yield part
                    else:
                        answer = part
            if answer is None:
                raise AssertionError("an answer always ends with itself")
            whole = replace(
                answer,
                usage=sum((usage for _, usage in spent), Usage()),
                cost=total(spent, self.prices),
                trace_id=span.trace_id,
            )
            _describe(span, whole)
            yield whole

    def _parts(self, question: str) -> Generator[str | Answer, None, None]:
        with self.tracer.span("guard question"):
            guarded = self.guardrails.question(question)
        if isinstance(guarded, Refusal):
            yield self._refused(guarded, ())
            return
        asked, taken = guarded
        found = self._retrieved(asked)
        if not found:
            yield replace(
                self._refused(Refusal("no-sources", "The documents have nothing about that."), ()),
                redacted=taken,
            )
            return
        for part in self._asked(asked, found):
            yield replace(part, redacted=(*taken, *part.redacted)) if isinstance(part, Answer) else part

    def _retrieved(self, question: str) -> Sequence[Found]:
        with self.tracer.span("retrieve", {"retrieval.wanted": self.passages}) as span:
            found = [
                each
                for each in self.retriever.retrieve(question, self.passages)
                if each.score >= self.guardrails.least_score
            ]
            span.set(retrieval__found=len(found), retrieval__best=found[0].score if found else 0.0)
            return found

    def _asked(self, question: str, found: Sequence[Found]) -> Iterator[str | Answer]:
        prompt = load_prompt(PROMPT)
        values = {"passages": shown(found), "question": _one_question(question)}
        request = filled(prompt, values, most_tokens=self.most_tokens, temperature=self.temperature)
        texts = [f"{each.passage.title}\n{each.passage.text}" for each in found]
        said: list[str] = []
        taken: list[str] = []
        completion: Completion | None = None
        refusal: Refusal | None = None
        attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": self.gateway.model}
        with (
            self.tracer.span("chat", attributes) as span,
            closing(_by_sentence(self.gateway.stream(request))) as parts,
        ):
            for part in parts:
                if isinstance(part, Completion):
                    completion = part
                elif refusal is None:
                    checked = self._checked(part, texts)
                    if isinstance(checked, Refusal):
                        refusal = checked
                        continue
                    text, kinds = checked
                    taken += kinds
                    said.append(text)
                    yield text
            if completion is not None:
                spend(self.gateway.model, completion.usage)
                span.set(
                    gen_ai__response__model=completion.model,
                    gen_ai__usage__input_tokens=completion.usage.input_tokens,
                    gen_ai__usage__output_tokens=completion.usage.output_tokens,
                    gen_ai__response__finish_reasons=completion.stop,
                    prompt__name=prompt.name,
                    prompt__version=prompt.version,
                )
        draft = completion.text if completion else ""
        grounded = 1.0 if _says_nothing(draft) else grounded_share(draft, texts)
        if refusal is None and completion is not None and completion.stop == "filtered":
            refusal = _CUT
        if refusal is None and not said:
            refusal = _UNKNOWN
        if refusal is not None:
            yield replace(
                self._refused(refusal, found), grounded=grounded, draft=draft, redacted=tuple(taken)
            )
            return
        text = " ".join(said)
        yield replace(
            self._refused(_UNKNOWN, found),
            text=text,
            refused=None,
            sources=[_source(number, found[number - 1]) for number in cited(text)],
            redacted=tuple(dict.fromkeys(taken)),
            grounded=grounded,
            draft=draft,
        )

    def _checked(self, sentence: str, texts: Sequence[str]) -> tuple[str, tuple[str, ...]] | Refusal:
        if _says_nothing(sentence):
            return _UNKNOWN
        with self.tracer.span("guard answer"):
            return self.guardrails.answer(sentence, texts)

    def _refused(self, refusal: Refusal, found: Sequence[Found]) -> Answer:
        prompt = load_prompt(PROMPT)
        return Answer(
            text=refusal.says,
            refused=refusal.code,
            sources=(),
            retrieved=found,
            model=self.gateway.model,
            prompt=f"{prompt.name} {prompt.version}",
            usage=Usage(),
            cost=Cost(0.0, "", ""),
            trace_id="",
        )


def _says_nothing(text: str) -> bool:
    return text.strip().strip(".").upper() in ("", NO_ANSWER)


def _one_question(question: str) -> str:
    """A question that cannot end its own tags."""
    return question.replace("<", "&lt;").replace(">", "&gt;")


def _source(number: int, found: Found) -> Source:
    return Source(number, found.passage.source, found.passage.title, found.score)


def _by_sentence(pieces: Iterator[str | Completion]) -> Generator[str | Completion, None, None]:
    """Gather pieces to whole sentences; a citation behind a sentence belongs to it, so the next one has to begin first."""
    waiting = ""
    for piece in pieces:
        if isinstance(piece, Completion):
            yield from _joined(waiting)
            yield piece
            return
        waiting += piece
        ready = _joined(waiting)
        if len(ready) > 1 and not ready[-1].startswith("["):
            yield from ready[:-1]
            waiting = ready[-1] + waiting[len(waiting.rstrip()) :]


def _joined(text: str) -> list[str]:
    """Sentences, each with the citations that follow it."""
    found: list[str] = []
    for sentence in sentences(text):
        rest = sentence
        while found and rest.startswith("[") and (end := rest.find("]")) > 0 and rest[1:end].isdigit():
            found[-1] += f" {rest[: end + 1]}"
            rest = rest[end + 1 :].strip()
        if rest:
            found.append(rest)
    return found


def _describe(span: Span, answer: Answer) -> None:
    span.set(
        answer__refused=answer.refused or "",
        answer__sources=len(answer.sources),
        answer__redacted=", ".join(answer.redacted),
        gen_ai__usage__input_tokens=answer.usage.input_tokens,
        gen_ai__usage__output_tokens=answer.usage.output_tokens,
    )
    if answer.cost.amount is None:
        span.set(cost__unknown=answer.cost.note)
    else:
        span.set(cost__amount=answer.cost.amount, cost__currency=answer.cost.currency)
