"""Where Terraform's state will be in Azure: the account and container that the state stack names, and locks as blob leases.

Makes and mends, never deletes. Azure Storage has no lease that lasts and tells its holder, so a lock's blob says who.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, NamedTuple
from urllib.parse import unquote
from uuid import uuid4

from scaffolder.operations.azure.calls import Calls, Document, escaped
from scaffolder.operations.azure.place import Place
from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, NotFound, OperationError
from scaffolder.operations.values import Ensured, Lock
from stacks.azure.state import CONTAINER, SOFT_DELETE_DAYS, VERSIONS_DAYS, state_account, state_group

__all__ = ["AzureState"]

GROUPS = "2021-04-01"
STORAGE = "2026-09-01"
"""The version of Microsoft.Storage (azure-mgmt-storage 25.3, November 2026)."""

UNNAMED = "somebody who has not said who they are yet"
FOREVER = "-1"


class Wanted(NamedTuple):
    """One thing as it has to be; ``detail`` is said of it."""

    subject: str
    path: str
    api: str
    body: Document
    detail: str


class AzureState:
    """The store of Terraform's states."""

    def __init__(self, calls: Calls, place: Place) -> None:
        self._calls = calls
        self._place = place
        context = place.context
        self._group = f"{context.subscription_id}/resourceGroups/{state_group(context)}"
        self._name = state_account(context)
        self._account = f"{self._group}/providers/Microsoft.Storage/storageAccounts/{self._name}"
        self._url = calls.cloud.blobs.format(account=self._name)

    def ensure(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        """Make what is missing and mend what differs, in the order in which one needs the other."""
        account, group = self._account, state_group(self._place.context)
        services, lifecycle = f"{account}/blobServices/default", f"{account}/managementPolicies/default"
        private: Document = {"properties": {"publicAccess": "None"}}
        wanted = [
            Wanted(f"resource group {group}", self._group, GROUPS, self._group_body(), ""),
            Wanted(f"storage account {self._name}", account, STORAGE, self._account_body(), self._said()),
            Wanted("its versions and soft deletion", services, STORAGE, _services(), ""),
            Wanted(
                f"container {CONTAINER}", f"{services}/containers/{CONTAINER}", STORAGE, private, "private"
            ),
            Wanted("how long old versions stay", lifecycle, STORAGE, _old_versions(), ""),
        ]
        fresh = False
        for one in wanted:
            found = None if fresh else self._calls.find(one.path, f"make the {one.subject}", api=one.api)
            if one.path == account:
                # A new account has services already: what they are set to then is still made by this.
                fresh = found is None
            yield self._ensured(one, found, dry_run=dry_run)

    def _ensured(self, wanted: Wanted, found: Document | None, *, dry_run: bool) -> Ensured:
        differing = sorted(_differing(wanted.body, found)) if found is not None else []
        if found is not None and not differing:
            return Ensured(subject=wanted.subject, action="unchanged", detail=wanted.detail)
        if not dry_run:
            doing = f"make the {wanted.subject}"
            self._calls.put(wanted.path, _merged(found, wanted.body), doing, api=wanted.api)
        if found is None:
            return Ensured(subject=wanted.subject, action="created", detail=wanted.detail)
        return Ensured(subject=wanted.subject, action="changed", detail=", ".join(differing))

    def _said(self) -> str:
        return (
            "keys off, TLS 1.2, encrypted twice; whoever runs Terraform needs the role Storage Blob Data Contributor on "
            f"the container {CONTAINER}, which even an owner has not by themselves"
        )

    def _group_body(self) -> Document:
        return {"location": self._place.context.region, "tags": dict(self._place.context.tags)}

    def _account_body(self) -> Document:
        """As the state stack has it."""
        return {
            "kind": "StorageV2",
            "location": self._place.context.region,
            "sku": {"name": "Standard_GRS"},
            "tags": dict(self._place.context.tags),
            "properties": {
                "accessTier": "Hot",
                "minimumTlsVersion": "TLS1_2",
                "supportsHttpsTrafficOnly": True,
                "allowSharedKeyAccess": False,
                "defaultToOAuthAuthentication": True,
                "allowBlobPublicAccess": False,
                "allowedCopyScope": "AAD",
                "allowCrossTenantReplication": False,
                "isLocalUserEnabled": False,
                "publicNetworkAccess": "Enabled",
                "encryption": {
                    "keySource": "Microsoft.Storage",
                    "requireInfrastructureEncryption": True,
                    "services": {"blob": {"enabled": True}, "file": {"enabled": True}},
                },
            },
        }

    # --- locks ---

    def acquire(self, name: str, owner: str) -> Lock:
        """Take a lock: a lease without end on a blob whose metadata say who has it.

        Raises:
            Conflict: somebody has it.
        """
        token, doing = str(uuid4()), f"take the lock {name}"
        url = self._lock_url(name)
        made = {"x-ms-blob-type": "BlockBlob", "If-None-Match": "*"}
        with suppress(AlreadyExists):  # It is there from an earlier time, with a lease or without one.
            self._calls.blob("PUT", url, doing, body=b"", headers=made)
        lease = {
            "x-ms-lease-action": "acquire",
            "x-ms-lease-duration": FOREVER,
            "x-ms-proposed-lease-id": token,
        }
        try:
            # Asked again after a lost answer, Azure gives the lease to the same id again.
            self._calls.blob("PUT", url, doing, headers=lease, params={"comp": "lease"})
        except AlreadyExists as taken:
            raise Conflict(
                f"the lock {name} is held by {self._holder(url)}",
                code=taken.code,
                text=taken.text,
                remedy="Wait, or let its holder give it back.",
            ) from None
        said = {"x-ms-lease-id": token, "x-ms-meta-owner": escaped(owner)}
        self._calls.blob("PUT", url, doing, headers=said, params={"comp": "metadata"})
        return Lock(name=name, owner=owner, token=token)

    def release(self, lock: Lock) -> None:
        """Give a lock back; another's stays as it is."""
        url, doing = self._lock_url(lock.name), f"give back the lock {lock.name}"
        lease = {"x-ms-lease-action": "release", "x-ms-lease-id": lock.token}
        try:
            self._calls.blob("PUT", url, doing, headers=lease, params={"comp": "lease"})
        except NotFound:
            return
        except InvalidRequest as refused:
            if not refused.code.startswith("Lease"):
                raise

    def _lock_url(self, name: str) -> str:
        return f"{self._url}/{CONTAINER}/locks/{escaped(name)}"

    def _holder(self, url: str) -> str:
        try:
            headers: Mapping[str, str] = self._calls.blob("HEAD", url, "read a lock").headers
        except OperationError:
            return UNNAMED
        return unquote(headers.get("x-ms-meta-owner", "")) or UNNAMED


def _services() -> Document:
    """Every version is kept, and what is deleted can be had back."""
    return {
        "properties": {
            "isVersioningEnabled": True,
            "changeFeed": {"enabled": True, "retentionInDays": VERSIONS_DAYS},
            "deleteRetentionPolicy": {"enabled": True, "days": SOFT_DELETE_DAYS},
            "containerDeleteRetentionPolicy": {"enabled": True, "days": SOFT_DELETE_DAYS},
        }
    }


def _old_versions() -> Document:
    rule = {
        "name": "old-versions",
        "enabled": True,
        "type": "Lifecycle",
        "definition": {
            "filters": {"blobTypes": ["blockBlob"]},
            "actions": {"version": {"delete": {"daysAfterCreationGreaterThan": VERSIONS_DAYS}}},
        },
    }
    return {"properties": {"policy": {"rules": [rule]}}}


def _differing(wanted: Mapping[str, Any], found: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """Yield where what is there is not what is wanted; what is there beside it does not matter."""
    for name, value in wanted.items():
        there = found.get(name)
        here = f"{place}.{name}" if place else name
        if isinstance(value, dict) and isinstance(there, dict):
            yield from _differing(value, there, here)
        elif name == "location":
            if str(there).replace(" ", "").lower() != value:
                yield here
        elif there != value:
            yield here


def _merged(found: Mapping[str, Any] | None, body: Document) -> Document:
    """What is wanted, with the tags that somebody else has put there."""
    if found is None or "tags" not in body:
        return body
    return {**body, "tags": {**(found.get("tags") or {}), **body["tags"]}}
