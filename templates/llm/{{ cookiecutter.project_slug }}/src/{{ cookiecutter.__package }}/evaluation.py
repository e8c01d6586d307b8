"""Asks every question of the evaluation set, several times, and scores retrieval and answers. May not judge the scores."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .answering import Answer, Assistant
from .chunking import matches
from .judging import Judge
from .resampling import mean_interval, spread_between_runs
from .store import Found

__all__ = [
    "METRICS",
    "EvaluationError",
    "Question",
    "Results",
    "evaluate",
    "load_questions",
    "load_results",
    "write_results",
]

FILE = Path(__file__).parent / "data" / "questions.jsonl"
_RETRIEVAL = ("recall", "reciprocal_rank", "ndcg")
_ANSWERS = ("grounded", "correct", "cited", "refusal_right")
METRICS = (*_RETRIEVAL, *_ANSWERS)
"""What each question is scored by, from 0 to 1. One that is not answerable has no sources: only refusal_right is its."""


class EvaluationError(Exception):
    """A set of questions that does not fit; the message says where."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, what should be found (DOCUMENT#ANCHOR), and what should be said."""

    id: str
    question: str
    sources: tuple[str, ...]
    answer: str
    facts: tuple[str, ...]

    @property
    def is_answerable(self) -> bool:
        return bool(self.sources)

    @property
    def digest(self) -> str:
        """Of all that its score depends on: what changed is another question."""
        parts = json.dumps([self.question, self.sources, self.answer, self.facts], ensure_ascii=False)
        return hashlib.sha256(parts.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Results:
    """Scores of each question by metric, averaged over runs; ``runs`` has each run's mean by metric."""

    systems: Mapping[str, str]
    """What was asked: the model, the embedder, the prompt and the judge. Results of others are not compared."""
    passages: int
    repeated: int
    digests: Mapping[str, str]
    scores: Mapping[str, Mapping[str, float]]
    runs: Mapping[str, Sequence[float]]
    cost: float | None
    currency: str

    def of(self, metric: str) -> Mapping[str, float]:
        """Scores of the questions that have this metric."""
        return {id_: found[metric] for id_, found in self.scores.items() if metric in found}

    def summary(self) -> dict[str, float]:
        """A flat object of numbers: what a pipeline's report is."""
        numbers: dict[str, float] = {"questions": len(self.scores), "runs": self.repeated}
        for metric in METRICS:
            values = [*self.of(metric).values()]
            if values:
                interval = mean_interval(values)
                numbers[metric] = round(interval.estimate, 6)
                numbers[f"{metric}_low"] = round(interval.low, 6)
                numbers[f"{metric}_high"] = round(interval.high, 6)
                numbers[f"{metric}_between_runs"] = round(
                    spread_between_runs([[run] for run in self.runs[metric]]), 6
                )
        if self.cost is not None:
            numbers["cost_per_question"] = round(self.cost / max(1, len(self.scores) * self.repeated), 9)
        return numbers


def load_questions(path: Path = FILE) -> list[Question]:
    """Read the questions.

    Raises:
        EvaluationError: a line does not fit, or an id is there twice.
    """
    found: dict[str, Question] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            given = json.loads(line)
            one = Question(
                id=given["id"],
                question=given["question"],
                sources=tuple(given["sources"]),
                answer=given["answer"],
                facts=tuple(given["facts"]),
            )
        except (ValueError, TypeError, KeyError) as error:
            raise EvaluationError(
                f"{path.name}:{number}: not a question with id, question, sources, answer and facts: {error}"
            ) from error
        if one.id in found:
            raise EvaluationError(f"{path.name}:{number}: the id {one.id} is there twice")
        found[one.id] = one
    if not found:
        raise EvaluationError(f"{path.name} has no question")
    return [*found.values()]


def evaluate(
    assistant: Assistant,
    judge: Judge,
    questions: Sequence[Question],
    *,
    systems: Mapping[str, str],
    runs: int,
    say: Callable[[str], None] = lambda _: None,
) -> Results:
    """Ask each question ``runs`` times."""
    if runs < 1:
        raise EvaluationError(f"runs {runs} is less than 1")
    repeated: list[dict[str, dict[str, float]]] = []
    costs: list[float | None] = []
    currency = ""
    for number in range(1, runs + 1):
        scored: dict[str, dict[str, float]] = {}
        for question in questions:
            answer = assistant.answer(question.question)
            costs.append(answer.cost.amount)
            currency = answer.cost.currency or currency
            scored[question.id] = _scores(question, answer, assistant.passages, judge)
        repeated.append(scored)
        say(f"run {number} of {runs}: {len(questions)} questions")
    averaged = {
        question.id: {
            metric: math.fsum(run[question.id][metric] for run in repeated) / runs
            for metric in repeated[0][question.id]
        }
        for question in questions
    }
    known = [cost for cost in costs if cost is not None]
    return Results(
        systems=systems,
        passages=assistant.passages,
        repeated=runs,
        digests={question.id: question.digest for question in questions},
        scores=averaged,
        runs={metric: [_mean(run, metric) for run in repeated] for metric in METRICS},
        cost=math.fsum(known) if len(known) == len(costs) else None,
        currency=currency,
    )


def _mean(run: Mapping[str, Mapping[str, float]], metric: str) -> float:
    values = [found[metric] for found in run.values() if metric in found]
    return math.fsum(values) / len(values) if values else 0.0


def _scores(question: Question, answer: Answer, passages: int, judge: Judge) -> dict[str, float]:
    if not question.is_answerable:
        return {"refusal_right": float(answer.refused is not None)}
    found = _retrieval(question, answer.retrieved, passages)
    found["refusal_right"] = float(answer.refused is None)
    said = "" if answer.refused else answer.text
    found["correct"] = judge.judge(question.question, question.answer, question.facts, said) if said else 0.0
    named = [source.source for source in answer.sources]
    found["cited"] = float(any(matches(expected, each) for expected in question.sources for each in named))
    found["grounded"] = answer.grounded
    return found


def _retrieval(question: Question, retrieved: Sequence[Found], most: int) -> dict[str, float]:
    """Of each expected source the first passage counts: a second one of the same finds nothing new."""
    waiting = list(question.sources)
    gains: list[int] = []
    for found in retrieved[:most]:
        hit = next((source for source in waiting if matches(source, found.passage.source)), None)
        gains.append(int(hit is not None))
        if hit is not None:
            waiting.remove(hit)
    best = math.fsum(1 / math.log2(place + 2) for place in range(min(most, len(question.sources))))
    gained = math.fsum(gain / math.log2(place + 2) for place, gain in enumerate(gains))
    return {
        "recall": sum(gains) / len(question.sources),
        "reciprocal_rank": next((1 / place for place, gain in enumerate(gains, start=1) if gain), 0.0),
        "ndcg": gained / best,
    }


# --- files -----------------------------------------------------------------------------------------------------------


def write_results(results: Results, path: Path) -> None:
    """Write results so that a change of one question is a change of one line."""
    lines = [
        f"    {json.dumps(id_)}: {json.dumps({'digest': results.digests[id_], **_rounded(found)}, sort_keys=True)}"
        for id_, found in sorted(results.scores.items())
    ]
    about = {
        "cost": results.cost,
        "currency": results.currency,
        "passages": results.passages,
        "repeated": results.repeated,
        "runs": {metric: [round(value, 6) for value in found] for metric, found in results.runs.items()},
        "systems": dict(results.systems),
    }
    head = "".join(
        f"  {json.dumps(key)}: {json.dumps(value, sort_keys=True)},\n" for key, value in about.items()
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{\n" + head + '  "questions": {\n' + ",\n".join(lines) + "\n  }\n}\n", encoding="utf-8")


def _rounded(found: Mapping[str, float]) -> dict[str, float]:
    return {metric: round(value, 6) for metric, value in found.items()}


def load_results(path: Path) -> Results:
    """Read what :func:`write_results` wrote."""
    found = json.loads(path.read_text(encoding="utf-8"))
    questions: dict[str, dict[str, float | str]] = found["questions"]
    return Results(
        systems=found["systems"],
        passages=found["passages"],
        repeated=found["repeated"],
        digests={id_: str(each["digest"]) for id_, each in questions.items()},
        scores={
            id_: {metric: float(value) for metric, value in each.items() if metric != "digest"}
            for id_, each in questions.items()
        },
        runs=found["runs"],
        cost=found["cost"],
        currency=found["currency"],
    )
