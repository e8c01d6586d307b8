"""The identity stack: a service account for each kind of workload, grants for people, and CI's accounts without keys.

May not use a basic role, make a key, or grant on the project what can be granted on a bucket, a repository or an account.
An administrator applies it: CI may not change who may do what (``ci`` says why).
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.gcp import ci, people, workloads
from stacks.gcp.context import Account, Context, Keys, Network, Registry, Roles, Stores
from stacks.gcp.grants import Holder, Reach, add_account, let_do
from stacks.graph import Node, StackBuilder
from stacks.intents import CiIdentity, ExperimentTracking, HumanRole, PrivateNetwork, WorkloadRole, describe

__all__ = ["lower"]

TRACKING = "tracking"
CONNECT = (
    "compute.networkAttachments.get",
    "compute.networkAttachments.update",
    "compute.regionOperations.get",
)
"""What Vertex AI's agent needs to connect a job to a network attachment."""


def lower(
    context: Context, keys: Keys, network: Network, stores: Stores, registry: Registry
) -> tuple[StackBuilder, Roles, Sequence[HumanRole]]:
    """Make the accounts and grants; return also the accounts, and the human roles that nobody has, which are left out."""
    stack = StackBuilder("identity")
    reach = Reach(context=context, keys=keys, network=network, stores=stores, registry=registry)
    accounts: dict[str, Account] = {}
    holders: dict[str, Holder] = {}
    roles = tuple(context.all_of(WorkloadRole))
    for role in roles:
        use = workloads.USES[role.purpose]
        node, holders[role.purpose] = add_account(stack, context, role.purpose, use, origin=describe(role))
        accounts[role.purpose] = _account_of(node)
    for role in roles:
        workloads.grant_workload(stack, reach, role, holders[role.purpose], accounts)
    tracking = context.one_of(ExperimentTracking)
    if tracking is not None:
        node, holder = add_account(stack, context, TRACKING, "The tracking server", origin=describe(tracking))
        accounts[TRACKING] = _account_of(node)
        workloads.grant_tracking(stack, reach, holder)
    unused = [human for human in context.all_of(HumanRole) if not human.principals]
    for human in context.all_of(HumanRole):
        if human.principals:
            people.add_human_role(stack, reach, human, accounts)
    _connect(stack, reach)
    continuous = context.one_of(CiIdentity)
    emails = {name: account.email for name, account in accounts.items()}
    if continuous is not None:
        emails.update(ci.add_ci_accounts(stack, reach, continuous, accounts))
    stack.export("account_emails", emails)
    return stack, accounts, unused


def _account_of(node: Node) -> Account:
    """A service account's reference values."""
    return Account(email=node.ref("email"), member=node.ref("member"), name=node.ref("name"))


def _connect(stack: StackBuilder, reach: Reach) -> None:
    """Let Vertex AI's agent connect jobs to the platform's network."""
    network = reach.context.one_of(PrivateNetwork)
    if network is None:
        return
    agent = Holder(
        name="agent-jobs",
        members={"": reach.keys.agents["aiplatform"]},
        origin=describe(network),
    )
    let_do(stack, reach, agent, CONNECT)
