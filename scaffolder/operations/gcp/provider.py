"""The provider of Google Cloud: its groups of operations, over one set of calls.

May not do anything itself.
"""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.operations.gcp.batch import GcpBatch
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.identity import GcpIdentity
from scaffolder.operations.gcp.monitoring import GcpMonitoring
from scaffolder.operations.gcp.preflight import GcpPreflight
from scaffolder.operations.gcp.registry import GcpRegistry
from scaffolder.operations.gcp.runs import GcpRuns
from scaffolder.operations.gcp.serving import GcpServing
from scaffolder.operations.gcp.state import GcpStateStore
from scaffolder.operations.gcp.support import SUPPORT
from scaffolder.operations.gcp.teardown import GcpTeardown
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Capability
from stacks.intents import Support

__all__ = ["GcpProvider"]


class GcpProvider:
    """Operations on Vertex AI; opening one touches neither a network nor an SDK."""

    name = "gcp"

    def __init__(self, opening: Opening) -> None:
        calls = Calls(opening)
        self.identity = GcpIdentity(calls)
        self.preflight = GcpPreflight(calls)
        self.state = GcpStateStore(calls)
        self.runs = GcpRuns(calls)
        self.registry = GcpRegistry(calls)
        self.serving = GcpServing(calls)
        self.batch = GcpBatch(calls)
        self.monitoring = GcpMonitoring(calls)
        self.teardown = GcpTeardown(calls)

    @property
    def support(self) -> Mapping[Capability, Support]:
        """How far each capability is carried."""
        return SUPPORT
