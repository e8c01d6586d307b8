"""Who the credentials are: what Google says of their token.

May not change anything.
"""

from __future__ import annotations

from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.values import Principal

__all__ = ["GcpIdentity"]


class GcpIdentity:
    """Who we are on Google Cloud."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    def whoami(self) -> Principal:
        """Ask Google whose token it is; the account is the platform's project, in which all is done."""
        found = self._calls.rest(
            "oauth2",
            "POST",
            "oauth2/v2/tokeninfo",
            "ask who the credentials are",
            params={"access_token": self._calls.token()},
        )
        who = found.get("email") or found.get("issued_to") or found.get("user_id") or ""
        return Principal(principal=str(who), account=self._calls.place.project)
