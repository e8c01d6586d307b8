"""Reads trees of files out of git repositories: those on this machine, and a cache of those that are elsewhere.

Nothing is ever checked out, so no filter, hook or submodule of a repository has a say, and links, submodules and sizes
are known before a file is read. May not know what a template is.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import RLock
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from scaffolder.errors import TemplateError
from scaffolder.projects.caching import alone, cache_folder, prune, used
from scaffolder.projects.git import Around, GitFailed, git
from scaffolder.projects.tree import LIMITS, File, Limits, shown_path
from scaffolder.spec.nodes import printable
from stacks.record import record

__all__ = [
    "COMMIT",
    "Entry",
    "Remote",
    "Repository",
    "Revisions",
    "enclosing",
    "refuse_other_kinds",
    "remote",
]

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
PROTOCOLS: Final = "https:ssh:file"
"""What a user's own `url.*.insteadOf` may lead to, too; never `ext`, `fd` or `http`."""
REMEMBERED: Final = "scaffolder-revisions.json"
TAKING: Final = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head")
KEPT: Final = "refs/scaffolder/"
"""A commit is in the cache, whole, when a reference of its name is there: git writes it last."""

ELSEWHERE: Final = b"version https://git-lfs.github.com/spec/"
"""How a file begins that only says where the file is (git-lfs, docs/spec.md, 2026-11)."""

Kind: TypeAlias = Literal["file", "link", "submodule", "other"]
KINDS: Mapping[str, Kind] = MappingProxyType(
    {"100644": "file", "100755": "file", "100664": "file", "120000": "link", "160000": "submodule"}
)


@record
class Entry:
    """One entry of a tree: its kind, mode and size in bytes, and the id of its content."""

    path: str
    kind: Kind
    executable: bool
    size: int
    oid: str


@record
class Revisions:
    """What a repository names: the commits of its tags and branches by their names, and its default branch's."""

    head: str
    tags: Mapping[str, str]
    branches: Mapping[str, str]
    stale: str = ""
    """Why it is not the repository's, but what the cache remembers of it; empty when it is."""


