"""A place of its own for the objects and indexes of a merge, which sees a repository and writes nothing to it.

Trees are written there as git would have committed them: through the user's filters, line endings and ignore rules.
May not merge.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scaffolder.projects.checkout import Checkout, Tracked
from scaffolder.projects.git import Around, Running, git, start_git
from scaffolder.projects.tree import File, Tree

__all__ = ["STEERING", "Quarantine", "index_lines", "steering"]

STEERING = frozenset({".gitattributes", ".gitignore"})
"""The files that say how other files become blobs, and which do not."""


HASTE = {"core.fsync": "none", "core.looseCompression": "0"}
"""What lives for a moment need be neither durable nor small."""


class Quarantine:
    """A temporary folder; it goes with :meth:`close`, with the last reference to it, or with the program."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.folder = Path(tempfile.mkdtemp(prefix="scaffolder-merge-"))
        self._close = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "objects" / "info").mkdir(parents=True)
        (self.folder / "objects" / "info" / "alternates").write_bytes(os.fsencode(checkout.objects) + b"\n")

    def close(self) -> None:
        """Take the folder away."""
        self._close()

    def work_tree(self, name: str) -> Path:
        """A work tree of the name, or an index's that has none."""
        folder = self.folder / f"{name}.work"
        folder.mkdir(exist_ok=True)
        return folder

    def index(self, name: str) -> Path:
        """The file of an index."""
        return self.folder / f"{name}.index"

    def run(self, name: str, *arguments: str, stdin: bytes = b"", good: Iterable[int] = (0,)) -> bytes:
        """Run git with an index and work tree of the name; what it writes is written here."""
        return git(self.work_tree(name), arguments, stdin=stdin, around=self._named(name), good=good)

    def _named(self, name: str) -> Around:
        return self.around(GIT_INDEX_FILE=self.index(name), GIT_WORK_TREE=self.work_tree(name))

    def around(self, **variables: Path) -> Around:
        """What makes git read the repository, and keep here what it makes."""
        around = self.checkout.around(GIT_OBJECT_DIRECTORY=self.folder / "objects", **variables)
        return Around(variables=around.variables, settings={**around.settings, **HASTE})

    def fill(self, name: str, entries: Iterable[Tracked]) -> None:
        """Make an index that holds some entries."""
        self.run(name, "update-index", "-z", "--index-info", stdin=index_lines(entries))

    def write(
        self, name: str, entries: Iterable[Tracked], tree: Tree, steered: Mapping[str, bytes]
    ) -> Running:
        """Start to add files to an index that begins with some entries: git looks at these, as it does for an owner.

        ``steered`` are the files that hold in place of the tree's own of the same names, as far as they steer; the
        tree's own are then put into the index by :meth:`settle`.
        """
        top = self.work_tree(name)
        project = top / self.checkout.prefix
        project.mkdir(parents=True, exist_ok=True)
        self.fill(name, entries)
        for above in self._above():
            _put(top / above, File(content=(self.checkout.top / above).read_bytes()))
        for path, file in tree.items():
            if not steering(path):
                _put(project / path, file)
        for path, content in steered.items():
            _put(project / path, File(content=content))
        return start_git(project, ("add", "--ignore-removal", "--", "."), around=self._named(name))

    def _above(self) -> Sequence[str]:
        """The steering files above the project, by their paths below the top."""
        folders = self.checkout.prefix.split("/")[:-1]
        paths = [
            "/".join([*folders[:depth], name]) for depth in range(len(folders)) for name in sorted(STEERING)
        ]
        return [path for path in paths if (self.checkout.top / path).is_file()]

    def settle(self, name: str, tree: Tree, steered: Mapping[str, bytes]) -> None:
        """Put the tree's own steering files into its index, where others held."""
        own = {path: file for path, file in tree.items() if steering(path)}
        differ = {
            path
            for path in own.keys() | steered.keys()
            if path not in own or own[path].content != steered.get(path)
        }
        lines = []
        for path in sorted(differ):
            whole = self.checkout.prefix + path
            lines.append(Tracked(path=whole, mode="0", oid=self.checkout.nothing))
            if path in own:
                told = self.run(
                    name, "hash-object", "-w", f"--path={whole}", "--stdin", stdin=own[path].content
                )
                mode = "100755" if own[path].executable else "100644"
                lines.append(Tracked(path=whole, mode=mode, oid=told.decode().strip()))
        if lines:
            self.fill(name, lines)

    def loose(self, oids: Iterable[str]) -> list[str]:
        """Those of some objects that were made here, sorted."""
        objects = self.folder / "objects"
        return sorted(oid for oid in oids if (objects / oid[:2] / oid[2:]).is_file())

    def commit(self, base: str, *others: str) -> tuple[str, ...]:
        """Make a commit of a tree, and commits of other trees whose parent it is; their ids."""
        who = "Scaffolder <scaffolder> 0 +0000"
        root, paths = "", []
        for position, tree in enumerate((base, *others)):
            parents = f"parent {root}\n" if root else ""
            text = f"tree {tree}\n{parents}author {who}\ncommitter {who}\n\nside {position}\n".encode()
            if not root:
                # Known before git has made it, so that git makes all of them in one run.
                root = hashlib.new(
                    self.checkout.object_format, b"commit %d\0%s" % (len(text), text)
                ).hexdigest()
            path = self.folder / f"commit-{position}"
            path.write_bytes(text)
            paths.append(str(path))
        asked = "".join(f"{path}\n" for path in paths).encode()
        made = self.run("user", "hash-object", "-t", "commit", "-w", "--stdin-paths", stdin=asked)
        return tuple(made.decode().split())


def index_lines(entries: Iterable[Tracked]) -> bytes:
    """Entries as `git update-index -z --index-info` reads them."""
    return os.fsencode(
        "".join(f"{entry.mode} {entry.oid} {entry.stage}\t{entry.path}\0" for entry in entries)
    )


def steering(path: str) -> bool:
    """Whether a file steers how git takes others."""
    return path.rpartition("/")[2] in STEERING


def _put(path: Path, file: File) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(file.content)
    if file.executable:
        path.chmod(0o755)
