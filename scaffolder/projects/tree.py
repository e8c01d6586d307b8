"""A tree of files in memory, and which paths it may hold: what a template and a rendered project are made of.

A path of a template never leaves the folder that it is put into, on any system that a team may use. May not read or
write a disk.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from scaffolder.errors import TemplateError
from stacks.record import record

__all__ = [
    "EMPTY",
    "LIMITS",
    "File",
    "Limits",
    "Tree",
    "checked_tree",
    "digest_of",
    "path_problem",
    "shown_path",
    "union",
]


@record
class File:
    """A file's bytes, and whether it may be executed. A tree has no other kind of entry, and no links."""

    content: bytes
    executable: bool = False


Tree: TypeAlias = "Mapping[str, File]"
"""Files by their path below the tree's folder, with ``/`` between its parts."""

EMPTY: Tree = MappingProxyType({})


@record
class Limits:
    """How much a template may hold or render. Bytes, unless the name says otherwise."""

    files: int = 5_000
    file_bytes: int = 5 * 1024 * 1024
    total_bytes: int = 50 * 1024 * 1024
    depth: int = 30


LIMITS = Limits()

LONGEST_PART, LONGEST_PATH = 255, 1024
"""Bytes: the longest name of ext4, APFS and NTFS; of a path, the least that those systems take (PATH_MAX of macOS)."""

DEVICES = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³]) *(?:\..*)?", re.IGNORECASE
)
"""Windows opens a device by these names, whatever is after a point, and spaces before it (learn.microsoft.com, "Naming Files", 2026-11)."""

GIT_FOLDER = re.compile(r"\.git|git~[0-9]+", re.IGNORECASE)
"""What some file system takes for git's own folder: git refuses the same in an index (path.c, verify_path)."""

FORBIDDEN = re.compile(r'[\x00-\x1f\x7f-\x9f<>:"|?*\\]')
"""Controls, and what Windows takes for a drive, a stream, a wildcard or a separator."""

INVISIBLE = frozenset({"Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that nobody sees in a name: HFS+ drops some of them, so that ``.g\\u200cit`` is ``.git``."""


MARKUP = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")


def path_problem(path: str, *, markup: bool = False) -> str:
    """Why a path may not be in a tree; empty when it may. ``markup`` lets Jinja stand in it, for a template's own."""
    if markup:
        path = MARKUP.sub("x", path)
    if not path:
        return "is empty"
    if path.startswith(("/", "~")):
        return "does not stay in the project's folder"
    try:
        length = len(path.encode())
    except UnicodeEncodeError:
        return "is no text"
    if length > LONGEST_PATH:
        return f"is longer than {LONGEST_PATH} bytes"
    return next((problem for part in path.split("/") if (problem := _part_problem(part))), "")


def _part_problem(part: str) -> str:
    if part in {"", ".", ".."}:
        return "does not stay in the project's folder" if part == ".." else "has an empty part"
    if FORBIDDEN.search(part):
        return "has a character that some systems do not take in a name"
    if any(unicodedata.category(character) in INVISIBLE for character in part):
        return "has a character that nobody sees"
    if part[-1] in ". " or part[0] == " ":
        return "has a part that begins or ends with a space, or ends with a point"
    if DEVICES.fullmatch(part):
        return "has the name of a device of Windows"
    if GIT_FOLDER.fullmatch(unicodedata.normalize("NFKC", part)):
        return "is in git's own folder"
    if len(part.encode()) > LONGEST_PART:
        return f"has a part of more than {LONGEST_PART} bytes"
    return ""


def checked_tree(
    files: Mapping[str, File], what: str, limits: Limits = LIMITS, *, markup: bool = False
) -> Tree:
    """Return a tree, sorted by path, whose paths and sizes are safe everywhere; ``markup`` as :func:`path_problem`.

    Raises:
        TemplateError: some are not; each of the first ten. ``what`` names the tree in the message.
    """
    problems = [
        f"{shown_path(path)} {problem}" for path in files if (problem := path_problem(path, markup=markup))
    ]
    problems += _collisions(files)
    problems += _sizes(files, limits)
    if problems:
        more = len(problems) - 10
        told = "\n".join(f"  {problem}" for problem in problems[:10]) + (
            f"\n  and {more} more" if more > 0 else ""
        )
        raise TemplateError(f"{what} is refused:\n{told}")
    return MappingProxyType(dict(sorted(files.items())))


def _sizes(files: Mapping[str, File], limits: Limits) -> Iterable[str]:
    if len(files) > limits.files:
        yield f"it has {len(files)} files, and may have {limits.files}"
    for path, file in files.items():
        if len(file.content) > limits.file_bytes:
            yield f"{shown_path(path)} has {len(file.content)} bytes, and may have {limits.file_bytes}"
        if path.count("/") >= limits.depth:
            yield f"{shown_path(path)} is more than {limits.depth} folders deep"
    total = sum(len(file.content) for file in files.values())
    if total > limits.total_bytes:
        yield f"its files have {total} bytes, and may have {limits.total_bytes}"


def _collisions(files: Iterable[str]) -> Iterable[str]:
    """Paths that are one on a system that knows no case or composes letters, and files that are folders as well."""
    seen: dict[str, str] = {}
    folders: dict[str, str] = {}
    for path in sorted(files):
        parts = path.split("/")
        for end in range(1, len(parts)):
            folder = "/".join(parts[:end])
            known = folders.setdefault(_folded(folder), folder)
            if known != folder:
                yield f"{shown_path(folder)} and {shown_path(known)} are the same folder on some systems"
        known = seen.setdefault(_folded(path), path)
        if known != path:
            yield f"{shown_path(path)} and {shown_path(known)} are the same file on some systems"
    for folded, path in seen.items():
        if folded in folders:
            yield f"{shown_path(path)} is a file and a folder"


def _folded(path: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def shown_path(path: str) -> str:
    """A path as a message may show it: without what would steer a terminal, and not endless."""
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in path
    )
    return f"{shown[:117]}..." if len(shown) > 120 else shown or '""'


def union(trees: Iterable[Tree]) -> Tree:
    """All files of some trees; of two with the same path, the later tree's."""
    files: dict[str, File] = {}
    for tree in trees:
        files.update(tree)
    return MappingProxyType(dict(sorted(files.items())))


def digest_of(tree: Tree) -> str:
    """``sha256:`` and 64 hex digits, of the paths, modes and bytes of a tree."""
    digest = hashlib.sha256()
    for path, file in sorted(tree.items()):
        name = path.encode()
        digest.update(b"%d %d %d\n" % (len(name), file.executable, len(file.content)))
        digest.update(name)
        digest.update(file.content)
    return f"sha256:{digest.hexdigest()}"
