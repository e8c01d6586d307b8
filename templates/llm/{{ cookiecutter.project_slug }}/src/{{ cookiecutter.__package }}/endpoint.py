"""What an endpoint answers that is given bodies and no HTTP: Scaffolder's local one. May not listen on a port."""

from __future__ import annotations

import json
from pathlib import Path

from .answering import Answer, Assistant
from .settings import settings_from
from .wiring import assistant_of

__all__ = ["as_json", "load", "predict", "questions_in"]

JSON = "application/json"


def load(folder: Path) -> Assistant:
    """The application over the index of a version."""
    return assistant_of(settings_from(), folder)


def predict(model: Assistant, body: bytes, content_type: str) -> tuple[bytes, str]:
    """Answer a body.

    Raises:
        ValueError: it holds no question.
    """
    if content_type.partition(";")[0].strip() != JSON:
        raise ValueError(f"this endpoint reads {JSON}, not {content_type}")
    questions, many = questions_in(body)
    answers = [as_json(model.answer(question)) for question in questions]
    return json.dumps(answers if many else answers[0], ensure_ascii=False).encode(), JSON


def questions_in(body: bytes) -> tuple[list[str], bool]:
    """The questions of a body, and whether they came as a list: {"question": TEXT}, or {"instances": [...]} of those.

    Raises:
        ValueError: it is not such.
    """
    try:
        given = json.loads(body)
    except ValueError as error:
        raise ValueError(f"the body is not JSON: {error}") from error
    if not isinstance(given, dict):
        raise ValueError('the body is {"question": TEXT}')
    many = "instances" in given
    items = given["instances"] if many else [given]
    if not isinstance(items, list) or not items:
        raise ValueError("instances is a list of questions, and not an empty one")
    return [_question(item, f"instances[{place}]." if many else "") for place, item in enumerate(items)], many


def _question(item: object, where: str) -> str:
    if not isinstance(item, dict) or not isinstance(item.get("question"), str):
        raise ValueError(f"{where}question is missing, or is no text")
    unknown = sorted(set(item) - {"question"})
    if unknown:
        raise ValueError(f"{where}{unknown[0]} is not known; there is question")
    question: str = item["question"]
    return question


def as_json(answer: Answer) -> dict[str, object]:
    """What a client is told. Prompts, passages and drafts stay here."""
    return {
        "answer": answer.text,
        "refused": answer.refused,
        "sources": [
            {"number": each.number, "source": each.source, "title": each.title, "score": each.score}
            for each in answer.sources
        ],
        "redacted": list(answer.redacted),
        "model": answer.model,
        "prompt": answer.prompt,
        "usage": {"input_tokens": answer.usage.input_tokens, "output_tokens": answer.usage.output_tokens},
        "cost": {"amount": answer.cost.amount, "currency": answer.cost.currency, "note": answer.cost.note},
        "trace_id": answer.trace_id,
    }
