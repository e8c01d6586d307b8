"""Where states lie when that is no cloud's doing: files, or a backend of the user's own, the same on every target.

May not know a cloud: the managed backend is each lowering's.
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.graph import Backend
from stacks.intents import Platform
from stacks.record import record

__all__ = ["own_backend", "own_place"]

FIRST_STACK = "state"


@record
class _Kind:
    """The argument that says where in the backend a state is, how its name ends, and what is safe unless set otherwise."""

    place: str
    ending: str
    safe: Mapping[str, bool]


# Terraform's documentation of each backend, November 2026: S3 locks itself only when asked to; a GCS prefix is a folder, in
# which the state is default.tfstate; azurerm takes an account's key where it is not told to take the directory's word.
_KINDS: Mapping[str, _Kind] = {
    "s3": _Kind(place="key", ending=".tfstate", safe={"encrypt": True, "use_lockfile": True}),
    "gcs": _Kind(place="prefix", ending="", safe={}),
    "azurerm": _Kind(place="key", ending=".tfstate", safe={"use_azuread_auth": True}),
}


def own_backend(platform: Platform, concern: str) -> Backend | None:
    """A concern's backend; ``None`` where the platform's own, managed store keeps it.

    The stack of that store keeps its state in a file, since the store is not there yet.
    """
    backend = platform.backend
    if backend.kind == "local" or (backend.kind == "managed" and concern == FIRST_STACK):
        return Backend(kind="local", config={})
    if backend.kind == "managed":
        return None
    kind = _KINDS[backend.kind]
    place = own_place(platform, f"{concern}{kind.ending}")
    return Backend(kind=backend.kind, config={**kind.safe, **backend.settings, kind.place: place})


def own_place(platform: Platform, name: str) -> str:
    """A place in the user's own backend, after the start that they gave."""
    backend = platform.backend
    own = f"{platform.name}/{platform.environment}/{name}"
    start = str(backend.settings.get(_KINDS[backend.kind].place, "")).strip("/")
    return f"{start}/{own}" if start else own
