"""Finds the passages nearest to a question: the port, and the store that is files beside the service, searched exactly.

May not make a vector.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from .chunking import Passage
from .embedding import Embedder, Vectors

__all__ = ["EmbeddedStore", "Found", "Retriever", "StoreError", "read_passages", "write_passages"]

FORMAT = 1
VECTORS, PASSAGES, ABOUT = "vectors.npy", "passages.jsonl", "store.json"


class StoreError(Exception):
    """A store that cannot be read or asked; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Found:
    """A passage and how near it is: 1 is the same direction, 0 nothing in common."""

    passage: Passage
    score: float


class Retriever(Protocol):
    """The port: passages nearest to a question, nearest first."""

    def retrieve(self, question: str, most: int) -> Sequence[Found]: ...


class EmbeddedStore:
    """Every vector in memory, every one compared. Exact, and fast up to some ten thousand passages."""

    def __init__(self, passages: Sequence[Passage], vectors: Vectors, embedder: Embedder) -> None:
        if len(passages) != len(vectors):
            raise StoreError(
                f"there are {len(passages)} passages and {len(vectors)} vectors: they are not of one run"
            )
        self._passages = tuple(passages)
        self._vectors = vectors
        self._embedder = embedder

    def __len__(self) -> int:
        return len(self._passages)

    def retrieve(self, question: str, most: int) -> Sequence[Found]:
        """The nearest; of equally near ones the first in the documents' order."""
        scores = self._vectors @ self._embedder.embed_question(question)
        order = np.argsort(-scores, kind="stable")[:most]
        return [Found(self._passages[place], round(float(scores[place]), 6)) for place in order]

    def save(self, folder: Path) -> None:
        """Write the store at once: a reader sees the old one or the new one."""
        beside = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        write_passages(self._passages, beside / PASSAGES)
        np.save(beside / VECTORS, self._vectors, allow_pickle=False)
        about = {"embedder": self._embedder.name, "format": FORMAT, "passages": len(self._passages)}
        (beside / ABOUT).write_text(json.dumps(about, sort_keys=True) + "\n", encoding="utf-8")
        old = folder.with_name(f".{folder.name}.{os.getpid()}.old")
        if folder.exists():
            folder.rename(old)
        beside.rename(folder)
        shutil.rmtree(old, ignore_errors=True)

    @classmethod
    def load(cls, folder: Path, embedder: Embedder) -> EmbeddedStore:
        """Read a store.

        Raises:
            StoreError: there is none, or it was made with another embedder.
        """
        if not (folder / ABOUT).is_file():
            raise StoreError(f"there is no store in {folder}; run the pipeline `index` first")
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about.get("format") != FORMAT:
            raise StoreError(
                f"{folder} has format {about.get('format')} of a store; this code reads {FORMAT}"
            )
        if about["embedder"] != embedder.name:
            raise StoreError(
                f"{folder} was made by the embedder {about['embedder']}, and {embedder.name} would ask it: "
                "vectors of different models cannot be compared. Run the pipeline `index` again."
            )
        vectors = np.load(folder / VECTORS, allow_pickle=False)
        return cls(read_passages(folder / PASSAGES), vectors, embedder)


def write_passages(passages: Sequence[Passage], path: Path) -> None:
    """Write a passage a line."""
    lines = (json.dumps(asdict(passage), ensure_ascii=False, sort_keys=True) + "\n" for passage in passages)
    path.write_text("".join(lines), encoding="utf-8")


def read_passages(path: Path) -> list[Passage]:
    """Read what :func:`write_passages` wrote."""
    return [Passage(**json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines() if line]
