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
from scaffolder.projects.answering import Answers, context_of
from scaffolder.projects.jinja import NO_CHANCE, Chance, Jinja
from scaffolder.projects.rendering import OWN
from scaffolder.projects.template import Template, read_folder
from scaffolder.projects.tree import Tree, checked_tree

__all__ = ["render_trusted"]

PROGRAM = """
import json, sys
from cookiecutter.generate import generate_files
template, context, output = sys.argv[1:4]
sys.path.insert(0, template)
with open(context, encoding="utf-8") as file:
    print(generate_files(template, json.load(file), output, accept_hooks=True))
"""
LONGEST_S = 600


def render_trusted(
    template: Template, answers: Answers, given: Mapping[str, str], chance: Chance = NO_CHANCE
) -> Tree:
    """As :func:`scaffolder.projects.rendering.render`, with cookiecutter's own hooks and extensions.

    What hooks print goes to stderr. They see this process's environment, as cookiecutter's do.

    Raises:
        TemplateError: cookiecutter or a hook failed; its own words are on stderr.
    """
    import json  # noqa: PLC0415 - only here

    what = f"the template {template.name}"
    with TemporaryDirectory(prefix="scaffolder-trusted-") as scratch:
        source, output = Path(scratch, "template"), Path(scratch, "output")
        for path, file in template.files.items():
            place = source / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.content)
            place.chmod(0o755 if file.executable else 0o644)
        values = context_of(template.context, answers, given, Jinja({}, {}, chance), template.name)
        context = Path(scratch, "context.json")
        context.write_text(json.dumps({"cookiecutter": values}), encoding="utf-8")
        output.mkdir()
        command = [sys.executable, "-c", PROGRAM, str(source), str(context), str(output)]
        try:
            done = subprocess.run(  # noqa: S603 - trusted, as the caller was told
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
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
