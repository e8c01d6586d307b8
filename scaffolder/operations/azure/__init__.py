"""Operations on Azure Machine Learning, over Azure's own HTTP pipeline against its documented REST paths.

May not import an SDK when it is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaffolder.operations.port import Opening, Provider

__all__ = ["open_provider"]


def open_provider(opening: Opening) -> Provider:
    """Open a platform on Azure; nothing is asked of Azure yet."""
    from scaffolder.operations.azure.provider import AzureProvider  # noqa: PLC0415 - only when it is opened

    return AzureProvider(opening)
