"""Reads a template from where it is, at a version: this program, a folder, a git repository or a catalog's entry.

Nothing of a template is run or rendered here, and no file is written but the cache of repositories. May not ask a
question, nor trust a template that does not come with this program.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

from scaffolder.errors import TemplateError, UsageError
from scaffolder.projects.manifest import CONTEXT, MANIFEST
from scaffolder.projects.pinning import Pinned, Say, pin, revisions_of, tag_name
from scaffolder.projects.released import archived, archived_versions
from scaffolder.projects.repositories import (
    Repository,
    enclosing,
    remote,
)
from scaffolder.projects.spelling import (
    BuiltIn,
    CatalogEntry,
    Folder,
    Git,
    Source,
    parse_source,
    recorded_text,
)
from scaffolder.projects.template import Template, built_in, built_in_names, read_folder, template_of
from scaffolder.projects.tree import File, shown_path
from scaffolder.projects.versions import Version, newest, parse_version, version_of_tag, versions_of_tags
from scaffolder.spec.nodes import nearest

if TYPE_CHECKING:
    from scaffolder.projects.catalog import Catalog

__all__ = [
    "BuiltIn",
    "CatalogEntry",
    "Folder",
    "Git",
    "Source",
    "latest",
    "named",
    "open_catalog",
    "open_template",
    "parse_source",
    "recorded_text",
    "sibling",
    "versions",
]


def _say_nothing(_told: str) -> None:
    return


def open_template(
    source: Source, *, version: str = "", commit: str = "", digest: str = "", say: Say = _say_nothing
) -> Template:
    """Read a template.

    Without ``version``, the newest that is no prerelease. A project that has one already gives the ``version``,
    ``commit`` and ``digest`` that its record holds (what it does not hold is empty), and gets exactly that again or an
    error. ``say`` hears what is worth telling a person.

    Raises:
        TemplateError: it is not there, not to be reached, or not what was recorded.
        UsageError: the version is none.
    """
    if version and parse_version(version) is None:
        raise UsageError(f'"{shown_path(version)}" is no version of a template; write one such as 1.2.0')
    match source:
        case BuiltIn():
            found = _open_built_in(source, version)
        case Folder():
            found = _open_folder(source, version, commit)
        case Git():
            found = _open_git(source, version, commit, say)
        case CatalogEntry():
            found = _open_entry(source, version, commit, say)
        case _:
            assert_never(source)
    if digest and found.digest != digest:
        raise TemplateError(
            f"the template {found.name} {found.version} of {source.text} is not what the project was made from: its "
            "files have changed without a new version. Ask its owner to give each change a version of its own."
        )
    return found


def versions(source: Source, *, say: Say = _say_nothing) -> tuple[Version, ...]:
    """A template's versions, newest first.

    Raises:
        TemplateError: it is not there, or not to be reached.
    """
    match source:
        case BuiltIn(name=name):
            return tuple(sorted({_current(source), *archived_versions(name)}, reverse=True))
        case Folder(path=path):
            tagged = _tags_around(path)
            return tuple(sorted({_version(read_folder_template(path)), *tagged}, reverse=True))
        case Git():
            revisions = revisions_of(remote(source.url), say)
            if source.ref:
                return (_version(open_template(source, say=say)),)
            return tuple(versions_of_tags(revisions.tags, tag_name(source)))
        case CatalogEntry():
            return _entry_versions(source, say)
        case _:
            assert_never(source)


def latest(source: Source, *, say: Say = _say_nothing) -> Version | None:
    """The newest version of a template that is no prerelease; ``None`` where it has none.

    Raises:
        TemplateError: as :func:`versions`.
    """
    return newest(versions(source, say=say))


def sibling(source: Source, name: str) -> Source:
    """Where a part of a template is: beside it where there is one of that name, or with this program."""
    match source:
        case Folder(path=path) if (path.parent / name / CONTEXT).is_file():
            return Folder(path=path.parent / name)
        case Git(directory=directory) if directory and (beside := _beside(source, name)) is not None:
            return beside
        case CatalogEntry():
            return _entry_beside(source, name)
        case _:
            return BuiltIn(name=name)


# --- with this program ------------------------------------------------------------------------------------------------


def _open_built_in(source: BuiltIn, version: str) -> Template:
    name = source.name
    current = _current_built_in(source)
    if version in {"", current.version}:
        return current
    files = archived(name, version)
    if files is None:
        known = [str(each) for each in versions(source)]
        raise TemplateError(
            f"the template {name} has no version {version} in this version of scaffolder; it has {', '.join(known)}. "
            f"{nearest(version, known) or 'The scaffolder that the project was made with may have it.'}"
        )
    old = template_of(files, source=source.text, name=name, where=f"{name} {version}", trusted=True)
    return _held_to(old, parse_version(version), f"the archive of {name} {version}")


def _current_built_in(source: BuiltIn) -> Template:
    files = read_folder(built_in(source.name), f"the template {source.name}")
    return template_of(files, source=source.text, name=source.name, where=source.name, trusted=True)


def _current(source: BuiltIn) -> Version:
    return _version(_current_built_in(source))


# --- in a folder ------------------------------------------------------------------------------------------------------


def read_folder_template(path: Path) -> Template:
    """A template as its folder is now, committed or not.

    Raises:
        TemplateError: there is no such folder, or it is no template.
    """
    if not path.is_dir():
        beside = (
            [each.name for each in path.parent.iterdir() if each.is_dir()] if path.parent.is_dir() else []
        )
        hint = nearest(path.name, beside)
        raise TemplateError(f"there is no folder {shown_path(str(path))}{f'. {hint}' if hint else ''}")
    where = _where(path)
    return template_of(read_folder(path, where), source=path.as_posix(), name=path.name, where=where)


def _where(path: Path) -> str:
    """What messages call a folder: as it is seen from here, where that is shorter."""
    return shown_path(min(str(path), os.path.relpath(path), key=len))


def _open_folder(source: Folder, version: str, commit: str) -> Template:
    """The folder as it is, where that is what is asked for; else what its repository's history has."""
    around = enclosing(source.path) if source.path.is_dir() else None
    if commit and around is not None and around[0].commit_of(commit) == commit:
        return _of_history(source, around, Pinned(commit=commit, version=parse_version(version)))
    now = read_folder_template(source.path)
    if version in {"", now.version}:
        return replace(now, commit=_commit_of(source.path, around, now))
    tagged = _tags_around(source.path)
    asked = parse_version(version)
    if around is None or asked is None or asked not in tagged:
        raise TemplateError(
            f"{_where(source.path)} holds version {now.version}, and version {version} is not in its history. "
            f"Keep the template in a git repository, with a tag such as v{version} for each version."
        )
    tag = tagged[asked]
    pinned = Pinned(commit=around[0].commit_of(f"refs/tags/{tag}"), version=asked)
    return _of_history(source, around, pinned)


