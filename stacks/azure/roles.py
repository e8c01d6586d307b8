"""Azure's built-in roles by GUID, read from ``roles.toml`` on first use, and their assignment.

May not assign a role by its display name, which Azure changes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stacks.azure.context import Account, Context
from stacks.graph import Node, StackBuilder, Value
from stacks.record import record

__all__ = [
    "Assignment",
    "BuiltIn",
    "assign",
    "assign_people",
    "built_in",
    "built_ins",
    "definition_id",
    "guid_of",
]

ROLES = Path(__file__).with_name("roles.toml")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A built-in role; ``deploy`` says that CI's deploy identity may assign it, ``services`` to services' identities only."""

    id: str
    name: str
    deploy: bool
    services: bool = False


@cache
def built_ins() -> dict[str, BuiltIn]:
    """The roles by our own short names, sorted."""
    table = tomllib.loads(ROLES.read_text(encoding="utf-8"))["roles"]
    return {key: BuiltIn(**entry) for key, entry in sorted(table.items())}


def built_in(role: str) -> BuiltIn:
    """Return a role by its short name."""
    return built_ins()[role]


@record
class Assignment:
    """A role on a scope. ``who`` and ``what`` are short names of holder and scope, for the address."""

    role: str
    who: str
    on: Value
    what: str
    origin: str
    why: str = ""
    condition: str = ""

    @property
    def address(self) -> str:
        """The name in the graph."""
        return f"{self.who}-{self.what}-{self.role}"


def definition_id(context: Context, role: str) -> str:
    """The id of a role's definition, as Azure returns it for this subscription."""
    return f"{context.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{built_in(role).id}"


def guid_of(definition: str) -> str:
    """The GUID at the end of a role definition's id."""
    return definition.rpartition("/")[2]


def assign(
    stack: StackBuilder, context: Context, to: Account, assignment: Assignment, *, after: Sequence[Node] = ()
) -> Node:
    """Assign a built-in role to a managed identity, once the nodes of ``after`` are there.

    The directory may not know yet an identity that was made a moment ago, so it is not asked about it.
    """
    return stack.resource(
        "azurerm_role_assignment",
        assignment.address,
        {
            "scope": assignment.on,
            "role_definition_id": definition_id(context, assignment.role),
            "principal_id": to.principal_id,
            "principal_type": "ServicePrincipal",
            "skip_service_principal_aad_check": True,
            "description": assignment.why or None,
            "condition": assignment.condition or None,
            "condition_version": "2.0" if assignment.condition else None,
        },
        origin=assignment.origin,
        depends_on=after,
    )


def assign_people(
    stack: StackBuilder, context: Context, principals: Sequence[str], assignment: Assignment
) -> None:
    """Assign a built-in role to groups or people by their object ids; Azure finds out which of the two each is."""
    for principal in principals:
        stack.resource(
            "azurerm_role_assignment",
            f"{assignment.address}-{principal}",
            {
                "scope": assignment.on,
                "role_definition_id": definition_id(context, assignment.role),
                "principal_id": principal,
                "description": assignment.why or None,
            },
            origin=assignment.origin,
        )
