"""Ids of large models as Azure has them, [PUBLISHER/]NAME[@VERSION], and what of a platform's llm section Azure refuses.

May not judge which location has which model: no dated list of that is shipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from stacks.adapter import TargetProblem
from stacks.azure.context import Context
from stacks.intents import FoundationModels, Guardrail, KnowledgeBase
from stacks.record import record
from stacks.schema.load import nearest

__all__ = ["Model", "llm_problems", "model_of"]

ID = re.compile(
    r"(?:(?P<publisher>[a-z0-9-]+)/)?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]{0,62})(?:@(?P<version>[A-Za-z0-9][A-Za-z0-9.-]{0,30}))?"
)
FORMATS = {
    "ai21-labs": "AI21 Labs",
    "black-forest-labs": "Black Forest Labs",
    "cohere": "Cohere",
    "core42": "Core42",
    "deepseek": "DeepSeek",
    "meta": "Meta",
    "microsoft": "Microsoft",
    "mistral-ai": "Mistral AI",
    "openai": "OpenAI",
    "xai": "xAI",
}
"""Publishers as Azure spells a model's format (azurerm 5.10, azurerm_cognitive_deployment)."""

SAYS = "is not a model id of Azure's, such as gpt-4o@2024-11-20 or meta/Llama-3.3-70B-Instruct@5"
LARGEST_VECTORS = {"text-embedding-3-large": 3072, "text-embedding-3-small": 1536}
FIXED_VECTORS = {"text-embedding-ada-002": 1536}
"""Sizes of embedding models' vectors (Microsoft Learn, Azure OpenAI models, November 2026)."""


@record
class Model:
    """A model's publisher in Azure's spelling, its name, its version where the id has one, and its deployment's name."""

    format: str
    name: str
    version: str | None
    deployment: str

    @property
    def stays(self) -> bool:
        """Whether it can be had in one location or zone. Others' models are deployed globally (Microsoft Learn, models
        sold directly by Azure, November 2026: a few are in a zone, too, and none in a location).
        """
        return self.format == FORMATS["openai"]


def model_of(id_: str) -> Model:
    """Read an id.

    Raises:
        ValueError: it is none; ``llm_problems`` refused it.
    """
    found = ID.fullmatch(id_)
    publisher = found["publisher"] or "openai" if found else ""
    if found is None or publisher not in FORMATS:
        raise ValueError(f'"{id_}" {SAYS}')
    deployment = re.sub(r"[^A-Za-z0-9-]+", "-", id_.removeprefix("openai/"))
    return Model(
        format=FORMATS[publisher], name=found["name"], version=found["version"], deployment=deployment
    )


def llm_problems(context: Context) -> Iterator[TargetProblem]:
    """Yield them in the order of the spec."""
    asked = context.one_of(FoundationModels)
    for number, model in enumerate(asked.models if asked else ()):
        yield from _model(("llm", "models", str(number)), "llm.models", model)
    for guardrail in context.all_of(Guardrail):
        yield from _guardrail(guardrail)
    for base in context.all_of(KnowledgeBase):
        path = ("llm", "knowledge_bases", base.name)
        yield from _model(
            (*path, "embedding_model"), f"{'.'.join(path)}.embedding_model", base.embedding_model
        )
        yield from _vectors(path, base)


def _model(path: tuple[str, ...], place: str, model: str) -> Iterator[TargetProblem]:
    found = ID.fullmatch(model)
    if found is None:
        yield TargetProblem(path=path, code="llm-model", message=f'{place} "{model}" {SAYS}')
        return
    publisher = found["publisher"] or "openai"
    if publisher not in FORMATS:
        known = ", ".join(FORMATS)
        yield TargetProblem(
            path=path,
            code="llm-model",
            message=f'{place} "{model}": {publisher} is none of the publishers that Azure deploys: {known}',
            hint=nearest(publisher, FORMATS),
        )
    elif not model_of(model).stays:
        yield TargetProblem(
            path=path,
            code="llm-residency",
            message=f'{place} "{model}" is answered by any of Azure\'s locations: models of {FORMATS[publisher]} are '
            "deployed globally",
            hint="Take one of OpenAI's, which answers in its location or its zone, or override the deployment's sku.",
            warning=True,
        )


def _guardrail(intent: Guardrail) -> Iterator[TargetProblem]:
    """What is asked for by name and Azure's filters cannot do is refused: a filter that is not there protects nobody."""
    path = ("llm", "guardrails", intent.name)
    place = ".".join(path)
    if intent.personal_data:
        yield TargetProblem(
            path=(*path, "pii"),
            code="llm-pii",
            message=f"{place}.pii: Azure's filters for models do not find personal data",
            hint="Leave it out, and block what has a form with patterns.",
        )
    for name, pattern in intent.patterns.items():
        if pattern.action == "mask":
            yield TargetProblem(
                path=(*path, "patterns", name, "action"),
                code="llm-mask",
                message=f"{place}.patterns.{name}.action mask: Azure's filters block, and mask nothing",
                hint="Set it to block.",
            )
    if intent.denied_topics:
        yield TargetProblem(
            path=(*path, "denied_topics"),
            code="llm-topics",
            message=f"{place}.denied_topics: Azure's filters know no topic from its definition",
            hint="Leave it out, and refuse the topic in the model's instructions.",
        )


def _vectors(path: tuple[str, ...], base: KnowledgeBase) -> Iterator[TargetProblem]:
    found = ID.fullmatch(base.embedding_model)
    name = found["name"] if found else ""
    fixed, largest = FIXED_VECTORS.get(name), LARGEST_VECTORS.get(name)
    if (fixed is None or base.dimensions == fixed) and (largest is None or base.dimensions <= largest):
        return
    yield TargetProblem(
        path=(*path, "dimensions"),
        code="llm-dimensions",
        message=(
            f"{'.'.join(path)}.dimensions {base.dimensions} is not a size of {name}'s vectors: "
            f"{fixed or f'1 to {largest}'}"
        ),
        hint=f"Set it to {fixed or largest}.",
    )
