"""What each provider does of what operations can be: the capabilities in a sentence, and the providers' own tables.

Reads a provider's table without opening it, so that no SDK has to be installed. May not know a provider, or print.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TypeAlias, cast

from scaffolder.operations.adapters import BUILT_IN
from scaffolder.operations.values import Capability
from stacks.intents import Support

__all__ = ["SENTENCES", "Table", "tables_of"]

Table: TypeAlias = Mapping[Capability, Support]

SENTENCES: Mapping[Capability, str] = {
    Capability.IDENTITY: "Who the credentials are, and whose account they act in.",
    Capability.PREFLIGHT: "What `doctor` asks: credentials, permissions, services, quota and names.",
    Capability.STATE: "What `bootstrap` makes: a place for Terraform's state, encrypted, versioned, private, locked.",
    Capability.RUNS: "Pipelines that run: started once for each token, listed, and looked at step by step.",
    Capability.LOGS: "What a run's steps print, in order, and followed from where one left off.",
    Capability.CANCEL: "A run that is asked to stop.",
    Capability.REPRODUCE: "A run again from its record: the commit, the data, the parameters and the seeds of then.",
    Capability.SCHEDULES: "Pipelines that the clock starts, made and removed as the spec says.",
    Capability.REGISTRY: "Versions of models with their metrics and where they come from; approved or rejected.",
    Capability.STAGES: "What a version is used for; one version in `staging`, one in `production`.",
    Capability.REALTIME: "Endpoints that answer, with deployments that come and go.",
    Capability.TRAFFIC: "Whole percents of the requests to each deployment: canary and rollback.",
    Capability.TARGETED_INVOKE: "A request to one deployment, whatever its share of the traffic.",
    Capability.AUTOSCALING: "Replicas that follow the load between two bounds.",
    Capability.CAPTURE: "A share of the requests and answers, kept for monitors.",
    Capability.BATCH: "Jobs that score the files of a folder.",
    Capability.MONITORS: "Scheduled looks for drift, their results and alarms.",
    Capability.TEARDOWN: "What has to go before Terraform can destroy the platform, in order.",
}


def tables_of(names: Sequence[str] = ()) -> dict[str, Table]:
    """Read the tables of some providers of this package, or of all; each has one in its module ``support``."""
    return {
        name: cast("Table", import_module(f"{BUILT_IN[name][0]}.support").SUPPORT)
        for name in names or BUILT_IN
    }
