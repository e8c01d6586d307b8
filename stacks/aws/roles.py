"""An IAM role with its trust, its inline policy and policies that it shares.

May not decide what a role is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from stacks.aws.context import Context, Keys
from stacks.aws.policy import Statement, document
from stacks.graph import Node, StackBuilder, Value
from stacks.record import record

__all__ = ["SESSION_S", "Role", "add_role", "policies_of"]

SESSION_S = 3600


@record
class Role:
    """What to make.

    ``allows`` is its inline policy; ``policies`` are the ARNs of further ones by name, of the platform's own.
    ``bounded`` puts it under the platform's ceiling, if there is one.
    """

    name: str
    description: str
    trust: Sequence[Statement]
    allows: Sequence[Statement]
    policies: Mapping[str, Value] = field(default_factory=dict)
    bounded: bool = True
    session_s: int = SESSION_S


def add_role(stack: StackBuilder, context: Context, keys: Keys, role: Role, *, origin: str) -> Node:
    """Add the role and its policy; return the role's node."""
    node = stack.resource(
        "aws_iam_role",
        role.name,
        {
            "name": context.name("role", role.name),
            "description": role.description,
            "assume_role_policy": document(stack, f"trust-{role.name}", role.trust, origin=origin),
            "max_session_duration": role.session_s,
            "permissions_boundary": keys.boundary if role.bounded else None,
        },
        origin=origin,
    )
    if role.allows:
        stack.resource(
            "aws_iam_role_policy",
            role.name,
            {
                "name": role.name,
                "role": node.ref("id"),
                "policy": document(stack, f"role-{role.name}", role.allows, origin=origin),
            },
            origin=origin,
        )
    for name, arn in role.policies.items():
        stack.resource(
            "aws_iam_role_policy_attachment",
            f"{role.name}-{name}",
            {"role": node.ref("name"), "policy_arn": arn},
            origin=origin,
        )
    return node


def policies_of(stack: StackBuilder, role: Node) -> list[Node]:
    """The role's inline policy, for what may only be made once the role is allowed something."""
    return [
        node
        for node in stack.nodes
        if node.address.type == "aws_iam_role_policy" and node.address.name == role.address.name
    ]
