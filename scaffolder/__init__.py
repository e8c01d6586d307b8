"""The generator and everything around it: one platform spec becomes Terraform, and what was deployed is run.

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
    from scaffolder.operations.errors import OperationError, RolledBack, RunFailed
    from scaffolder.operations.platform import Platform
    from scaffolder.operations.rollout import Canary, Sample
    from scaffolder.operations.values import Approval, Run, RunState, Stage
    from scaffolder.pipeline import EnvironmentPlatform, Synthesis, synthesize

    __version__: str

__all__ = [
    "Approval",
    "Canary",
    "EnvironmentPlatform",
    "Finding",
    "MissingExtraError",
    "OperationError",
    "OutputFolderError",
    "Platform",
    "RolledBack",
    "Run",
    "RunFailed",
    "RunState",
    "Sample",
    "ScaffolderError",
    "SpecError",
    "Stage",
    "Synthesis",
    "TemplateError",
    "UnsupportedError",
    "UsageError",
    "__version__",
    "synthesize",
]

_HOMES = {
    **dict.fromkeys(("EnvironmentPlatform", "Synthesis", "synthesize"), "scaffolder.pipeline"),
    **dict.fromkeys(("Approval", "Run", "RunState", "Stage"), "scaffolder.operations.values"),
    **dict.fromkeys(("OperationError", "RolledBack", "RunFailed"), "scaffolder.operations.errors"),
    **dict.fromkeys(("Canary", "Sample"), "scaffolder.operations.rollout"),
    "Platform": "scaffolder.operations.platform",
}
"""Where a name is that is not an error of the generator."""


def __getattr__(name: str) -> object:
    if name == "__version__":
        return _version()
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - nothing is imported with this package

    return getattr(import_module(_HOMES.get(name, "scaffolder.errors")), name)


def _version() -> str:
    """The version that is installed: the name of the metadata's folder has it, as the standard of wheels says."""
    import os  # noqa: PLC0415 - nothing is imported with this package
    import sys  # noqa: PLC0415

    for place in sys.path:
        try:
            names = os.listdir(place or ".")  # noqa: PTH208 - pathlib may not be loaded yet
        except OSError:
            continue
        for each in names:
            if each.startswith("scaffolder-") and each.endswith(".dist-info"):
                return each[len("scaffolder-") : -len(".dist-info")]
    from importlib.metadata import version  # noqa: PLC0415 - takes as long to import as the rest of a short command

    return version("scaffolder")


def __dir__() -> list[str]:
    return sorted(__all__)