class Repository:
    """A git folder on this machine, from which trees are read."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name

    def revisions(self) -> Revisions:
        """The tags and branches that are there."""
        told = self._read("for-each-ref", "--format=%(refname) %(objectname) %(*objectname)")
        names = {}
        for line in told.decode("utf-8", "replace").splitlines():
            name, direct, *peeled = line.split(" ")
            names[name] = next((each for each in peeled if each), direct)
        head = self.commit_of("HEAD")
        return _revisions(names, head)

    def commit_of(self, revision: str) -> str:
        """The id of the commit that a revision is; empty when there is none."""
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        try:
            told = self._read(*asked).decode().split()
        except GitFailed:
            return ""
        return told[-1] if told else ""

    def entries(self, commit: str, directory: str, limits: Limits = LIMITS) -> tuple[Entry, ...]:
        """What a folder of a commit holds, of all kinds.

        Raises:
            TemplateError: there is no such folder, it holds too much, or a name that is no text.
        """
        where = f"{self._name}{f', folder {shown_path(directory)}' if directory else ''}"
        try:
            told = self._read("ls-tree", "-r", "-z", "-l", "--full-tree", f"{commit}:{directory}")
        except GitFailed as error:
            if lost := re.search(r"could not fetch ([0-9a-f]{40,64})", error.told):
                raise TemplateError(self._too_large(commit, directory, lost[1], where, limits)) from error
            raise TemplateError(
                f"there is no folder {shown_path(directory)} in {self._name} at {commit[:12]}"
            ) from error
        lines = told.split(b"\0")[:-1]
        if len(lines) > limits.files:
            raise TemplateError(f"{where} has {len(lines)} files, and a template may have {limits.files}")
        return tuple(_entry(line, where) for line in lines)

    def _too_large(self, commit: str, directory: str, oid: str, where: str, limits: Limits) -> str:
        """Name the file that was not fetched since it is over the limit."""
        told = self._read("ls-tree", "-r", "-z", "--full-tree", f"{commit}:{directory}")
        paths = [line.partition(b"\t")[2] for line in told.split(b"\0") if oid.encode() in line]
        path = shown_path(paths[0].decode("utf-8", "replace")) if paths else "a file"
        return (
            f"{where}: {path} is larger than the {limits.file_bytes} bytes that a file of a template may have"
        )

    def contents(self, entries: Sequence[Entry]) -> tuple[bytes, ...]:
        """The bytes of some entries, in their order."""
        if not entries:
            return ()
        asked = "".join(f"{entry.oid}\n" for entry in entries).encode()
        told = self._read("cat-file", "--batch", stdin=asked)
        found, at = [], 0
        for entry in entries:
            end = told.index(b"\n", at)
            kind = told[at:end].split(b" ")
            if len(kind) != 3 or kind[1] != b"blob" or int(kind[2]) != entry.size:
                raise TemplateError(f"{self._name} is damaged: it lacks {shown_path(entry.path)}")
            found.append(told[end + 1 : end + 1 + entry.size])
            at = end + entry.size + 2
        return tuple(found)

    def files(self, commit: str, directory: str, limits: Limits = LIMITS) -> Mapping[str, File]:
        """The files below a folder of a commit.

        Raises:
            TemplateError: as :meth:`entries`; something there is no file, or is too large.
        """
        entries = self.entries(commit, directory, limits)
        refuse_other_kinds(entries, f"{self._name} at {commit[:12]}", limits)
        contents = self.contents(entries)
        for entry, content in zip(entries, contents, strict=True):
            if content.startswith(ELSEWHERE):
                raise TemplateError(
                    f"{self._name} keeps {shown_path(entry.path)} in Git LFS, which is not fetched. "
                    "A template's files are in git itself."
                )
        return MappingProxyType(
            {
                entry.path: File(content=content, executable=entry.executable)
                for entry, content in zip(entries, contents, strict=True)
            }
        )

    def _read(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """Run git where it only reads; what a cache lacks is not asked for at its origin."""
        return _git(self._folder, arguments, stdin=stdin, protocols="none")


class Remote(Repository):
    """A repository elsewhere, through a cache of what was read of it.

    The cache is a bare repository without history and without files that are too large. One process at a time writes
    it; a process that is killed leaves what the next one takes away. What was read stays as long as the repository is used.
    """

    def __init__(self, url: str, cache: Path) -> None:
        plain = re.sub(r"[^a-z0-9]+", "-", url.rpartition("/")[2].removesuffix(".git").lower()).strip("-")
        digest = hashlib.sha256(url.encode()).hexdigest()[:20]
        super().__init__(cache / "git" / f"{plain[:40] or 'repository'}-{digest}", url)
        self.url = url
        self._lock = RLock()
        self._known: Revisions | None = None

    def revisions(self) -> Revisions:
        """What the repository names now, asked for once in a process; what it named last where it does not answer.

        Raises:
            TemplateError: it does not answer, and was never read.
        """
        with self._lock:
            if self._known is None:
                self._known = self._asked()
            return self._known

    def remembered(self) -> Revisions | None:
        """What the repository named when it last answered; asks nobody."""
        try:
            kept = json.loads((self._folder / REMEMBERED).read_bytes())
            return Revisions(
                head=kept["head"], tags=kept["tags"], branches=kept["branches"], stale="it was not asked"
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _asked(self) -> Revisions:
        asked = ("ls-remote", "--symref", "--", self.url, "HEAD", "refs/heads/*", "refs/tags/*")
        try:
            told = _git(None, asked, protocols=PROTOCOLS)
        except GitFailed as error:
            last = self.remembered()
            if last is None:
                raise TemplateError(_unreachable(self.url, error)) from error
            return replace(last, stale=_reason(error))
        names = {}
        for line in told.decode("utf-8", "replace").splitlines():
            commit, _, name = line.partition("\t")
            if COMMIT.fullmatch(commit) and name.isprintable():
                names[name.removesuffix("^{}")] = commit  # a tag's own line comes before that of its commit
        found = _revisions(names, names.get("HEAD", ""))
        self._remember(found)
        return found

    def _remember(self, found: Revisions) -> None:
        kept = {"head": found.head, "tags": dict(found.tags), "branches": dict(found.branches)}
        with self._alone():
            temporary = self._folder / f"{REMEMBERED}.new"
            temporary.write_text(json.dumps(kept, sort_keys=True), encoding="utf-8")
            temporary.replace(self._folder / REMEMBERED)

    def has(self, commit: str) -> bool:
        """Whether the cache holds a commit, so that it can be read without a network."""
        return (self._folder / "HEAD").is_file() and self.commit_of(f"{KEPT}{commit}") == commit

    def fetch(self, commit: str, reference: str = "", limits: Limits = LIMITS) -> None:
        """Have a commit in the cache; ``reference`` is a full name of it, for servers that give no bare commits.

        Raises:
            TemplateError: the repository does not answer, or does not give it.
        """
        if self.has(commit):
            used(self._folder)
            return
        with self._alone() as lock:
            if self.has(commit):
                return
            self._sweep()
            taking = (*TAKING, f"--filter=blob:limit={limits.file_bytes + 1}")
            try:
                whole = f"+{reference or commit}:{KEPT}{commit}"
                _git(
                    self._folder,
                    (*taking, "--depth=1", "--", self.url, whole),
                    protocols=PROTOCOLS,
                    lock=lock,
                )
            except GitFailed as error:
                if reference:
                    raise TemplateError(_unreachable(self.url, error)) from error
                self._fetch_all(commit, taking, lock)
        if not self.has(commit):
            raise TemplateError(
                f"{shown_path(reference or commit)} of {self.url} is another commit than {commit[:12]} by now. Try again."
            )

    def _fetch_all(self, commit: str, taking: Sequence[str], lock: int) -> None:
        """Get every tag and branch: not every server gives a commit by its id."""
        names = ("+refs/heads/*:refs/all/heads/*", "+refs/tags/*:refs/all/tags/*")
        try:
            _git(self._folder, (*taking, "--", self.url, *names), protocols=PROTOCOLS, lock=lock)
        except GitFailed as error:
            raise TemplateError(_unreachable(self.url, error)) from error
        if self.commit_of(commit) != commit:
            raise TemplateError(f"{self.url} has no commit {commit}, or does not give it")
        _git(self._folder, ("update-ref", f"{KEPT}{commit}", commit), protocols="none", lock=lock)

    @contextmanager
    def _alone(self) -> Iterator[int]:
        """Write the cache alone. git inherits the lock: it outlives this process as long as git does."""
        with alone(self._folder) as lock:
            self._make(lock)
            yield lock

    def _make(self, lock: int) -> None:
        if (self._folder / "HEAD").is_file():
            return
        new = self._folder.with_name(f"{self._folder.name}.new")
        for left in (new, self._folder):
            shutil.rmtree(left, ignore_errors=True)
        _git(None, ("init", "--quiet", "--bare", "--template=", str(new)), protocols="none", lock=lock)
        new.rename(self._folder)
        prune(self._folder.parent)

    def _sweep(self) -> None:
        """Take away what a git that was killed left: nobody else writes here now."""
        left = [*self._folder.rglob("*.lock"), *self._folder.glob("objects/**/tmp_*")]
        for path in left:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


@cache
def remote(url: str, folder: Path | None = None) -> Remote:
    """The repository of a URL; the same object in the whole process, so that it is asked once."""
    return Remote(url, folder or cache_folder())


def enclosing(folder: Path) -> tuple[Repository, str] | None:
    """The repository that a folder is in, and the folder's path in it; ``None`` where it is in none."""
    asked = ("-C", str(folder), "rev-parse", "--absolute-git-dir", "--show-prefix")
    try:
        git_folder, prefix = _git(None, asked, protocols="none").decode().split("\n")[:2]
    except (GitFailed, ValueError, UnicodeDecodeError):
        return None
    return Repository(Path(git_folder), folder.as_posix()), prefix.rstrip("/")


