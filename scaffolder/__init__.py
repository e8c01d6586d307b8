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
        from importlib.metadata import version  # noqa: PLC0415 - slow to import, and rarely asked for

        return version("scaffolder")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - nothing is imported with this package

    return getattr(import_module(_HOMES.get(name, "scaffolder.errors")), name)


def __dir__() -> list[str]:
    return sorted(__all__)
