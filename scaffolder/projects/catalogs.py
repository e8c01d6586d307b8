"""Finds a catalog, in a file, a folder or a git repository, and what its entries' sources mean from there.

May not know a catalog's vocabulary, nor read a template.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final, assert_never

from scaffolder.errors import TemplateError
from scaffolder.projects.catalog import CATALOG, LoadedCatalog, entry_of, parse_catalog, read_catalog
from scaffolder.projects.repositories import COMMIT, remote
from scaffolder.projects.spelling import (
    BuiltIn,
    CatalogEntry,
    Folder,
    Git,
    Source,
    catalog_place,
    parse_source,
)
from scaffolder.projects.tree import shown_path
from scaffolder.spec.nodes import nearest
from scaffolder.spec.source import LARGEST_BYTES

__all__ = ["VARIABLE", "chosen_catalog", "entry_source", "load_catalog"]

VARIABLE: Final = "SCAFFOLDER_CATALOG"


def chosen_catalog(named: str = "", base: Path | None = None) -> str:
    """The place of the catalog that was named on the command line, or in the environment; empty for none.

    Raises:
        UsageError: it is neither a path nor a git source.
    """
    where = named or os.environ.get(VARIABLE, "")
    return catalog_place(where, base) if where else ""


@cache
def load_catalog(place: str) -> LoadedCatalog:
    """Read the catalog at a place, once in a process.

    Raises:
        SpecError: it has findings.
        TemplateError: it is not to be reached.
    """
    git = _git_of(place)
    if git is None:
        return read_catalog(Path(place))
    commit = _fetched(git)
    cached = remote(git.url)
    entries = [entry for entry in cached.entries(commit, git.directory) if entry.path == CATALOG]
    if not entries or entries[0].kind != "file" or entries[0].size > LARGEST_BYTES:
        raise TemplateError(f"{place} has no file {CATALOG} that could be a catalog, at {commit[:12]}")
    (content,) = cached.contents(entries)
    return parse_catalog(content.decode("utf-8", "replace"), f"{place}/{CATALOG}")


def _git_of(place: str) -> Git | None:
    source = parse_source(place) if place.startswith("git+") else None
    return source if isinstance(source, Git) else None


def _fetched(git: Git) -> str:
    """The commit of a catalog: that of its tag or branch, or the newest of the default branch."""
    cached = remote(git.url)
    if COMMIT.fullmatch(git.ref):
        cached.fetch(git.ref)
        return git.ref
    revisions = cached.revisions()
    for names, kind in ((revisions.tags, "tags"), (revisions.branches, "heads")):
        if git.ref in names:
            cached.fetch(names[git.ref], f"refs/{kind}/{git.ref}")
            return names[git.ref]
    if git.ref or not revisions.head:
        hint = nearest(git.ref, [*revisions.tags, *revisions.branches])
        raise TemplateError(
            f'{git.url} has no tag or branch "{shown_path(git.ref)}" to read a catalog from'
            f"{f'. {hint}' if hint else ''}"
        )
    cached.fetch(revisions.head, "HEAD")
    return revisions.head


def entry_source(entry: CatalogEntry) -> Source:
    """Where the template of an entry is; a folder is as the catalog sees it, in its repository where it has one.

    Raises:
        UsageError: the catalog has no such entry.
        TemplateError: the entry's folder is not below the catalog's repository.
    """
    loaded = load_catalog(entry.catalog)
    told = entry_of(loaded.catalog, entry.name).source
    git = _git_of(entry.catalog)
    if git is None:
        place = Path(entry.catalog)
        return parse_source(told, base=place if place.is_dir() else place.parent)
    source = parse_source(told, base=Path("/", git.directory))
    match source:
        case Folder(path=path):
            directory = PurePosixPath(path).relative_to("/").as_posix()
            if path == Path("/") or directory.startswith(".."):
                raise TemplateError(
                    f"{entry.text}: the folder {shown_path(told)} is not in the catalog's repository"
                )
            return replace(git, directory=directory)
        case BuiltIn() | Git() | CatalogEntry():
            return source
        case _:
            assert_never(source)
