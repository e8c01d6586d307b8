"""A project as layers: a template and its parts, each with its answers, rendered into one tree.

May not fetch a template, read a project or write one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Final, TypeAlias

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.answering import Answers, Asking, Given, Question, Remembered, Scope
from scaffolder.projects.containment import contained
from scaffolder.projects.jinja import NO_CHANCE, Chance, Jinja
from scaffolder.projects.manifest import Answer, PartSpec
from scaffolder.projects.record import Layer
from scaffolder.projects.rendering import render, runs_something, takes_chances
from scaffolder.projects.template import Template
from scaffolder.projects.tree import Tree, union
from stacks.record import record

__all__ = [
    "Ask",
    "OpenPart",
    "Planned",
    "Planning",
    "layer_of",
    "plan_layers",
    "render_layers",
    "replanned",
    "words_of",
]

Ask: TypeAlias = Callable[[Question], Answer]
OpenPart: TypeAlias = Callable[[Template, str], Template]
"""Finds a template's part by its name."""

DEEPEST: Final = 4
"""Parts of parts; more is a circle."""

LONGEST_VALUE: Final = 1000


@record
class Planned:
    """A layer to be rendered. ``trusted`` lets what the template brings to run be run.

    ``asked`` are the questions whose conditions hold, ``defaulted`` those of them that nothing but the default answered.
    """

    template: Template
    answers: Answers
    chance: Chance = NO_CHANCE
    part: bool = False
    trusted: bool = False
    asked: tuple[str, ...] = ()
    defaulted: tuple[str, ...] = ()


@record
class Planning:
    """What is the same for all layers of a plan.

    ``suggested`` is as in :class:`Remembered`; ``chance_of`` is asked for templates that need a chance; ``recorded_of``
    finds the answers to a part that the project has already. ``slug`` is the project's name in its files.
    """

    open_part: OpenPart
    chance_of: Callable[[Template], Chance]
    slug: str = ""
    suggested: Mapping[str, Given] = field(default_factory=dict)
    ask: Ask | None = None
    recorded_of: Callable[[Template], Mapping[str, Given]] = field(default=lambda _template: {})

    def asking(
        self,
        template: Template,
        given: Mapping[str, Given],
        recorded: Mapping[str, Given],
        elsewhere: Mapping[str, Given],
    ) -> tuple[Asking, Chance]:
        """A template's questions, and the chance that it gets."""
        chance = self.chance_of(template) if takes_chances(template) else NO_CHANCE
        asking = Asking(
            template.manifest,
            given,
            Remembered(recorded=recorded, elsewhere=elsewhere, suggested=self.suggested),
            trusted=template.trusted,
            chance=chance,
            scope=Scope(context=template.context, tool={"project_slug": self.slug} if self.slug else {}),
        )
        return asking, chance


def plan_layers(
    template: Template,
    planning: Planning,
    given: Mapping[str, Given],
    elsewhere: Mapping[str, Given],
    *,
    recorded: Mapping[str, Given] = MappingProxyType({}),
    trusted: bool = False,
) -> tuple[Planned, ...]:
    """Answer a template's questions, and those of its parts: nothing twice.

    ``given``, ``elsewhere`` and ``recorded`` are as in :class:`Asking`; a part gets what its template fixes, then answers
    of the same name.

    Raises:
        UsageError: answers do not fit.
        TemplateError: the template or a part of it is not right.
    """
    asking, chance = planning.asking(template, given, recorded, elsewhere)
    done = asking.answered(planning.ask)
    first = Planned(
        template=template,
        answers=done.answers,
        chance=chance,
        trusted=trusted,
        asked=done.asked,
        defaulted=done.defaulted,
    )
    return (first, *_parts(first, {**elsewhere, **recorded}, planning, 1))


