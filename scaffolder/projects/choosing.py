"""Chooses the template that somebody names: by itself, or from the catalog of their organisation.

A catalog's word counts: which versions may be used, which are deprecated, who answers for what a template runs, the
organisation's defaults, and the policies that a project of it carries. May not ask a question or make a project.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field

from scaffolder.policies.files import digest_of, policy_file
from scaffolder.projects.answering import Given
from scaffolder.projects.catalog import Catalog, answers_of, default_version, deprecation_of, release_of
from scaffolder.projects.catalogs import chosen_catalog, load_catalog
from scaffolder.projects.layers import OpenPart
from scaffolder.projects.record import Policies
from scaffolder.projects.sources import (
    CatalogEntry,
    Source,
    named,
    open_catalog,
    open_template,
    parse_source,
    sibling,
)
from scaffolder.projects.template import Template
from stacks.record import record

__all__ = ["Chosen", "Trust", "chosen", "kept_policies", "opened_part", "split_version"]

Say = Callable[[str], None]


@record
class Trust:
    """Whose code may be run: everybody's on the user's word, else what the catalog at ``place`` answers for."""

    always: bool = False
    place: str = ""

    def over(self, first: Template) -> Callable[[Template], bool]:
        """What to trust of a template and its parts.

        A catalog answers for commits: a part counts that is an entry of its own, or is of the commit of its template.
        """
        vouched = self._commit(first)

        def trusts(template: Template) -> bool:
            known = template.commit and template.commit in {vouched, self._commit(template)}
            return self.always or bool(known)

        return trusts

    def _commit(self, template: Template) -> str:
        """The commit of a template that the catalog answers for; empty where it does not."""
        source = parse_source(template.source)
        if not self.place or not isinstance(source, CatalogEntry) or source.catalog != self.place:
            return ""
        entry = load_catalog(self.place).catalog.templates.get(source.name)
        release = entry.versions.get(template.version) if entry else None
        return (release.commit or "") if release is not None and release.trust else ""


@record
class Chosen:
    """A template to make a project of, or to give to one.

    ``trust`` says what of it may be run. ``defaults`` are the organisation's answers; ``policy_file`` are the
    bytes of the catalog's policies, empty where there are none. ``catalog`` is where the catalog is, for the record.
    """

    source: Source
    template: Template
    trust: Trust = Trust()
    defaults: Mapping[str, Given] = field(default_factory=dict)
    catalog: str = ""
    policies: Policies | None = None
    policy_file: bytes = b""


def chosen(text: str, *, catalog: str, trust: bool, say: Say) -> Chosen:
    """Find the template that ``text`` names; ``catalog`` is where the organisation's is, or empty.

    A name of the catalog wins over a built-in template's, and that is said. ``trust`` is the user's own word for it.
    ``text`` may end with a version where it is a name: ``model@1.2.0``.

    Raises:
        UsageError: it is no source, or a version that the catalog does not allow.
        TemplateError: the template is not there or not right.
        SpecError: the catalog has findings.
    """
    text, version = split_version(text)
    place = chosen_catalog(catalog)
    published = open_catalog(place, say=say) if place else None
    source = named(text, catalog=place, say=say)
    if not isinstance(source, CatalogEntry):
        found = Chosen(
            source=source, template=open_template(source, version=version, say=say), trust=Trust(always=trust)
        )
        return _with_policies(found, place, published)
    if published is None or source.catalog != place:
        published, place = open_catalog(source.catalog, say=say), source.catalog
    entry = published.templates.get(source.name)
    version = version or (default_version(entry) if entry else "")
    template = open_template(source, version=version, say=say)
    release_of(published, source.name, template.version)  # refuses what may not be used
    instead = deprecation_of(entry, template.version) if entry else ""
    if instead:
        say(
            f"warning: {source.name} {template.version} is deprecated by the catalog {published.name}: {instead}"
        )
    found = Chosen(
        source=source,
        template=template,
        trust=Trust(always=trust, place=source.catalog),
        defaults=answers_of(published, source.name),
    )
    return _with_policies(found, place, published)


def _with_policies(found: Chosen, place: str, published: Catalog | None) -> Chosen:
    if published is None:
        return found
    policies, content = kept_policies(published)
    return Chosen(
        source=found.source,
        template=found.template,
        trust=found.trust,
        defaults=found.defaults or published.defaults,
        catalog=place,
        policies=policies,
        policy_file=content,
    )


def kept_policies(published: Catalog | None) -> tuple[Policies | None, bytes]:
    """What a project keeps of a catalog's policies: a note in its record, and the bytes of their file."""
    if published is None or not published.policies:
        return None, b""
    content = policy_file(published.name, published.policies)
    return Policies(catalog=published.name, digest=digest_of(content)), content


def split_version(text: str) -> tuple[str, str]:
    """Part ``model@1.2.0`` into name and version; other sources name a version in their own way."""
    name, at, version = text.partition("@")
    plain = at and "/" not in text and ":" not in name.removeprefix("builtin:").removeprefix("catalog:")
    return (name, version) if plain and version else (text, "")


def opened_part(found: Chosen) -> OpenPart:
    """Opens parts where their template is from: beside it, or with this program."""

    def opened(template: Template, name: str) -> Template:
        source = found.source if template.source == found.template.source else parse_source(template.source)
        return open_template(sibling(source, name))

    return opened
