"""An IAM role with its trust and its one inline policy.

May not decide what a role is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.aws.context import Context, Keys
from stacks.aws.policy import Statement, document
from stacks.graph import Node, StackBuilder

__all__ = ["add_role"]

SESSION_S = 3600


def add_role(
    stack: StackBuilder,
    context: Context,
    keys: Keys,
    name: str,
    *,
    description: str,
    trust: Sequence[Statement],
    allows: Sequence[Statement],
    origin: str,
    bounded: bool = True,
    session_s: int = SESSION_S,
) -> Node:
    """Add a role under the platform's ceiling (unless not ``bounded``); sessions last ``session_s`` seconds."""
    role = stack.resource(
        "aws_iam_role",
        name,
        {
            "name": context.name("role", name),
            "description": description,
            "assume_role_policy": document(stack, f"trust-{name}", trust, origin=origin),
            "max_session_duration": session_s,
            "permissions_boundary": keys.boundary if bounded else None,
        },
        origin=origin,
    )
    stack.resource(
        "aws_iam_role_policy",
        name,
        {
            "name": name,
            "role": role.ref("id"),
            "policy": document(stack, f"role-{name}", allows, origin=origin),
        },
        origin=origin,
    )
    return role
