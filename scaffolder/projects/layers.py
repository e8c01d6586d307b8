"""A project as layers: a template and its parts, each with its answers, rendered into one tree.

May not fetch a template, read a project or write one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from types import MappingProxyType
from typing import Final, TypeAlias

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.answering import (
    Answers,
    Asking,
    Given,
    Question,
    Remembered,
    Scope,
    unknown_question,
)
from scaffolder.projects.containment import contained
from scaffolder.projects.jinja import NO_CHANCE, Chance, Jinja
from scaffolder.projects.manifest import Answer, PartSpec
from scaffolder.projects.record import Layer
from scaffolder.projects.rendering import Job, render_together, runs_something, takes_chances
from scaffolder.projects.template import Template
from scaffolder.projects.tree import Tree, union
from stacks.record import record

__all__ = [
    "Ask",
    "OpenPart",
    "Planned",
    "Planning",
    "answers_for",
    "layer_of",
    "names_of",
    "plan_layers",
    "render_layers",
    "render_versions",
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
    finds the answers to a part that the project has already. ``slug`` is the project's name in its files, ``there`` the
    templates that the project has as layers of their own: they are nobody's parts.
    """

    open_part: OpenPart
    chance_of: Callable[[Template], Chance]
    slug: str = ""
    there: frozenset[str] = frozenset()
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
    trusted: Callable[[Template], bool] = lambda _template: False,
) -> tuple[Planned, ...]:
    """Answer a template's questions, and those of its parts: nothing twice.

    ``given`` are answers to the template and its parts; ``elsewhere`` and ``recorded`` are as in :class:`Remembered`. A
    part gets what its template fixes, then answers of the same name, then those that are given. ``trusted`` says whether
    what a template brings to run may be run.

    Raises:
        UsageError: answers do not fit.
        TemplateError: the template or a part of it is not right.
    """
    unknown = _unknown(names_of(template, planning), given)
    if unknown and planning.ask is not None:  # before a person answers anything
        raise UsageError("\n".join(unknown))
    try:
        layers = tuple(
            _planned(template, planning, given, Remembered(recorded=recorded, elsewhere=elsewhere))
        )
    except UsageError as error:
        raise UsageError("\n".join([*unknown, str(error)])) from error
    if unknown:
        raise UsageError("\n".join(unknown))
    return tuple(replace(layer, trusted=trusted(layer.template)) for layer in layers)


def names_of(template: Template, planning: Planning, depth: int = 0) -> tuple[str, ...]:
    """The names of a template's questions and of those of all its parts, whether or not they are asked."""
    names = dict.fromkeys(template.manifest.questions)
    for spec in template.manifest.parts if depth < DEEPEST else ():
        if spec.template not in planning.there:
            names |= dict.fromkeys(names_of(planning.open_part(template, spec.template), planning, depth + 1))
    return tuple(names)


def _unknown(names: Sequence[str], given: Mapping[str, Given]) -> list[str]:
    return [unknown_question(name, names) for name in given if name not in names]


def _planned(
    template: Template, planning: Planning, given: Mapping[str, Given], remembered: Remembered
) -> Iterator[Planned]:
    own = {name: value for name, value in given.items() if name in template.manifest.questions}
    asking, chance = planning.asking(template, own, remembered.recorded, remembered.elsewhere)
    done = asking.answered(planning.ask)
    first = Planned(
        template=template, answers=done.answers, chance=chance, asked=done.asked, defaulted=done.defaulted
    )
    yield first
    yield from _parts(first, {**remembered.elsewhere, **remembered.recorded}, planning, given)


def _parts(
    layer: Planned, known: Mapping[str, Given], planning: Planning, given: Mapping[str, Given], depth: int = 1
) -> Iterator[Planned]:
    if depth > DEEPEST:
        raise TemplateError(f"the parts of the template {layer.template.name} have parts without an end")
    words = _Words(layer.template)
    known = {**known, **layer.answers}
    for spec in layer.template.manifest.parts:
        if spec.template in planning.there or (spec.when and not words.truth(spec.when, layer.answers)):
            continue
        template = planning.open_part(layer.template, spec.template)
        fixed = {
            **{n: v for n, v in given.items() if n in template.manifest.questions and n not in known},
            **_fixed(spec, template, layer, words),
        }
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
            asked=done.asked,
            defaulted=done.defaulted,
        )
        yield part
        yield from _parts(part, known, planning, given, depth + 1)


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


def answers_for(layer: Planned, name: str) -> dict[str, Given]:
    """What a layer would answer for a part of that template's name: good answers where it is added later."""
    words = _Words(layer.template)
    return {
        question: words.text(value, layer.answers) if isinstance(value, str) and "{" in value else value
        for spec in layer.template.manifest.parts
        if spec.template == name
        for question, value in spec.answers.items()
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
    return render_versions(((layers, version),), project)[0]


def render_versions(versions: Sequence[tuple[Sequence[Planned], str]], project: str) -> tuple[Tree, ...]:
    """Render a project's layers several times: as they are, and by which version of this program, each time.

    Raises:
        TemplateError: one cannot be rendered.
    """
    run: dict[tuple[int, int], Tree] = {}
    jobs: dict[tuple[int, int], Job] = {}
    for number, (layers, version) in enumerate(versions):
        given = {"project_slug": project, "scaffolder_version": version}
        for at, layer in enumerate(layers):
            if layer.trusted and runs_something(layer.template):
                from scaffolder.projects.trusting import render_trusted  # noqa: PLC0415 - cookiecutter is slow to import

                run[number, at] = render_trusted(layer.template, layer.answers, given, layer.chance)
            else:
                jobs[number, at] = Job(
                    template=layer.template, answers=layer.answers, given=given, chance=layer.chance
                )
    found = {**run, **dict(zip(jobs, render_together([*jobs.values()]), strict=True))}
    return tuple(
        union(found[number, at] for at in range(len(layers))) for number, (layers, _) in enumerate(versions)
    )
