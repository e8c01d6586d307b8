"""Turns texts into vectors on this machine: hashed words and parts of words, weighted and compressed. No neural network.

It finds passages that share words and stems with a question, not such that mean the same in other words: that is what the
cloud's models are for, behind the same port. May not read a document or open a connection.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .words import STOP_WORDS, stem, words

__all__ = ["Embedder", "HashedEmbedder", "Vectors", "unit"]

Vectors = NDArray[np.float32]
FORMAT = 1
EXACT = 1024
"""Up to so many rows directions are worked out exactly."""


class Embedder(Protocol):
    """The port: each text becomes a row of length 1."""

    @property
    def name(self) -> str: ...
    def embed_passages(self, texts: Sequence[str]) -> Vectors: ...
    def embed_question(self, text: str) -> Vectors: ...


def unit(rows: NDArray[np.floating]) -> Vectors:
    """Scale rows to length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0), dtype=np.float32)


class HashedEmbedder:
    """Words, their stems and parts of four letters, hashed into buckets; rare ones weigh more; then the main directions."""

    name = "hashed"

    def __init__(self, weights: NDArray[np.float32], directions: Vectors) -> None:
        self._weights = weights
        self._directions = directions

    @classmethod
    def fitted(cls, texts: Sequence[str], *, buckets: int = 4096, dimensions: int = 256) -> HashedEmbedder:
        """Learn weights and directions from passages. The same passages give the same embedder."""
        if not texts:
            raise ValueError("there is no passage to learn from")
        counts = np.stack([_counts(text, buckets) for text in texts])
        seen = np.count_nonzero(counts, axis=0)
        weights = np.asarray(np.log((1 + len(texts)) / (1 + seen)) + 1, dtype=np.float32)
        return cls(weights, _directions(unit(counts * weights), dimensions))

    @property
    def dimensions(self) -> int:
        return int(self._directions.shape[1])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        counts = np.stack([_counts(text, len(self._weights)) for text in texts])
        return unit(unit(counts * self._weights) @ self._directions)

    def embed_question(self, text: str) -> Vectors:
        return np.asarray(self.embed_passages([text])[0])

    def save(self, folder: Path) -> None:
        """Write it; what :meth:`load` reads is arrays and numbers, and runs nothing."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "weights.npy", self._weights, allow_pickle=False)
        np.save(folder / "directions.npy", self._directions, allow_pickle=False)
        text = json.dumps({"embedder": self.name, "format": FORMAT}, sort_keys=True) + "\n"
        (folder / "embedder.json").write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> HashedEmbedder:
        """Read what :meth:`save` wrote."""
        told = json.loads((folder / "embedder.json").read_text(encoding="utf-8"))
        if told.get("format") != FORMAT:
            raise ValueError(
                f"{folder} has format {told.get('format')} of an embedder; this code reads {FORMAT}"
            )
        weights = np.load(folder / "weights.npy", allow_pickle=False)
        return cls(weights, np.load(folder / "directions.npy", allow_pickle=False))


def _directions(rows: Vectors, most: int) -> Vectors:
    """The main directions of the rows, largest first; signs are fixed, so that the same rows have the same directions."""
    found = _exact(rows.astype(np.float64), most) if min(rows.shape) <= EXACT else _sketched(rows, most)
    signs = np.sign(found[np.argmax(np.abs(found), axis=0), np.arange(found.shape[1])])
    return np.asarray(found * np.where(signs == 0, 1.0, signs), dtype=np.float32)


def _exact(rows: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """By the smaller of the two Gram matrices."""
    count, width = rows.shape
    gram = rows @ rows.T if count <= width else rows.T @ rows
    values, vectors = np.linalg.eigh(gram)
    order = np.argsort(values)[::-1][:most]
    order = order[values[order] > 1e-9 * max(float(values[-1]), 1e-12)]
    found = vectors[:, order]
    if count <= width:
        found = rows.T @ (found / np.sqrt(values[order]))
    return np.asarray(found)


def _sketched(rows: Vectors, most: int) -> NDArray[np.float64]:
    """Nearly the same for many rows, in a fraction of the time: by a seeded random sketch with power iterations."""
    sketch = np.random.default_rng(7).standard_normal((rows.shape[1], most + 32)).astype(np.float32)
    for _ in range(3):
        sketch, _triangle = np.linalg.qr(rows.T @ (rows @ sketch))
    small = rows @ sketch
    values, vectors = np.linalg.eigh((small.T @ small).astype(np.float64))
    order = np.argsort(values)[::-1][:most]
    return np.asarray(sketch @ vectors[:, order])


def _counts(text: str, buckets: int) -> NDArray[np.float32]:
    row = np.zeros(buckets, dtype=np.float32)
    for feature, times in sorted(_features(text).items()):
        place, sign = _bucket(feature, buckets)
        row[place] += sign * (1 + np.log(times))
    return row


def _features(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for word in words(text):
        if word in STOP_WORDS:
            continue
        found.update(_of_word(word))
    return found


@lru_cache(maxsize=1 << 16)
def _of_word(word: str) -> tuple[str, ...]:
    padded = f"<{word}>"
    parts = (f"g:{padded[at : at + 4]}" for at in range(len(padded) - 3))
    return (f"w:{word}", f"s:{stem(word)}", *parts)


@lru_cache(maxsize=1 << 16)
def _bucket(feature: str, buckets: int) -> tuple[int, float]:
    """Where a feature is counted, and with which sign: Python's own hash differs from process to process."""
    digest = hashlib.blake2b(feature.encode(), digest_size=8).digest()
    number = int.from_bytes(digest, "big")
    return (number >> 1) % buckets, 1.0 if number & 1 else -1.0
