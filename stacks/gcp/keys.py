"""Cloud KMS key rings and keys, and who may encrypt with them.

Key rings and keys can't be deleted, and their names are burnt: after a platform is destroyed, one of the same name finds
its ring there (``terraform import`` takes it in), and each key's versions destroyed. May not decide what is encrypted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stacks.gcp.context import Context
from stacks.graph import Node, StackBuilder, Value

__all__ = ["USE_KEY", "add_key", "add_key_ring", "let_use"]

ROTATE_AFTER_S = 90 * 86400
DESTROY_AFTER_S = 30 * 86400
USE_KEY = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


def add_key_ring(
    stack: StackBuilder, context: Context, address: str, name: str, *, origin: str, depends_on: Iterable[Node]
) -> Node:
    """Add a key ring in the platform's region: a key must be where that is which it encrypts."""
    return stack.resource(
        "google_kms_key_ring",
        address,
        {"name": name, "location": context.region, "project": context.project},
        origin=origin,
        depends_on=depends_on,
    )


def add_key(stack: StackBuilder, context: Context, ring: Node, name: str, *, origin: str) -> Node:
    """Add a key in hardware that rotates every 90 days; a version waits 30 days before it is destroyed."""
    return stack.resource(
        "google_kms_crypto_key",
        name,
        {
            "name": name,
            "key_ring": ring.ref("id"),
            "purpose": "ENCRYPT_DECRYPT",
            "rotation_period": f"{ROTATE_AFTER_S}s",
            "destroy_scheduled_duration": f"{DESTROY_AFTER_S}s",
            "version_template": {"algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION", "protection_level": "HSM"},
            "deletion_policy": context.deletion_policy,
        },
        origin=origin,
        lifecycle=context.keep,
        holds="everything that the key encrypted",
    )


def let_use(
    stack: StackBuilder,
    key: Node,
    members: Mapping[str, Value],
    *,
    origin: str,
    depends_on: Iterable[Node] = (),
) -> tuple[Node, ...]:
    """Let members, by name, encrypt and decrypt with a key, and with no other."""
    needed = tuple(depends_on)
    return tuple(
        stack.resource(
            "google_kms_crypto_key_iam_member",
            f"{key.address.name}-{name}",
            {"crypto_key_id": key.ref("id"), "role": USE_KEY, "member": member},
            origin=origin,
            depends_on=needed,
        )
        for name, member in members.items()
    )