def _of_history(source: Folder, around: tuple[Repository, str], pinned: Pinned) -> Template:
    repository, directory = around
    files = repository.files(pinned.commit, directory)
    where = f"{_where(source.path)} at {pinned.commit[:12]}"
    found = template_of(files, source=source.text, name=source.path.name, where=where, commit=pinned.commit)
    return _held_to(found, pinned.version, where)


def _commit_of(path: Path, around: tuple[Repository, str] | None, now: Template) -> str:
    """The commit that holds a folder as it is now; empty where it was changed since, or is in no repository."""
    if around is None:
        return ""
    repository, directory = around
    head = repository.commit_of("HEAD")
    if not head:
        return ""
    try:
        committed = repository.files(head, directory)
    except TemplateError:
        return ""
    return head if committed == dict(now.files) and path.is_dir() else ""


def _tags_around(path: Path) -> Mapping[Version, str]:
    around = enclosing(path) if path.is_dir() else None
    if around is None:
        return MappingProxyType({})
    repository, _ = around
    return versions_of_tags(repository.revisions().tags, path.name)


# --- in a git repository ----------------------------------------------------------------------------------------------


def _open_git(source: Git, version: str, commit: str, say: Say) -> Template:
    cached = remote(source.url)
    pinned = pin(source, version, commit, say)
    cached.fetch(pinned.commit, pinned.reference)
    where = _git_where(source, pinned)
    files = cached.files(pinned.commit, source.directory)
    _refuse_no_template(source, pinned, files)
    # A tag that is a version is left out: the record has the version, and an update looks for a newer one.
    unpinned = replace(source, ref="") if version_of_tag(source.ref, tag_name(source)) else source
    found = template_of(files, source=unpinned.text, name=tag_name(source), where=where, commit=pinned.commit)
    return _held_to(found, pinned.version, where)


def _git_where(source: Git, pinned: Pinned) -> str:
    at = pinned.reference.removeprefix("refs/tags/").removeprefix("refs/heads/") or pinned.commit[:12]
    return replace(source, ref=at).text.removeprefix("git+")


def _refuse_no_template(source: Git, pinned: Pinned, files: Mapping[str, File]) -> None:
    """Where a repository holds templates below, name them."""
    if CONTEXT in files:
        return
    below = sorted(
        path.rpartition("/")[0] for path in files if path.endswith(f"/{CONTEXT}") and path.count("/") < 3
    )
    told = (
        f"it has templates in {', '.join(map(shown_path, below[:5]))}: name one, "
        f"{replace(source, directory='/'.join(filter(None, (source.directory, below[0])))).text}"
        if below
        else "name its folder with #subdirectory=FOLDER"
    )
    raise TemplateError(f"{source.text} is no template: it has no {CONTEXT} at {pinned.commit[:12]}; {told}")


