from __future__ import annotations

import pytest

from {{ cookiecutter.__package }}.chunking import Chunking, chunk, matches
from {{ cookiecutter.__package }}.documents import Document, Section
from {{ cookiecutter.__package }}.words import sentences, words

TEXT = " ".join(f"Sentence number {number} has exactly seven words." for number in range(30))


def document(text: str) -> Document:
    return Document("a.md", "A", (Section("part", "Part", text),))


def test_passages_end_where_sentences_end_and_are_no_longer_than_asked() -> None:
    passages = chunk([document(TEXT)], Chunking(most_words=40, overlap_words=8))
    assert all(len(words(passage.text)) <= 40 for passage in passages)
    assert all(passage.text.endswith(".") for passage in passages)


def test_every_sentence_is_in_some_passage() -> None:
    passages = chunk([document(TEXT)], Chunking(most_words=40, overlap_words=8))
    held = {sentence for passage in passages for sentence in sentences(passage.text)}
    assert set(sentences(TEXT)) <= held


def test_the_next_passage_repeats_whole_sentences_of_the_one_before() -> None:
    first, second, *_ = chunk([document(TEXT)], Chunking(most_words=40, overlap_words=8))
    assert next(sentences(second.text)) == [*sentences(first.text)][-1]


def test_a_sentence_longer_than_a_passage_is_cut_between_words() -> None:
    passages = chunk([document("word " * 95)], Chunking(most_words=40, overlap_words=0))
    assert [len(words(passage.text)) for passage in passages] == [40, 40, 15]


def test_ids_are_the_same_for_the_same_text_and_differ_for_another() -> None:
    one, same, other = (chunk([document(text)], Chunking())[0].id for text in ("A b.", "A b.", "A c."))
    assert one == same != other


def test_a_passage_knows_its_section_and_title() -> None:
    passage = chunk([document("Text.")], Chunking())[0]
    assert (passage.source, passage.title) == ("a.md#part", "A: Part")


@pytest.mark.parametrize(
    ("expected", "found", "same"),
    [
        ("a.md#x", "a.md#x", True),
        ("a.md#x", "a.md#y", False),
        ("a.md#x", "a.md", True),
        ("a.md", "b.md#x", False),
    ],
)
def test_sources_match_by_section_where_both_name_one(expected: str, found: str, same: bool) -> None:
    assert matches(expected, found) is same


@pytest.mark.parametrize(("most", "overlap"), [(5, 0), (100, 51), (100, -1)])
def test_sizes_that_make_no_sense_are_refused(most: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="words"):
        Chunking(most, overlap)
