"""Objects and buckets of Cloud Storage, by its JSON API.

May not know what they are for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scaffolder.operations.errors import AlreadyExists, InvalidRequest, NotFound
from scaffolder.operations.gcp.calls import Calls, escaped
from stacks.record import record

__all__ = ["Stored", "bucket", "delete", "divided", "ensure", "objects", "read", "write"]

PAGE = 1000
ABSENT = "0"
"""The generation of what is not there."""


@record
class Stored:
    """An object: its name and the generation of its content."""

    name: str
    generation: str


def divided(uri: str) -> tuple[str, str]:
    """Divide ``gs://bucket/path`` into its two parts."""
    if not uri.startswith("gs://"):
        raise InvalidRequest(f"{uri!r} is no address in Cloud Storage")
    name, _, path = uri.removeprefix("gs://").partition("/")
    return name, path


def bucket(calls: Calls, name: str) -> Mapping[str, Any] | None:
    """A bucket's metadata, or ``None`` where there is none of the name in the whole of Cloud Storage."""
    try:
        return calls.rest("storage", "GET", f"storage/v1/b/{escaped(name)}", f"look at bucket {name}")
    except NotFound:
        return None


def write(calls: Calls, home: str, name: str, content: bytes, kind: str) -> Stored:
    """Write an object that is not there yet.

    Raises:
        AlreadyExists: it is.
    """
    found = calls.rest(
        "storage",
        "POST",
        f"upload/storage/v1/b/{escaped(home)}/o",
        f"write {name} to bucket {home}",
        params={"uploadType": "media", "name": name, "ifGenerationMatch": ABSENT},
        headers={"Content-Type": kind},
        data=content,
    )
    return Stored(name=str(found["name"]), generation=str(found["generation"]))


def ensure(calls: Calls, home: str, name: str, content: bytes, kind: str) -> None:
    """Write an object unless it is there already; for names that say what the content is."""
    try:
        write(calls, home, name, content, kind)
    except AlreadyExists:
        return


def read(calls: Calls, home: str, name: str) -> bytes:
    """Read an object's content.

    Raises:
        NotFound: it is not there.
    """
    url = f"{calls.host('storage')}/storage/v1/b/{escaped(home)}/o/{escaped(name)}"
    answer = calls.http("GET", url, f"read {name} from bucket {home}", params={"alt": "media"})
    content: bytes = answer.content
    return content


def delete(calls: Calls, home: str, stored: Stored) -> None:
    """Delete an object if its content is still the same; one that is gone, or is another, stays as it is."""
    path = f"storage/v1/b/{escaped(home)}/o/{escaped(stored.name)}"
    try:
        calls.rest(
            "storage",
            "DELETE",
            path,
            f"delete {stored.name} from bucket {home}",
            params={"ifGenerationMatch": stored.generation},
        )
    except (AlreadyExists, NotFound):
        return


def objects(calls: Calls, home: str, prefix: str, *, most: int | None = 1000) -> Iterator[Stored]:
    """Yield the objects below a prefix, at most so many; all, where no number is given."""
    asked = {
        "prefix": prefix,
        "maxResults": str(most or PAGE),
        "fields": "items(name,generation),nextPageToken",
    }
    while True:
        page = calls.rest(
            "storage", "GET", f"storage/v1/b/{escaped(home)}/o", f"list bucket {home}", params=asked
        )
        for item in page.get("items", ()):
            yield Stored(name=str(item["name"]), generation=str(item["generation"]))
        if most is not None or "nextPageToken" not in page:
            return
        asked["pageToken"] = str(page["nextPageToken"])
