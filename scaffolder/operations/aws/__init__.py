"""Operations on AWS: SageMaker and what stands around it, over boto3.

May not import an SDK when it is imported, nor touch the network when a provider is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaffolder.operations.port import Opening, Provider

__all__ = ["open_provider"]


def open_provider(opening: Opening) -> Provider:
    """Open AWS for one environment of a platform."""
    from scaffolder.operations.aws.provider import Aws  # noqa: PLC0415 - importing this package imports nothing

    return Aws(opening)
