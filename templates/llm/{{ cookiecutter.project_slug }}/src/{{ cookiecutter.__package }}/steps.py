"""The steps of the pipeline `index`, each from folders to a folder. May not know who runs them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .chunking import Chunking, chunk
from .documents import Document, Section, read_folder
from .evaluation import Results, evaluate, load_questions, load_results, write_results
from .gate import Rules, Verdict, decide, report
from .guardrails import attack_in
from .settings import Settings
from .store import EmbeddedStore, read_passages, write_passages
from .wiring import (
    ABOUT,
    EMBEDDER,
    STORE,
    assistant_of,
    embedder_for_passages,
    judge_of,
    saved_embedder,
    systems_of,
)

__all__ = ["baseline_of", "chunk_step", "embed_step", "evaluate_step", "gate", "index_step", "ingest_step"]

HERE = Path(__file__).parent
BASELINES = HERE / "data" / "baselines"
DOCUMENTS, PASSAGES, VECTORS, RESULTS = "documents.jsonl", "passages.jsonl", "vectors.npy", "results.json"

Say = Callable[[str], None]


def ingest_step(documents: Path, out: Path, say: Say) -> None:
    """Read documents; write them as sections, a document a line."""
    found = read_folder(documents)
    out.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(asdict(document), ensure_ascii=False, sort_keys=True) + "\n" for document in found)
    (out / DOCUMENTS).write_text("".join(lines), encoding="utf-8")
    say(f"{len(found)} documents with {sum(len(document.sections) for document in found)} sections")


def chunk_step(documents: Path, out: Path, how: Chunking, say: Say) -> None:
    """Cut documents into passages."""
    lines = (documents / DOCUMENTS).read_text(encoding="utf-8").splitlines()
    passages = chunk(map(_document, lines), how)
    out.mkdir(parents=True, exist_ok=True)
    write_passages(passages, out / PASSAGES)
    for passage in passages:
        if attack_in(passage.text) is not None:
            say(f"warning: {passage.source} reads like instructions to a model; look at who wrote it")
    say(f"{len(passages)} passages of {how.most_words} words at most")


def _document(line: str) -> Document:
    given = json.loads(line)
    return Document(given["id"], given["title"], tuple(Section(**section) for section in given["sections"]))


def embed_step(settings: Settings, passages: Path, out: Path, say: Say) -> None:
    """Turn passages into vectors, and keep what turns questions into such."""
    found = read_passages(passages / PASSAGES)
    embedder = embedder_for_passages(settings, found, out / EMBEDDER)
    vectors = embedder.embed_passages([f"{passage.title}\n{passage.text}" for passage in found])
    np.save(out / VECTORS, vectors, allow_pickle=False)
    say(f"{vectors.shape[0]} vectors of {vectors.shape[1]} numbers by {embedder.name}")


def index_step(settings: Settings, passages: Path, vectors: Path, out: Path, say: Say) -> None:
    """Put passages and vectors together to what is served, with the code and the prompts that serve it."""
    found = read_passages(passages / PASSAGES)
    rows = np.load(vectors / VECTORS, allow_pickle=False)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(vectors / EMBEDDER, out / EMBEDDER, dirs_exist_ok=True)
    embedder = saved_embedder(settings, out / EMBEDDER)
    EmbeddedStore(found, rows, embedder).save(out / STORE)
    shutil.copytree(
        HERE, out / HERE.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", "*.pyc")
    )
    serve = f'"""What an endpoint on a developer\'s machine answers."""\n\nfrom {HERE.name}.endpoint import load, predict\n'
    (out / "serve.py").write_text(serve, encoding="utf-8")
    about = {"embedder": embedder.name, "passages": len(found)}
    (out / ABOUT).write_text(json.dumps(about, sort_keys=True) + "\n", encoding="utf-8")
    say(f"an index of {len(found)} passages")
{%- if cookiecutter.__store == "platform" %}
    if settings.store == "platform":
        say(_to_platform(settings, out))


def _to_platform(settings: Settings, index: Path) -> str:
    """Bring the index into the platform's store."""
{%- if cookiecutter.provider == "aws" %}
    from .bedrock import client_of
    from .knowledge_base import sync

    del index
    changed = sync(client_of("bedrock-agent", settings.region), settings.knowledge_base_id)
    return f"the knowledge base read its bucket anew: {changed} documents are new or changed"
{%- elif cookiecutter.provider == "gcp" %}
    from datetime import UTC, datetime

    from .http_json import Connection
    from .model_files import blob_of
    from .vector_search import bring
    from .vertex import address_of, google_token

    connection = Connection("Vertex AI", address_of(settings.region), google_token())
    passages = read_passages(index / STORE / PASSAGES)
    removed = bring(
        connection,
        settings.vector_index,
        passages,
        np.load(index / STORE / VECTORS, allow_pickle=False),
        record=blob_of(settings.vector_record),
        today=datetime.now(UTC).date(),
        keep_days=settings.vector_keep_days,
    )
    return f"{len(passages)} vectors are in the index, and {removed} of passages that are gone were removed"
{%- else %}
    from .ai_search import SCOPE, fill
    from .azure_openai import azure_token
    from .http_json import Connection

    connection = Connection("Azure AI Search", settings.search_endpoint, azure_token(SCOPE))
    passages = read_passages(index / STORE / PASSAGES)
    vectors = np.load(index / STORE / VECTORS, allow_pickle=False)
    removed = fill(connection, settings.search_index, passages, vectors)
    return f"{len(passages)} passages are in the index {settings.search_index}, and {removed} that are gone were deleted"
{%- endif %}
{%- endif %}


# --- evaluation ------------------------------------------------------------------------------------------------------


def baseline_of(settings: Settings) -> Path:
    """Where the accepted results are: one file for the stand-in, one for the cloud's models."""
    return BASELINES / f"{settings.models}.json"


def evaluate_step(settings: Settings, index: Path, out: Path, runs: int, say: Say) -> Verdict:
    """Ask all questions, and write numbers, results, the verdict and a report for people."""
    assistant, systems = assistant_of(settings, index), systems_of(settings, index)
    results = evaluate(assistant, judge_of(settings), load_questions(), systems=systems, runs=runs, say=say)
    verdict = gate(settings, results)
    out.mkdir(parents=True, exist_ok=True)
    write_results(results, out / RESULTS)
    numbers = {**results.summary(), "passed": float(verdict.passed)}
    (out / "metrics.json").write_text(json.dumps(numbers, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (out / "report.md").write_text(report(results, verdict), encoding="utf-8")
    return verdict


def gate(settings: Settings, results: Results) -> Verdict:
    """Hold results to the accepted ones."""
    path = baseline_of(settings)
    return decide(results, load_results(path) if path.is_file() else None, Rules())
