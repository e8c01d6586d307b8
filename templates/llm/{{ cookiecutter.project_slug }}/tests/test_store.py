from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from {{ cookiecutter.__package }}.chunking import Passage
from {{ cookiecutter.__package }}.embedding import HashedEmbedder, _directions, _exact, _sketched
from {{ cookiecutter.__package }}.store import EmbeddedStore, StoreError

TEXTS = (
    "Encryption keys are rotated yearly.",
    "The budget sends mails at eighty percent.",
    "Drift compares inputs with the training data.",
)
PASSAGES = [Passage(str(place), f"a.md#{place}", "A", text) for place, text in enumerate(TEXTS)]


def store() -> EmbeddedStore:
    embedder = HashedEmbedder.fitted(TEXTS)
    return EmbeddedStore(PASSAGES, embedder.embed_passages(TEXTS), embedder)


@pytest.mark.parametrize(
    ("question", "place"),
    [("How often is a key rotated?", 0), ("When does the budget send a mail?", 1), ("What is drifting?", 2)],
)
def test_the_passage_with_the_questions_words_is_nearest(question: str, place: int) -> None:
    assert store().retrieve(question, 1)[0].passage == PASSAGES[place]


def test_a_question_without_a_common_word_is_far_from_everything() -> None:
    assert all(abs(found.score) < 0.2 for found in store().retrieve("zzz qqq", 3))


def test_search_is_exact() -> None:
    """Against numpy's own product over all, on vectors that are not of words."""
    random = np.random.default_rng(1)
    rows = random.normal(size=(500, 16)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    passages = [Passage(str(place), "a.md", "A", "x") for place in range(500)]

    class Fixed:
        name = "fixed"

        def embed_passages(self, texts: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            raise NotImplementedError

        def embed_question(self, text: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
            return np.asarray(rows[int(text)])

    found = EmbeddedStore(passages, rows, Fixed()).retrieve("7", 5)
    expected = sorted(range(500), key=lambda place: -float(rows[place] @ rows[7]))[:5]
    assert [int(each.passage.id) for each in found] == expected


def test_a_saved_embedder_makes_the_same_vectors(tmp_path: Path) -> None:
    embedder = HashedEmbedder.fitted(TEXTS)
    embedder.save(tmp_path)
    loaded = HashedEmbedder.load(tmp_path)
    assert np.array_equal(embedder.embed_passages(TEXTS), loaded.embed_passages(TEXTS))
    assert loaded.embed_passages([]).shape == (0, loaded.dimensions)


def test_many_passages_are_compressed_by_a_sketch_that_finds_the_same() -> None:
    """Near the limit both ways are possible: their vectors have nearly the same angles."""
    random = np.random.default_rng(2)
    loadings = random.standard_normal((1500, 20)) * np.geomspace(1, 0.05, 20)
    rows = (loadings @ random.standard_normal((20, 1100))).astype(np.float32)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    exact, sketched = _exact(rows.astype(np.float64), 16), _sketched(rows, 16)
    assert np.linalg.norm(exact.T @ sketched, ord=2) == pytest.approx(1, abs=1e-3)
    assert np.linalg.norm(rows @ sketched) == pytest.approx(np.linalg.norm(rows @ exact), rel=1e-3)
    assert np.array_equal(_directions(rows, 16), _directions(rows, 16))


def test_vectors_have_length_1_and_fewer_numbers_than_features() -> None:
    vectors = HashedEmbedder.fitted(TEXTS).embed_passages(TEXTS)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors.shape == (3, 3)


def test_a_store_is_read_as_it_was_written(tmp_path: Path) -> None:
    store().save(tmp_path / "store")
    loaded = EmbeddedStore.load(tmp_path / "store", HashedEmbedder.fitted(TEXTS))
    assert len(loaded) == 3
    assert loaded.retrieve("rotated keys", 1) == store().retrieve("rotated keys", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]


def test_writing_over_a_store_leaves_the_new_one_alone(tmp_path: Path) -> None:
    store().save(tmp_path / "store")
    embedder = HashedEmbedder.fitted(TEXTS)
    EmbeddedStore(PASSAGES[:1], embedder.embed_passages(TEXTS[:1]), embedder).save(tmp_path / "store")
    assert len(EmbeddedStore.load(tmp_path / "store", embedder)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store"]


def test_a_store_of_another_embedder_is_refused(tmp_path: Path) -> None:
    store().save(tmp_path / "store")
    other = HashedEmbedder.fitted(TEXTS)
    other.name = "another"
    with pytest.raises(StoreError, match="vectors of different models cannot be compared"):
        EmbeddedStore.load(tmp_path / "store", other)


def test_a_store_that_is_not_there_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="run the pipeline `index` first"):
        EmbeddedStore.load(tmp_path, HashedEmbedder.fitted(TEXTS))
