"""Puts the application together from its settings: the only place that knows which cloud it is. May not answer anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
{%- if cookiecutter.provider != "local" %}
from dataclasses import replace
{%- endif %}
from pathlib import Path

from .answering import Assistant
from .chunking import Passage
from .embedding import Embedder, HashedEmbedder
from .gateway import Gateway
from .guardrails import Guardrails
from .judging import Judge, {% if cookiecutter.provider != "local" %}ModelJudge, {% endif %}WordJudge
from .pricing import load_prices
from .prompts import load_prompt
from .settings import Settings
from .standin import ExtractiveModel
from .store import EmbeddedStore, Retriever, StoreError
from .tracing import JsonLines, Tracer, opentelemetry_tracer

__all__ = ["ABOUT", "assistant_of", "embedder_for_passages", "judge_of", "saved_embedder", "systems_of"]

ABOUT = "about.json"
EMBEDDER, STORE = "embedder", "store"


def gateway_of(settings: Settings) -> Gateway:
    """The model that answers."""
{%- if cookiecutter.provider == "local" %}
    del settings
    return ExtractiveModel()
{%- else %}
    if settings.models == "local":
        return ExtractiveModel()
{%- if cookiecutter.provider == "aws" %}
    from .bedrock import BedrockGateway, client_of

    client = client_of("bedrock-runtime", settings.region)
    return BedrockGateway(client, settings.model, settings.guardrail)
{%- elif cookiecutter.provider == "gcp" %}
    from .http_json import Connection
    from .vertex import VertexGateway, address_of, google_token

    connection = Connection("Vertex AI", address_of(settings.location), google_token())
    return VertexGateway(connection, settings.project, settings.location, settings.model, settings.guardrail)
{%- else %}
    from .azure_openai import AzureGateway, azure_token
    from .http_json import Connection

    return AzureGateway(Connection("Azure OpenAI", settings.models_endpoint, azure_token()), settings.model)
{%- endif %}
{%- endif %}
{% if cookiecutter.provider != "local" %}

def cloud_embedder(settings: Settings) -> Embedder:
    """The cloud's embedding model."""
{%- if cookiecutter.provider == "aws" %}
    from .bedrock import BedrockEmbedder, client_of

    client = client_of("bedrock-runtime", settings.region)
    return BedrockEmbedder(client, settings.embedding_model, settings.dimensions)
{%- elif cookiecutter.provider == "gcp" %}
    from .http_json import Connection
    from .vertex import VertexEmbedder, address_of, google_token

    connection = Connection("Vertex AI", address_of(settings.region), google_token())
    return VertexEmbedder(
        connection, settings.project, settings.region, settings.embedding_model, settings.dimensions
    )
{%- else %}
    from .azure_openai import AzureEmbedder, azure_token
    from .http_json import Connection

    connection = Connection("Azure OpenAI", settings.models_endpoint, azure_token())
    return AzureEmbedder(connection, settings.embedding_model, settings.dimensions)
{%- endif %}
{% endif %}

def embedder_for_passages(settings: Settings, passages: Sequence[Passage], folder: Path) -> Embedder:
    """The embedder of a new index; what it learns, and who it is, is written into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
{%- if cookiecutter.provider != "local" %}
    if settings.models == "cloud":
        embedder = cloud_embedder(settings)
        text = json.dumps({"embedder": embedder.name}) + "\n"
        (folder / "embedder.json").write_text(text, encoding="utf-8")
        return embedder
{%- else %}
    del settings
{%- endif %}
    fitted = HashedEmbedder.fitted([f"{passage.title}\n{passage.text}" for passage in passages])
    fitted.save(folder)
    return fitted


def saved_embedder(settings: Settings, folder: Path) -> Embedder:
    """The embedder that made an index, whatever answers its questions.

    Raises:
        StoreError: this project cannot make the same vectors.
    """
    if not (folder / "embedder.json").is_file():
        raise StoreError(f"there is no embedder in {folder}; run the pipeline `index` first")
    name = json.loads((folder / "embedder.json").read_text(encoding="utf-8"))["embedder"]
    if name == HashedEmbedder.name:
        return HashedEmbedder.load(folder)
{%- if cookiecutter.provider != "local" %}
    embedder = cloud_embedder(settings)
    if embedder.name == name:
        return embedder
    raise StoreError(
        f"the index was made by {name}, and the settings say {embedder.name}; run the pipeline `index` again"
    )
{%- else %}
    del settings
    raise StoreError(
        f"the index was made by {name}, which this project does not have; run the pipeline `index` again"
    )
{%- endif %}


def retriever_of(settings: Settings, index: Path) -> Retriever:
    """The store of an index."""
{%- if cookiecutter.__store == "platform" %}
    if settings.store == "platform":
{%- if cookiecutter.provider == "aws" %}
        from .bedrock import client_of
        from .knowledge_base import KnowledgeBase

        return KnowledgeBase(client_of("bedrock-agent-runtime", settings.region), settings.knowledge_base_id)
{%- elif cookiecutter.provider == "gcp" %}
        from .store import read_passages
        from .vector_search import VectorSearch, endpoint_of

        endpoint = endpoint_of(
            settings.vector_endpoint, settings.vector_address, settings.project, settings.region
        )
        embedder = saved_embedder(settings, index / EMBEDDER)
        passages = read_passages(index / STORE / "passages.jsonl")
        return VectorSearch(endpoint, settings.deployed_index, embedder, passages)
{%- else %}
        from .ai_search import SCOPE, AiSearch
        from .azure_openai import azure_token
        from .http_json import Connection

        connection = Connection("Azure AI Search", settings.search_endpoint, azure_token(SCOPE))
        return AiSearch(connection, settings.search_index, saved_embedder(settings, index / EMBEDDER))
{%- endif %}
{%- endif %}
    return EmbeddedStore.load(index / STORE, saved_embedder(settings, index / EMBEDDER))


def assistant_of(settings: Settings, index: Path) -> Assistant:
    """The whole application over an index."""
    exports = [each for each in (opentelemetry_tracer(), *_files(settings)) if each is not None]
    return Assistant(
        gateway=gateway_of(settings),
        retriever=retriever_of(settings, index),
        guardrails=Guardrails(most_characters=settings.most_characters, least_score=settings.least_score),
        prices=load_prices(),
        tracer=Tracer(*exports),
        passages=settings.passages,
        most_tokens=settings.most_tokens,
        temperature=settings.temperature,
    )


def _files(settings: Settings) -> Sequence[JsonLines]:
    return (JsonLines(Path(settings.traces)),) if settings.traces else ()


def judge_of(settings: Settings) -> Judge:
    """Words here; a model of the cloud where the cloud answers."""
{%- if cookiecutter.provider == "local" %}
    del settings
    return WordJudge()
{%- else %}
    if settings.models == "local":
        return WordJudge()
    return ModelJudge(gateway_of(replace(settings, model=settings.judge_model or settings.model)))
{%- endif %}


def systems_of(settings: Settings, index: Path) -> dict[str, str]:
    """What an evaluation was made with."""
    about = json.loads((index / ABOUT).read_text(encoding="utf-8"))
    prompt = load_prompt("answer")
    return {
        "embedder": str(about["embedder"]),
        "judge": judge_of(settings).name,
        "model": gateway_of(settings).model,
        "prompt": f"{prompt.name} {prompt.version}",
    }
