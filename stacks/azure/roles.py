"""Azure's built-in roles by GUID, read from ``roles.toml`` on first use, and their assignment.

May not assign a role by its display name, which Azure changes.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

from stacks.azure.context import Account, Context
from stacks.graph import Node, StackBuilder, Value

__all__ = ["BuiltIn", "assign", "assign_person", "built_in", "built_ins", "definition_id", "guid_of"]

ROLES = Path(__file__).with_name("roles.toml")

PrincipalType: TypeAlias = Literal["ServicePrincipal", "Group"]


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A built-in role; ``deploy`` says that CI's deploy identity may assign it."""

    id: str
    name: str
    deploy: bool


@cache
def built_ins() -> dict[str, BuiltIn]:
    """The roles by our own short names, sorted."""
    table = tomllib.loads(ROLES.read_text(encoding="utf-8"))["roles"]
    return {key: BuiltIn(**entry) for key, entry in sorted(table.items())}


def built_in(role: str) -> BuiltIn:
    """Return a role by its short name."""
    return built_ins()[role]


def definition_id(context: Context, role: str) -> str:
    """The id of a role's definition, as Azure returns it for this subscription."""
    return f"{context.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{built_in(role).id}"


def guid_of(definition: str) -> str:
    """The GUID at the end of a role definition's id."""
    return definition.rpartition("/")[2]


def assign(
    stack: StackBuilder,
    context: Context,
    role: str,
    *,
    to: Account,
    who: str,
    on: Value,
    what: str,
    origin: str,
    why: str = "",
    condition: Value = None,
) -> Node:
    """Assign a built-in role to a managed identity. ``who`` and ``what`` are short names for the address.

    The directory may not know yet an identity that was made a moment ago, so it is not asked about it.
    """
    return stack.resource(
        "azurerm_role_assignment",
        f"{who}-{what}-{role}",
        {
            "scope": on,
            "role_definition_id": definition_id(context, role),
            "principal_id": to.principal_id,
            "principal_type": "ServicePrincipal",
            "skip_service_principal_aad_check": True,
            "description": why or None,
            "condition": condition,
            "condition_version": None if condition is None else "2.0",
        },
        origin=origin,
    )


def assign_person(
    stack: StackBuilder,
    context: Context,
    role: str,
    *,
    principals: Iterable[str],
    who: str,
    on: Value,
    what: str,
    origin: str,
) -> None:
    """Assign a built-in role to groups or people, by their object ids; Azure finds out which of the two each is."""
    for principal in principals:
        stack.resource(
            "azurerm_role_assignment",
            f"{who}-{principal}-{what}-{role}",
            {
                "scope": on,
                "role_definition_id": definition_id(context, role),
                "principal_id": principal,
            },
            origin=origin,
        )
