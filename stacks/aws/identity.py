"""The identity stack: one least-privilege role for each kind of workload, of person and of CI job.

May not grant on ``*`` what takes a resource, attach a policy that AWS manages, or make a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.aws import ci, people, workloads
from stacks.aws.context import Context, Keys, Network, Registry, Stores
from stacks.aws.llm_roles import grant_llm
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import CiIdentity, HumanRole, WorkloadRole

__all__ = ["lower"]


def lower(
    context: Context, keys: Keys, network: Network, stores: Stores, registry: Registry
) -> tuple[StackBuilder, Mapping[str, Value], Sequence[HumanRole]]:
    """Make the roles; return also their ARNs, and the human roles that nobody could assume, which are left out."""
    stack = StackBuilder("identity")
    reach = workloads.Reach(context=context, keys=keys, network=network, stores=stores, registry=registry)
    nodes: dict[str, Node] = {}
    arns: dict[str, Value] = {}
    for role in sorted(
        context.all_of(WorkloadRole), key=lambda role: role.purpose not in workloads.PASSED_TO_JOBS
    ):
        nodes[role.purpose] = workloads.add_workload_role(stack, reach, role, arns)
        arns[role.purpose] = nodes[role.purpose].ref("arn")
    unused = []
    for human in context.all_of(HumanRole):
        if human.principals:
            nodes[human.purpose] = people.add_human_role(stack, reach, human, arns)
            arns[human.purpose] = nodes[human.purpose].ref("arn")
        else:
            unused.append(human)
    grant_llm(stack, reach, nodes)
    continuous = context.one_of(CiIdentity)
    if continuous is not None:
        for name, node in ci.add_ci_roles(stack, reach, continuous, arns).items():
            arns[name] = node.ref("arn")
    stack.export("role_arns", arns)
    return stack, arns, unused
