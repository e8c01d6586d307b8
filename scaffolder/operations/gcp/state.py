"""The bucket of Terraform's states and its key, made as the stack *state* would make them; and locks in it.

Nothing here deletes a state, a bucket or a key. May not know what the states hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, NotFound
from scaffolder.operations.gcp import storage
from scaffolder.operations.gcp.calls import Calls, escaped
from scaffolder.operations.values import Ensured, Lock
from stacks.gcp.buckets import ABORT_UPLOADS_AFTER_DAYS, SOFT_DELETE_S
from stacks.gcp.keys import DESTROY_AFTER_S, ROTATE_AFTER_S, USE_KEY
from stacks.gcp.state import SERVICES, VERSIONS_DAYS, place_of, state_bucket, state_key

__all__ = ["GcpStateStore"]

LOCKS = "locks"


class GcpStateStore:
    """Where Terraform's state will be on Google Cloud."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._context = calls.place.context

    def ensure(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        """Make what is missing and mend what differs.

        Raises:
            AlreadyExists: the bucket's name is somebody else's.
        """
        kind = self._context.platform.backend.kind
        if kind != "managed":
            yield Ensured(
                subject=f"backend {kind}", action="unchanged", detail="the spec names a backend of your own"
            )
            return
        yield self._services(dry_run=dry_run)
        if self._context.own_keys:
            yield from self._key(dry_run=dry_run)
        yield self._bucket(dry_run=dry_run)

    # --- APIs ---

    def _services(self, *, dry_run: bool) -> Ensured:
        calls, project = self._calls, self._context.project
        names = [f"projects/{project}/services/{service}.googleapis.com" for service in SERVICES]
        found = calls.rest(
            "serviceusage",
            "GET",
            f"v1/projects/{project}/services:batchGet",
            "look which APIs are enabled",
            params={"names": names},
        )
        on = {
            str(it["name"]).rpartition("/")[2]
            for it in found.get("services", ())
            if it.get("state") == "ENABLED"
        }
        off = [name for name in (f"{service}.googleapis.com" for service in SERVICES) if name not in on]
        if off and not dry_run:
            doing = f"enable {', '.join(off)}"
            path = f"v1/projects/{project}/services:batchEnable"
            started = calls.rest("serviceusage", "POST", path, doing, json={"serviceIds": off})
            if not started.get("done"):
                calls.finished(str(started["name"]), doing, "serviceusage")
        return Ensured(subject="APIs", action="changed" if off else "unchanged", detail=", ".join(off))

    # --- the key ---

    def _key(self, *, dry_run: bool) -> Iterator[Ensured]:
        key = state_key(self._context)
        ring, _, name = key.partition("/cryptoKeys/")
        home, _, ring_name = ring.partition("/keyRings/")
        yield self._made(
            ring, f"{home}/keyRings", {"keyRingId": ring_name}, {}, f"key ring {ring_name}", dry_run
        )
        settings: dict[str, Any] = {
            "purpose": "ENCRYPT_DECRYPT",
            "rotationPeriod": f"{ROTATE_AFTER_S}s",
            "nextRotationTime": self._later(ROTATE_AFTER_S),
            "destroyScheduledDuration": f"{DESTROY_AFTER_S}s",
            "versionTemplate": {"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION", "protectionLevel": "HSM"},
        }
        yield self._made(key, f"{ring}/cryptoKeys", {"cryptoKeyId": name}, settings, f"key {name}", dry_run)
        yield self._grant(key, dry_run=dry_run)

    def _later(self, seconds: int) -> str:
        return (self._calls.opening.now() + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _made(
        self,
        name: str,
        collection: str,
        ident: Mapping[str, str],
        body: Mapping[str, Any],
        subject: str,
        dry_run: bool,  # noqa: FBT001 - passed on
    ) -> Ensured:
        if self._is_there(name):
            return Ensured(subject=subject, action="unchanged")
        if not dry_run:
            try:
                self._calls.rest(
                    "cloudkms", "POST", f"v1/{collection}", f"make {subject}", params=ident, json=body
                )
            except AlreadyExists:
                return Ensured(subject=subject, action="unchanged")
        return Ensured(subject=subject, action="created", detail=name)

    def _is_there(self, name: str) -> bool:
        try:
            self._calls.rest("cloudkms", "GET", f"v1/{name}", f"look at {name}")
        except NotFound:
            return False
        return True

    def _grant(self, key: str, *, dry_run: bool) -> Ensured:
        """Let Cloud Storage's agent use the key; asking for the agent makes it."""
        subject, project = "Cloud Storage's use of the key", self._context.project
        if dry_run and not self._is_there(key):
            return Ensured(subject=subject, action="created")
        path = f"storage/v1/projects/{project}/serviceAccount"
        agent = self._calls.rest("storage", "GET", path, "find Cloud Storage's agent")
        member = f"serviceAccount:{agent['email_address']}"
        policy = self._calls.rest(
            "cloudkms",
            "GET",
            f"v1/{key}:getIamPolicy",
            "read who may use the key",
            params={"options.requestedPolicyVersion": 3},
        )
        bindings = [*policy.get("bindings", ())]
        if any(it.get("role") == USE_KEY and member in it.get("members", ()) for it in bindings):
            return Ensured(subject=subject, action="unchanged")
        if not dry_run:
            bindings.append({"role": USE_KEY, "members": [member]})
            self._calls.rest(
                "cloudkms",
                "POST",
                f"v1/{key}:setIamPolicy",
                "let Cloud Storage use the key",
                json={"policy": {**policy, "bindings": bindings}},
            )
        return Ensured(subject=subject, action="created", detail=member)

    # --- the bucket ---

    def _bucket(self, *, dry_run: bool) -> Ensured:
        name = state_bucket(self._context)
        subject = f"bucket {name}"
        found = storage.bucket(self._calls, name)
        wanted = self._wanted()
        if found is None:
            if not dry_run:
                self._insert({"name": name, "location": self._context.region.upper(), **wanted}, subject)
            return Ensured(subject=subject, action="created", detail="versioned, private, encrypted")
        wrong = {key: value for key, value in wanted.items() if not _covers(found.get(key), value)}
        if wrong and not dry_run:
            self._calls.rest(
                "storage", "PATCH", f"storage/v1/b/{escaped(name)}", f"mend {subject}", json=wrong
            )
        return Ensured(
            subject=subject, action="changed" if wrong else "unchanged", detail=", ".join(sorted(wrong))
        )

    def _insert(self, body: Mapping[str, Any], subject: str) -> None:
        try:
            self._calls.rest(
                "storage",
                "POST",
                "storage/v1/b",
                f"make {subject}",
                params={"project": self._context.project},
                json=body,
            )
        except (AlreadyExists, Conflict) as taken:
            if storage.bucket(self._calls, str(body["name"])) is None:
                raise AlreadyExists(
                    f"{subject} is somebody else's", remedy="Choose another name for the platform."
                ) from taken

    def _wanted(self) -> dict[str, Any]:
        """What ``stacks.gcp.buckets`` gives the bucket; encryption only where the key is the customer's."""
        wanted: dict[str, Any] = {
            "storageClass": "STANDARD",
            "versioning": {"enabled": True},
            "iamConfiguration": {
                "uniformBucketLevelAccess": {"enabled": True},
                "publicAccessPrevention": "enforced",
            },
            "softDeletePolicy": {"retentionDurationSeconds": str(SOFT_DELETE_S)},
            "lifecycle": {
                "rule": [
                    {
                        "action": {"type": "AbortIncompleteMultipartUpload"},
                        "condition": {"age": ABORT_UPLOADS_AFTER_DAYS},
                    },
                    {
                        "action": {"type": "Delete"},
                        "condition": {"daysSinceNoncurrentTime": VERSIONS_DAYS, "isLive": False},
                    },
                ]
            },
            "labels": self._context.labels,
        }
        if self._context.own_keys:
            refused = {"restrictionMode": "FullyRestricted"}
            wanted["encryption"] = {
                "defaultKmsKeyName": state_key(self._context),
                "googleManagedEncryptionEnforcementConfig": refused,
                "customerSuppliedEncryptionEnforcementConfig": refused,
                "customerManagedEncryptionEnforcementConfig": {"restrictionMode": "NotRestricted"},
            }
        return wanted

    # --- locks ---

    def acquire(self, name: str, owner: str) -> Lock:
        """Write the lock's object if there is none: Cloud Storage lets one writer do that.

        Raises:
            Conflict: somebody has it.
        """
        home, path = self._home(name)
        since = self._calls.opening.now().isoformat()
        content = json.dumps({"owner": owner, "since": since}).encode()
        try:
            stored = storage.write(self._calls, home, path, content, "application/json")
        except AlreadyExists as taken:
            return self._held(home, path, name, owner, content, taken)
        return Lock(name=name, owner=owner, token=stored.generation)

    def _held(
        self, home: str, path: str, name: str, owner: str, content: bytes, taken: AlreadyExists
    ) -> Lock:
        """Ours all the same, when the answer to our own writing was lost; else somebody's."""
        try:
            there = storage.read(self._calls, home, path)
        except NotFound:
            there = b"{}"
        if there == content:
            (stored,) = (it for it in storage.objects(self._calls, home, path) if it.name == path)
            return Lock(name=name, owner=owner, token=stored.generation)
        try:
            other: dict[str, str] = json.loads(there)
        except ValueError:
            other = {}
        who, since = other.get("owner", "somebody"), other.get("since", "an unknown time")
        raise Conflict(
            f"{name} is locked by {who} since {since}",
            remedy=f"Wait for it; if it is dead, delete gs://{home}/{path}.",
        ) from taken

    def release(self, lock: Lock) -> None:
        """Delete the lock's object if it is the one that was written for this lock."""
        home, path = self._home(lock.name)
        storage.delete(self._calls, home, storage.Stored(name=path, generation=lock.token))

    def _home(self, name: str) -> tuple[str, str]:
        place = place_of(self._context)
        if place is None:
            raise InvalidRequest("the states are not in Cloud Storage: their own backend locks them")
        return place.bucket, f"{place.start}{LOCKS}/{name}.lock"


def _covers(there: Any, wanted: Any) -> bool:
    """Whether what is there has all that is wanted; more is fine."""
    if isinstance(wanted, Mapping):
        return isinstance(there, Mapping) and all(_covers(there.get(key), it) for key, it in wanted.items())
    if isinstance(wanted, list):
        return isinstance(there, list) and all(any(_covers(other, it) for other in there) for it in wanted)
    return bool(there == wanted)
