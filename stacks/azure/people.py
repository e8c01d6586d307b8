"""What groups of people may do: admins change models, scientists work on data, viewers look.

What they may do in the workspace is granted with it. May not let anybody change the platform's own resources: that is CI's
deploy identity.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from stacks.azure.roles import Assignment, assign_people
from stacks.azure.workloads import Reach, on_bucket
from stacks.graph import StackBuilder
from stacks.intents import HumanRole, describe

__all__ = ["add_people"]


def add_people(stack: StackBuilder, reach: Reach, role: HumanRole) -> None:
    """Assign roles to the principals of one group."""
    for assignment in _assignments(reach, role):
        assign_people(stack, reach.context, role.principals, assignment)


def _assignments(reach: Reach, role: HumanRole) -> Iterator[Assignment]:
    who, origin = role.purpose, describe(role)
    yield Assignment(role="reader", who=who, on=reach.base.resource_group_id, what="platform", origin=origin)
    yield Assignment(
        role="log-analytics-reader", who=who, on=reach.base.log_analytics_id, what="logs", origin=origin
    )
    match role.purpose:
        case "admins":
            yield on_bucket(reach, who, "data", origin, role="blob-reader")
            yield on_bucket(reach, who, "artifacts", origin)
            yield on_bucket(reach, who, "logs", origin, role="blob-reader")
            yield from _files(reach, who, origin)
            yield from _images(reach, who, origin, "acr-push")
        case "scientists":
            yield on_bucket(reach, who, "data", origin, below=("processed/",))
            yield on_bucket(reach, who, "artifacts", origin, below=("code/", "experiments/"))
            for bucket in reach.user_buckets:
                yield on_bucket(reach, who, bucket, origin)
            yield from _files(reach, who, origin)
            yield from _images(reach, who, origin, "acr-pull")
        case "viewers":
            yield on_bucket(reach, who, "artifacts", origin, role="blob-reader")
        case _:
            assert_never(role.purpose)


def _files(reach: Reach, who: str, origin: str) -> Iterator[Assignment]:
    """Notebooks and the code of jobs are files and blobs of the workspace's account."""
    for role in ("blob-contributor", "file-contributor"):
        yield Assignment(role=role, who=who, on=reach.stores.workspace_id, what="workspace", origin=origin)


def _images(reach: Reach, who: str, origin: str, role: str) -> Iterator[Assignment]:
    if reach.registry.id is not None:
        yield Assignment(role=role, who=who, on=reach.registry.id, what="images", origin=origin)
