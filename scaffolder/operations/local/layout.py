"""Where everything of the local provider is: one folder, ``.scaffolder/`` beside the spec.

Paths, and what a user's ``BUCKET:PATH`` means. May not read or write a file, but for making a folder.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scaffolder.operations.errors import InvalidRequest

__all__ = ["IGNORE_EVERYTHING", "Layout"]

IGNORE_EVERYTHING = "# Written by scaffolder: what is here is this machine's.\n*\n"
"""The ``.gitignore`` of the folder; the user's own stays as it is."""

_BUCKET_PATH = re.compile(r"(?P<bucket>[a-z][a-z0-9-]*):(?P<path>(?!//).*)", re.DOTALL)


class Layout:
    """The folders of one project's operations; none is there before :meth:`made` makes it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.root = self.folder / ".scaffolder"
        self.runs = self.root / "runs"
        self.cache = self.root / "cache"
        self.buckets = self.root / "buckets"
        self.registry = self.root / "registry"
        self.endpoints = self.root / "endpoints"
        self.batch = self.root / "batch"
        self.monitors = self.root / "monitors"
        self.scratch = self.root / "scratch"
        """Where what is half made lies: the same file system as the rest, so that a rename brings it into place."""

    def made(self, folder: Path) -> Path:
        """Make one of the folders, and keep all of them out of version control."""
        folder.mkdir(parents=True, exist_ok=True)
        ignore = self.root / ".gitignore"
        if not ignore.exists():
            ignore.write_text(IGNORE_EVERYTHING, encoding="utf-8")
        return folder

    def bucket_to_read(self, bucket: str, path: str) -> Path:
        """Where what is below a path of a bucket is read: beside the spec if it is there, else what operations wrote."""
        beside = self._inside(self.folder / bucket, bucket, path)
        return beside if beside.exists() else self.bucket_to_write(bucket, path)

    def bucket_to_write(self, bucket: str, path: str) -> Path:
        """Where what is below a path of a bucket is written: never beside the spec, which is the user's."""
        return self._inside(self.buckets / bucket, bucket, path)

    def place(self, uri: str, *, writing: bool = False) -> Path:
        """Find the place of a URI: ``BUCKET:PATH``, ``file:///…``, or a path, relative to the spec's folder.

        Raises:
            InvalidRequest: it is none of these, or leaves its bucket.
        """
        if uri.startswith("file:"):
            return Path(unquote(urlsplit(uri).path))
        found = _BUCKET_PATH.fullmatch(uri)
        if found is not None:
            where = self.bucket_to_write if writing else self.bucket_to_read
            return where(found["bucket"], found["path"])
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", uri):
            raise InvalidRequest(
                f"{uri} is not on this machine",
                remedy="Name BUCKET:PATH, or a path relative to the spec's folder.",
            )
        return self.folder / uri

    @staticmethod
    def _inside(top: Path, bucket: str, path: str) -> Path:
        parts = [part for part in path.split("/") if part not in {"", "."}]
        if ".." in parts or "\0" in path:
            raise InvalidRequest(f"{bucket}:{path} leaves the bucket {bucket}")
        return top.joinpath(*parts)
