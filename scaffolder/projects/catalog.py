"""A catalog: the templates, defaults and policies that a platform team publishes as one YAML file in git.

Written with the kinds of the spec's vocabulary. May not fetch a template or a catalog, nor ask whether a source is there.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

from scaffolder.errors import Finding, SpecError, UsageError
from scaffolder.policies.model import CATALOG_NAME, OWNER, POLICIES, Policy
from scaffolder.policies.rules import check_policies
from scaffolder.projects.manifest import NAME, QUESTION, VALUE, VERSION
from scaffolder.projects.spelling import CatalogEntry, Git, Source, parse_source
from scaffolder.projects.versions import newest, parse_version
from scaffolder.spec.fields import Boolean, Either, Integer, Section, Str, Table, key, read
from scaffolder.spec.nodes import Path as Place
from scaffolder.spec.nodes import Report, Tree, dotted, mark_of, nearest, quoted
from scaffolder.spec.source import parse_source as parse_text
from scaffolder.spec.source import read_source
from stacks.record import record

__all__ = [
    "ALL_VERSIONS",
    "CATALOG",
    "Catalog",
    "LoadedCatalog",
    "Release",
    "TemplateEntry",
    "answers_of",
    "default_version",
    "deprecation_of",
    "entry_of",
    "parse_catalog",
    "read_catalog",
    "release_of",
]

CATALOG: Final = "catalog.yaml"
"""The catalog's file, where a folder or a repository is named."""
ALL_VERSIONS: Final = "*"
ROOTED = ("/", "~")

Answer: TypeAlias = str | bool | int
ANSWERS = Table(QUESTION, Either(Boolean(), Integer(), VALUE), maximum=200)
COMMIT = Str(
    pattern=r"[0-9a-f]{40}([0-9a-f]{24})?",
    minimum=40,
    maximum=64,
    says="a whole commit: 40 hexadecimal digits in lower case",
)
ANY_VERSION = Str(
    pattern=rf"\*|{VERSION.pattern}", minimum=1, maximum=60, says='a version such as 1.2.0, or "*" for all'
)


@record
class Release:
    """A version of a template that may be used."""

    commit: str | None = key(
        COMMIT, "The commit that it is; a tag that was moved since is refused.", default=None
    )
    trust: bool = key(
        Boolean(),
        "Its hooks and extensions, which run as the person who makes a project, are reviewed. With commit only.",
        default=False,
    )


@record
class TemplateEntry:
    """A template that teams may use."""

    source: str = key(
        Str(minimum=1, maximum=1000),
        "Where it is: builtin:NAME, a git source such as git+https://host/org/templates.git#subdirectory=model, or a "
        "folder as the catalog sees it, such as ./model.",
        required=True,
    )
    title: str = key(Str(minimum=1, maximum=200), "What it makes, in a few words.", default="")
    owner: str = key(OWNER, "Who answers for it; the catalog's owner, when left out.", default="")
    versions: Mapping[str, Release] = key(
        Table(VERSION, Section(Release), maximum=200),
        "The versions that may be used. Left out, any that its source has.",
        default={},
    )
    default: str | None = key(
        VERSION, "The version of new projects; the newest, when left out.", default=None
    )
    deprecated: Mapping[str, str] = key(
        Table(ANY_VERSION, Str(minimum=1, maximum=300), maximum=200),
        'Versions that should be left, or "*" for the whole template, and what to do instead.',
        default={},
    )
    defaults: Mapping[str, Answer] = key(
        ANSWERS,
        "Answers to its questions where nobody gives any; they come before the catalog's.",
        default={},
    )


