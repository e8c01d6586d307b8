"""How a template's source is spelt: by a person, and in a project's record.

A source is what it says: nothing is looked up here. May not read a disk, but to say what a misspelt source may mean.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TypeAlias, assert_never
from urllib.parse import SplitResult, unquote, urlsplit

from scaffolder.errors import UsageError
from scaffolder.spec.nodes import printable, quoted
from scaffolder.spec.secrets import secret_in
from stacks.record import record

__all__ = [
    "BuiltIn",
    "CatalogEntry",
    "Folder",
    "Git",
    "Source",
    "catalog_place",
    "expanded",
    "parse_source",
    "recorded_text",
]

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
LONGEST_NAME, LONGEST_TEXT = 60, 1000
SCHEMES = ("https", "ssh", "file")
SCP = re.compile(r"(?:[A-Za-z0-9._-]+@)?(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*):(?P<path>[^:].*)")
"""ssh in scp's short form, ``git@host:org/repo.git``."""
PLACES = {"gh": "https://github.com/", "gl": "https://gitlab.com/", "bb": "https://bitbucket.org/"}
REPOSITORY = re.compile(r"[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)+")
REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")


@record
class BuiltIn:
    """A template that comes with this program."""

    name: str

    @property
    def text(self) -> str:
        return f"builtin:{self.name}"


@record
class Folder:
    """A template in a folder on this machine; ``path`` is absolute."""

    path: Path

    @property
    def text(self) -> str:
        return self.path.as_posix()


@record
class Git:
    """A template in a git repository: in its top folder, or in ``directory``.

    ``ref`` is a tag, a branch or a whole commit; empty for the newest version. ``url`` is one that git takes.
    """

    url: str
    ref: str = ""
    directory: str = ""

    @property
    def text(self) -> str:
        at = f"@{self.ref}" if self.ref else ""
        return f"git+{self.url}{at}{f'#subdirectory={self.directory}' if self.directory else ''}"


@record
class CatalogEntry:
    """A template by its name in a catalog; ``catalog`` is where that is: a file, a folder, or a git source's text."""

    catalog: str
    name: str

    @property
    def text(self) -> str:
        return f"catalog:{self.name}@{self.catalog}"


Source: TypeAlias = BuiltIn | Folder | Git | CatalogEntry


def parse_source(text: str, *, catalog: str = "", base: Path | None = None) -> Source:
    """Read how a person or a project's record names a template.

    A plain name is a built-in template's: whether a catalog has one of that name is for :func:`named` to see.
    ``catalog`` is where ``catalog:NAME`` is looked up. Paths are below ``base``, or the current folder.

    Raises:
        UsageError: it is no source, or one that is not let through: a credential in a URL, git's ``ext::`` and ``fd::``.
    """
    _refuse_unfit(text)
    if text.startswith(("./", "../", "/", "~/")) or text in {".", ".."}:
        return Folder(path=_absolute(text, base))
    kind, colon, rest = text.partition(":")
    if colon and kind == "builtin":
        return BuiltIn(name=_name(rest, text))
    if colon and kind == "catalog":
        return _catalog_entry(rest, text, catalog, base)
    if not colon and NAME.fullmatch(text):
        return BuiltIn(name=_name(text, text))
    if (git := _git(text)) is not None:
        return git
    raise UsageError(_unknown(text, base))


def recorded_text(source: Source, project: Path) -> str:
    """How a project's record names a source: as its text, but a folder as it is seen from the project's.

    :func:`parse_source` reads it back with the project's folder as ``base``.
    """
    match source:
        case Folder(path=path):
            return _from(path, project)
        case CatalogEntry(catalog=catalog, name=name) if Path(catalog).is_absolute():
            return CatalogEntry(catalog=_from(Path(catalog), project), name=name).text
        case BuiltIn() | Git() | CatalogEntry():
            return source.text
        case _:
            assert_never(source)


def _from(path: Path, project: Path) -> str:
    seen = PurePosixPath(os.path.relpath(path, project)).as_posix()
    return seen if seen.startswith("..") or seen == "." else f"./{seen}"


def _absolute(text: str, base: Path | None) -> Path:
    """A path without ``.`` and ``..``; its links are kept, and looked at when it is read."""
    return Path(os.path.normpath((base or Path.cwd()) / expanded(text)))


def expanded(text: str) -> Path:
    """A path whose ~ is a home folder's.

    Raises:
        UsageError: nobody has that home.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{quoted(text)} names no home folder. Write the path in full.") from error


def _refuse_unfit(text: str) -> None:
    """What no kind of source may be."""
    if not text or len(text) > LONGEST_TEXT:
        raise UsageError(
            f"a template's source has 1 to {LONGEST_TEXT} characters. See `scaffolder templates list`."
        )
    if not text.isprintable():
        raise UsageError(f"the source {quoted(text)} has a character that cannot be seen. Write it without.")
    if text.startswith("-"):
        raise UsageError(f"the source {quoted(text)} looks like an option; a folder of that name is ./{text}")
    _refuse_credential(text)
    helper = re.match(r"(?:git\+)?([A-Za-z0-9+.-]+)::", text)
    if helper:
        raise UsageError(
            f"the source {quoted(text)} asks git to run a helper ({helper[1]}::), which is never done. "
            "Name the repository by an https, ssh or file URL."
        )


def _refuse_credential(text: str) -> None:
    """A secret in a URL would end in the project's record, which is committed. Its text is not repeated."""
    url = _split(text) if "://" in text else SplitResult("", "", "", "", "")
    user, colon, _ = url.netloc.rpartition("@")[0].partition(":")
    if colon or secret_in(text) or (user and url.scheme != "ssh"):
        raise UsageError(
            "the source holds what looks like a password or a token; it would be kept in the project and be seen by "
            "everyone. Leave it out of the URL: git asks its credential helper (see `git help credentials`)."
        )