def refuse_other_kinds(entries: Sequence[Entry], where: str, limits: Limits = LIMITS) -> None:
    """Let only files through, and no more than a template may have.

    Raises:
        TemplateError: there is something else, or too much.
    """
    names = {"link": "a symbolic link", "submodule": "a submodule", "other": "of an unknown kind"}
    problems = [
        f"{shown_path(entry.path)} is {names[entry.kind]}, and only files are let through"
        for entry in entries
        if entry.kind != "file"
    ]
    problems += [
        f"{shown_path(entry.path)} has {entry.size} bytes, and may have {limits.file_bytes}"
        for entry in entries
        if entry.size > limits.file_bytes
    ]
    total = sum(entry.size for entry in entries)
    if total > limits.total_bytes:
        problems.append(f"its files have {total} bytes, and may have {limits.total_bytes}")
    if problems:
        more = [f"and {len(problems) - 10} more"] if len(problems) > 10 else []
        told = "\n".join(f"  {problem}" for problem in [*problems[:10], *more])
        raise TemplateError(f"{where} is refused:\n{told}")


def _revisions(names: Mapping[str, str], head: str) -> Revisions:
    tags = {
        name.removeprefix("refs/tags/"): each for name, each in names.items() if name.startswith("refs/tags/")
    }
    heads = {
        name.removeprefix("refs/heads/"): each
        for name, each in names.items()
        if name.startswith("refs/heads/")
    }
    return Revisions(head=head, tags=tags, branches=heads)


