"""Identities of workloads, and what each may do with buckets and images.

What they may do in the workspace is granted with it. May not know people or CI.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from stacks.azure.conditions import writes_below
from stacks.azure.context import Account, Base, Context, Registry, Stores
from stacks.azure.roles import Assignment, assign
from stacks.graph import StackBuilder
from stacks.intents import ObjectStore, WorkloadRole, describe
from stacks.record import record

__all__ = ["Reach", "add_identity", "add_workload", "on_bucket"]


@record
class Reach:
    """What identities can be given."""

    context: Context
    base: Base
    stores: Stores
    registry: Registry

    @property
    def user_buckets(self) -> tuple[str, ...]:
        """The names of the user's own buckets."""
        return tuple(store.name for store in self.context.all_of(ObjectStore) if store.purpose == "user")


def add_identity(stack: StackBuilder, reach: Reach, name: str, *, origin: str) -> Account:
    """Add a managed identity."""
    node = stack.resource(
        "azurerm_user_assigned_identity",
        name,
        {
            "name": reach.context.name("identity", name),
            "resource_group_name": reach.base.resource_group,
            "location": reach.context.region,
            "tags": reach.context.tags,
        },
        origin=origin,
    )
    return Account(id=node.ref("id"), principal_id=node.ref("principal_id"), client_id=node.ref("client_id"))


def add_workload(stack: StackBuilder, reach: Reach, role: WorkloadRole) -> Account:
    """Add the identity of one kind of workload with its roles."""
    origin = describe(role)
    account = add_identity(stack, reach, role.purpose, origin=origin)
    for assignment in _assignments(reach, role, origin):
        assign(stack, reach.context, account, assignment)
    return account


def _assignments(reach: Reach, role: WorkloadRole, origin: str) -> Iterator[Assignment]:
    match role.purpose:
        case "training":
            yield from _reads(reach, role, origin, *reach.user_buckets)
            yield on_bucket(reach, role.purpose, "data", origin, below=("processed/", "features/"))
            yield on_bucket(reach, role.purpose, "artifacts", origin, role="blob-contributor")
        case "pipelines":
            yield from _reads(reach, role, origin, "data")
            yield on_bucket(reach, role.purpose, "artifacts", origin, role="blob-contributor")
        case "serving":
            yield from _reads(reach, role, origin, "artifacts")
            yield on_bucket(reach, role.purpose, "data", origin, below=("capture/", "async/", "batch/"))
        case "monitoring":
            yield from _reads(reach, role, origin, "data")
            yield on_bucket(reach, role.purpose, "artifacts", origin, below=("baselines/", "monitoring/"))
        case "workspace":
            yield from _reads(reach, role, origin, *reach.user_buckets)
            yield on_bucket(reach, role.purpose, "data", origin, below=("processed/",))
            yield on_bucket(reach, role.purpose, "artifacts", origin, below=("code/", "experiments/"))
        case "triggers":
            return
        case _:
            assert_never(role.purpose)
    yield from _everywhere(reach, role, origin)


def _everywhere(reach: Reach, role: WorkloadRole, origin: str) -> Iterator[Assignment]:
    """Every job has its code and its outputs in the workspace's own account, runs an image, and reports."""
    files = "blob-reader" if role.purpose == "serving" else "blob-contributor"
    yield Assignment(
        role=files, who=role.purpose, on=reach.stores.workspace_id, what="workspace", origin=origin
    )
    if reach.registry.id is not None:
        yield Assignment(
            role="acr-pull", who=role.purpose, on=reach.registry.id, what="images", origin=origin
        )
    yield Assignment(
        role="metrics-publisher",
        who=role.purpose,
        on=reach.base.application_insights_id,
        what="insights",
        origin=origin,
    )


def _reads(reach: Reach, role: WorkloadRole, origin: str, *buckets: str) -> Iterator[Assignment]:
    for bucket in buckets:
        yield on_bucket(reach, role.purpose, bucket, origin, role="blob-reader")


def on_bucket(
    reach: Reach,
    who: str,
    bucket: str,
    origin: str,
    *,
    role: str = "blob-contributor",
    below: tuple[str, ...] = (),
) -> Assignment:
    """A role on a bucket; with ``below``, writing is for those prefixes only, and reading for all."""
    return Assignment(
        role=role,
        who=who,
        on=reach.stores.by_name[bucket].id,
        what=bucket,
        origin=origin,
        why=f"Writes below {', '.join(below)}" if below else "",
        condition=writes_below(*below) if below else "",
    )
