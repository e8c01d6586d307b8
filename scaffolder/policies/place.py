"""Where a project keeps its copy of a catalog's policies. Light: every command looks. May not read a file."""

from __future__ import annotations

import os

__all__ = ["POLICY_FILE", "PROJECT_RECORD", "Place", "place_of"]

POLICY_FILE = ".scaffolder-policies.yaml"
PROJECT_RECORD = ".scaffolder-project.json"
TOPS = (PROJECT_RECORD, ".git")
"""What is in the top folder of a project, or of a repository; nothing above it holds for a spec in it."""


class Place:
    """The folder whose policies hold for a spec, and which of the two files are in it."""

    __slots__ = ("copy", "folder", "record")

    def __init__(self, folder: str, *, copy: bool, record: bool) -> None:
        self.folder = folder
        self.copy = copy
        self.record = record


def place_of(spec: str) -> Place | None:
    """Look in the spec's folder, and above it as far as the project or the repository goes; ``None``: there is nothing.

    In no project and no repository, only the spec's own folder counts.
    """
    first = folder = os.path.dirname(os.path.abspath(spec))  # noqa: PTH100, PTH120 - quick, and follows no link
    found: Place | None = None
    while True:
        copy = os.path.exists(os.path.join(folder, POLICY_FILE))  # noqa: PTH110, PTH118
        record = os.path.exists(os.path.join(folder, PROJECT_RECORD))  # noqa: PTH110, PTH118
        if found is None and (copy or record):
            found = Place(folder, copy=copy, record=record)
        if record or os.path.exists(os.path.join(folder, ".git")):  # noqa: PTH110, PTH118
            return found
        above = os.path.dirname(folder)  # noqa: PTH120
        if above == folder:
            return found if found is not None and found.folder == first else None
        folder = above