def _entry(line: bytes, where: str) -> Entry:
    head, _, name = line.partition(b"\t")
    mode, _, oid, size = head.split()
    try:
        path = name.decode()
    except UnicodeDecodeError as error:
        raise TemplateError(f"{where} has a name that is not UTF-8: {name!r}") from error
    told = mode.decode()
    return Entry(
        path=path,
        kind=KINDS.get(told, "other"),
        executable=told == "100755",
        size=int(size) if size.isdigit() else 0,
        oid=oid.decode(),
    )


def _unreachable(url: str, error: GitFailed) -> str:
    told = f"the repository {url} cannot be read: {_reason(error)}"
    if url.startswith("file:"):
        return told
    return (
        f"{told}\nNobody is asked for a password here: try `git ls-remote` with the same URL, and see "
        "`git help credentials`."
    )


SETTINGS: Final = MappingProxyType(
    {
        "core.askPass": "",
        "credential.interactive": "false",
        "fetch.recurseSubmodules": "false",
        "fetch.writeCommitGraph": "false",
        "http.lowSpeedLimit": "100",
        "http.lowSpeedTime": "30",
    }
)
"""Nobody is asked, and what hangs is given up."""
REACHING: Final = re.compile(r"GIT_SSH|GIT_SSH_COMMAND|GIT_SSH_VARIANT|GIT_(?:PROXY_)?SSL_[A-Z_]+")
"""How this machine reaches its repositories."""


def _git(
    folder: Path | None,
    arguments: Sequence[str],
    *,
    protocols: str,
    stdin: bytes = b"",
    lock: int | None = None,
) -> bytes:
    """Run git on a git folder. ``protocols`` are those that it may speak, with a colon between."""
    reaching = {name: value for name, value in os.environ.items() if REACHING.fullmatch(name)}
    reaching.setdefault("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=15")
    return git(
        None,
        [*([f"--git-dir={folder}"] if folder else []), *arguments],
        stdin=stdin,
        around=Around(
            variables={**reaching, "GIT_ASKPASS": "", "GIT_NO_LAZY_FETCH": "1", "SSH_ASKPASS": ""},
            settings=SETTINGS,
        ),
        protocols=protocols,
        descriptors=() if lock is None else (lock,),
    )


def _reason(error: GitFailed) -> str:
    """The line of git's that says why; a server has a part in it."""
    lines = [line for line in error.told.splitlines() if line.strip()]
    reasons = [line for line in lines if line.startswith(("fatal: ", "error: "))]
    told = (reasons or lines or ["it says nothing"])[0]
    return printable(told.removeprefix("fatal: ").removeprefix("error: "))[:300]
