"""A template and its parts: which are rendered, with which answers, and that nothing is asked twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.answering import Given, Question
from scaffolder.projects.jinja import NO_CHANCE, Chance
from scaffolder.projects.layers import (
    Planned,
    Planning,
    layer_of,
    plan_layers,
    render_layers,
    replanned,
    words_of,
)
from scaffolder.projects.manifest import Answer
from scaffolder.projects.record import Layer
from scaffolder.projects.template import Template
from tests.unit.projects.made import made, manifest_of

MODEL = """\
questions:
  name: {ask: Name, default: churn}
  ci: {ask: CI, type: choice, choices: {github: GitHub, none: None}, default: github}
  gpu: {ask: GPU, type: flag, default: false, when: ci == 'github'}
parts:
  - template: ci
    when: ci != 'none'
    answers: {system: "{{ ci }}", kind: model, fast: true}
"""
CI = """\
questions:
  kind: {ask: Kind, default: platform}
  system: {ask: System, type: choice, choices: {github: GitHub, gitlab: GitLab}, default: gitlab}
  name: {ask: Name, default: nobody}
  fast: {ask: Fast, type: flag, default: false}
  python: {ask: Python, default: "3.12"}
"""


def model(manifest: str = MODEL, **files: str) -> Template:
    context = {"name": "churn", "ci": ["github", "none"], "gpu": False}
    inside = {
        "a.txt": "{{ cookiecutter.name }} {{ cookiecutter.project_slug }}",
        "both.txt": "model",
        **files,
    }
    return made(context, inside, manifest=manifest_of(manifest, name="model"), name="model")


def part() -> Template:
    context = {
        "kind": "platform",
        "system": ["github", "gitlab"],
        "name": "nobody",
        "fast": False,
        "python": "3.12",
    }
    context["system"] = ["github", "gitlab"]
    text = "{{ cookiecutter.kind }} {{ cookiecutter.system }} {{ cookiecutter.name }} {{ cookiecutter.fast }}"
    manifest = manifest_of(CI.replace("default: gitlab", "default: github"), name="ci")
    return made(context, {"ci.yml": text, "both.txt": "ci"}, manifest=manifest, name="ci")


def planning(**more: Any) -> Planning:
    return Planning(
        **{
            "open_part": lambda _template, _name: part(),
            "chance_of": lambda _t: Chance(),
            "slug": "churn-model",
            **more,
        }
    )


def plan(
    given: Mapping[str, Given] | None = None, template: Template | None = None, **more: Any
) -> tuple[Planned, ...]:
    return plan_layers(template or model(), planning(**more), given or {}, {})


def test_a_part_gets_what_is_fixed_and_the_answers_of_the_same_name() -> None:
    first, ci = plan({"name": "fraud"})
    assert (first.part, ci.part) == (False, True)
    assert dict(ci.answers) == {
        "kind": "model",
        "system": "github",
        "name": "fraud",
        "fast": True,
        "python": "3.12",
    }
    assert first.defaulted == ("ci", "gpu")
    assert ci.defaulted == ("python",)


def test_a_part_whose_condition_is_false_is_left_out() -> None:
    assert [layer.template.name for layer in plan({"ci": "none"})] == ["model"]


def test_a_person_answers_each_question_once() -> None:
    heard: list[str] = []

    def ask(question: Question) -> Answer:
        heard.append(question.name)
        return question.read(question.default)

    plan({"ci": "github"}, ask=ask)
    assert heard == ["name", "gpu", "python"]


def test_layers_render_into_one_tree_where_the_later_wins() -> None:
    tree = render_layers(plan({"name": "fraud"}), "churn-model", "0.1.0")
    assert {path: file.content.decode() for path, file in tree.items()} == {
        "a.txt": "fraud churn-model",
        "both.txt": "ci",
        "ci.yml": "model github fraud True",
    }


def test_only_what_was_asked_is_recorded() -> None:
    layer = layer_of(plan({"ci": "none"})[0], "./model")
    assert dict(layer.answers) == {"name": "churn", "ci": "none"}
    assert (layer.source, layer.version, layer.trusted, layer.chance) == (
        "./model",
        "1.0.0",
        False,
        NO_CHANCE,
    )


def test_chance_is_asked_for_only_by_templates_that_take_it() -> None:
    chance = Chance(seed="5eed", moment="2026-11-27T00:00:00+00:00")
    first, ci = plan(template=model(**{"id.txt": "{{ uuid4() }}"}), chance_of=lambda _template: chance)
    assert (first.chance, ci.chance) == (chance, NO_CHANCE)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "kind: model",
            "kidn: model",
            "the template model answers kidn for its part ci, which does not ask that",
        ),
        ("when: ci != 'none'", "when: nope", "the template model:1: 'nope' is undefined"),
        ('"{{ ci }}"', '"{{ nope }}"', "the template model:1: 'nope' is undefined"),
    ],
)
def test_a_part_that_is_named_wrongly_is_the_templates_fault(old: str, new: str, told: str) -> None:
    with pytest.raises(TemplateError) as refused:
        plan(template=model(MODEL.replace(old, new)))
    assert str(refused.value) == told


def test_a_fixed_answer_that_does_not_fit_names_the_part() -> None:
    with pytest.raises(UsageError) as refused:
        plan(template=model(MODEL.replace('system: "{{ ci }}"', "system: jenkins")))
    assert str(refused.value) == 'for the part ci: system must be one of github, gitlab, not "jenkins"'


def test_parts_in_a_circle_come_to_an_end() -> None:
    circle = model(MODEL.replace('answers: {system: "{{ ci }}", kind: model, fast: true}', "answers: {}"))
    with pytest.raises(TemplateError, match=r"^the parts of the template model have parts without an end$"):
        plan_layers(circle, planning(open_part=lambda _template, _name: circle), {}, {})


def recorded(**answers: Answer) -> Layer:
    return Layer(
        template="model",
        source="./model",
        version="1.0.0",
        commit="",
        digest="",
        answers=answers,
        chance=NO_CHANCE,
    )


def test_a_layer_is_replanned_with_the_answers_it_had_whatever_is_valid_now() -> None:
    layer = replanned(model(), recorded(name="churn", ci="travis"), "churn-model")
    assert dict(layer.answers) == {"name": "churn", "ci": "travis", "gpu": False}


def test_a_recorded_flag_that_is_text_is_refused() -> None:
    with pytest.raises(TemplateError) as refused:
        replanned(model(), recorded(name="churn", ci="github", gpu="yes"), "churn-model")
    assert str(refused.value) == (
        "the project's record answers gpu of model with what is no flag. Take it back from git."
    )


def test_words_of_a_template_are_worked_out_over_answers() -> None:
    assert words_of(model(), "cd {{ folder }} # {{ name }}", {"folder": "x", "name": "n"}) == "cd x # n"
    assert words_of(model(), "plain", {}) == "plain"
    with pytest.raises(TemplateError, match=r"^the template model:1: 'nope' is undefined$"):
        words_of(model(), "{{ nope }}", {})
