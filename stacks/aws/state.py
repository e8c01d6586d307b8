"""The state stack: the bucket that holds every stack's Terraform state, locked by S3 itself.

May not know what the states hold.
"""

from __future__ import annotations

from stacks.aws.buckets import Bucket, add_bucket
from stacks.aws.context import Context
from stacks.aws.policy import Principal, Statement, document
from stacks.backends import own_backend, own_place
from stacks.graph import Backend, Lifecycle, StackBuilder
from stacks.intents import StateStore, describe
from stacks.record import record

__all__ = ["StatePlace", "backend_of", "lower", "place_of", "state_bucket"]

BUCKET = "state"
VERSIONS_DAYS = 365


def state_bucket(context: Context) -> str:
    """The name of the managed state bucket."""
    return context.bucket(BUCKET)


def backend_of(context: Context, concern: str) -> Backend:
    """Where a concern's state lies."""
    own = own_backend(context.platform, concern)
    if own is not None:
        return own
    return Backend(
        kind="s3",
        config={
            "bucket": state_bucket(context),
            "key": f"{context.platform.environment}/{concern}.tfstate",
            "region": context.region,
            "use_lockfile": True,
            **_encryption(context),
        },
    )


def _encryption(context: Context) -> dict[str, str | int | bool]:
    """With ``encrypt`` alone the backend asks for S3's own keys, whatever the bucket's default is."""
    if not context.own_keys:
        return {"encrypt": True}
    return {"encrypt": True, "kms_key_id": context.arn("kms", context.alias("state"))}


def lower(context: Context) -> StackBuilder | None:
    """Make the state bucket with its key, when the platform creates it."""
    intent = context.one_of(StateStore)
    if intent is None or not intent.create:
        return None
    stack = StackBuilder("state")
    origin = describe(intent)
    key = None
    if context.own_keys:
        policy = document(
            stack,
            "key-state",
            [
                Statement(
                    sid="Account",
                    actions=("kms:*",),
                    resources=("*",),
                    principals=(Principal("AWS", (context.arn("iam", "root", regional=False),)),),
                    everywhere="a key policy's resource is the key itself; IAM policies of this account decide",
                )
            ],
            origin=origin,
        )
        node = stack.resource(
            "aws_kms_key",
            "state",
            {
                "description": f"{context.prefix}: Terraform state",
                "enable_key_rotation": True,
                "deletion_window_in_days": 30,
                "policy": policy,
            },
            origin=origin,
            lifecycle=Lifecycle(prevent_destroy=context.protected),
            holds="everything that the key encrypted",
        )
        stack.resource(
            "aws_kms_alias",
            "state",
            {"name": context.alias("state"), "target_key_id": node.ref("key_id")},
            origin=origin,
        )
        key = node.ref("arn")
    store, _, _ = add_bucket(
        stack,
        context,
        Bucket(name=BUCKET, address="state", key=key, keep_versions_days=VERSIONS_DAYS, only_key=False),
        origin=origin,
    )
    stack.export("bucket", store.id)
    return stack


@record
class StatePlace:
    """Where an environment's states lie in S3: all keys begin with ``start``. Of the key there is one name or none."""

    bucket: str
    start: str
    key_alias: str = ""
    key_arn: str = ""


def place_of(context: Context) -> StatePlace | None:
    """Where the states lie, when that is S3 and CI's roles can be let in."""
    backend = context.platform.backend
    environment = context.platform.environment
    if backend.kind == "managed":
        alias = context.alias("state") if context.own_keys else ""
        return StatePlace(bucket=state_bucket(context), start=f"{environment}/", key_alias=alias)
    if backend.kind != "s3":
        return None
    key = str(backend.settings.get("kms_key_id", ""))
    return StatePlace(
        bucket=str(backend.settings["bucket"]),
        start=own_place(context.platform, ""),
        key_arn=key if ":key/" in key else "",
        key_alias=key.rpartition(":")[2] if "alias/" in key else "",
    )
