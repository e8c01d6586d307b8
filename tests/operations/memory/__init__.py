"""A provider that remembers instead of acting: for the port's own suite and the command line's tests.

It passes the suite that every provider passes. What it remembers is in ``<folder>/.scaffolder/memory``, so that the next
process goes on with it. Time moves it on: a step, a deployment and a job take ``PACE_S``. May not know a test.
"""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.operations.port import Opening
from scaffolder.operations.values import Capability
from stacks.intents import Support
from tests.operations.memory.cloud import PACE_S
from tests.operations.memory.provider import Memory

__all__ = ["PACE_S", "Memory", "open_provider"]


def open_provider(opening: Opening, lacking: Mapping[Capability, Support] | None = None) -> Memory:
    """Open the provider; what it is to lack, it refuses by name."""
    return Memory(opening, lacking or {})