def _parts(layer: Planned, known: Mapping[str, Given], planning: Planning, depth: int) -> Iterator[Planned]:
    if depth > DEEPEST:
        raise TemplateError(f"the parts of the template {layer.template.name} have parts without an end")
    words = _Words(layer.template)
    known = {**known, **layer.answers}
    for spec in layer.template.manifest.parts:
        if spec.when and not words.truth(spec.when, layer.answers):
            continue
        template = planning.open_part(layer.template, spec.template)
        fixed = _fixed(spec, template, layer, words)
        asking, chance = planning.asking(template, fixed, planning.recorded_of(template), known)
        try:
            done = asking.answered(planning.ask)
        except UsageError as error:
            raise UsageError(f"for the part {template.name}: {error}") from error
        part = Planned(
            template=template,
            answers=done.answers,
            chance=chance,
            part=True,
            trusted=layer.trusted,
            asked=done.asked,
            defaulted=done.defaulted,
        )
        yield part
        yield from _parts(part, known, planning, depth + 1)


def _fixed(spec: PartSpec, template: Template, layer: Planned, words: _Words) -> dict[str, Given]:
    unknown = sorted(spec.answers.keys() - template.manifest.questions.keys())
    if unknown:
        raise TemplateError(
            f"the template {layer.template.name} answers {', '.join(unknown)} for its part {template.name}, which does not "
            "ask that"
        )
    return {
        name: words.text(value, layer.answers) if isinstance(value, str) and "{" in value else value
        for name, value in spec.answers.items()
    }


class _Words:
    """Works out texts and conditions of a template over answers; a stranger's apart, with bounds."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._jinja = Jinja({}, {})

    def text(self, source: str, values: Mapping[str, object], most: int = LONGEST_VALUE) -> str:
        where = f"the template {self._template.name}"

        def work() -> tuple[object, bytes]:
            return self._jinja.text(source, {**values, "cookiecutter": dict(values)}, where, most), b""

        return str((work() if self._template.trusted else contained(work, where))[0])

    def truth(self, condition: str, values: Mapping[str, object]) -> bool:
        return self.text(f"{{{{ 1 if ({condition}) else 0 }}}}", values) == "1"


def words_of(template: Template, source: str, values: Mapping[str, object]) -> str:
    """Work out a text of a template's manifest: what to do next, a migration's path or answer.

    Raises:
        TemplateError: it cannot be.
    """
    if "{" not in source:
        return source
    return _Words(template).text(source, values, 20_000)


def replanned(template: Template, layer: Layer, slug: str) -> Planned:
    """A recorded layer as it was: the same answers, whatever is valid today, and defaults for what was not asked.

    Raises:
        TemplateError: an answer is not even of the right type.
    """
    manifest = template.manifest
    defaults = Asking(
        manifest,
        {},
        Remembered(elsewhere=layer.answers),
        trusted=template.trusted,
        chance=layer.chance,
        scope=Scope(context=template.context, tool={"project_slug": slug}),
    ).answers()
    answers = {name: layer.answers.get(name, default) for name, default in defaults.items()}
    for name, question in manifest.questions.items():
        if isinstance(answers[name], bool) != (question.type == "flag"):
            raise TemplateError(
                f"the project's record answers {name} of {template.name} with what is no {question.type}. Take it back "
                "from git."
            )
    return Planned(
        template=template,
        answers=MappingProxyType(answers),
        chance=layer.chance,
        part=layer.part,
        trusted=layer.trusted,
    )


def layer_of(planned: Planned, source: str) -> Layer:
    """What the project records of a layer: of its answers, those that were asked for."""
    return Layer(
        template=planned.template.name,
        source=source,
        version=planned.template.version,
        commit=planned.template.commit,
        digest=planned.template.digest,
        answers=MappingProxyType({name: planned.answers[name] for name in planned.asked}),
        chance=planned.chance,
        part=planned.part,
        trusted=planned.trusted and bool(runs_something(planned.template)),
    )


def render_layers(layers: Sequence[Planned], project: str, version: str) -> Tree:
    """Render layers into one tree; of two files with the same path, the later layer's.

    Raises:
        TemplateError: one cannot be rendered.
    """
    given = {"project_slug": project, "scaffolder_version": version}
    return union(_rendered(layer, given) for layer in layers)


def _rendered(layer: Planned, given: Mapping[str, str]) -> Tree:
    if layer.trusted and runs_something(layer.template):
        from scaffolder.projects.trusting import render_trusted  # noqa: PLC0415 - cookiecutter is slow to import

        return render_trusted(layer.template, layer.answers, given)
    return render(layer.template, layer.answers, given, layer.chance)
