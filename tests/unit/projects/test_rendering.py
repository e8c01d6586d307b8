"""Templates render to the bytes that cookiecutter itself makes of them; where they do not, a test says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from binaryornot.check import is_binary
from binaryornot.helpers import _BINARY_SIGNATURES
from cookiecutter.exceptions import OutputDirExistsException
from hypothesis import given
from hypothesis import strategies as st

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.answering import Asking, Scope
from scaffolder.projects.jinja import Chance
from scaffolder.projects.rendering import _is_binary, render, takes_chances
from scaffolder.projects.sources import BuiltIn, open_template
from scaffolder.projects.template import Template, built_in_names
from scaffolder.projects.tree import File, Tree
from tests.unit.projects.made import ROOT, Content, by_cookiecutter, made

TOOL = {"project_slug": "churn", "scaffolder_version": "0.1.0"}
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR{{ cookiecutter.name }}"


@dataclass(frozen=True)
class Case:
    """A template, answers to it, and a file that must come out, so that no case is empty."""

    context: Mapping[str, object]
    inside: Mapping[str, Content]
    extra: Mapping[str, Any] = field(default_factory=dict)
    makes: str = "a.txt"
    root: str = ROOT


CASES = {
    "text and a default made of another": Case(
        {"name": "churn", "title": "{{ cookiecutter.name|title }} model"},
        {"a.txt": "{{ cookiecutter.title }}\n"},
    ),
    "answers of every type": Case(
        {
            "name": "x",
            "system": ["github", "gitlab"],
            "gpu": False,
            "port": 8080,
            "rate": 1.5,
            "sizes": [1, 2],
        },
        {
            "a.txt": "{{ cookiecutter.name }} {{ cookiecutter.system }} {{ cookiecutter.gpu }} {{ cookiecutter.port }} "
            "{{ cookiecutter.rate + '0' }} {{ cookiecutter.sizes }}{% if not cookiecutter.gpu %} cpu{% endif %}"
        },
        {"system": "gitlab", "name": "Größe ☃"},
    ),
    "a flag that is given": Case(
        {"gpu": False}, {"a.txt": "{% if cookiecutter.gpu %}gpu{% else %}cpu{% endif %}"}, {"gpu": True}
    ),
    "choices that are Jinja": Case(
        {"name": "x", "system": ["{{ cookiecutter.name }}-ci", "none"]},
        {"a.txt": "{{ cookiecutter.system }}"},
    ),
    "settings and what is worked out, in the file's order": Case(
        {
            "name": "my-churn",
            "_raw": "{{ cookiecutter.name }}",
            "__package": "{{ cookiecutter.name|replace('-', '_') }}",
            "module": "{{ cookiecutter.__package }}.{{ cookiecutter._raw|length }}",
            "__upper": "{{ cookiecutter.module|upper }}",
            "__list": ["{{ cookiecutter.name }}", "b"],
        },
        {
            "a.txt": "{{ cookiecutter.module }} {{ cookiecutter.__upper }} {{ cookiecutter._raw }} {{ cookiecutter.__list }}",
            "{{ cookiecutter.__package }}/__init__.py": "",
        },
        makes="my_churn/__init__.py",
    ),
    "mappings see all other values": Case(
        {
            "files": {
                "{{ cookiecutter.name }}": {
                    "n": "{{ cookiecutter.later }}",
                    "list": ["{{ cookiecutter.name }}"],
                }
            },
            "name": "churn",
            "__more": {"k": "{{ cookiecutter.name }}"},
            "later": "{{ cookiecutter.__more.k }} later",
        },
        {
            "a.txt": "{% for k, v in cookiecutter.files|dictsort %}{{ k }}={{ v }}{% endfor %}{{ cookiecutter.__more.k }}"
            "{{ cookiecutter.files|jsonify }}"
        },
    ),
    "files and folders that are copied": Case(
        {"name": "x", "_copy_without_render": ["*.j2", "raw", "docs/*/keep*", "one.txt"]},
        {
            "a.txt": "{{ cookiecutter.name }}",
            "b.j2": "{{ not ours }}",
            "deep/c.j2": "{{ not ours }}",
            "raw/{{ cookiecutter.name }}/d.txt": "{{ not ours }}",
            "docs/{{ cookiecutter.name }}/keep-{{ cookiecutter.name }}.txt": "{{ not ours }}",
            "docs/{{ cookiecutter.name }}/go.txt": "{{ cookiecutter.name }}",
            "one.txt": "{{ not ours }}",
        },
        makes="raw/{{ cookiecutter.name }}/d.txt",
    ),
    "line endings and what ends a file": Case(
        {"name": "x"},
        {
            "a.txt": "{{ cookiecutter.name }}",
            "crlf.txt": b"one {{ cookiecutter.name }}\r\ntwo\r\n",
            "cr.txt": b"one {{ cookiecutter.name }}\rtwo\r",
            "mixed.txt": b"one\r\ntwo\nthree\r",
            "mixed-2.txt": b"one {{ cookiecutter.name }}\ntwo\r\nthree\n",
            "plain-crlf.txt": b"one\r\ntwo",
            "late.txt": b"one\n" + b"x" * 9000 + b"\r\nthree\r\n",
            "none.txt": "",
            "many.txt": "{{ cookiecutter.name }}\n\n\n",
            "only.txt": "\n",
            "separators.txt": "one\u2028two\x0bthree {{ cookiecutter.name }}\n",
            "bom.txt": b"\xef\xbb\xbf{{ cookiecutter.name }}\r\n",
        },
    ),
    "line endings by a setting": Case(
        {"name": "x", "_new_lines": "\r\n"},
        {"a.txt": "one {{ cookiecutter.name }}\ntwo\n", "b.txt": "plain\n"},
    ),
    "binary by name and by content": Case(
        {"name": "x"},
        {
            "a.txt": "{{ cookiecutter.name }}",
            "logo.png": "{{ not rendered }}",
            "logo": PNG,
            "{% if cookiecutter.name %}b.png{% endif %}": PNG,
            "zeros": b"{{ cookiecutter.name }}\x00\x00\x00" * 20,
            "pdf": b"%PDF-1.7 {{ not rendered }}\n",
            "BMW": b"BM {{ not rendered }}\n",
            "controls.txt": b"\x07\x0c{{ cookiecutter.name }}\x1b[0m\n",
            "umlauts.txt": "Zürich {{ cookiecutter.name }} – 漢字\n" * 30,
        },
    ),
    "what may be executed": Case(
        {"name": "x", "_copy_without_render": ["*.j2"]},
        {
            "a.txt": "",
            "run.sh": File(content=b"#!/bin/sh\necho {{ cookiecutter.name }}\n", executable=True),
            "tool": File(content=PNG, executable=True),
            "copied.j2": File(content=b"{{ no }}", executable=True),
        },
        makes="run.sh",
    ),
    "files that are left out by their name": Case(
        {"ci": ["github", "gitlab"]},
        {
            "a.txt": "",
            "{% if cookiecutter.ci == 'github' %}github.yml{% endif %}": "on: push\n",
            "{% if cookiecutter.ci == 'gitlab' %}gitlab.yml{% endif %}": "stages: []\n",
            "deep/{% if cookiecutter.ci == 'gitlab' %}gone.yml{% endif %}": "",
        },
        makes="github.yml",
    ),
    "includes and imports": Case(
        {"name": "x"},
        {
            "a.txt": "{% include 'part.txt' %}|{% include './deep/part.txt' %}|{% import 'm.j2' as m %}{{ m.greet('a') }}"
            "{% from 'm.j2' import greet with context %}{{ greet('b') }}{% include ['none.txt', 'part.txt'] %}"
            "{% include 'none.txt' ignore missing %}",
            "part.txt": "part of {{ cookiecutter.name }}\n",
            "deep/part.txt": "deep",
            "both.txt": "here",
            "b.txt": "{% include 'both.txt' %}{% extends 'base.j2' %}{% block body %}{{ super() }}!{% endblock %}",
            "/templates/m.j2": "{% macro greet(who) %}hello {{ who }}{% endmacro %}",
            "/templates/base.j2": "<{% block body %}base{% endblock %}>",
            "/templates/both.txt": "elsewhere",
        },
    ),
    "another markup": Case(
        {
            "name": "x",
            "_jinja2_env_vars": {
                "variable_start_string": "[[",
                "variable_end_string": "]]",
                "block_start_string": "[%",
                "block_end_string": "%]",
                "trim_blocks": True,
                "lstrip_blocks": True,
                "line_statement_prefix": "#!",
            },
        },
        {
            "a.txt": "[[ cookiecutter.name ]] {{ not.ours }}\n  [% if true %]\nyes\n  [% endif %]\n#! for i in [1, 2]\n[[ i ]]\n#! endfor\n",
            "[[ cookiecutter.name ]].txt": "[[ cookiecutter.name ]]",
        },
        makes="x.txt",
        root="[[ cookiecutter.project_slug ]]",
    ),
    "filters of cookiecutter": Case(
        {"name": "Ünï Code & Co", "list": {"b": 1, "a": [1]}},
        {
            "a.txt": "{{ cookiecutter.name|slugify }} {{ cookiecutter.name|slugify(separator='_') }} "
            "{{ cookiecutter.name|slugify(True, True, True, 3) }} {{ cookiecutter.list|jsonify(2) }} {{ '%05d'|format(3) }}"
        },
    ),
    "folders by an answer": Case(
        {"package": "acme/ml", "name": "x"},
        {
            "src/{{ cookiecutter.package }}/a.py": "{{ cookiecutter.name }}",
            "src/{{ cookiecutter.package }}/{{ cookiecutter.name }}/b.py": "",
        },
        makes="src/acme/ml/x/b.py",
    ),
    "names in other alphabets": Case(
        {"name": "größe"},
        {"a.txt": "", "{{ cookiecutter.name }}/文.txt": "{{ cookiecutter.name }}"},
        makes="größe/文.txt",
    ),
    "raw, comments and white space": Case(
        {"name": "x"},
        {
            "a.txt": "{% raw %}${{ github.ref }}{% endraw %} {# gone #}{%- if true -%}  x  {%- endif %}\n{{- cookiecutter.name }}\n",
            "b.txt": "a } lonely { brace %} and #}\n",
        },
    ),
    "a loop, a macro, a namespace and a call": Case(
        {"name": "x"},
        {
            "a.txt": "{% set ns = namespace(n=0) %}{% for i in range(3) %}{% set ns.n = ns.n + i %}{{ loop.index }}{% endfor %}"
            "{{ ns.n }}{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}y{% endcall %}"
            "{% filter upper %}f{% endfilter %}{{ dict(a=1).items()|list }}{{ cookiecutter.name.replace('x', 'z') }}"
        },
    ),
}


def answered(template: Template, extra: Mapping[str, Any]) -> Mapping[str, str | bool]:
    scope = Scope(context=template.context, tool=TOOL)
    questions = template.manifest.questions
    known = {name: value for name, value in extra.items() if name in questions}
    return Asking(template.manifest, known, trusted=template.trusted, scope=scope).answers()


def rendered(
    template: Template, extra: Mapping[str, Any] | None = None, chance: Chance | None = None
) -> Tree:
    return render(template, answered(template, extra or {}), TOOL, chance or Chance())


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_template_renders_to_the_bytes_that_cookiecutter_makes(case: Case, tmp_path: Path) -> None:
    template = made(case.context, case.inside, root=case.root)
    theirs = by_cookiecutter(template, tmp_path, case.extra)
    assert case.makes in theirs
    assert dict(rendered(template, case.extra)) == dict(theirs)


@pytest.mark.parametrize("name", built_in_names())
def test_a_built_in_template_renders_to_the_bytes_that_cookiecutter_makes(name: str, tmp_path: Path) -> None:
    template = open_template(BuiltIn(name=name))
    answers = answered(template, {})
    theirs = dict(by_cookiecutter(template, tmp_path, {**answers, **TOOL}))
    theirs.pop(".scaffolder-project.json", None)  # the tool writes its own
    assert theirs
    assert dict(render(template, answers, TOOL)) == theirs


@pytest.mark.slow
@pytest.mark.parametrize("name", built_in_names())
def test_each_choice_of_a_built_in_template_renders_as_with_cookiecutter(name: str, tmp_path: Path) -> None:
    template = open_template(BuiltIn(name=name))
    tries: list[dict[str, Any]] = []
    for question, spec in template.manifest.questions.items():
        values = (
            [*spec.choices][1:]
            if spec.type == "choice"
            else [not spec.default]
            if spec.type == "flag"
            else []
        )
        tries += [{question: value} for value in values]
    compared = 0
    for number, extra in enumerate(tries):
        try:
            answers = answered(template, extra)
        except UsageError:  # asked only after another answer, or needs one
            continue
        theirs = dict(by_cookiecutter(template, tmp_path / str(number), {**answers, **TOOL}))
        theirs.pop(".scaffolder-project.json", None)
        assert dict(render(template, answers, TOOL)) == theirs, extra
        compared += 1
    assert compared >= len(tries) / 2


@given(
    st.one_of(
        st.binary(max_size=700),
        st.text(max_size=300).map(str.encode),
        st.from_regex(r"[ -~\n]{0,600}", fullmatch=True).map(str.encode),
    )
)
def test_what_is_binary_is_as_cookiecutter_has_it(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "judged"
    path.write_bytes(content)
    assert _is_binary("judged", content) == is_binary(str(path))


def test_each_known_beginning_of_a_binary_file_counts(tmp_path: Path) -> None:
    for start in _BINARY_SIGNATURES:
        (tmp_path / "judged").write_bytes(start + b" text")
        assert _is_binary("judged", start + b" text") == is_binary(str(tmp_path / "judged"))


# --- where this differs on purpose -----------------------------------------------------------------------------------


def test_a_folder_whose_name_is_empty_is_left_out_where_cookiecutter_fails(tmp_path: Path) -> None:
    template = made(
        {"ci": ["github", "none"]}, {"a.txt": "", "{% if cookiecutter.ci == 'none' %}x{% endif %}/b.txt": ""}
    )
    assert set(rendered(template)) == {"a.txt"}
    with pytest.raises(OutputDirExistsException):
        by_cookiecutter(template, tmp_path)


def test_two_folders_that_become_one_are_joined_where_cookiecutter_fails(tmp_path: Path) -> None:
    template = made({"name": "src"}, {"src/a.txt": "", "{{ cookiecutter.name }}/b.txt": ""})
    assert set(rendered(template)) == {"src/a.txt", "src/b.txt"}
    with pytest.raises(OutputDirExistsException):
        by_cookiecutter(template, tmp_path)


def test_two_files_that_become_one_are_refused_where_cookiecutter_keeps_one_of_them(tmp_path: Path) -> None:
    template = made({"name": "a"}, {"a.txt": "one", "{{ cookiecutter.name }}.txt": "two"})
    assert set(by_cookiecutter(template, tmp_path)) == {"a.txt"}
    with pytest.raises(TemplateError, match=r"^the template small renders a\.txt twice$"):
        rendered(template)


@pytest.mark.parametrize("name", ["_template", "_output_dir", "_repo_dir", "_checkout"])
def test_what_only_this_machine_knows_is_not_to_be_had(name: str) -> None:
    template = made({}, {"a.txt": f"{{{{ cookiecutter.{name} }}}}"})
    with pytest.raises(TemplateError, match=f"^a.txt:1: 'dict object' has no attribute '{name}'$"):
        rendered(template)


def test_an_answer_is_text_and_never_rendered_itself(tmp_path: Path) -> None:
    """Cookiecutter takes an answer for a template of its own."""
    template = made({"name": "x"}, {"a.txt": "{{ cookiecutter.name }}"})
    assert rendered(template, {"name": "{{ 1 + 1 }}"})["a.txt"].content == b"{{ 1 + 1 }}"
    assert by_cookiecutter(template, tmp_path, {"name": "{{ 1 + 1 }}"})["a.txt"].content == b"2"


def test_a_value_that_is_null_is_an_empty_answer_where_cookiecutter_has_none(tmp_path: Path) -> None:
    template = made({"name": None}, {"a.txt": "<{{ cookiecutter.name }}>"})
    assert rendered(template)["a.txt"].content == b"<>"
    assert by_cookiecutter(template, tmp_path)["a.txt"].content == b"<None>"


def test_folders_without_files_are_not_kept_as_git_keeps_none() -> None:
    template = made({}, {"a.txt": "", "only/{% if false %}b{% endif %}": ""})
    assert set(rendered(template)) == {"a.txt"}


# --- what is refused -------------------------------------------------------------------------------------------------

REFUSED = {
    "an unknown variable": (
        {"a.txt": "one\n{{ cookiecutter.nmae }}"},
        "a.txt:2: 'dict object' has no attribute 'nmae'",
    ),
    "no Jinja": (
        {"a.txt": "\n\n{% if %}"},
        "a.txt:3: Expected an expression, got 'end of statement block'",
    ),
    "an unknown tag": ({"a.txt": "{% shell 'id' %}"}, "a.txt:1: Encountered unknown tag 'shell'."),
    "no UTF-8": (
        {"a.txt": "é {{ cookiecutter.name }} fin".encode("latin-1")},
        "a.txt is neither UTF-8 nor binary. Save it as UTF-8, or list it in _copy_without_render.",
    ),
    "no text": ({"a.txt": "{{ '\\ud800' }}"}, "a.txt becomes what is no text"),
    "what the sandbox refuses": (
        {"a.txt": "{{ ''.__class__.__mro__ }}"},
        "a.txt:1: the sandbox refuses this: access to attribute '__class__' of 'str' object is unsafe.",
    ),
    "a division by zero": ({"a.txt": "a\nb\n{{ 1 / 0 }}"}, "a.txt:3: division by zero"),
    "no such file to include": ({"a.txt": "{% include 'b.txt' %}"}, "a.txt:1: b.txt"),
    "a file outside": ({"a.txt": "{% include '../cookiecutter.json' %}"}, "a.txt:1: ../cookiecutter.json"),
    "an endless recursion": (
        {"a.txt": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"},
        "rendering the template small calls itself without an end",
    ),
    "the tool's own file": (
        {".scaffolder-project.json": "{}"},
        "the template small renders .scaffolder-project.json, which is the tool's own to write",
    ),
    "the tool's policies": (
        {".scaffolder-policies.yaml": "{}"},
        "the template small renders .scaffolder-policies.yaml, which is the tool's own to write",
    ),
    "a path that leads out": (
        {"{{ ['..', '..', '..', 'a.txt']|join('%c'|format(47)) }}": ""},
        "the template small renders ../../../a.txt, which does not stay in the project's folder",
    ),
    "chance without a seed": (
        {"a.txt": "{{ uuid4() }}"},
        "a.txt:1: something random is not to be had here: the project could not be made again",
    ),
    "the time without a moment": (
        {"a.txt": "{% now 'utc' %}"},
        "a.txt:1: the time is not to be had here: the project could not be made again",
    ),
}


@pytest.mark.parametrize(("inside", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_rendered_is_refused_with_its_place(inside: dict[str, Content], told: str) -> None:
    with pytest.raises(TemplateError) as refused:
        rendered(made({"name": "x"}, inside))
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"autoescape": True}, "_jinja2_env_vars has autoescape, which a template may not set here"),
        (
            {"variable_start_string": "{%"},
            "a.txt: block, variable and comment start strings must be different",
        ),
        ([], "the template small: _jinja2_env_vars must be a mapping"),
    ],
)
def test_settings_of_jinja_that_do_not_fit_are_refused(settings: object, told: str) -> None:
    odd = isinstance(settings, dict) and "variable_start_string" in settings
    root = "{% cookiecutter.project_slug }}" if odd else ROOT
    template = made({"_jinja2_env_vars": settings}, {"a.txt": "{% x }}"}, root=root)
    with pytest.raises(TemplateError, match=f"^{re.escape(told)}"):
        rendered(template)


def test_line_endings_by_a_setting_are_line_endings() -> None:
    with pytest.raises(TemplateError, match=r"^the template small: _new_lines must be \\n, \\r\\n or \\r$"):
        rendered(made({"_new_lines": "; rm -rf /\n"}, {"a.txt": "a\nb"}))


def test_a_template_of_templates_says_how_to_name_one() -> None:
    context = {"templates": {"one": {"path": "./one"}}}
    template = made(context, {"/one/cookiecutter.json": "{}"})
    with pytest.raises(TemplateError) as refused:
        rendered(template)
    assert str(refused.value) == (
        "the template small must have one folder named by markup, such as {{ cookiecutter.project_slug }}; it has none; "
        "it is a choice of templates in folders: name the folder of one"
    )


@pytest.mark.parametrize(
    ("context", "inside", "brought"),
    [
        ({}, {"/hooks/post_gen_project.py": ""}, "hooks/post_gen_project.py"),
        (
            {},
            {"/hooks/pre_gen_project.sh": "", "/hooks/pre_prompt.py": ""},
            "hooks/pre_gen_project.sh, hooks/pre_prompt.py",
        ),
        ({"_extensions": ["local_extensions.Shout"]}, {}, "local_extensions.Shout"),
    ],
)
def test_a_template_that_runs_something_is_refused_and_told_what(
    context: dict[str, object], inside: dict[str, Content], brought: str
) -> None:
    with pytest.raises(TemplateError) as refused:
        rendered(made(context, {"a.txt": "", **inside}))
    assert str(refused.value) == (
        f"the template small runs code of its own ({brought}), and nothing of a template is run by itself. Read it, and "
        "say --trust if you answer for it; or name a catalog (--catalog) whose entry pins its commit."
    )


def test_a_file_beside_the_hooks_is_no_hook() -> None:
    assert set(
        rendered(made({}, {"a.txt": "", "/hooks/README.md": "", "/hooks/deep/post_gen_project.py": ""}))
    ) == {"a.txt"}


# --- chance ----------------------------------------------------------------------------------------------------------

CHANCE = Chance(seed="5eed", moment="2026-11-27T12:00:00+00:00")
DRAWS = {
    "a.txt": "{{ uuid4() }} {{ random_ascii_string(12) }} {{ random_ascii_string(9, punctuation=True) }} {{ [1, 2, 3]|random }}",
    "b.txt": "{{ uuid4() }} {% now 'utc' %} {% now 'utc' + 'days=1', '%Y%m%d' %} {% now 'Europe/Berlin', '%H' %}",
}


def test_what_is_random_and_the_time_follow_from_seed_and_moment() -> None:
    template = made({}, DRAWS)
    first = rendered(template, chance=CHANCE)
    assert first == rendered(template, chance=CHANCE)
    assert first["b.txt"].content.decode().split(" ", 1)[1] == "2026-11-27 20261128 13"
    assert re.fullmatch(
        r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        first["a.txt"].content.decode()[:36],
    )
    assert first["a.txt"].content[:36] != first["b.txt"].content[:36]
    other = rendered(template, chance=Chance(seed="other", moment=CHANCE.moment))
    assert first["a.txt"] != other["a.txt"]


def test_a_file_draws_the_same_whatever_files_come_and_go_beside_it() -> None:
    before = rendered(made({}, DRAWS), chance=CHANCE)
    after = rendered(made({}, {"0.txt": "{{ uuid4() }}", "b.txt": DRAWS["b.txt"]}), chance=CHANCE)
    assert before["b.txt"] == after["b.txt"]


@pytest.mark.parametrize(
    ("context", "inside", "takes"),
    [
        ({}, {"a.txt": "{{ uuid4() }}"}, True),
        ({}, {"a.txt": "{%- now 'utc' %}"}, True),
        ({}, {"a.txt": "{% if true %}\n{{ [1]\n |random }}{% endif %}"}, True),
        ({}, {"{% now 'utc', '%Y' %}.txt": ""}, True),
        ({"id": "{{ random_ascii_string(8) }}"}, {"a.txt": ""}, True),
        ({"_jinja2_env_vars": {"variable_start_string": "[["}}, {"a.txt": "[[ uuid4() ]]"}, True),
        (
            {},
            {
                "a.py": "import uuid\n\n\ndef new() -> str:\n    return str(uuid.uuid4())  # {{ cookiecutter.name }}\n"
            },
            False,
        ),
        ({}, {"a.txt": "{{ cookiecutter.name }} | random, and now"}, False),
    ],
)
def test_chance_is_taken_only_where_markup_asks_for_it(
    context: dict[str, object], inside: dict[str, Content], *, takes: bool
) -> None:
    template = made(
        context,
        inside,
        root="{{[[ cookiecutter.project_slug }}"
        if "_jinja2_env_vars" in context
        else "{{ cookiecutter.project_slug }}",
    )
    assert takes_chances(template) is takes


def test_a_hostile_text_cannot_make_the_question_for_chance_slow() -> None:
    template = made({}, {"a.txt": "{{ uuid4 " * 300_000})
    assert takes_chances(template)
    assert not takes_chances(made({}, {"a.txt": "{{ }}" + "{ " * 900_000 + "uuid4 " * 300_000}))


def test_the_time_may_be_asked_for_in_names_and_defaults() -> None:
    context = {"__year": "{% now 'utc', '%Y' %}"}
    template = made(context, {"{% now 'utc', '%m' %}-{{ cookiecutter.__year }}.txt": "x"})
    assert set(rendered(template, chance=CHANCE)) == {"11-2026.txt"}
