"""Versions of templates: semantic versions (semver.org, 2.0.0), their order, and the tags that name them.

May not know where a template is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import total_ordering

from stacks.record import record

__all__ = ["Version", "newest", "parse_version", "version_of_tag", "versions_of_tags"]

NUMBER = r"(?:0|[1-9][0-9]{0,8})"
SHAPE = re.compile(
    rf"(?P<major>{NUMBER})\.(?P<minor>{NUMBER})\.(?P<patch>{NUMBER})"
    r"(?:-(?P<pre>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
    r"(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?"
)
LONGEST = 64


@total_ordering
@record
class Version:
    """A version. What comes after a ``+`` is kept, and does not count where two are compared."""

    text: str

    @property
    def is_prerelease(self) -> bool:
        """Whether it is one to try: taken only by who names it."""
        return bool(_matched(self.text)["pre"])

    def __lt__(self, other: Version) -> bool:
        return _order(self.text) < _order(other.text)

    def __str__(self) -> str:
        return self.text


def _matched(text: str) -> re.Match[str]:
    match = SHAPE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no version")
    return match


def _order(text: str) -> tuple[object, ...]:
    """A key that sorts as semver.org's rule 11 says: numbers before words, a prerelease before its release."""
    match = _matched(text)
    numbers = (int(match["major"]), int(match["minor"]), int(match["patch"]))
    if match["pre"] is None:
        return (*numbers, 1, ())
    parts = tuple(
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in match["pre"].split(".")
    )
    return (*numbers, 0, parts)


def parse_version(text: str) -> Version | None:
    """Read a version such as ``1.2.0`` or ``2.0.0-rc.1``; ``None`` for what is none."""
    return Version(text=text) if len(text) <= LONGEST and SHAPE.fullmatch(text) else None


def version_of_tag(tag: str, name: str) -> Version | None:
    """The version of the template ``name`` that a tag names; ``None`` when it names none or another template's.

    ``v1.2.0`` and ``1.2.0`` name one of every template in the repository, ``model-1.2.0``, ``model-v1.2.0``,
    ``model/1.2.0`` and ``model/v1.2.0`` one of ``model``.
    """
    rest = tag
    for separator in "-/":
        if name and tag.startswith(f"{name}{separator}"):
            rest = tag[len(name) + 1 :]
    return parse_version(rest.removeprefix("v"))


def versions_of_tags(tags: Iterable[str], name: str) -> Mapping[Version, str]:
    """The tags of a template's versions, newest first; a tag with the template's own name wins over a general one."""
    found: dict[Version, str] = {}
    for tag in sorted(tags, key=lambda tag: (not (name and tag.startswith(name)), tag)):
        version = version_of_tag(tag, name)
        if version is not None:
            found.setdefault(version, tag)
    return dict(sorted(found.items(), key=lambda item: item[0], reverse=True))


def newest(versions: Iterable[Version]) -> Version | None:
    """The newest version that is no prerelease; ``None`` when there is none."""
    return max((version for version in versions if not version.is_prerelease), default=None)
