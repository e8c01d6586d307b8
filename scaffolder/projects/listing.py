"""The templates that there are, and one of them with all that it asks, as values, as text and as JSON.

May not print, nor make a project.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Final, TypedDict

from scaffolder.errors import ScaffolderError
from scaffolder.projects.catalog import Catalog, TemplateEntry, default_version, deprecation_of
from scaffolder.projects.manifest import Manifest, PartSpec, QuestionSpec
from scaffolder.projects.rendering import runs_something
from scaffolder.projects.shown import shown_text
from scaffolder.projects.sources import BuiltIn, CatalogEntry, latest, open_template
from scaffolder.projects.template import Template, built_in_names
from scaffolder.projects.versions import Version
from stacks.record import record

__all__ = [
    "Listed",
    "ListedJson",
    "QuestionJson",
    "TemplateJson",
    "listed_as_json",
    "listed_as_text",
    "listed_templates",
    "template_as_json",
    "template_as_text",
]

COLUMNS: Final = 80
OURS: Final = "scaffolder"


class ListedJson(TypedDict):
    """One template. `version` is a new project's, null where the source is not to be reached.

    `deprecated` says what to do instead, or is empty.
    """

    name: str
    title: str
    version: str | None
    source: str
    where: str
    owner: str
    deprecated: str


class QuestionJson(TypedDict):
    """One question. `when` is a condition over the answers before it; `default` may be worked out of them."""

    name: str
    ask: str
    help: str
    type: str
    default: str | bool | int
    choices: dict[str, str]
    says: str
    when: str


class PartJson(TypedDict):
    """Another template in the same project, and when."""

    template: str
    when: str


class TemplateJson(TypedDict):
    """One template, at one version; `runs` is what it brings to run, for which somebody has to answer."""

    name: str
    title: str
    version: str
    commit: str
    digest: str
    source: str
    owner: str
    deprecated: str
    versions: list[str]
    questions: list[QuestionJson]
    parts: list[PartJson]
    files: int
    runs: list[str]


@record
class Listed:
    """A template that may be named; ``problem`` is why its version is not known."""

    name: str
    title: str
    version: str
    source: str
    where: str
    owner: str
    deprecated: str = ""
    problem: str = ""


# --- the list --------------------------------------------------------------------------------------------------------


def listed_templates(place: str, published: Catalog | None) -> tuple[Listed, ...]:
    """A catalog's templates, and those of this program; a name of both is the catalog's."""
    entries = published.templates if published else {}
    found = [_of_catalog(name, entry, place, published) for name, entry in entries.items() if published]
    for name in built_in_names():
        template = open_template(BuiltIn(name=name))
        found.append(
            Listed(
                name=f"builtin:{name}" if name in entries else name,
                title=template.manifest.title,
                version=template.version,
                source=template.source,
                where=OURS,
                owner=template.manifest.owner,
            )
        )
    return tuple(found)


def _of_catalog(name: str, entry: TemplateEntry, place: str, published: Catalog) -> Listed:
    source = CatalogEntry(catalog=place, name=name)
    version, title, problem = default_version(entry), entry.title, ""
    try:
        if not version:
            newest = latest(source)
            version = str(newest) if newest else ""
        title = title or open_template(source, version=version).manifest.title
    except ScaffolderError as error:
        problem = shown_text(str(error))
    return Listed(
        name=name,
        title=title,
        version=version,
        source=source.text,
        where=published.name,
        owner=entry.owner or published.owner,
        deprecated=deprecation_of(entry, version),
        problem=problem,
    )


def listed_as_text(listed: Sequence[Listed]) -> Iterator[str]:
    """A line for each template, within 80 columns."""
    rows = [("template", "version", "from", "what it makes")]
    rows += [(each.name, each.version or "?", each.where, each.title or "?") for each in listed]
    widths = [
        min(max(len(shown_text(row[at])) for row in rows), most) for at, most in ((0, 24), (1, 12), (2, 16))
    ]
    for row, each in zip(rows, (None, *listed), strict=True):
        cells = [_cut(cell, width).ljust(width) for cell, width in zip(row, widths, strict=False)]
        yield _cut("  ".join([*cells, shown_text(row[3])]), COLUMNS).rstrip()
        if each is not None and each.deprecated:
            yield from _wrapped(f"deprecated: {each.deprecated}", "  ")


def listed_as_json(listed: Sequence[Listed]) -> list[ListedJson]:
    """The same as documents."""
    return [
        {
            "name": each.name,
            "title": each.title,
            "version": each.version or None,
            "source": each.source,
            "where": each.where,
            "owner": each.owner,
            "deprecated": each.deprecated,
        }
        for each in listed
    ]


# --- one of them -----------------------------------------------------------------------------------------------------


def template_as_text(
    template: Template, known: Sequence[Version], *, owner: str = "", deprecated: str = ""
) -> Iterator[str]:
    """Everything that a person wants to know before using a template, within 80 columns."""
    manifest = template.manifest
    yield from _wrapped(f"{template.name} {template.version}: {manifest.title}", "")
    if deprecated:
        yield from _wrapped(f"deprecated: {deprecated}", "")
    facts = [
        ("source", template.source),
        ("commit", template.commit),
        ("owner", owner or manifest.owner),
        ("versions", ", ".join(map(str, known)) or "none that are released"),
        ("parts", ", ".join(_part(part) for part in manifest.parts)),
        ("files", str(len(template.files))),
        ("runs", ", ".join(runs_something(template))),
    ]
    for name, value in facts:
        if value:
            yield from _wrapped(f"{name:<9} {value}", "", " " * 10)
    if manifest.questions:
        yield ""
        yield "Questions:"
    for name, question in manifest.questions.items():
        yield from _question(name, question)


def _part(part: PartSpec) -> str:
    return f"{part.template} (when {part.when})" if part.when else part.template


def _question(name: str, question: QuestionSpec) -> Iterator[str]:
    yield from _wrapped(f"{name}: {question.ask}", "  ", "    ")
    default = question.default
    shown = ("yes" if default else "no") if isinstance(default, bool) else str(default)
    yield from _wrapped(f"{_valid(question)}; default {shown or 'empty'}", "    ")
    if question.when:
        yield from _wrapped(f"asked when {question.when}", "    ")
    if question.help:
        yield from _wrapped(question.help, "    ")


def _valid(question: QuestionSpec) -> str:
    """What is a valid answer, in a few words."""
    match question.type:
        case "flag":
            return "yes or no"
        case "choice":
            told = [f"{value} ({title})" if title else value for value, title in question.choices.items()]
            return f"one of {', '.join(told)}"
        case "integer":
            low = "" if question.minimum is None else f" from {question.minimum}"
            high = "" if question.maximum is None else f" to {question.maximum}"
            return f"a whole number{low}{high}"
        case "spec":
            return f"what the platform spec takes for {question.field}"
        case _:
            return question.says or f"text of {question.shortest} to {question.longest} characters"


def template_as_json(
    template: Template, known: Sequence[Version], *, owner: str = "", deprecated: str = ""
) -> TemplateJson:
    """The same as a document."""
    manifest = template.manifest
    return {
        "name": template.name,
        "title": manifest.title,
        "version": template.version,
        "commit": template.commit,
        "digest": template.digest,
        "source": template.source,
        "owner": owner or manifest.owner,
        "deprecated": deprecated,
        "versions": [*map(str, known)],
        "questions": _questions_json(manifest),
        "parts": [{"template": part.template, "when": part.when} for part in manifest.parts],
        "files": len(template.files),
        "runs": [*runs_something(template)],
    }


def _questions_json(manifest: Manifest) -> list[QuestionJson]:
    return [
        {
            "name": name,
            "ask": question.ask,
            "help": question.help,
            "type": question.type,
            "default": question.default,
            "choices": dict(question.choices),
            "says": question.says,
            "when": question.when,
        }
        for name, question in manifest.questions.items()
    ]


# --- text ------------------------------------------------------------------------------------------------------------


def _cut(text: str, width: int) -> str:
    shown = shown_text(text)
    return shown if len(shown) <= width else f"{shown[: width - 3]}..."


def _wrapped(text: str, first: str, later: str | None = None) -> Iterator[str]:
    yield from textwrap.wrap(
        shown_text(text.strip()),
        COLUMNS,
        initial_indent=first,
        subsequent_indent=first if later is None else later,
        break_on_hyphens=False,
    )
