"""What Bedrock would not understand of what a platform asks for: model ids, vector sizes, kinds of personal data.

May not judge which region has which model: no dated list of that is shipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.adapter import TargetProblem
from stacks.aws.context import Context
from stacks.aws.guardrails import PERSONAL_DATA
from stacks.aws.knowledge import DIMENSIONS
from stacks.aws.llm_roles import is_cross_region
from stacks.intents import FoundationModels, Guardrail, KnowledgeBase
from stacks.schema.load import nearest

__all__ = ["llm_problems"]

MODEL = re.compile(r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,3}(:[a-z0-9-]{1,63}){0,2}")
"""The last part of a foundation model's or inference profile's ARN (Bedrock API Reference, GetFoundationModel)."""

SAYS = "is not a model id of Bedrock's, such as amazon.nova-lite-v1:0"


def llm_problems(context: Context) -> Iterator[TargetProblem]:
    """Yield them in the order of the spec."""
    asked = context.one_of(FoundationModels)
    for number, model in enumerate(asked.models if asked else ()):
        if MODEL.fullmatch(model) is None:
            yield TargetProblem(
                path=("llm", "models", str(number)),
                code="llm-model",
                message=f'llm.models "{model}" {SAYS}',
            )
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
                message=f'{place} "{kind}" is none of the kinds that Bedrock finds: {", ".join(PERSONAL_DATA)}',
                hint=nearest(kind, PERSONAL_DATA) or "Write a pattern for it, in patterns.",
            )


def _embedding(intent: KnowledgeBase) -> Iterator[TargetProblem]:
    path = ("llm", "knowledge_bases", intent.name)
    place = ".".join(path)
    model = intent.embedding_model
    if MODEL.fullmatch(model) is None or is_cross_region(model):
        hint = "A knowledge base embeds in its own region: leave the profile's prefix out."
        yield TargetProblem(
            path=(*path, "embedding_model"),
            code="llm-model",
            message=f'{place}.embedding_model "{model}" {SAYS.replace("nova-lite-v1:0", "titan-embed-text-v2:0")}',
            hint=hint if is_cross_region(model) else "",
        )
    sizes = DIMENSIONS.get(model, ())
    if sizes and intent.dimensions not in sizes:
        known = " or ".join(map(str, sizes))
        yield TargetProblem(
            path=(*path, "dimensions"),
            code="llm-dimensions",
            message=f"{place}.dimensions {intent.dimensions} is not a size of {model}'s vectors: {known}",
            hint=f"Set it to {sizes[0]}.",
        )
