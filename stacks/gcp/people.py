"""What people may do: admins approve and serve, scientists run jobs, viewers look.

People are principals with grants, not accounts to take on. May not let anybody change the platform's own resources: that is
CI's work. What Google can't limit is said here: a job that a scientist starts by hand may leave the network, which an
organisation's policies forbid, not a grant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import assert_never

from stacks.gcp.context import Account
from stacks.gcp.grants import Holder, Reach, act_as, let_do, on_bucket, on_project, on_registry
from stacks.gcp.permissions import (
    ENDPOINTS,
    EXPERIMENTS,
    FEATURES,
    INVOKE,
    JOBS,
    LOOK,
    NOTEBOOKS,
    RUNS,
    SERVED,
)
from stacks.gcp.workloads import PULL, READ, WRITE, models_asked
from stacks.graph import StackBuilder
from stacks.intents import HumanRole, Workspace, describe

__all__ = ["add_human_role"]

LOOKS = ("roles/aiplatform.viewer", "roles/logging.viewer", "roles/monitoring.viewer")
QUERY = "roles/bigquery.jobUser"
TAIL_CHARACTERS = 6


def add_human_role(
    stack: StackBuilder, reach: Reach, role: HumanRole, accounts: Mapping[str, Account]
) -> None:
    """Grant a group of people what they may do; ``accounts`` are those that they may hand to jobs."""
    holder = Holder(name=role.purpose, members=_members(role.principals), origin=describe(role))
    on_project(stack, reach, holder, *LOOKS)
    match role.purpose:
        case "admins":
            let_do(stack, reach, holder, (*LOOK, *ENDPOINTS, *INVOKE, *RUNS, *_notebooks(reach)))
            on_registry(stack, reach, holder, PULL)
            act_as(stack, holder, accounts, "serving", "pipelines", "workspace")
        case "scientists":
            let_do(
                stack,
                reach,
                holder,
                (
                    *(*LOOK, *RUNS, *JOBS, *EXPERIMENTS, *FEATURES, *SERVED),
                    *(*models_asked(reach), *_notebooks(reach)),
                ),
            )
            on_project(stack, reach, holder, QUERY)
            on_registry(stack, reach, holder, PULL)
            for bucket in ("data", "artifacts", *reach.user_buckets):
                on_bucket(stack, reach, holder, bucket, READ)
            on_bucket(stack, reach, holder, "data", WRITE, ("processed/",))
            on_bucket(stack, reach, holder, "artifacts", WRITE, ("code/", "experiments/"))
            act_as(stack, holder, accounts, "training", "pipelines", "workspace")
        case "viewers":
            pass
        case _:
            assert_never(role.purpose)


def _notebooks(reach: Reach) -> tuple[str, ...]:
    return NOTEBOOKS if reach.context.one_of(Workspace) else ()


def _members(principals: Sequence[str]) -> dict[str, str]:
    """Principals by a name for the graph: what can be read of each, and a hash that tells apart what reads the same."""
    return {
        f"{_readable(principal)}-{sha256(principal.encode()).hexdigest()[:TAIL_CHARACTERS]}": principal
        for principal in principals
    }


def _readable(principal: str) -> str:
    name = principal.rpartition("/")[2].partition("@")[0].rpartition(":")[2]
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:24] or "principal"
