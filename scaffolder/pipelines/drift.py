"""The drift code as a folder that travels into a job: the files of :mod:`scaffolder.drift`, as they are.

May not import them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from scaffolder.pipelines.load import digest_of
from stacks.pipelines import CodeFolder

__all__ = ["drift_code"]

PACKAGE = "drift"


@cache
def drift_code() -> CodeFolder:
    """Read the package; in the folder it is one too, so that ``python -m drift`` runs it."""
    found = sorted(files("scaffolder").joinpath(PACKAGE).iterdir(), key=lambda file: file.name)
    texts = {
        f"{PACKAGE}/{file.name}": file.read_text(encoding="utf-8")
        for file in found
        if file.name.endswith(".py")
    }
    return CodeFolder(path=PACKAGE, files=texts, digest=digest_of(texts))
