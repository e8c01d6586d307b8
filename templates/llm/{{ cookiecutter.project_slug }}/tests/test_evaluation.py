from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from {{ cookiecutter.__package }}.answering import Assistant
from {{ cookiecutter.__package }}.chunking import Passage
from {{ cookiecutter.__package }}.documents import read_folder
from {{ cookiecutter.__package }}.evaluation import (
    EvaluationError,
    Question,
    Results,
    evaluate,
    load_questions,
    load_results,
    write_results,
)
from {{ cookiecutter.__package }}.gate import Rules, decide, report
from {{ cookiecutter.__package }}.gateway import Completion, Request, Usage
from {{ cookiecutter.__package }}.judging import ModelJudge, WordJudge
from {{ cookiecutter.__package }}.resampling import mean_interval, paired_difference, spread_between_runs
from {{ cookiecutter.__package }}.store import Found

PROJECT = Path(__file__).parents[1]
RULES = Rules(floors={})


def results_of(scores: Sequence[float], **changes: object) -> Results:
    ids = [f"q{place:03}" for place in range(len(scores))]
    made = Results(
        systems={"judge": "words"},
        passages=4,
        repeated=1,
        digests=dict.fromkeys(ids, "same"),
        scores={id_: {"recall": score} for id_, score in zip(ids, scores, strict=True)},
        runs={"recall": [sum(scores) / len(scores)]},
        cost=0.0,
        currency="USD",
    )
    return replace(made, **changes)  # type: ignore[arg-type]


# --- the questions ---------------------------------------------------------------------------------------------------


def test_every_expected_source_is_a_section_of_the_documents() -> None:
    sections = {
        f"{document.id}#{section.anchor}"
        for document in read_folder(PROJECT / "data" / "kb" / "docs")
        for section in document.sections
    }
    for question in load_questions():
        assert set(question.sources) <= sections, question.id


def test_there_are_enough_questions_and_some_that_have_no_answer() -> None:
    questions = load_questions()
    assert len([question for question in questions if question.is_answerable]) >= 40
    assert len([question for question in questions if not question.is_answerable]) >= 5


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            '{"id": "a"}',
            "questions.jsonl:1: not a question with id, question, sources, answer and facts: 'question'",
        ),
        ("no", "questions.jsonl:1: not a question"),
        ("", "questions.jsonl has no question"),
    ],
)
def test_a_line_that_does_not_fit_says_where(tmp_path: Path, lines: str, says: str) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(EvaluationError) as caught:
        load_questions(path)
    assert str(caught.value).startswith(says)


# --- scores ----------------------------------------------------------------------------------------------------------


class Gives:
    """A store that gives passages of these sources."""

    def __init__(self, *sources: str) -> None:
        self._sources = sources

    def retrieve(self, question: str, most: int) -> Sequence[Found]:
        del question
        text = "Keys are rotated yearly."
        return [Found(Passage(str(at), each, "T", text), 0.9) for at, each in enumerate(self._sources[:most])]


def scored(assistant: Assistant, sources: tuple[str, ...], *found: str) -> dict[str, float]:
    question = Question("q", "How often are keys rotated?", sources, "Yearly.", ("yearly",))
    made = replace(assistant, retriever=Gives(*found))
    results = evaluate(made, WordJudge(), [question], systems={}, runs=2)
    return dict(results.scores["q"])


def test_retrieval_is_scored_as_the_definitions_say(assistant: Assistant) -> None:
    scores = scored(assistant, ("a#1", "b#1"), "x#1", "a#1", "y#1", "b#1")
    assert scores["recall"] == 1.0
    assert scores["reciprocal_rank"] == 0.5
    ideal = 1 / math.log2(2) + 1 / math.log2(3)
    assert scores["ndcg"] == pytest.approx((1 / math.log2(3) + 1 / math.log2(5)) / ideal)


def test_a_second_passage_of_the_same_section_finds_nothing_new(assistant: Assistant) -> None:
    assert scored(assistant, ("a#1", "b#1"), "a#1", "a#1", "a#1", "a#1")["recall"] == 0.5


def test_an_answer_is_scored_by_what_it_says_and_names(assistant: Assistant) -> None:
    scores = scored(assistant, ("a#1",), "a#1")
    assert [scores[name] for name in ("correct", "cited", "grounded", "refusal_right")] == [
        1.0,
        1.0,
        1.0,
        1.0,
    ]
    assert scored(assistant, ("a#1",), "b#1")["cited"] == 0.0


def test_a_question_without_an_answer_counts_by_the_refusal_only(assistant: Assistant) -> None:
    assert scored(assistant, (), "a#1") == {"refusal_right": 0.0}


def test_the_judge_of_words_looks_for_facts() -> None:
    judge = WordJudge()
    assert judge.judge("", "", ["rotated yearly", "customer"], "They are rotated yearly.") == 0.5
    assert judge.judge("", "Keys rotate", [], "The key is rotated") == 1.0


@pytest.mark.parametrize(
    ("said", "score"), [("1", 1.0), (" 0.5\n", 0.5), ("0", 0.0), ("I think 1", 0.0), ("7", 0.0)]
)
def test_a_model_that_judges_is_taken_at_its_number_only(said: str, score: float) -> None:
    class Judges:
        model = "judges"

        def complete(self, request: Request) -> Completion:
            assert "<expected>\nYearly.\n</expected>" in request.messages[0].text
            return Completion(said, self.model, "end", Usage(1, 1))

        def stream(self, request: Request) -> None:
            raise NotImplementedError

    judge = ModelJudge(Judges())  # type: ignore[arg-type]
    assert judge.judge("How often?", "Yearly.", [], "Each year.") == score


