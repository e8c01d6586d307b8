"""The state stack: the bucket that holds every stack's Terraform state, locked by Cloud Storage itself.

May not know what the states hold.
"""

from __future__ import annotations

from stacks.backends import own_backend, own_place
from stacks.gcp.buckets import Bucket, add_bucket
from stacks.gcp.context import Context
from stacks.gcp.keys import add_key, add_key_ring, let_use
from stacks.gcp.services import add_services
from stacks.graph import Backend, Node, StackBuilder
from stacks.intents import StateStore, describe
from stacks.record import record

__all__ = ["StatePlace", "backend_of", "lower", "place_of", "state_bucket", "state_key"]

BUCKET = "state"
VERSIONS_DAYS = 365
SERVICES = ("cloudkms", "cloudresourcemanager", "iam", "serviceusage", "storage")


def state_bucket(context: Context) -> str:
    """The name of the managed state bucket."""
    return context.bucket(BUCKET)


def state_key(context: Context) -> str:
    """The id of the managed state's key, which a backend must have in full."""
    ring = context.name("key-ring", BUCKET)
    return f"projects/{context.project}/locations/{context.region}/keyRings/{ring}/cryptoKeys/{BUCKET}"


def backend_of(context: Context, concern: str) -> Backend:
    """Where a concern's state lies."""
    own = own_backend(context.platform, concern)
    if own is not None:
        return own
    key = {"kms_encryption_key": state_key(context)} if context.own_keys else {}
    return Backend(
        kind="gcs",
        config={
            "bucket": state_bucket(context),
            "prefix": f"{context.platform.environment}/{concern}",
            **key,
        },
    )


def lower(context: Context) -> StackBuilder | None:
    """Make the state bucket with its key, when the platform creates it."""
    intent = context.one_of(StateStore)
    if intent is None or not intent.create:
        return None
    stack = StackBuilder(BUCKET)
    origin = describe(intent)
    services = tuple(add_services(stack, context, SERVICES, origin=origin, prefix="state-").values())
    key, grants = _key(stack, context, services, origin) if context.own_keys else (None, ())
    store, _ = add_bucket(
        stack,
        context,
        Bucket(
            name=BUCKET,
            address=BUCKET,
            key=key.ref("id") if key else None,
            keep_versions_days=VERSIONS_DAYS,
        ),
        origin=origin,
        depends_on=[*services, *grants],
    )
    stack.export("bucket", store.name)
    return stack


def _key(
    stack: StackBuilder, context: Context, services: tuple[Node, ...], origin: str
) -> tuple[Node, tuple[Node, ...]]:
    """Make the key, and let Cloud Storage use it. Reading the data source makes Cloud Storage's agent if need be."""
    name = context.name("key-ring", BUCKET)
    ring = add_key_ring(stack, context, BUCKET, name, origin=origin, depends_on=services)
    key = add_key(stack, context, ring, BUCKET, origin=origin)
    agent = stack.data(
        "google_storage_project_service_account",
        BUCKET,
        {"project": context.project},
        origin=origin,
        depends_on=services,
    )
    return key, let_use(stack, key, {"storage": agent.ref("member")}, origin=origin)


@record
class StatePlace:
    """Where an environment's states lie in Cloud Storage: all objects begin with ``start``."""

    bucket: str
    start: str
    key: str = ""


def place_of(context: Context) -> StatePlace | None:
    """Where the states lie, when that is Cloud Storage and CI's accounts can be let in."""
    backend = context.platform.backend
    if backend.kind == "managed":
        key = state_key(context) if context.own_keys else ""
        return StatePlace(bucket=state_bucket(context), start=f"{context.platform.environment}/", key=key)
    if backend.kind != "gcs":
        return None
    return StatePlace(
        bucket=str(backend.settings["bucket"]),
        start=own_place(context.platform, ""),
        key=str(backend.settings.get("kms_encryption_key", "")),
    )