@record
class Catalog:
    """What a platform team publishes: templates, the organisation's usual answers, and policies."""

    catalog: int = key(Integer(minimum=1, maximum=1), "The version of this vocabulary.", required=True)
    name: str = key(CATALOG_NAME, "The catalog's name.", required=True)
    owner: str = key(OWNER, "Who answers for it.", required=True)
    defaults: Mapping[str, Answer] = key(
        ANSWERS,
        "Answers to the questions of any template that asks them, where nobody gives any.",
        default={},
    )
    templates: Mapping[str, TemplateEntry] = key(
        Table(NAME, Section(TemplateEntry), maximum=200), "The templates by name.", default={}
    )
    policies: tuple[Policy, ...] = key(
        POLICIES, "What each platform spec is held to, in the projects that use the catalog.", default=()
    )


@record
class LoadedCatalog:
    """A catalog without errors; ``file`` is what findings call it."""

    file: str
    catalog: Catalog
    warnings: tuple[Finding, ...]


def read_catalog(place: Path) -> LoadedCatalog:
    """Read a catalog's file, or ``catalog.yaml`` in a folder.

    Raises:
        SpecError: it has findings; all of them.
    """
    path = place / CATALOG if place.is_dir() else place
    report = _report(str(path))
    return _loaded(read_source(path, report), report)


def parse_catalog(text: str, file: str = CATALOG) -> LoadedCatalog:
    """Read a catalog from a text; as :func:`read_catalog`."""
    report = _report(file)
    return _loaded(parse_text(text, report), report)


def _report(file: str) -> Report:
    return Report(file, "the catalog", "catalog: 1")


def _loaded(tree: Tree | None, report: Report) -> LoadedCatalog:
    value = None if tree is None else read(Section(Catalog), tree, (), report)
    if tree is not None and isinstance(value, Catalog):
        for name, entry in value.templates.items():
            _check_entry(entry, tree, ("templates", name), report)
        check_policies(value.policies, tree, ("policies",), report)
        _check_defaults(value, tree, report)
        if not any(finding.severity == "error" for finding in report.findings):
            return LoadedCatalog(
                file=report.file, catalog=value, warnings=tuple(sorted(set(report.findings)))
            )
    raise SpecError(report.findings)


# --- what fits together ----------------------------------------------------------------------------------------------


class _Tell(Protocol):
    def __call__(
        self, where: Place, code: str, message: str, hint: str = "", *, warning: bool = False
    ) -> None: ...


def _check_entry(entry: TemplateEntry, tree: Tree, path: Place, report: Report) -> None:
    def tell(where: Place, code: str, message: str, hint: str = "", *, warning: bool = False) -> None:
        at = (*path, *where)
        report.add(mark_of(tree, at), code, at, f"{dotted(at)} {message}", hint, warning=warning)

    problem, source = _source(entry.source)
    if problem:
        tell(("source",), "source", f"does not fit: {problem}")
    if isinstance(source, Git) and source.ref and entry.versions:
        tell(
            ("source",),
            "source",
            f"names {quoted(source.ref)}, and versions names what may be used instead",
            "Remove the @ and what is after it.",
        )
    for version, release in entry.versions.items():
        if release.commit is not None and source is not None and not isinstance(source, Git):
            hint = "Remove it, or name a git source."
            tell(
                ("versions", version, "commit"),
                "no-effect",
                "changes nothing: only a git source has commits",
                hint,
            )
        if release.trust and release.commit is None:
            message = "counts for nothing without a commit: a tag can be moved to what nobody reviewed"
            tell(
                ("versions", version, "trust"),
                "trust",
                message,
                "Name the commit that was reviewed beside it.",
            )
    _check_versions(entry, tell)


def _check_versions(entry: TemplateEntry, tell: _Tell) -> None:
    known = entry.versions
    named: list[tuple[Place, str]] = [(("deprecated", each), each) for each in entry.deprecated]
    if entry.default is not None:
        named.append((("default",), entry.default))
    for where, version in named:
        if known and version not in known and version != ALL_VERSIONS:
            message = f"{quoted(version)} is not in versions; there is {', '.join(known)}"
            tell(where, "unknown-name", message, nearest(version, known))
    if entry.default is not None and entry.default in entry.deprecated:
        message = f"{quoted(entry.default)} is deprecated, and new projects start with it"
        tell(("default",), "deprecated", message, "Name a newer version.", warning=True)


