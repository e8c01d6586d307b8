"""The bucket of Terraform's state, and locks in it: what the state stack would make, made before there is any state.

May not delete or overwrite a state, nor touch a backend of the user's own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from scaffolder.operations.aws.account import Account, Request
from scaffolder.operations.aws.surroundings import Surroundings
from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, NotFound, OperationError
from scaffolder.operations.values import Ensured, Lock
from stacks.aws.buckets import ABORT_UPLOADS_AFTER_DAYS
from stacks.aws.state import VERSIONS_DAYS, place_of
from stacks.record import record

__all__ = ["State"]

FIRST_REGION = "us-east-1"
"""The one region whose buckets are made without naming it (S3 API Reference, CreateBucket, November 2026)."""

DELETION_WINDOW_DAYS = 30


@record
class _Aspect:
    """One setting of the bucket: how to read it, what it has to be, and how to set it."""

    subject: str
    read: str
    member: str
    wanted: Any
    write: str
    request: Request


class State:
    """Terraform's state in S3."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.around = surroundings
        self.account: Account = surroundings.account
        self.context = surroundings.context
        place = place_of(self.context)
        self.bucket = place.bucket if place else ""
        self.start = place.start if place else ""

    # --- ensure ---

    def ensure(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        backend = self.context.platform.backend
        if backend.kind != "managed":
            yield Ensured(
                subject=f"{backend.kind} backend",
                action="unchanged",
                detail="the state's place is the spec's own: nothing is made there",
            )
            return
        key = None
        if self.context.own_keys:
            made, key = self._key(dry_run=dry_run)
            yield made
        made = self._bucket(dry_run=dry_run)
        yield made
        is_new = made.action == "created"
        if dry_run:
            yield from self._settings(key, is_new=is_new, dry_run=True)
            return
        lock = self.acquire("bootstrap", self.account.whoami().principal)
        try:
            yield from self._settings(key, is_new=is_new, dry_run=False)
        finally:
            self.release(lock)

    def _key(self, *, dry_run: bool) -> tuple[Ensured, str]:
        alias = self.context.alias("state")
        found = self.account.find("kms", "DescribeKey", {"KeyId": alias}, f"find key {alias}")
        if found is not None:
            return self._rotation(alias, str(found["KeyMetadata"]["Arn"]), dry_run=dry_run)
        made = Ensured(subject=f"key {alias}", action="created")
        if dry_run:
            return made, ""
        root = self.context.arn("iam", "root", regional=False)
        statement = {
            "Sid": "Account",
            "Effect": "Allow",
            "Principal": {"AWS": root},
            "Action": "kms:*",
            "Resource": "*",
        }
        key = self.account.ask(
            "kms",
            "CreateKey",
            {
                "Description": f"{self.context.prefix}: Terraform state",
                "KeyUsage": "ENCRYPT_DECRYPT",
                "KeySpec": "SYMMETRIC_DEFAULT",
                "Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]}, sort_keys=True),
                "Tags": [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in self.around.tags],
            },
            "make the state's key",
        )["KeyMetadata"]
        try:
            self.account.ask(
                "kms",
                "CreateAlias",
                {"AliasName": alias, "TargetKeyId": key["KeyId"]},
                "name the state's key",
            )
        except AlreadyExists:
            # Somebody was quicker: theirs it is, and this one goes before anything was encrypted with it.
            self.account.ask(
                "kms",
                "ScheduleKeyDeletion",
                {"KeyId": key["KeyId"], "PendingWindowInDays": DELETION_WINDOW_DAYS},
                "give back a key that is not needed",
            )
            return self._key(dry_run=dry_run)
        self._rotate(str(key["KeyId"]))
        return made, str(key["Arn"])

    def _rotation(self, alias: str, arn: str, *, dry_run: bool) -> tuple[Ensured, str]:
        said = self.account.ask(
            "kms", "GetKeyRotationStatus", {"KeyId": arn}, f"ask whether {alias} is rotated"
        )
        if said["KeyRotationEnabled"]:
            return Ensured(subject=f"key {alias}", action="unchanged"), arn
        if not dry_run:
            self._rotate(arn)
        return Ensured(subject=f"key {alias}", action="changed", detail="rotated every year"), arn

    def _rotate(self, key: str) -> None:
        self.account.ask("kms", "EnableKeyRotation", {"KeyId": key}, "let the state's key be rotated")

    def _bucket(self, *, dry_run: bool) -> Ensured:
        subject = f"bucket {self.bucket}"
        try:
            self.account.ask("s3", "HeadBucket", {"Bucket": self.bucket}, f"look at {subject}")
        except NotFound:
            pass
        else:
            return Ensured(subject=subject, action="unchanged")
        if not dry_run:
            self._make_bucket()
        return Ensured(subject=subject, action="created")

    def _make_bucket(self) -> None:
        region = self.context.region
        place = {} if region == FIRST_REGION else {"LocationConstraint": region}
        try:
            self.account.ask(
                "s3",
                "CreateBucket",
                {
                    "Bucket": self.bucket,
                    "ObjectOwnership": "BucketOwnerEnforced",
                    **({"CreateBucketConfiguration": place} if place else {}),
                },
                f"make bucket {self.bucket}",
            )
        except AlreadyExists as error:
            if error.code != "BucketAlreadyOwnedByYou":
                raise

    def _settings(self, key: str | None, *, is_new: bool, dry_run: bool) -> Iterator[Ensured]:
        for aspect in self._aspects(key):
            # A new bucket has some of it already: it is set all the same, so that a dry run says what is done.
            found = None if is_new else self._found(aspect)
            if found is not None and _has(found, aspect.wanted):
                yield Ensured(subject=aspect.subject, action="unchanged")
                continue
            if not dry_run:
                self.account.ask(
                    "s3",
                    aspect.write,
                    {"Bucket": self.bucket, **aspect.request},
                    f"set the {aspect.subject} of {self.bucket}",
                )
            yield Ensured(subject=aspect.subject, action="changed" if found else "created")

    def _found(self, aspect: _Aspect) -> Any:
        reply = self.account.find(
            "s3", aspect.read, {"Bucket": self.bucket}, f"read the {aspect.subject} of {self.bucket}"
        )
        if reply is None:
            return None
        if aspect.member == "":
            return {name: value for name, value in reply.items() if name != "ResponseMetadata"}
        found = reply.get(aspect.member)
        return json.loads(found) if aspect.member == "Policy" and found else found

    def _aspects(self, key: str | None) -> Iterator[_Aspect]:
        """Yield the bucket's settings, the private ones first."""
        ownership = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        yield _Aspect(
            subject="object ownership",
            read="GetBucketOwnershipControls",
            member="OwnershipControls",
            wanted=ownership,
            write="PutBucketOwnershipControls",
            request={"OwnershipControls": ownership},
        )
        blocked = {
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        }
        yield _Aspect(
            subject="public access block",
            read="GetPublicAccessBlock",
            member="PublicAccessBlockConfiguration",
            wanted=blocked,
            write="PutPublicAccessBlock",
            request={"PublicAccessBlockConfiguration": blocked},
        )
        yield _Aspect(
            subject="versioning",
            read="GetBucketVersioning",
            member="",
            wanted={"Status": "Enabled"},
            write="PutBucketVersioning",
            request={"VersioningConfiguration": {"Status": "Enabled"}},
        )
        encryption = {"Rules": [_encryption(key)]}
        yield _Aspect(
            subject="encryption",
            read="GetBucketEncryption",
            member="ServerSideEncryptionConfiguration",
            wanted=encryption,
            write="PutBucketEncryption",
            request={"ServerSideEncryptionConfiguration": encryption},
        )
        rules = [
            {
                "ID": "housekeeping",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABORT_UPLOADS_AFTER_DAYS},
                "NoncurrentVersionExpiration": {"NoncurrentDays": VERSIONS_DAYS},
            }
        ]
        yield _Aspect(
            subject="lifecycle",
            read="GetBucketLifecycleConfiguration",
            member="Rules",
            wanted=[{name: value for name, value in rules[0].items() if name != "Filter"}],
            write="PutBucketLifecycleConfiguration",
            request={"LifecycleConfiguration": {"Rules": rules}},
        )
        policy = self._policy()
        yield _Aspect(
            subject="TLS-only policy",
            read="GetBucketPolicy",
            member="Policy",
            wanted=policy,
            write="PutBucketPolicy",
            request={"Policy": json.dumps(policy, sort_keys=True)},
        )

    def _policy(self) -> Mapping[str, Any]:
        arn = f"arn:{self.context.partition}:s3:::{self.bucket}"
        conditions = {
            "DenyInsecureTransport": {"Bool": {"aws:SecureTransport": "false"}},
            "DenyOldTls": {"NumericLessThan": {"s3:TlsVersion": "1.2"}},
        }
        return {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": sid,
                    "Effect": "Deny",
                    "Principal": {"AWS": "*"},
                    "Action": "s3:*",
                    "Resource": [arn, f"{arn}/*"],
                    "Condition": condition,
                }
                for sid, condition in conditions.items()
            ],
        }

    # --- locks ---

    def acquire(self, name: str, owner: str) -> Lock:
        if not self.bucket:
            kind = self.context.platform.backend.kind
            raise InvalidRequest(f"the state is in a {kind} backend: there is no S3 bucket to lock")
        lock = Lock(name=name, owner=owner, token=uuid4().hex)
        held = {"owner": owner, "token": lock.token, "since": self.account.opening.now().isoformat()}
        try:
            self.account.ask(
                "s3",
                "PutObject",
                {
                    "Bucket": self.bucket,
                    "Key": self._key_of(name),
                    "Body": json.dumps(held, sort_keys=True).encode(),
                    "ContentType": "application/json",
                    "IfNoneMatch": "*",
                },
                f"take lock {name}",
            )
        except (AlreadyExists, Conflict) as error:
            holder = self._holder(name)
            if holder is not None and holder[1] == lock.token:
                return lock  # it was ours all along: the first answer was lost
            raise self._held(name, holder, error) from error
        return lock

    def release(self, lock: Lock) -> None:
        holder = self._holder(lock.name)
        if holder is None or holder[1] != lock.token:
            return
        try:
            self.account.ask(
                "s3",
                "DeleteObject",
                {"Bucket": self.bucket, "Key": self._key_of(lock.name), "IfMatch": holder[3]},
                f"give back lock {lock.name}",
            )
        except (AlreadyExists, NotFound):
            return  # between the two calls it became another's, or nobody's

    def _key_of(self, name: str) -> str:
        return f"{self.start}locks/{name}.json"

    def _holder(self, name: str) -> tuple[str, str, str, str] | None:
        """Who holds a lock, with which token, since when, and the object's tag."""
        found = self.account.find(
            "s3", "GetObject", {"Bucket": self.bucket, "Key": self._key_of(name)}, f"read lock {name}"
        )
        if found is None:
            return None
        held = json.loads(found["Body"])
        return held["owner"], held["token"], held["since"], found["ETag"]

    def _held(
        self, name: str, holder: tuple[str, str, str, str] | None, error: OperationError
    ) -> OperationError:
        if holder is None:
            return Conflict(f"lock {name} is being taken or given back", code=error.code, text=error.text)
        owner, _, since, _ = holder
        return Conflict(
            f"lock {name} is held by {owner} since {since}",
            remedy=f"Wait; or, if nothing runs there any more, remove s3://{self.bucket}/{self._key_of(name)}.",
        )


def _encryption(key: str | None) -> Mapping[str, Any]:
    if key is None:
        return {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    return {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
        "BucketKeyEnabled": True,
    }


def _has(found: Any, wanted: Any) -> bool:
    """Whether what was found has all that is wanted; AWS may say more."""
    match wanted:
        case dict():
            return isinstance(found, dict) and all(
                name in found and _has(found[name], value) for name, value in wanted.items()
            )
        case list() if all(isinstance(one, str) for one in wanted):
            return isinstance(found, list) and sorted(map(str, found)) == sorted(wanted)
        case list():
            alike = isinstance(found, list) and len(found) == len(wanted)
            return alike and all(_has(one, other) for one, other in zip(found, wanted, strict=True))
        case _:
            return bool(found == wanted)
