"""What operations do on Google Cloud, what they do in part, and what Vertex AI has nothing for.

May not do any of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.operations.values import Capability
from stacks.intents import Support, SupportLevel

__all__ = ["SUPPORT"]

_FULL = Support(SupportLevel.FULL)

SUPPORT: Mapping[Capability, Support] = {
    **dict.fromkeys(Capability, _FULL),
    Capability.REPRODUCE: Support(
        SupportLevel.NOT_IMPLEMENTED,
        "Vertex AI keeps a run's template, parameters and code; this version reads no record out of them",
    ),
    Capability.SCHEDULES: Support(
        SupportLevel.PARTIAL,
        "Terraform makes them, with the stacks: operations have nothing to add to them, and list none",
    ),
    Capability.TARGETED_INVOKE: Support(
        SupportLevel.NOT_POSSIBLE, "an endpoint of Vertex AI chooses the deployment by the traffic alone"
    ),
    Capability.CAPTURE: Support(
        SupportLevel.PARTIAL,
        "the endpoint captures requests of all of its deployments alike, at the rate that the stack ml sets",
    ),
    Capability.MONITORS: Support(
        SupportLevel.PARTIAL,
        "schedules are the stacks'; a monitor with an image can look now and its windows are read, and of the others what "
        "Vertex AI found",
    ),
}
