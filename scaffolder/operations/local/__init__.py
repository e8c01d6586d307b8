"""Operations on this machine: pipelines as subprocesses, MLflow on SQLite, endpoints over HTTP.

May not import anything when it is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaffolder.operations.local.provider import LocalProvider
    from scaffolder.operations.port import Opening

__all__ = ["open_provider"]


def open_provider(opening: Opening) -> LocalProvider:
    """Open the provider of this machine; nothing is written until an operation runs."""
    from scaffolder.operations.local.provider import LocalProvider  # noqa: PLC0415

    return LocalProvider(opening)
