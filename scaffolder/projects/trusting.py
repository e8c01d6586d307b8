"""Renders a template with cookiecutter itself: its hooks and extensions run, since somebody answers for it.

In a scratch folder; what comes out is read back and held to the same paths and sizes as any other. May not decide whom
to trust.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from scaffolder.errors import TemplateError
from scaffolder.projects.answering import Answers
from scaffolder.projects.jinja import NO_CHANCE, Chance
from scaffolder.projects.rendering import OWN, runs_something
from scaffolder.projects.template import Template, read_folder
from scaffolder.projects.tree import Tree, checked_tree

__all__ = ["render_trusted"]

PROGRAM = """
import json, os, random, sys, types, uuid
import arrow
from cookiecutter import extensions, generate, hooks
from cookiecutter.prompt import render_variable
from cookiecutter.utils import create_env_with_context
template, told, output = sys.argv[1:4]
sys.path.append(template)
with open(told, encoding="utf-8") as file:
    declared, answers, seed, moment = json.load(file)
drawn = random.Random()
def begin(where):
    drawn.seed(f"{seed} {where}")
    random.seed(f"{seed} {where}")
def beginning(function, name_of):
    def begun(*arguments, **named):
        begin(name_of(arguments))
        return function(*arguments, **named)
    return begun
if seed:
    extensions.choice = drawn.choice
    extensions.uuid = types.SimpleNamespace(uuid4=lambda: uuid.UUID(int=drawn.getrandbits(128), version=4))
    generate.generate_file = beginning(generate.generate_file, lambda given: given[1])
    hooks.run_script_with_context = beginning(
        hooks.run_script_with_context, lambda given: os.path.basename(given[0])
    )
    render_variable = beginning(render_variable, lambda given: given[1])
if moment:
    extensions.arrow = types.SimpleNamespace(now=lambda timezone: arrow.get(moment).to(timezone))
environment = create_env_with_context({"cookiecutter": declared})
values, later = {}, []
for name, raw in declared.items():
    if name in answers:
        values[name] = answers[name]
    elif name.startswith("_") and not name.startswith("__"):
        values[name] = raw
    else:
        if isinstance(raw, dict):
            later.append(name)
            if not name.startswith("_"):
                continue
        values[name] = render_variable(environment, raw, values)
for name in later:
    values[name] = render_variable(environment, declared[name], values)
generate.generate_files(template, {"cookiecutter": values}, output, accept_hooks=True)
"""
"""Works the context out with cookiecutter's own environment: only that has the template's extensions.

What a file, a hook or a value draws follows from the seed and its own name, as in :class:`scaffolder.projects.jinja.Jinja`.
"""

LONGEST_S = 600


def render_trusted(
    template: Template, answers: Answers, given: Mapping[str, str], chance: Chance = NO_CHANCE
) -> Tree:
    """As :func:`scaffolder.projects.rendering.render`, with cookiecutter's own hooks and extensions.

    What hooks print goes to stderr. They see this process's environment, as cookiecutter's do. What cookiecutter draws and
    the time are the chance's; what a hook's or an extension's own code draws is another one each time.

    Raises:
        TemplateError: cookiecutter or a hook failed; its own words are on stderr.
    """
    import json  # noqa: PLC0415 - only here

    what = f"the template {template.name}"
    early = [path for path in runs_something(template) if path.startswith("hooks/pre_prompt.")]
    if early:
        raise TemplateError(
            f"{what} has {early[0]}, which changes the template before its questions are asked: that is not done here. "
            "Use cookiecutter itself for it."
        )
    with TemporaryDirectory(prefix="scaffolder-trusted-") as scratch:
        source, output = Path(scratch, "template"), Path(scratch, "output")
        for path, file in template.files.items():
            place = source / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.content)
            place.chmod(0o755 if file.executable else 0o644)
        known = {**template.context.public, **template.context.worked_out, **template.context.settings}
        declared = {name: known[name] for name in template.context.order if name in known}
        context = Path(scratch, "context.json")
        context.write_text(
            json.dumps([declared, {**given, **answers}, chance.seed, chance.moment]), encoding="utf-8"
        )
        output.mkdir()
        command = [sys.executable, "-c", PROGRAM, str(source), str(context), str(output)]
        try:
            done = subprocess.run(  # noqa: S603 - trusted, as the caller was told
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),
                stderr=None,
                timeout=LONGEST_S,
                cwd=scratch,
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            )
        except subprocess.TimeoutExpired as error:
            raise TemplateError(f"{what} was not rendered in {LONGEST_S} seconds, and was stopped") from error
        made = [*output.iterdir()]
        if done.returncode or len(made) != 1:
            raise TemplateError(
                f"{what} could not be rendered: cookiecutter or a hook of it failed, as said above"
            )
        files = read_folder(made[0], what)
    own = sorted(files.keys() & set(OWN))
    if own:
        raise TemplateError(f"{what} renders {own[0]}, which is the tool's own to write")
    return checked_tree(files, what)
