"""The identity stack: an identity for each kind of workload and of CI job, and what people may do.

May not assign a role on more than the resource that it is for, or make a secret.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.adapter import Skipped
from stacks.azure.ci import add_ci
from stacks.azure.context import Account, Base, Context, Registry, Stores
from stacks.azure.people import add_people
from stacks.azure.workloads import Reach, add_workload
from stacks.graph import StackBuilder
from stacks.intents import CiIdentity, HumanRole, WorkloadRole, describe

__all__ = ["lower"]


def lower(
    context: Context, base: Base, stores: Stores, registry: Registry
) -> tuple[StackBuilder, Mapping[str, Account], Sequence[Skipped]]:
    """Make the identities; return those of workloads, and the human roles that nobody would have."""
    stack = StackBuilder("identity")
    reach = Reach(context=context, base=base, stores=stores, registry=registry)
    accounts: dict[str, Account] = {
        role.purpose: add_workload(stack, reach, role) for role in context.all_of(WorkloadRole)
    }
    unused = []
    for human in context.all_of(HumanRole):
        if human.principals:
            add_people(stack, reach, human)
        else:
            unused.append(_unused(human))
    continuous = context.one_of(CiIdentity)
    jobs = {} if continuous is None else add_ci(stack, reach, continuous)
    everybody = {**accounts, **jobs}
    stack.export("identity_ids", {name: account.id for name, account in everybody.items()})
    stack.export("identity_client_ids", {name: account.client_id for name, account in everybody.items()})
    return stack, accounts, unused


def _unused(role: HumanRole) -> Skipped:
    return Skipped(
        intent=describe(role),
        reason="nobody would have it",
        remedy=f"Name the object ids of those who should in identity.groups.{role.purpose}.",
    )
