"""Conditions of role assignments in Azure's own language: what a role may be used for.

May not assign a role. The forms are Azure's own examples (Azure RBAC, "Delegate Azure access management with conditions";
Azure Storage, "Example Azure role assignment conditions for Blob Storage"; November 2026).
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["VERSION", "assigns_only", "writes_below"]

VERSION = "2.0"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
CHANGES = (f"{BLOBS}/write", f"{BLOBS}/add/action", f"{BLOBS}/delete")
ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"


def assigns_only(guids: Sequence[str], *, to_services: Sequence[str] = ()) -> str:
    """Role assignments may be made and taken away for these roles only, by GUID; for those of ``to_services`` only where
    the holder is a service's identity.
    """
    return " AND ".join(
        (
            _unless((f"{ASSIGNMENTS}/write",), _assigned("@Request", guids, to_services)),
            _unless((f"{ASSIGNMENTS}/delete",), _assigned("@Resource", guids, to_services)),
        )
    )


def _assigned(source: str, guids: Sequence[str], to_services: Sequence[str]) -> str:
    """One of the roles, or one of the services' to a service."""
    anybody = _is_role(source, guids)
    if not to_services:
        return anybody
    service = f"{source}[{ASSIGNMENTS}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}"
    return f"{anybody} OR ({_is_role(source, to_services)} AND {service})"


def _is_role(source: str, guids: Sequence[str]) -> str:
    listed = ", ".join(sorted(guids))
    return f"{source}[{ASSIGNMENTS}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{listed}}}"


def writes_below(*prefixes: str) -> str:
    """Blobs may be written and deleted below these prefixes only."""
    path = f"@Resource[{BLOBS}:path] StringStartsWith"
    return _unless(CHANGES, " OR ".join(f"{path} '{prefix}'" for prefix in prefixes))


def _unless(actions: Sequence[str], holds: str) -> str:
    """Nothing of ``actions``, or ``holds``."""
    others = " AND ".join(f"!(ActionMatches{{'{action}'}})" for action in actions)
    return f"(({others}) OR ({holds}))"
