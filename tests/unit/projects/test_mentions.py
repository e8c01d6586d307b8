"""What a text mentions is read off its syntax; nothing of it is worked out."""

from __future__ import annotations

import pytest

from scaffolder.projects.jinja import Jinja
from scaffolder.projects.mentions import Mention, mentions_of

JINJA = Jinja({}, {"all": "{% now 'utc' %}"}).environment


def names(mentions: tuple[Mention, ...]) -> list[tuple[str, int]]:
    return [(each.name, each.line) for each in mentions if not each.optional]


@pytest.mark.parametrize(
    ("text", "answers", "others"),
    [
        ("{{ cookiecutter.a }}\n{{ cookiecutter['b'] }}", [("a", 1), ("b", 2)], []),
        ("{% if cookiecutter.a is defined %}{{ c }}{% endif %}", [], [("c", 1)]),
        ("{{ cookiecutter.a|default('x') }}{{ b|d(1) }}", [], []),
        ("{% set x = 1 %}{{ x }}{% for y in [1] %}{{ y }}{{ loop.index }}{% endfor %}", [], []),
        ("{% macro m(p) %}{{ p }}{{ caller() }}{% endmacro %}{{ m(1) }}", [], []),
        ("{% from 'f' import g as h, i %}{{ h() }}{{ i }}{% import 'f' as f %}{{ f.x }}", [], []),
        ("{{ range(3)|map('string')|join }}{{ namespace(a=1).a }}{{ dict(a=1) }}", [], []),
        ("{% raw %}{{ cookiecutter.a }}{% endraw %}{# {{ b }} #}", [], []),
        ("plain ${{ github.ref }}", [], [("github", 1)]),
    ],
)
def test_names_are_found_with_their_lines(
    text: str, answers: list[tuple[str, int]], others: list[tuple[str, int]]
) -> None:
    found = mentions_of(text, JINJA)
    assert (names(found.answers), names(found.others), found.problem) == (answers, others, "")


def test_a_context_that_is_taken_whole_takes_every_answer() -> None:
    assert mentions_of("{{ cookiecutter|jsonify }}", JINJA).everything
    assert mentions_of("{{ cookiecutter[name] }}", JINJA).everything
    assert not mentions_of("{{ cookiecutter.a }}", JINJA).everything


def test_what_makes_two_renderings_differ_is_found() -> None:
    text = "{{ uuid4() }}\n{{ [1, 2]|random }}\n{% now 'utc', '%Y' %}{{ random_ascii_string(4) }}"
    assert [(each.name, each.line) for each in mentions_of(text, JINJA).chances] == [
        ("uuid4", 1),
        ("random", 2),
        ("now", 3),
        ("random_ascii_string", 3),
    ]


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a\n{% if %}", "Expected an expression, got 'end of statement block'", 2),
        ("{{ 'x' ", "unexpected end of template, expected 'end of print statement'.", 1),
        ("{{ " + "(" * 9_000, "it is too deeply nested", 1),
    ],
)
def test_what_is_no_jinja_is_told_with_its_line(text: str, problem: str, line: int) -> None:
    found = mentions_of(text, JINJA)
    assert (found.problem, found.line) == (problem, line)


def test_what_is_constant_is_not_worked_out() -> None:
    assert mentions_of("{{ 9 ** (9 ** 9) }}{{ 'x' * 10 ** 12 }}{{ ''.__class__ }}", JINJA).problem == ""
