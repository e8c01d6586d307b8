"""Who we are in Azure: what a token says of its bearer, and what the subscription says of its tenant.

May not check the token's signature: Azure does, with every call.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from scaffolder.operations.azure.calls import Calls
from scaffolder.operations.azure.place import Place
from scaffolder.operations.values import Principal

__all__ = ["AzureIdentity", "claims_of"]

SUBSCRIPTIONS = "2022-12-01"
NAMES = ("upn", "preferred_username", "unique_name", "app_displayname", "appid", "oid", "sub")
"""Claims that say who somebody is, what people know best first."""


class AzureIdentity:
    """The bearer of the credentials."""

    def __init__(self, calls: Calls, place: Place) -> None:
        self._calls = calls
        self._place = place

    def whoami(self) -> Principal:
        """Read the token's claims, and ask for the subscription, which only who may see it is told."""
        claims = claims_of(self._calls.token(self._calls.cloud.manager_scope))
        subscription = self._calls.get(
            self._place.context.subscription_id, "read the subscription", api=SUBSCRIPTIONS
        )
        principal = next((str(claims[name]) for name in NAMES if claims.get(name)), "unknown")
        return Principal(
            principal=principal,
            account=str(subscription["subscriptionId"]),
            tenant=str(subscription.get("tenantId") or claims.get("tid") or ""),
        )


def claims_of(token: str) -> Mapping[str, object]:
    """What a token says of its bearer; nothing, where it is not one that can be read."""
    parts = token.split(".")
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        found = json.loads(base64.urlsafe_b64decode(padded))
    except (IndexError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
