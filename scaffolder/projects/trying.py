"""Renders a template with its defaults and with each choice, and sees where its migrations lead.

Rendered as a stranger's always: in a sandbox and apart. May not say where in a file something is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.answering import Answers, Asking, Given, Scope
from scaffolder.projects.layers import words_of
from scaffolder.projects.manifest import MigrationSpec, QuestionSpec
from scaffolder.projects.rendering import render
from scaffolder.projects.template import Template
from scaffolder.projects.tree import Tree, path_problem, shown_path
from scaffolder.spec.nodes import Path, nearest
from stacks.record import record

__all__ = ["Misled", "Rendered", "Trouble", "misled_migrations", "try_renderings"]

NOT_ASKED: Final = "is not asked here"
"""In a refusal of an answer to a question whose condition is false."""
MOST_RENDERINGS: Final = 200
TOOL: Final = {"project_slug": "a-project", "scaffolder_version": "1.0.0"}
"""What the tool gives, for renderings that nobody keeps."""

Rendered: TypeAlias = tuple[Answers, Tree]


@record
class Trouble:
    """Why a template cannot be rendered, and the answers that were given when that first showed."""

    given: Mapping[str, Given]
    why: str


@record
class Misled:
    """What is wrong with a migration; ``path`` is its place in the manifest."""

    path: Path
    message: str
    hint: str = ""
    warning: bool = False


def try_renderings(template: Template) -> tuple[tuple[Rendered, ...], tuple[Trouble, ...]]:
    """Render with the defaults, and with each choice beside the others' defaults; each trouble once."""
    done: list[Rendered] = []
    troubles: dict[str, Trouble] = {}
    for given in _tries(template.manifest.questions):
        try:
            answers = _asked_with(template, given)
            if answers is not None:
                done.append((answers, render(template, answers, TOOL)))
        except (TemplateError, UsageError) as error:
            troubles.setdefault(str(error), Trouble(given=given, why=str(error)))
    return tuple(done), tuple(troubles.values())


def _tries(questions: Mapping[str, QuestionSpec]) -> Iterator[dict[str, Given]]:
    yield {}
    count = 1
    for name, question in questions.items():
        values: Sequence[Given] = [*question.choices] if question.type == "choice" else ()
        if question.type == "flag":
            values = (True, False)
        for value in values:
            if value != question.default and count < MOST_RENDERINGS:
                count += 1
                yield {name: value}


def _asked_with(template: Template, given: Mapping[str, Given]) -> Answers | None:
    """All answers beside one that is given; where it is not asked so, beside one other choice that makes it asked.

    Raises:
        UsageError: an answer does not fit, a default among them.
        TemplateError: a condition or a default cannot be worked out.
    """
    scope = Scope(context=template.context, tool=TOOL)
    for other in _tries(template.manifest.questions):
        try:
            return Asking(template.manifest, {**other, **given}, trusted=False, scope=scope).answers()
        except UsageError as error:
            if NOT_ASKED not in str(error):
                raise
        if not given:
            break
    return None


# --- migrations ------------------------------------------------------------------------------------------------------


def misled_migrations(template: Template, rendered: Sequence[Rendered]) -> Iterator[Misled]:
    """What migrations say that the template does not have: questions, and where paths are in the end."""
    migrations = template.manifest.migrations
    questions = template.manifest.questions
    for number, migration in enumerate(migrations):
        path = ("migrations", number)
        later = migrations[number + 1 :]
        known = {*questions} | {name for each in later for name in (*each.answers.rename, *each.answers.drop)}
        for old, new in migration.answers.rename.items():
            if new not in known:
                yield Misled(
                    path=(*path, "answers", "rename", old),
                    message=f"there is no question {new} that {old} could become",
                    hint=nearest(new, questions),
                )
        for name in migration.answers.set:
            if name not in known:
                yield Misled(
                    path=(*path, "answers", "set", name),
                    message=f"there is no question {name}",
                    hint=nearest(name, questions),
                )
        for move in migration.rename.items():
            try:
                yield from _misled_move((*path, "rename", move[0]), template, move, later, rendered)
            except TemplateError as error:
                yield Misled(path=(*path, "rename", move[0]), message=str(error))


def _misled_move(
    path: Path,
    template: Template,
    move: tuple[str, str],
    later: Sequence[MigrationSpec],
    rendered: Sequence[Rendered],
) -> Iterator[Misled]:
    """What a migration moves must be gone from where it was, and be where that and the later ones lead."""
    told = tuple(map(shown_path, move))
    arrived = not rendered
    for answers, tree in rendered:
        old, new = (words_of(template, each, answers) for each in move)
        for each in later:
            new = _moved(new, template, each, answers)
        problem = path_problem(old) or path_problem(new)
        if problem:
            yield Misled(path=path, message=f"a path here {problem}")
            return
        if _has(tree, old):
            message = f"{told[0]} is to become {told[1]}, and is rendered still"
            yield Misled(path=path, message=message, warning=True)
            return
        arrived = arrived or _has(tree, new)
    if not arrived:
        message = f"{told[0]} is to become {told[1]}, which no rendering has"
        yield Misled(path=path, message=message, warning=True)


def _moved(path: str, template: Template, migration: MigrationSpec, answers: Answers) -> str:
    for before, after in migration.rename.items():
        old = words_of(template, before, answers)
        if path == old or path.startswith(f"{old}/"):
            return words_of(template, after, answers) + path[len(old) :]
    return path


def _has(tree: Tree, path: str) -> bool:
    return path in tree or any(each.startswith(f"{path}/") for each in tree)
