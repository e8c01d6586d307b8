"""Operations on Vertex AI, over google-cloud-aiplatform.

May not import anything when it is imported.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scaffolder.operations.port import Opening, Provider

__all__ = ["open_provider"]


def open_provider(opening: Opening) -> Provider:
    """Open Google Cloud for a platform; touches neither a network nor an SDK.

    Raises:
        ModuleNotFoundError: the SDK, which operations import, is not installed.
    """
    if find_spec("google.cloud.aiplatform_v1") is None:
        raise ModuleNotFoundError(
            "google-cloud-aiplatform is not installed", name="google.cloud.aiplatform_v1"
        )
    from scaffolder.operations.gcp.provider import GcpProvider  # noqa: PLC0415

    return GcpProvider(opening)
