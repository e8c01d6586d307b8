"""A template that somebody answers for renders as cookiecutter itself renders it, with its hooks and extensions."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffolder.errors import TemplateError
from scaffolder.projects.answering import Asking, Scope
from scaffolder.projects.jinja import NO_CHANCE, Chance
from scaffolder.projects.template import Template
from scaffolder.projects.tree import File, Tree
from scaffolder.projects.trusting import render_trusted
from tests.unit.projects.made import Content, by_cookiecutter, made

TOOL = {"project_slug": "churn", "scaffolder_version": "0.1.0"}
EXTENSION = """\
from jinja2.ext import Extension


class Shout(Extension):
    def __init__(self, environment):
        super().__init__(environment)
        environment.filters["shout"] = lambda text: text.upper() + "!"
"""
HOOK = """\
import os
import sys
from pathlib import Path

Path("made-by-a-hook.txt").write_text("{{ cookiecutter.name }} " + ",".join(sorted(os.listdir("."))))
Path("gone.txt").unlink()
print("a hook talks")
"""


def shouting() -> Template:
    context = {
        "name": "churn",
        "_extensions": ["shouts.Shout"],
        "__loud": "{{ cookiecutter.name|shout }}",
        "_copy_without_render": ["*.j2"],
        "files": {"{{ cookiecutter.name }}": "{{ cookiecutter.__loud }}"},
        "port": 8080,
    }
    inside: dict[str, Content] = {
        "a.txt": "{{ cookiecutter.name|shout }} {{ cookiecutter.__loud }} {{ cookiecutter.files|jsonify }} {{ cookiecutter.port }}\r\n",
        "b.j2": "{{ not ours }}",
        "gone.txt": "",
        "run.sh": File(content=b"#!/bin/sh\n", executable=True),
        "/shouts.py": EXTENSION,
        "/hooks/post_gen_project.py": HOOK,
        "/hooks/pre_gen_project.sh": "#!/bin/sh\necho before > before.txt\n",
    }
    return made(context, inside)


def trusted(template: Template, chance: Chance = NO_CHANCE) -> Tree:
    scope = Scope(context=template.context, tool=TOOL)
    answers = Asking(template.manifest, {}, trusted=False, chance=chance, scope=scope).answers()
    return render_trusted(template, answers, TOOL, chance)


def test_hooks_and_extensions_run_as_with_cookiecutter(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    template = shouting()
    theirs = by_cookiecutter(template, tmp_path, hooks=True)
    capfd.readouterr()
    tree = trusted(template)
    assert dict(tree) == dict(theirs)
    assert tree["a.txt"].content.startswith(b"CHURN! CHURN! ")
    assert {"made-by-a-hook.txt", "before.txt"} <= tree.keys()
    assert capfd.readouterr() == ("", "a hook talks\n")


@pytest.mark.parametrize("name", [".scaffolder-project.json", ".scaffolder-policies.yaml"])
def test_the_tools_own_files_are_refused_whoever_writes_them(name: str) -> None:
    template = made({}, {"a.txt": "", "/hooks/post_gen_project.sh": f"#!/bin/sh\necho x > {name}\n"})
    with pytest.raises(
        TemplateError, match=f"^the template small renders {name}, which is the tool's own to write$"
    ):
        trusted(template)


def test_a_link_that_a_hook_makes_is_refused() -> None:
    template = made({}, {"a.txt": "", "/hooks/post_gen_project.sh": "#!/bin/sh\nln -s /etc/passwd b\n"})
    with pytest.raises(TemplateError, match=r"^the template small has a symbolic link: b$"):
        trusted(template)


def test_a_hook_that_fails_makes_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    template = made(
        {}, {"a.txt": "", "/hooks/post_gen_project.sh": "#!/bin/sh\necho no account >&2\nexit 3\n"}
    )
    with pytest.raises(
        TemplateError, match=r"could not be rendered: cookiecutter or a hook of it failed, as said above$"
    ):
        trusted(template)
    assert "no account" in capfd.readouterr().err


def test_a_hook_before_the_questions_is_refused_and_not_passed_over() -> None:
    template = made({}, {"a.txt": "", "/hooks/pre_prompt.py": "raise SystemExit(1)"})
    with pytest.raises(TemplateError) as refused:
        trusted(template)
    assert str(refused.value) == (
        "the template small has hooks/pre_prompt.py, which changes the template before its questions are asked: that is "
        "not done here. Use cookiecutter itself for it."
    )


def test_a_module_of_the_template_takes_no_other_ones_place() -> None:
    """As with cookiecutter, the template's folder comes last where Python looks for modules."""
    template = made(
        {},
        {
            "a.txt": "x",
            "/json.py": "raise SystemExit('not mine')",
            "/hooks/post_gen_project.sh": "#!/bin/sh\n",
        },
    )
    assert set(trusted(template)) == {"a.txt"}


def test_what_is_drawn_is_drawn_again_whatever_else_the_template_has() -> None:
    """An update renders the old version anew, and it must be what the project was made of."""
    chance = Chance(seed="seed", moment="2026-01-02T03:04:05+00:00")
    draws = (
        "{{ random_ascii_string(12) }} {{ uuid4() }} {{ range(10000)|random }} {% now 'utc', '%Y-%m-%dT%H' %}"
    )
    hook = f"#!/bin/sh\necho '{draws} {{{{ cookiecutter.__drawn }}}}' > hook.txt\n"
    context = {"__drawn": "{{ random_ascii_string(8) }}"}
    old = made(context, {"b.txt": draws, "/hooks/post_gen_project.sh": hook})
    new = made(context, {"a.txt": draws, "b.txt": draws, "c.txt": draws, "/hooks/post_gen_project.sh": hook})
    was, now = trusted(old, chance), trusted(new, chance)
    assert was["b.txt"].content.endswith(b" 2026-01-02T03")
    assert {path: now[path] for path in was} == dict(was)
    assert len({file.content for file in now.values()}) == 4
    other = trusted(old, Chance(seed="another", moment=chance.moment))
    assert other["b.txt"] != was["b.txt"]
    assert other["hook.txt"] != was["hook.txt"]
