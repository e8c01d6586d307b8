"""An IAM role with its trust and its one inline policy.

May not decide what a role is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stacks.aws.context import Context, Keys
from stacks.aws.policy import Statement, document
from stacks.graph import Node, StackBuilder

__all__ = ["Role", "add_role"]

SESSION_S = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What to make. ``bounded`` puts it under the platform's ceiling, if there is one."""

    name: str
    description: str
    trust: Sequence[Statement]
    allows: Sequence[Statement]
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
    return node
