"""Azure's resources by their ids, on a clock that tests turn: what was put is there, and busy for a while.

May not know HTTP, nor what a resource is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.operations.fakes.azure.requests import Refusal

__all__ = ["Clock", "Resource", "Resources"]

BEGIN = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


class Clock:
    """A clock that only sleeping moves; each look at it is a moment later."""

    def __init__(self) -> None:
        self._now = BEGIN
        self.slept = 0.0

    def now(self) -> datetime:
        self._now += timedelta(milliseconds=1)
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self._now += timedelta(seconds=seconds)


@dataclass
class Resource:
    """A resource as it is told; until ``ready`` it is being made, changed or removed."""

    document: dict[str, Any]
    created: datetime
    ready: datetime
    busy: str = ""
    leaving: bool = False
    hidden: dict[str, Any] = field(default_factory=dict)


class Resources:
    """The resources of one subscription; ids are told as they were put, and found whatever their capitals."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._by_id: dict[str, Resource] = {}

    def find(self, path: str) -> Resource | None:
        """A resource, if it is there."""
        found = self._by_id.get(path.lower())
        if found is not None and found.leaving and self.clock.now() >= found.ready:
            del self._by_id[path.lower()]
            return None
        return found

    def get(self, path: str) -> Resource:
        """A resource.

        Raises:
            Refusal: it is not there.
        """
        found = self.find(path)
        if found is None:
            raise Refusal(404, "ResourceNotFound", f"The Resource '{path}' was not found.")
        return found

    def put(self, path: str, document: dict[str, Any], *, busy: str = "", seconds: float = 0.0) -> Resource:
        """Make a resource, or change it."""
        known, now = self.find(path), self.clock.now()
        made = Resource(
            document={**document, "id": path, "name": path.rpartition("/")[2]},
            created=known.created if known else now,
            ready=now + timedelta(seconds=seconds),
            busy=busy,
            hidden=known.hidden if known else {},
        )
        self._by_id[path.lower()] = made
        return made

    def remove(self, path: str, *, seconds: float = 0.0) -> None:
        """Let a resource go."""
        found = self.get(path)
        found.leaving, found.busy = True, "Deleting"
        found.ready = self.clock.now() + timedelta(seconds=seconds)
        self.find(path)

    def below(self, path: str) -> Iterator[Resource]:
        """What is directly below a path, in the order of making."""
        start = f"{path.lower()}/"
        for key in [*self._by_id]:
            if key.startswith(start) and "/" not in key.removeprefix(start):
                found = self.find(key)
                if found is not None:
                    yield found

    def of_kind(self, kind: str) -> list[Resource]:
        """The resources whose id says so just before their names (``jobs``)."""
        return [it for key, it in self._by_id.items() if key.split("/")[-2] == kind.lower()]

    def settle(self, path: str) -> None:
        """Bring what is being done to a resource, and below it, to its end."""
        now = self.clock.now()
        for key in [*self._by_id]:
            if key == path.lower() or key.startswith(f"{path.lower()}/"):
                self._by_id[key].ready = now
                self.find(key)

    def state(self, resource: Resource) -> str:
        """What its provisioning state is."""
        return resource.busy if resource.busy and self.clock.now() < resource.ready else "Succeeded"
