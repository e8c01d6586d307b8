"""The Jinja that templates get: what it knows, what it refuses and with which words, and how it draws."""

from __future__ import annotations

import pytest

from scaffolder.errors import TemplateError
from scaffolder.projects.jinja import NO_CHANCE, Chance, Jinja

CHANCE = Chance(seed="5eed", moment="2026-11-27T23:30:00+00:00")


def text(source: str, chance: Chance = NO_CHANCE, where: str = "a.txt") -> str:
    return Jinja({}, {}, chance).text(source, {}, where, 1000)


def refusal(source: str, **values: object) -> str:
    with pytest.raises(TemplateError) as refused:
        Jinja({}, {}).text(source, values, "a.txt", 1000)
    return str(refused.value)


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ x.__init__.__globals__ }}",
    "{{ (x|attr('__class__')).__mro__ }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '{0.__class__}'.format_map({'0': x}) }}",
    "{{ x.append(1) }}",
    "{{ d.update(a=1) }}",
    "{{ range(10**9)|list }}",
    "{{ cycler.__init__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ joiner.__globals__ }}",
    "{% set x.y = 1 %}",
    "{{ lipsum() }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_no_text_reaches_what_is_not_data(source: str) -> None:
    told = refusal(source, x=[], d={})
    assert told.startswith("a.txt")
    assert told.isprintable()


def test_an_error_shows_nothing_that_steers_a_terminal() -> None:
    assert refusal("{{ x['\x1b[2J'] }}", x={}) == "a.txt:1: 'dict object' has no attribute '\\x1b[2J'"
    assert refusal("{% include '\x1b]0;x\x07' %}") == "a.txt:1: \\x1b]0;x\\x07"


def test_a_text_that_grows_is_stopped() -> None:
    assert refusal("{% for i in range(2000) %}x{% endfor %}") == "a.txt becomes more than 1000 characters"
    assert text("{{ 'x' * 1000 }}") == "x" * 1000


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("ci == 'github'", True),
        ("ci != 'none' and not gpu", True),
        ("gpu", False),
        ("ci in ['a', 'b']", False),
        ("0", False),
        ("'no'", True),
    ],
)
def test_a_condition_is_true_or_not(condition: str, *, holds: bool) -> None:
    assert Jinja({}, {}).truth(condition, {"ci": "github", "gpu": False}, "the condition") is holds


@pytest.mark.parametrize("condition", ["x) }}{{ (1", "1 %}{% if (1", "x"])
def test_a_condition_is_one_expression(condition: str) -> None:
    with pytest.raises(TemplateError, match=r"^the condition"):
        Jinja({}, {}).truth(condition, {}, "the condition")


def test_a_draw_follows_from_seed_and_place_alone() -> None:
    source = "{{ uuid4() }}{{ random_ascii_string(20) }}{{ range(100)|random }}"
    first = text(source, CHANCE)
    assert text(source, CHANCE) == first
    assert text(source, CHANCE, where="b.txt") != first
    assert text(source, Chance(seed="other")) != first
    both = Jinja({}, {}, CHANCE)
    both.text("{{ uuid4() }}", {}, "0.txt", 100)
    assert both.text(source, {}, "a.txt", 1000) == first


@pytest.mark.parametrize("source", ["{{ uuid4() }}", "{{ random_ascii_string(3) }}", "{{ [1]|random }}"])
def test_nothing_is_drawn_that_could_not_be_drawn_again(source: str) -> None:
    assert (
        refusal(source)
        == "a.txt:1: something random is not to be had here: the project could not be made again"
    )


def test_the_time_is_the_recorded_one_in_any_zone_and_shape() -> None:
    assert text("{% now 'utc' %}", CHANCE) == "2026-11-27"
    assert text("{% now 'Europe/Berlin', '%d %H:%M' %}", CHANCE) == "28 00:30"
    assert text("{% now 'utc' - 'days=27,hours=1', '%d %H' %}", CHANCE) == "31 22"
    assert (
        refusal("{% now 'utc' %}")
        == "a.txt:1: the time is not to be had here: the project could not be made again"
    )


def test_a_zone_that_is_none_is_refused() -> None:
    with pytest.raises(TemplateError, match=r"^a\.txt:1: "):
        text("{% now 'Atlantis/City' %}", CHANCE)


def test_markup_is_looked_for_as_the_settings_say() -> None:
    assert not Jinja({}, {}).has_markup("a { b } [[ c ]]")
    assert Jinja({}, {}).has_markup("{# c #}")
    other = Jinja(
        {"variable_start_string": "[[", "variable_end_string": "]]", "line_statement_prefix": "#!"}, {}
    )
    assert other.has_markup("[[ c ]]")
    assert other.has_markup("#! for")
    assert not other.has_markup("{{ c }}")
