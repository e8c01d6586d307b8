"""Which answers the templates are rendered with: each pair of options meets at least once. May not render."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from allpairspy import AllPairs

from scaffolder.errors import UsageError
from scaffolder.projects.answering import Asking, Scope
from scaffolder.projects.manifest import Answer
from scaffolder.projects.template import Template

__all__ = ["combinations", "options_of"]


def options_of(template: Template) -> Mapping[str, Sequence[Answer]]:
    """What may be chosen of a template: the values of its choices and flags."""
    return {
        name: [*question.choices] if question.type == "choice" else [False, True]
        for name, question in template.manifest.questions.items()
        if question.type in {"choice", "flag"}
    }


def combinations(template: Template) -> list[dict[str, Answer]]:
    """Answers in which each pair of options that can meet does; of each, only what is asked for."""
    options = options_of(template)
    if len(options) < 2:
        return [{name: value} for name, values in options.items() for value in values]
    found: list[dict[str, Answer]] = []
    names = list(options)
    for row in AllPairs([*options.values()], filter_func=lambda row: _fits(template, names, row)):
        given = _asked(template, dict(zip(names, row, strict=True)))
        if given not in found:
            found.append(given)
    return found


def _fits(template: Template, names: Sequence[str], row: Sequence[Answer]) -> bool:
    """Whether a whole row is one that a template takes; of a beginning, nothing is said."""
    if len(row) < len(names):
        return True
    try:
        _asked(template, dict(zip(names, row, strict=True)))
    except UsageError:
        return False
    return True


def _asked(template: Template, wanted: Mapping[str, Answer]) -> dict[str, Answer]:
    """Of some answers, those to questions that are asked beside the others."""
    given: dict[str, Answer] = {}
    for name in template.manifest.questions:
        if name in wanted and name in _asking(template, given).answered().asked:
            given[name] = wanted[name]
    _asking(template, given).answers()
    return given


def _asking(template: Template, given: Mapping[str, Answer]) -> Asking:
    scope = Scope(context=template.context, tool={"project_slug": "churn", "scaffolder_version": "0.1.0"})
    return Asking(template.manifest, given, trusted=True, scope=scope)
