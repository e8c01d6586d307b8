"""What operations do on this machine, and why not where they do not. May not do any of it."""

from __future__ import annotations

from collections.abc import Mapping

from scaffolder.operations.values import Capability
from stacks.intents import Support, SupportLevel

__all__ = ["SUPPORT"]

SUPPORT: Mapping[Capability, Support] = dict.fromkeys(Capability, Support(SupportLevel.FULL)) | {
    Capability.STATE: Support(
        SupportLevel.NOT_POSSIBLE, "Terraform deploys nothing here, so there is no state"
    ),
    Capability.SCHEDULES: Support(
        SupportLevel.NOT_POSSIBLE,
        "nothing of ours waits here for the clock; the machine's own cron can call `run`",
    ),
    Capability.AUTOSCALING: Support(
        SupportLevel.NOT_IMPLEMENTED, "a deployment has its smallest number of replicas, always"
    ),
}
