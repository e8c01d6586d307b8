"""Versions of the built-in templates that were released: an archive for each, whose bytes follow from its files alone.

An update renders a project's old version from them. May not read a template's own words.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from scaffolder.errors import TemplateError
from scaffolder.projects.template import PLACES
from scaffolder.projects.tree import LIMITS, File, Limits, Tree, shown_path
from scaffolder.projects.versions import Version, parse_version

__all__ = ["FOLDER", "archive_of", "archived", "archived_versions", "read_archive"]

FOLDER = "versions"
SUFFIX = ".tar.gz"


def archived_versions(name: str) -> tuple[Version, ...]:
    """The versions of a built-in template that there are archives of, newest first."""
    found = set()
    for place in PLACES:
        for path in place.glob(f"{FOLDER}/{name}-*{SUFFIX}"):
            version = parse_version(path.name.removesuffix(SUFFIX)[len(name) + 1 :])
            if version is not None:
                found.add(version)
    return tuple(sorted(found, reverse=True))


def archived(name: str, version: str) -> Mapping[str, File] | None:
    """The files of a released version; ``None`` where there is no archive of it.

    Raises:
        TemplateError: the archive is damaged.
    """
    for place in PLACES:
        path = place / FOLDER / f"{name}-{version}{SUFFIX}"
        if path.is_file():
            return read_archive(path)
    return None


def archive_of(tree: Tree) -> bytes:
    """A tree as an archive: sorted, without times, owners or the name of this machine."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, file in sorted(tree.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(file.content)
            entry.mode = 0o755 if file.executable else 0o644
            archive.addfile(entry, io.BytesIO(file.content))
    return gzip.compress(plain.getvalue(), compresslevel=9, mtime=0)


def read_archive(path: Path, limits: Limits = LIMITS) -> Mapping[str, File]:
    """The files of an archive, read in memory; nothing is unpacked.

    Raises:
        TemplateError: it is no archive, or holds something else than files, or too much.
    """
    files: dict[str, File] = {}
    total = 0
    try:
        with tarfile.open(path, mode="r:gz") as archive:
            for entry in archive:
                total += entry.size
                if not entry.isreg() or len(files) >= limits.files or total > limits.total_bytes:
                    raise TemplateError(
                        f"the archive {path.name} is damaged at {shown_path(entry.name)}. Install scaffolder again."
                    )
                content = archive.extractfile(entry)
                files[entry.name] = File(
                    content=b"" if content is None else content.read(), executable=bool(entry.mode & 0o100)
                )
    except (tarfile.TarError, OSError, EOFError) as error:
        raise TemplateError(
            f"the archive {path.name} is damaged: {error}. Install scaffolder again."
        ) from error
    return files