def _beside(source: Git, name: str) -> Git | None:
    """The template of that name in the folder of another, where the cache has it."""
    cached = remote(source.url)
    neighbour = replace(source, directory="/".join([*source.directory.split("/")[:-1], name]))
    try:
        pinned = pin(source, "", "", _say_nothing)
        cached.fetch(pinned.commit, pinned.reference)
        found = cached.entries(pinned.commit, neighbour.directory)
    except TemplateError:
        return None
    return neighbour if any(entry.path == CONTEXT for entry in found) else None


# --- in a catalog -----------------------------------------------------------------------------------------------------


def open_catalog(place: str, *, say: Say = _say_nothing) -> Catalog:
    """Read the catalog at a place, as :func:`scaffolder.projects.spelling.catalog_place` spells it; says its warnings.

    Raises:
        SpecError: it has findings.
        TemplateError: it is not to be reached.
    """
    from scaffolder.projects.catalogs import load_catalog  # noqa: PLC0415 - most have no catalog

    loaded = load_catalog(place)
    for warning in loaded.warnings:
        say(str(warning))
    return loaded.catalog


def _open_entry(source: CatalogEntry, version: str, commit: str, say: Say) -> Template:
    """What a catalog's entry names, at a version that it allows; what a record holds may be one that it allows no more."""
    from scaffolder.projects.catalog import default_version, entry_of, release_of  # noqa: PLC0415
    from scaffolder.projects.catalogs import entry_source, load_catalog  # noqa: PLC0415 - most have no catalog

    catalog = load_catalog(source.catalog).catalog
    entry = entry_of(catalog, source.name)
    inner = entry_source(source)
    asked = version or default_version(entry)
    pinned = commit
    if entry.versions and not (commit and asked not in entry.versions):
        pinned = release_of(catalog, source.name, asked).commit or commit
        if commit and pinned != commit:
            raise TemplateError(
                f"version {asked} of {source.text} is commit {pinned[:12]} in the catalog, and the project has it from "
                f"commit {commit[:12]}. A version must not change: ask {entry.owner or catalog.owner}."
            )
    found = open_template(inner, version=asked, commit=pinned, say=say)
    return replace(found, source=source.text)


def _entry_versions(source: CatalogEntry, say: Say) -> tuple[Version, ...]:
    from scaffolder.projects.catalog import entry_of  # noqa: PLC0415
    from scaffolder.projects.catalogs import entry_source, load_catalog  # noqa: PLC0415

    entry = entry_of(load_catalog(source.catalog).catalog, source.name)
    if entry.versions:
        known = [version for each in entry.versions if (version := parse_version(each))]
        return tuple(sorted(known, reverse=True))
    return versions(entry_source(source), say=say)


def _entry_beside(source: CatalogEntry, name: str) -> Source:
    """Another entry of the same catalog, or what is beside the entry's own template."""
    from scaffolder.projects.catalogs import entry_source, load_catalog  # noqa: PLC0415

    if name in load_catalog(source.catalog).catalog.templates:
        return CatalogEntry(catalog=source.catalog, name=name)
    return sibling(entry_source(source), name)


def named(text: str, *, catalog: str = "", base: Path | None = None, say: Say = _say_nothing) -> Source:
    """What a person names: as :func:`parse_source`, and a plain name is the catalog's where that has it.

    Raises:
        UsageError: it is no source, or a name that neither the catalog nor this program has; with the nearest.
    """
    source = parse_source(text, catalog=catalog, base=base)
    if not isinstance(source, BuiltIn) or text.startswith("builtin:"):
        return source
    entries: tuple[str, ...] = ()
    if catalog:
        from scaffolder.projects.catalogs import load_catalog  # noqa: PLC0415

        entries = tuple(load_catalog(catalog).catalog.templates)
    known = built_in_names()
    if text in entries:
        if text in known:
            say(f"{text} is the catalog's; the one that comes with scaffolder is builtin:{text}.")
        return CatalogEntry(catalog=catalog, name=text)
    if text not in known:
        names = sorted({*entries, *known})
        more = "" if catalog else " An organisation's are in its catalog (--catalog, SCAFFOLDER_CATALOG)."
        hint = nearest(text, names) or f"There is {', '.join(names)}.{more}"
        folder = f" The folder of that name is ./{text}." if (Path(base or ".") / text).is_dir() else ""
        raise UsageError(f'there is no template "{text}". {hint}{folder}')
    return source


# --- of all of them ---------------------------------------------------------------------------------------------------


def _version(template: Template) -> Version:
    found = parse_version(template.version)
    if found is None:
        raise TemplateError(
            f'the template {template.name} has "{shown_path(template.version)}" for a version'
        )
    return found


def _held_to(template: Template, version: Version | None, where: str) -> Template:
    """A template must hold the version that its tag or archive says; a plain cookiecutter template holds none itself."""
    if version is None or template.version == version.text:
        return template
    if MANIFEST not in template.files:
        return replace(template, manifest=replace(template.manifest, version=version.text))
    raise TemplateError(
        f"{where} is to be version {version}, and its {MANIFEST} says {template.version}. "
        "Its owner has to release it again, under a new version that both agree on."
    )