# --- statistics ------------------------------------------------------------------------------------------------------


def test_an_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    """200 samples of 40 from a known distribution: about 95 % of the intervals hold its mean."""
    random = np.random.default_rng(3)
    intervals = [mean_interval([*random.random(40)], seed=seed) for seed in range(200)]
    held = sum(one.low <= 0.5 <= one.high for one in intervals)
    assert 178 <= held <= 200


def test_pairs_see_a_small_change_that_single_means_do_not() -> None:
    random = np.random.default_rng(5)
    before = [*random.random(60)]
    after = [max(0.0, value - 0.05) for value in before]
    assert paired_difference(before, after).high < 0
    assert mean_interval(after).high > mean_interval(before).estimate


def test_the_same_numbers_give_the_same_interval() -> None:
    assert mean_interval([0.0, 1.0, 1.0]) == mean_interval([0.0, 1.0, 1.0])


def test_the_spread_between_runs_is_that_of_their_means() -> None:
    assert spread_between_runs([[0.0, 1.0], [1.0, 1.0]]) == pytest.approx(0.35355339)
    assert spread_between_runs([[0.5]]) == 0.0


def test_unequal_numbers_cannot_be_paired() -> None:
    with pytest.raises(ValueError, match="2 values cannot be paired with 1"):
        paired_difference([0.0, 1.0], [0.0])


# --- the gate --------------------------------------------------------------------------------------------------------


def test_a_significant_drop_fails() -> None:
    before, after = results_of([1.0] * 60), results_of([0.0] * 12 + [1.0] * 48)
    verdict = decide(after, before, RULES)
    assert not verdict.passed
    assert verdict.problems[0].startswith("recall fell by 0.200 on 60 questions (")


def test_a_drop_that_may_be_chance_is_a_note() -> None:
    verdict = decide(results_of([0.0] + [1.0] * 39), results_of([1.0] * 40), RULES)
    assert verdict.passed
    assert verdict.notes == ["recall is lower by 0.025, which may be chance"]


def test_a_significant_drop_that_nobody_notices_passes() -> None:
    verdict = decide(results_of([0.995] * 60), results_of([1.0] * 60), RULES)
    assert verdict.passed
    assert verdict.differences["recall"].high < 0


def test_an_improvement_passes() -> None:
    assert decide(results_of([1.0] * 40), results_of([0.5] * 40), RULES).passed


def test_chance_alone_fails_seldom() -> None:
    """Of 100 pairs of equal systems, no more than a few are called worse."""
    random = np.random.default_rng(11)
    draws = [(random.integers(0, 2, 60), random.integers(0, 2, 60)) for _ in range(100)]
    failed = [
        not decide(results_of([*map(float, one)]), results_of([*map(float, other)]), RULES).passed
        for one, other in draws
    ]
    assert sum(failed) <= 5


def test_too_few_questions_fail_whatever_they_say() -> None:
    verdict = decide(results_of([1.0] * 10), results_of([1.0] * 10), RULES)
    assert verdict.problems[0] == ("there are 10 questions; fewer than 30 tell a drop from chance too rarely")


def test_a_mean_below_its_floor_fails_without_a_baseline() -> None:
    verdict = decide(results_of([0.5] * 40), None, Rules(floors={"recall": 0.8}))
    assert verdict.problems == ["recall is 0.500; the floor is 0.8"]


def test_changed_questions_are_not_compared() -> None:
    before = results_of([1.0] * 40)
    after = results_of([1.0] * 35 + [0.0] * 5)
    changed = {f"q{place:03}": "changed" for place in range(35, 40)}
    verdict = decide(replace(after, digests={**after.digests, **changed}), before, RULES)
    assert verdict.passed
    assert verdict.notes == ["5 questions are new or changed, and not compared"]


def test_another_judge_is_another_scale() -> None:
    before = results_of([1.0] * 40, systems={"judge": "a model"})
    verdict = decide(results_of([1.0] * 40), before, RULES)
    assert verdict.notes == ["another judge judged the baseline: correctness is not compared"]


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    results = results_of([1.0, 0.25, 1 / 3])
    write_results(results, tmp_path / "results.json")
    read = load_results(tmp_path / "results.json")
    assert read.scores["q002"]["recall"] == pytest.approx(1 / 3, abs=1e-6)
    assert replace(read, scores={}, runs={}) == replace(results, scores={}, runs={})


def test_the_report_says_verdict_and_numbers() -> None:
    results = results_of([1.0] * 40)
    text = report(results, decide(results, results, RULES))
    assert text.startswith("# Evaluation: passed\n")
    assert "| recall | 1.000 | 1.000 to 1.000 | 0.000 | +0.000 (+0.000 to +0.000) |" in text


def test_the_numbers_are_a_flat_object() -> None:
    numbers = results_of([1.0, 0.0]).summary()
    assert json.loads(json.dumps(numbers)) == numbers
    assert numbers["recall"] == 0.5
    assert numbers["recall_low"] <= 0.5 <= numbers["recall_high"]
