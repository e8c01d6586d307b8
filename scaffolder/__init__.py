"""The generator and everything around it: one platform spec becomes Terraform.

What other programs may use is listed here and imported on first use. May not import anything when it is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaffolder.errors import (
        Finding,
        MissingExtraError,
        OutputFolderError,
        ScaffolderError,
        SpecError,
        TemplateError,
        UnsupportedError,
        UsageError,
    )
    from scaffolder.pipeline import EnvironmentPlatform, Synthesis, synthesize

    __version__: str

__all__ = [
    "EnvironmentPlatform",
    "Finding",
    "MissingExtraError",
    "OutputFolderError",
    "ScaffolderError",
    "SpecError",
    "Synthesis",
    "TemplateError",
    "UnsupportedError",
    "UsageError",
    "__version__",
    "synthesize",
]

_IN_PIPELINE = frozenset({"EnvironmentPlatform", "Synthesis", "synthesize"})


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - slow to import, and rarely asked for

        return version("scaffolder")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - nothing is imported with this package

    home = import_module("scaffolder.pipeline" if name in _IN_PIPELINE else "scaffolder.errors")
    return getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
