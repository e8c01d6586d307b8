"""Finds the commit that a git source, a version and a project's record mean.

May not read a template's files.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from scaffolder.errors import TemplateError
from scaffolder.projects.repositories import COMMIT, Remote, Revisions, remote
from scaffolder.projects.spelling import Git
from scaffolder.projects.tree import shown_path
from scaffolder.projects.versions import Version, newest, parse_version, version_of_tag, versions_of_tags
from scaffolder.spec.nodes import nearest
from stacks.record import record

__all__ = ["Pinned", "Say", "pin", "revisions_of", "tag_name"]

Say: TypeAlias = Callable[[str], None]


@record
class Pinned:
    """A commit, the full name in the repository that it was found by (may be empty), and the version it must hold."""

    commit: str
    reference: str = ""
    version: Version | None = None


def tag_name(source: Git) -> str:
    """What a template in a repository is called in tags: its folder, or the repository."""
    last = (source.directory or source.url).rstrip("/").rpartition("/")[2]
    return last.removesuffix(".git")


def revisions_of(cached: Remote, say: Say) -> Revisions:
    revisions = cached.revisions()
    if revisions.stale:
        say(
            f"{cached.url} cannot be read now ({revisions.stale}); what it named when it was last read is taken."
        )
    return revisions


def pin(source: Git, version: str, commit: str, say: Say) -> Pinned:
    """The commit that a record holds, or what the source's text and the version name now.

    Raises:
        TemplateError: there is none, or the tag of the version was moved since.
    """
    cached = remote(source.url)
    whole = source.ref if COMMIT.fullmatch(source.ref) else ""
    if commit or whole:
        return _recorded(source, cached, version, commit or whole, say)
    return _named(source, cached, version, say)


def _recorded(source: Git, cached: Remote, version: str, commit: str, say: Say) -> Pinned:
    """A commit that a record holds. The tag of its version must still be there, where the repository can be asked."""
    asked = parse_version(version)
    try:
        revisions = revisions_of(cached, say)
    except TemplateError:
        if not cached.has(commit):
            raise
        return Pinned(commit=commit, version=asked)
    tag = versions_of_tags(revisions.tags, tag_name(source)).get(asked) if asked else None
    follows = bool(source.ref) and version_of_tag(source.ref, tag_name(source)) is None
    if tag is None or follows:
        named = [f"refs/heads/{name}" for name, each in revisions.branches.items() if each == commit]
        return Pinned(commit=commit, reference=next(iter(named), ""), version=None if follows else asked)
    if revisions.tags[tag] != commit:
        raise TemplateError(
            f"the tag {tag} of {source.url} was moved: it is commit {revisions.tags[tag][:12]}, and version {version} "
            f"was pinned at commit {commit[:12]}. A version must not change: ask its owner to move the tag "
            "back, and to release what is new under a version of its own."
        )
    return Pinned(commit=commit, reference=f"refs/tags/{tag}", version=asked)


def _named(source: Git, cached: Remote, version: str, say: Say) -> Pinned:
    """What a source's text and a version name now."""
    revisions = revisions_of(cached, say)
    name = tag_name(source)
    if source.ref and not (version and version_of_tag(source.ref, name)):
        return _by_ref(source, revisions)
    tagged = versions_of_tags(revisions.tags, name)
    if version:
        asked = parse_version(version)
        if asked is None or asked not in tagged:
            known = [str(each) for each in tagged]
            told = ", ".join(known[:5]) + (", ..." if len(known) > 5 else "") or "none"
            raise TemplateError(
                f"{source.text} has no version {version}: there is no tag v{version} nor {name}-{version}. "
                f"It has {told}.{_hint(version, known)}"
            )
        return _by_tag(tagged[asked], revisions, asked)
    best = newest(tagged)
    if best is not None:
        return _by_tag(tagged[best], revisions, best)
    if tagged:
        raise TemplateError(
            f"{source.text} has prereleases only: {', '.join(map(str, tagged))}. Name the one that you want to try."
        )
    if not revisions.head:
        raise TemplateError(f"{source.url} is empty: it has no commit")
    say(f"{source.url} has no tag that is a version; its newest commit is taken, {revisions.head[:12]}.")
    return Pinned(commit=revisions.head, reference="HEAD")


def _by_tag(tag: str, revisions: Revisions, version: Version) -> Pinned:
    return Pinned(commit=revisions.tags[tag], reference=f"refs/tags/{tag}", version=version)


def _by_ref(source: Git, revisions: Revisions) -> Pinned:
    if source.ref in revisions.tags:
        version = version_of_tag(source.ref, tag_name(source))
        return Pinned(commit=revisions.tags[source.ref], reference=f"refs/tags/{source.ref}", version=version)
    if source.ref in revisions.branches:
        return Pinned(commit=revisions.branches[source.ref], reference=f"refs/heads/{source.ref}")
    hint = _hint(source.ref, [*revisions.tags, *revisions.branches])
    raise TemplateError(
        f'{source.url} has no tag or branch "{shown_path(source.ref)}"; a commit is written with all its 40 digits.{hint}'
    )


def _hint(word: str, known: list[str]) -> str:
    near = nearest(word, known)
    return f" {near}" if near else ""