def _name(name: str, text: str) -> str:
    if NAME.fullmatch(name) and len(name) <= LONGEST_NAME:
        return name
    raise UsageError(
        f"the source {quoted(text)} names no template: a name has lower-case letters, digits and single hyphens, "
        f"and at most {LONGEST_NAME} of them"
    )


def _catalog_entry(rest: str, text: str, catalog: str, base: Path | None) -> CatalogEntry:
    name, _, own = rest.partition("@")
    where = own or catalog
    if not where:
        raise UsageError(
            f"the source {quoted(text)} is of a catalog, and none is named. "
            "Name one with --catalog or SCAFFOLDER_CATALOG."
        )
    return CatalogEntry(catalog=catalog_place(where, base), name=_name(name, text))


def catalog_place(where: str, base: Path | None = None) -> str:
    """Where a catalog is, in one spelling: an absolute path, or the text of a git source.

    Raises:
        UsageError: it is neither.
    """
    _refuse_unfit(where)
    git = _git(where)
    return git.text if git is not None else _absolute(where, base).as_posix()


def _git(text: str) -> Git | None:
    """Read what names a repository; ``None`` for what does not look like one."""
    fragment = ""
    body, hashed, rest = text.partition("#")
    if hashed:
        fragment = rest
    kind, colon, short = body.partition(":")
    if colon and kind in PLACES and not short.startswith("//"):
        path, ref = _ref(short, text)
        if not REPOSITORY.fullmatch(path):
            raise UsageError(f"the source {quoted(text)} names no repository; write {kind}:owner/name")
        url = f"{PLACES[kind]}{path.removesuffix('.git')}.git"
        return Git(url=url, ref=ref, directory=_directory(fragment, text))
    if "://" in body:
        return _by_url(body, fragment, text)
    if body.startswith("git+") or not (match := SCP.fullmatch(body)) or "/" not in match["path"]:
        return None
    path, ref = _ref(match["path"], text)
    user = body.partition("@")[0] if "@" in body.partition(":")[0] else "git"
    url = f"ssh://{user}@{match['host']}/{path.lstrip('/')}"
    return Git(url=url, ref=ref, directory=_directory(fragment, text))


def _by_url(body: str, fragment: str, text: str) -> Git | None:
    """Read a URL as pip does: ``git+SCHEME://HOST/PATH@REF#subdirectory=FOLDER``; plain where it ends with ``.git``."""
    asked = body.startswith("git+")
    url = _split(body)
    path, ref = _ref(url.path, text)
    if not asked and not path.endswith(".git"):
        return None
    if url.scheme not in SCHEMES:
        because = (
            "is read without a check of who sends it"
            if url.scheme in {"http", "git"}
            else "is none that is let through"
        )
        raise UsageError(
            f"the source {quoted(text)} {because}; git+https, git+ssh and git+file are. Use one of them."
        )
    if url.query or (url.scheme == "file") == bool(url.netloc) or not path.strip("/"):
        raise UsageError(
            f"the source {quoted(text)} names no repository; write git+https://host/owner/name.git"
        )
    if url.netloc.startswith("-") or "@-" in url.netloc or unquote(path).lstrip("/").startswith("-"):
        raise UsageError(f"the source {quoted(text)} has a host or a path that ssh takes for an option")
    return Git(url=f"{url.scheme}://{url.netloc}{path}", ref=ref, directory=_directory(fragment, text))


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text.removeprefix("git+"))
    except ValueError as error:
        raise UsageError(f"the source {quoted(text)} is no URL: {printable(str(error))}") from error


def _ref(path: str, text: str) -> tuple[str, str]:
    """Part a repository's path and what is after its last ``@``."""
    before, at, ref = path.rpartition("@")
    if not at:
        return path, ""
    unfit = not REF.fullmatch(ref) or ".." in ref or ref.endswith((".lock", "/", ".")) or "//" in ref
    if unfit or not before:
        raise UsageError(f"the source {quoted(text)} names no tag, branch or commit after its last @")
    return before, ref


def _directory(fragment: str, text: str) -> str:
    if not fragment:
        return ""
    values: Mapping[str, str] = dict(part.partition("=")[::2] for part in fragment.split("&"))
    unknown = sorted(values.keys() - {"subdirectory", "egg"})
    directory = unquote(values.get("subdirectory", "")).strip("/")
    parts = directory.split("/")
    if (
        unknown
        or not directory
        or any(part in {"", ".", ".."} for part in parts)
        or not directory.isprintable()
    ):
        raise UsageError(
            f"the source {quoted(text)} names no folder of its repository after the #; write #subdirectory=FOLDER"
        )
    return directory


def _unknown(text: str, base: Path | None) -> str:
    """What to do about a text that is no source; a folder that is there is the likeliest meant."""
    if (Path(base or ".") / text).is_dir():
        return f"{quoted(text)} is a folder, and no template's name. Write ./{text}"
    return (
        f"{quoted(text)} is no source of a template; it is a name (model), a folder (./model), a repository "
        "(git+https://host/owner/name.git@v1.2.0#subdirectory=model) or catalog:NAME"
    )
