"""What operations do on AWS, and what they do in part or not. May not do any of it, nor import an SDK."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.operations.values import Capability
from stacks.intents import Support, SupportLevel

__all__ = ["SUPPORT"]

_FULL = Support(SupportLevel.FULL)

SUPPORT: Mapping[Capability, Support] = {
    Capability.IDENTITY: _FULL,
    Capability.PREFLIGHT: _FULL,
    Capability.STATE: _FULL,
    Capability.RUNS: _FULL,
    Capability.LOGS: _FULL,
    Capability.CANCEL: _FULL,
    Capability.REPRODUCE: Support(
        SupportLevel.NOT_IMPLEMENTED, "a run's record (commit, data, seeds) is kept by local runs only"
    ),
    Capability.SCHEDULES: Support(
        SupportLevel.PARTIAL,
        "Terraform makes them, with the stacks: operations have nothing to add to them, and list none",
    ),
    Capability.REGISTRY: _FULL,
    Capability.STAGES: _FULL,
    Capability.REALTIME: _FULL,
    Capability.TRAFFIC: _FULL,
    Capability.TARGETED_INVOKE: _FULL,
    Capability.AUTOSCALING: _FULL,
    Capability.CAPTURE: _FULL,
    Capability.BATCH: _FULL,
    Capability.MONITORS: Support(
        SupportLevel.PARTIAL,
        "jobs and schedules are the stacks'; a monitor with an image can look now and its windows are read, and of the "
        "others what SageMaker found",
    ),
    Capability.TEARDOWN: _FULL,
}
