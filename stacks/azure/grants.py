"""Role assignments: Azure's built-in roles by their ids, and how a managed identity or a group is given one.

May not decide who needs what.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from stacks.azure.context import Context
from stacks.graph import Node, StackBuilder, Value

__all__ = ["BUILT_IN", "Role", "grant"]

Role: TypeAlias = Literal[
    "AcrPull",
    "AcrPush",
    "AzureML Compute Operator",
    "AzureML Data Scientist",
    "AzureML Metrics Writer",
    "AzureML Registry User",
    "Cognitive Services OpenAI User",
    "Contributor",
    "Enterprise Network Connection Approver",
    "Key Vault Administrator",
    "Key Vault Crypto Service Encryption User",
    "Key Vault Secrets User",
    "Monitoring Metrics Publisher",
    "Reader",
    "Search Index Data Contributor",
    "Search Index Data Reader",
    "Storage Blob Data Contributor",
    "Storage Blob Data Reader",
    "Storage File Data Privileged Contributor",
    "Storage Queue Data Message Sender",
]

BUILT_IN: dict[Role, str] = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "AzureML Compute Operator": "e503ece1-11d0-4e8e-8e2c-7a6c3bf38815",
    "AzureML Data Scientist": "f6c7c914-8db3-469d-8ca1-694a8f32e121",
    "AzureML Metrics Writer": "635dd51f-9968-44d3-b7fb-6d9a6bd613ae",
    "AzureML Registry User": "1823dd4f-9b8c-4ab6-ab4e-7397a3684615",
    "Cognitive Services OpenAI User": "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Enterprise Network Connection Approver": "b556d68e-0be0-4f35-a333-ad7ee1ce17ea",
    "Key Vault Administrator": "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    "Key Vault Crypto Service Encryption User": "e147488a-f6f5-4113-8e2d-b22465e65bf6",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Monitoring Metrics Publisher": "3913510d-42f4-4e42-8a64-420c390055eb",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Search Index Data Contributor": "8ebe5a00-799e-43f5-93ac-243d3dce84a7",
    "Search Index Data Reader": "1407120a-92aa-4202-b7e9-c0e197c71c8f",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    "Storage File Data Privileged Contributor": "69566ab7-960f-475b-8e7c-b3118f30c6bd",
    "Storage Queue Data Message Sender": "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a",
}
"""By id, since names change and hold "(preview)" (Microsoft Learn, Azure built-in roles, November 2026)."""


def grant(
    stack: StackBuilder,
    context: Context,
    name: str,
    role: Role,
    *,
    scope: Value,
    principal: Value,
    origin: str,
    person: bool = False,
) -> Node:
    """Give a role over a scope. A ``person`` is whatever kind of principal the spec names: a group, mostly.

    An identity that was just made may not be everywhere in the directory yet, so Azure is told not to look for it.
    """
    kind = {} if person else {"principal_type": "ServicePrincipal", "skip_service_principal_aad_check": True}
    return stack.resource(
        "azurerm_role_assignment",
        name,
        {
            "scope": scope,
            "role_definition_id": (
                f"{context.subscription_id}/providers/Microsoft.Authorization/roleDefinitions/{BUILT_IN[role]}"
            ),
            "principal_id": principal,
            **kind,
        },
        origin=origin,
    )