def _check_defaults(catalog: Catalog, tree: Tree, report: Report) -> None:
    """A default that a policy for every environment refuses would start each project with a finding."""
    places: list[tuple[Place, Mapping[str, Answer]]] = [(("defaults",), catalog.defaults)]
    places += [(("templates", name, "defaults"), entry.defaults) for name, entry in catalog.templates.items()]
    for path, defaults in places:
        provider = defaults.get("provider", catalog.defaults.get("provider"))
        region = defaults.get("region")
        for policy in catalog.policies:
            allowed = policy.allowed_regions
            if policy.environments or allowed is None or not isinstance(provider, str):
                continue
            regions: tuple[str, ...] = getattr(allowed, provider, ())
            at = (*path, "region" if region is not None else "provider")
            value = region if region is not None else provider
            refused = region not in regions if region is not None else not regions
            if refused and (region is not None or "provider" in defaults):
                known = (
                    f"It allows {', '.join(regions)}." if regions else f"It allows no region of {provider}."
                )
                message = (
                    f"{dotted(at)} {quoted(str(value))} is against policy {policy.name} of {policy.owner}"
                )
                report.add(mark_of(tree, at), "policy", at, message, known)


def _source(text: str) -> tuple[str, Source | None]:
    """What is wrong with a source, or the source."""
    if text.startswith(ROOTED):
        return "a folder is named as the catalog sees it, such as ./model", None
    try:
        source = parse_source(text, base=Path("/"))
    except UsageError as error:
        return str(error), None
    if isinstance(source, CatalogEntry):
        return "a catalog takes no template of another catalog; name the template's own source", None
    return "", source


# --- looking up ------------------------------------------------------------------------------------------------------


def entry_of(catalog: Catalog, name: str) -> TemplateEntry:
    """The entry of a template.

    Raises:
        UsageError: the catalog has none of that name.
    """
    entry = catalog.templates.get(name)
    if entry is None:
        known = nearest(name, catalog.templates) or f"It has {', '.join(catalog.templates) or 'none'}."
        raise UsageError(f"the catalog {catalog.name} has no template {quoted(name)}. {known}")
    return entry


def default_version(entry: TemplateEntry) -> str:
    """The version of new projects; empty where any may be used, and the source says which is the newest."""
    if entry.default is not None or not entry.versions:
        return entry.default or ""
    known = [version for each in entry.versions if (version := parse_version(each))]
    current = [version for version in known if str(version) not in entry.deprecated]
    latest = newest(current) or max(current or known, default=None)
    return str(latest) if latest else ""


def release_of(catalog: Catalog, name: str, version: str) -> Release:
    """What a catalog says of a version of a template; nothing, where it leaves the versions to the source.

    Raises:
        UsageError: there is no such template, or that version of it may not be used.
    """
    entry = entry_of(catalog, name)
    if not entry.versions:
        return Release()
    release = entry.versions.get(version)
    if release is None:
        hint = nearest(version, entry.versions)
        known = f"the catalog {catalog.name} allows {', '.join(entry.versions)}"
        raise UsageError(
            f"version {quoted(version)} of template {name} may not be used: {known}.{f' {hint}' if hint else ''}"
        )
    return release


def deprecation_of(entry: TemplateEntry, version: str) -> str:
    """What to do instead of using a version; empty for one that may stay."""
    return entry.deprecated.get(version) or entry.deprecated.get(ALL_VERSIONS, "")


def answers_of(catalog: Catalog, name: str) -> Mapping[str, Answer]:
    """The answers where nobody gives any: the template's, and for what it leaves out the organisation's."""
    entry = catalog.templates.get(name)
    own = entry.defaults if entry else {}
    return MappingProxyType({**catalog.defaults, **own})
