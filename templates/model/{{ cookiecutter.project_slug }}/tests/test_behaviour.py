"""What the model must do, whatever it is made of: what is plain, what may not matter, and what must, and which way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from {{ cookiecutter.__package }}.artifact import Model, ModelError, load_model, save_model
from {{ cookiecutter.__package }}.estimator import DEFAULTS
from {{ cookiecutter.__package }}.evaluate import measure
from {{ cookiecutter.__package }}.examples import Examples
from {{ cookiecutter.__package }}.train import trained
from tests.conftest import silent


def likely(model: Model, *rows: object) -> dict[str, list[float]]:
    """The probabilities of each class, row by row."""
    answers = model.predict(model.schema.check(rows))
    return {name: answers[:, code].tolist() for code, name in enumerate(model.classes)}


def test_it_is_better_than_the_commonest_answer(model: Model, parts: tuple[Examples, Examples]) -> None:
    test = parts[1]
    metrics = measure(model.schema, test.labels, model.estimator.predict(test.inputs))
    assert metrics["accuracy"] > metrics["accuracy_of_the_commonest"] + 0.05
    assert metrics["{{ 'auc' if cookiecutter.task == 'tabular' else 'accuracy' }}"] > {{ '0.75' if cookiecutter.task == 'tabular' else '0.8' }}


def test_probabilities_are_probabilities(model: Model, parts: tuple[Examples, Examples]) -> None:
    answers = model.estimator.predict(parts[1].inputs)
    assert answers.shape == (len(parts[1]), len(model.classes))
    assert answers.sum(axis=1) == pytest.approx(1, abs=1e-5)
    assert ((answers >= 0) & (answers <= 1)).all()
    assert model.estimator.predict(parts[1].inputs[:0]).shape == (0, len(model.classes))


def test_a_row_is_answered_the_same_alone_and_among_others(model: Model, parts: tuple[Examples, Examples]) -> None:
    inputs = parts[1].inputs[:20]
    together = model.estimator.predict(inputs)
    alone = np.concatenate([model.estimator.predict(inputs[each : each + 1]) for each in range(20)])
    assert alone == pytest.approx(together, abs=1e-4)


def test_the_same_seed_gives_the_same_model(model: Model, parts: tuple[Examples, Examples], tmp_path: Path) -> None:
    again = trained(parts[0], DEFAULTS, silent)
    save_model(tmp_path, again, model.profile)
    assert load_model(tmp_path).estimator.predict(parts[1].inputs) == pytest.approx(
        model.estimator.predict(parts[1].inputs), abs=1e-6
    )


def test_a_folder_without_a_model_is_refused(tmp_path: Path, model_folder: Path) -> None:
    with pytest.raises(ModelError, match="holds no model"):
        load_model(tmp_path)
    document = (model_folder / "model.json").read_text().replace('"framework": "{{ cookiecutter.framework }}"', '"framework": "other"')
    (tmp_path / "model.json").write_text(document)
    (tmp_path / "profile.json").write_text("{}")
    with pytest.raises(ModelError, match="holds a model of other"):
        load_model(tmp_path)

{% if cookiecutter.task == "tabular" %}
NEWCOMER = {"tenure_months": 1, "monthly_charge": 60.0, "support_calls": 6, "plan": "basic", "payment": "invoice"}
REGULAR = {"tenure_months": 90, "monthly_charge": 20.0, "support_calls": 0, "plan": "basic", "payment": "debit"}


def test_minimum_a_caller_who_just_came_leaves_and_a_regular_stays(model: Model) -> None:
    newcomer, regular = likely(model, NEWCOMER, REGULAR)["yes"]
    assert newcomer > 0.7
    assert regular < 0.3


def test_invariance_the_way_a_number_is_written_does_not_matter(model: Model) -> None:
    written = NEWCOMER | {"tenure_months": "1.0", "monthly_charge": "60"}
    first, second = likely(model, NEWCOMER, written)["yes"]
    assert first == second


def test_direction_more_calls_make_leaving_likelier(model: Model) -> None:
    rows = [REGULAR | {"tenure_months": 12, "support_calls": calls} for calls in (0, 2, 4, 6)]
    found = likely(model, *rows)["yes"]
    assert found[-1] > found[0] + 0.2


def test_direction_a_longer_stay_makes_leaving_less_likely(model: Model) -> None:
    found = likely(model, *(NEWCOMER | {"support_calls": 1, "tenure_months": each} for each in (1, 80)))["yes"]
    assert found[0] > found[1] + 0.2


def test_a_missing_payment_is_answered_too(model: Model) -> None:
    (found,) = likely(model, NEWCOMER | {"payment": None})["yes"]
    assert found == pytest.approx(likely(model, NEWCOMER)["yes"][0], abs=0.4)


def test_a_category_that_was_never_seen_is_no_crash(model: Model) -> None:
    inputs = model.schema.check([NEWCOMER])
    inputs["plan"] = ["gold"]
    assert model.predict(inputs).sum() == pytest.approx(1, abs=1e-5)
{%- elif cookiecutter.task == "text" %}
PLAIN = {
    "billing": "I was charged twice on my invoice, please send a refund",
    "delivery": "my parcel has not arrived, the courier left it at the wrong address",
    "technical": "the app crashes and I cannot log in after the update",
}


@pytest.mark.parametrize("topic", PLAIN)
def test_minimum_a_plain_message_has_its_topic(model: Model, topic: str) -> None:
    found = likely(model, PLAIN[topic])
    assert max(found, key=lambda name: found[name][0]) == topic


@pytest.mark.parametrize("topic", PLAIN)
def test_invariance_case_spaces_and_numbers_do_not_matter(model: Model, topic: str) -> None:
    text = PLAIN[topic] + " 17"
    same = likely(model, text, text.upper(), text.replace(" ", "   "), text.replace("17", "4711"))
    assert same[topic] == pytest.approx([same[topic][0]] * 4, abs=1e-6)


@pytest.mark.parametrize("topic", PLAIN)
def test_invariance_a_greeting_does_not_change_the_topic(model: Model, topic: str) -> None:
    found = likely(model, f"Good morning, {PLAIN[topic]}. Thank you.")
    assert max(found, key=lambda name: found[name][0]) == topic


@pytest.mark.parametrize("topic", PLAIN)
def test_direction_what_belongs_to_a_topic_makes_it_likelier(model: Model, topic: str) -> None:
    vague = "please help me with this"
    before, after = likely(model, vague, f"{vague}: {PLAIN[topic]}")[topic]
    assert after > before
    assert after >= min(before + 0.1, 0.9)  # one that is sure already has little room


def test_a_text_of_unknown_words_is_answered_too(model: Model) -> None:
    assert sum(each[0] for each in likely(model, "xyzzy plugh").values()) == pytest.approx(1, abs=1e-5)
{%- else %}
def test_minimum_most_of_what_it_learned_from_is_right(model: Model, parts: tuple[Examples, Examples]) -> None:
    train = parts[0]
    assert measure(model.schema, train.labels, model.estimator.predict(train.inputs))["accuracy"] > 0.9


def test_invariance_a_dimmer_picture_says_the_same(model: Model, examples: Examples) -> None:
    few = examples.inputs[:50]
    assert model.predict(few * np.float32(0.5)) == pytest.approx(model.predict(few), abs=1e-3)


def test_invariance_a_little_noise_seldom_matters(model: Model, examples: Examples) -> None:
    few = examples.inputs[:200]
    noise = np.random.default_rng(5).normal(0, 0.02, few.shape).astype(np.float32)
    same = model.predict(few).argmax(axis=1) == model.predict(np.clip(few + noise, 0, 1)).argmax(axis=1)
    assert same.mean() > 0.95


def test_direction_what_is_covered_is_less_sure(model: Model, examples: Examples) -> None:
    few = examples.inputs[:200]
    covered = few.copy()
    covered[:, :4] = 0
    codes = model.schema.codes(examples.labels[:200])
    right, half = (model.predict(each)[np.arange(200), codes].mean() for each in (few, covered))
    assert right > half + 0.1


def test_an_empty_picture_is_answered_too(model: Model) -> None:
    assert sum(each[0] for each in likely(model, [[0.0] * 8] * 8).values()) == pytest.approx(1, abs=1e-5)
{%- endif %}
