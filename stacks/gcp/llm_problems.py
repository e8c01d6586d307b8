"""What Vertex AI would not understand of what a platform asks for: model ids, vector sizes, kinds of personal data.

May not judge which region has which model: no dated list of that is shipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.adapter import TargetProblem
from stacks.gcp.context import Context
from stacks.gcp.guardrails import PERSONAL_DATA
from stacks.intents import FoundationModels, Guardrail, KnowledgeBase
from stacks.schema.load import nearest

__all__ = ["llm_problems"]

MODEL = re.compile(r"(publishers/[a-z0-9-]+/models/)?[a-z0-9][a-z0-9._-]*(@[a-z0-9-]+)?")
"""A publisher's model as Vertex AI names it (Vertex AI REST, publishers.models, November 2026)."""

MOST_DIMENSIONS = {
    "gemini-embedding-001": 3072,
    "text-embedding-005": 768,
    "text-multilingual-embedding-002": 768,
}
"""The longest vectors of models for text; each serves shorter ones too (Vertex AI, text embeddings, November 2026)."""

SAYS = "is not a model id of Vertex AI's, such as gemini-2.5-flash"


def llm_problems(context: Context) -> Iterator[TargetProblem]:
    """Yield them in the order of the spec."""
    asked = context.one_of(FoundationModels)
    for number, model in enumerate(asked.models if asked else ()):
        if MODEL.fullmatch(model) is None:
            path = ("llm", "models", str(number))
            yield TargetProblem(path=path, code="llm-model", message=f'llm.models "{model}" {SAYS}')
    for guardrail in context.all_of(Guardrail):
        yield from _personal_data(guardrail)
    for base in context.all_of(KnowledgeBase):
        yield from _embedding(base)


def _personal_data(intent: Guardrail) -> Iterator[TargetProblem]:
    for kind in intent.personal_data:
        if kind not in PERSONAL_DATA:
            place = f"llm.guardrails.{intent.name}.pii"
            yield TargetProblem(
                path=("llm", "guardrails", intent.name, "pii", kind),
                code="llm-pii",
                message=f'{place} "{kind}" is none of the kinds that Google finds: {", ".join(PERSONAL_DATA)}',
                hint=nearest(kind, PERSONAL_DATA) or "Write a pattern for it, in patterns.",
            )


def _embedding(intent: KnowledgeBase) -> Iterator[TargetProblem]:
    path = ("llm", "knowledge_bases", intent.name)
    place = ".".join(path)
    if MODEL.fullmatch(intent.embedding_model) is None:
        yield TargetProblem(
            path=(*path, "embedding_model"),
            code="llm-model",
            message=f'{place}.embedding_model "{intent.embedding_model}" {SAYS}',
        )
    most = MOST_DIMENSIONS.get(intent.embedding_model.rpartition("/")[2])
    if most is not None and intent.dimensions > most:
        yield TargetProblem(
            path=(*path, "dimensions"),
            code="llm-dimensions",
            message=f"{place}.dimensions {intent.dimensions} is more than {intent.embedding_model}'s vectors have: {most}",
            hint=f"Set it to {most} or less.",
        )
