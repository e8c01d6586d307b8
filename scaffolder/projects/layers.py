"""A project as layers: a template and its parts, each with its answers, rendered into one tree.

May not fetch a template, read a project or write one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import Final, TypeAlias

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.answering import Answers, Asking, Given, Question
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
    """A layer to be rendered. ``trusted`` lets what the template brings to run be run."""

    template: Template
    answers: Answers
    chance: Chance = NO_CHANCE
    part: bool = False
    trusted: bool = False


@record
class Planning:
    """What is the same for all layers of a plan.

    ``suggested`` is as in :class:`Asking`; ``chance_of`` is asked for templates that need a chance; ``recorded`` are the
    answers of parts that the project has already, by their template's name.
    """

    open_part: OpenPart
    chance_of: Callable[[Template], Chance]
    suggested: Mapping[str, Given] = field(default_factory=dict)
    ask: Ask | None = None
    recorded: Mapping[str, Answers] = field(default_factory=dict)


def plan_layers(
    template: Template,
    planning: Planning,
    given: Mapping[str, Given],
    known: Mapping[str, Given],
    *,
    trusted: bool = False,
) -> tuple[Planned, ...]:
    """Answer a template's questions, and those of its parts: nothing twice.

    ``given`` and ``known`` are as in :class:`Asking`; a part gets what its template fixes, then answers of the same name.

    Raises:
        UsageError: answers do not fit.
        TemplateError: the template or a part of it is not right.
    """
    chance = _chance(template, planning.chance_of)
    asking = Asking(
        template.manifest, given, known, planning.suggested, trusted=template.trusted, chance=chance
    )
    first = Planned(template=template, answers=asking.answers(planning.ask), chance=chance, trusted=trusted)
    return (first, *_parts(first, known, planning, 1))


def _chance(template: Template, chance_of: Callable[[Template], Chance]) -> Chance:
    return chance_of(template) if takes_chances(template) else NO_CHANCE


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
        chance = _chance(template, planning.chance_of)
        before = {**planning.recorded.get(template.name, {}), **known}
        asking = Asking(
            template.manifest, fixed, before, planning.suggested, trusted=template.trusted, chance=chance
        )
        try:
            answers = asking.answers(planning.ask)
        except UsageError as error:
            raise UsageError(f"for the part {template.name}: {error}") from error
        part = Planned(template=template, answers=answers, chance=chance, part=True, trusted=layer.trusted)
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


def replanned(template: Template, layer: Layer) -> Planned:
    """A recorded layer as it was: the same answers, and today's defaults for what was not asked."""
    answers = Asking(
        template.manifest, {}, layer.answers, trusted=template.trusted, chance=layer.chance
    ).answers()
    return Planned(
        template=template, answers=answers, chance=layer.chance, part=layer.part, trusted=layer.trusted
    )


def layer_of(planned: Planned, source: str) -> Layer:
    """What the project records of a layer: of its answers, those that were asked for."""
    asking = Asking(planned.template.manifest, {}, trusted=planned.template.trusted, chance=planned.chance)
    asked = {name: value for name, value in planned.answers.items() if asking.is_asked(name, planned.answers)}
    return Layer(
        template=planned.template.name,
        source=source,
        version=planned.template.version,
        commit=planned.template.commit,
        digest=planned.template.digest,
        answers=MappingProxyType(asked),
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

        return render_trusted(layer.template, layer.answers, given, layer.chance)
    return render(layer.template, layer.answers, given, layer.chance)
