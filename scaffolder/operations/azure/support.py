"""What operations do on Azure, and what they do not yet. May not do any of it, nor import an SDK."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.operations.values import Capability
from stacks.intents import Support, SupportLevel

__all__ = ["SUPPORT"]

SUPPORT: Mapping[Capability, Support] = dict.fromkeys(Capability, Support(SupportLevel.FULL)) | {
    Capability.REPRODUCE: Support(
        SupportLevel.NOT_IMPLEMENTED,
        "a run keeps its parameters and its code's digest, and nothing starts it again from them yet",
    ),
    Capability.MONITORS: Support(
        SupportLevel.PARTIAL,
        "the drift job of a monitor with an image, its schedule and its windows; Azure ML's own monitors are not made",
    ),
}
