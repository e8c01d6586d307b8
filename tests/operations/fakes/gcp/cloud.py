"""A project of Google Cloud in memory: its clock, its long-running operations, and the parts that answer.

Each part is a class that says which methods it has (``METHODS``: a method's id → the name of its function).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.operations.fakes.gcp.discovery import Called

__all__ = ["Cloud", "Operation", "Part", "Refused", "selected", "stamp"]

Handler = Callable[[Called], Any]
NUMBER = "123456789012"


class Refused(Exception):
    """What a service answers instead: HTTP's code, Google's status, and a text."""

    def __init__(
        self, code: int, status: str, message: str, details: tuple[Mapping[str, Any], ...] = ()
    ) -> None:
        super().__init__(message)
        self.code, self.status, self.message, self.details = code, status, message, details

    def body_of_storage(self) -> dict[str, Any]:
        """The error as Cloud Storage's JSON API writes it: with a reason, and no status."""
        reasons = {
            401: "authError",
            403: "forbidden",
            404: "notFound",
            409: "conflict",
            412: "conditionNotMet",
        }
        reasons |= {429: "rateLimitExceeded", 503: "backendError"}
        reason = reasons.get(self.code, "invalid")
        errors = [{"message": self.message, "domain": "global", "reason": reason}]
        return {"error": {"code": self.code, "message": self.message, "errors": errors}}

    def body(self) -> dict[str, Any]:
        """The error as Google's other APIs write it."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        return {"error": {**error, **({"details": [*self.details]} if self.details else {})}}


@dataclass
class Operation:
    """Something that takes time: what it does at its end, and what came of it."""

    name: str
    kind: str
    begun: datetime
    due: datetime
    does: Callable[[], Mapping[str, Any]]
    answers: str
    response: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """The operation as Vertex AI answers it."""
        home = "type.googleapis.com/google.cloud.aiplatform.v1"
        found: dict[str, Any] = {
            "name": self.name,
            "metadata": {
                "@type": f"{home}.{self.kind}",
                "genericMetadata": {"createTime": stamp(self.begun)},
            },
        }
        if self.response is not None:
            found |= {"done": True, "response": {"@type": self.answers, **self.response}}
        if self.error is not None:
            found |= {"done": True, "error": dict(self.error)}
        return found

    @property
    def done(self) -> bool:
        """Whether it is over."""
        return self.response is not None or self.error is not None


def stamp(moment: datetime) -> str:
    """A time as Google writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Part:
    """A part of the cloud that answers some methods."""

    METHODS: Mapping[str, str] = {}

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud


@dataclass
class Cloud:
    """A project, its region, and everything in it."""

    project: str
    region: str
    number: str = NUMBER
    private_address: str = ""
    parts: list[Part] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    permissions_denied: set[str] = field(default_factory=set)
    extra: timedelta = timedelta()
    slept: float = 0.0
    failing: list[Mapping[str, Any]] = field(default_factory=list)
    """Errors with which the next operations end."""

    def __post_init__(self) -> None:
        self._count = itertools.count(1000000001)
        self._start = datetime(2026, 11, 2, 12, 0, 0, tzinfo=UTC)

    def part(self, kind: type[Any]) -> Any:
        """The part of a kind."""
        return next(part for part in self.parts if isinstance(part, kind))

    def handler(self, ident: str) -> Handler | None:
        """What answers a method."""
        for part in self.parts:
            if ident in part.METHODS:
                found: Handler = getattr(part, part.METHODS[ident])
                return found
        return None

    # --- time ---

    def now(self) -> datetime:
        """The time, which goes on when somebody sleeps, and a little with each request."""
        return self._start + self.extra + timedelta(seconds=self.slept)

    def sleep(self, seconds: float) -> None:
        """Let time go by."""
        self.slept += seconds

    def advance(self) -> None:
        """End what is due; called before each request is answered."""
        self.extra += timedelta(milliseconds=1)
        for operation in self.operations:
            if not operation.done and operation.due <= self.now():
                self.end(operation)

    def end(self, operation: Operation) -> None:
        """Bring an operation to its end."""
        if self.failing:
            operation.error = self.failing.pop(0)
            return
        try:
            operation.response = operation.does()
        except Refused as refused:
            operation.error = {"code": 3, "message": refused.message}

    def settle(self) -> None:
        """Bring everything that is being done to its end."""
        for operation in self.operations:
            if not operation.done:
                self.end(operation)

    def begin(
        self, owner: str, kind: str, seconds: float, does: Callable[[], Mapping[str, Any]], answers: str
    ) -> dict[str, Any]:
        """Begin an operation on a resource, and return it as it is answered."""
        name = f"{owner}/operations/{self.fresh()}"
        due = self.now() + timedelta(seconds=seconds)
        home = "type.googleapis.com/"
        made = Operation(name, kind, self.now(), due, does, f"{home}{answers}")
        self.operations.append(made)
        return made.body()

    def busy(self, owner: str) -> bool:
        """Whether something is being done to a resource."""
        return any(it.name.startswith(f"{owner}/") and not it.done for it in self.operations)

    # --- names ---

    def fresh(self) -> str:
        """A number that nothing has yet."""
        return str(next(self._count))

    @property
    def home(self) -> str:
        """Where everything of Vertex AI is, with the project's number, as the service answers it."""
        return f"projects/{self.number}/locations/{self.region}"

    def at_home(self, called: Called) -> None:
        """Refuse another project or region."""
        project, region = called.path[0], called.path[1]
        if project not in {self.project, self.number}:
            raise Refused(403, "PERMISSION_DENIED", f"Permission denied on resource project {project}.")
        if region != self.region:
            raise Refused(
                400, "INVALID_ARGUMENT", f"{region} is not served here: the host is {self.region}'s."
            )

    def ours(self, name: str) -> str:
        """A resource's name with the project's number, however it is given."""
        return name.replace(f"projects/{self.project}/", f"projects/{self.number}/", 1)

    def check_account(self, email: str) -> None:
        """Refuse a service account that is not the project's."""
        if not email.endswith(f"@{self.project}.iam.gserviceaccount.com"):
            raise Refused(400, "INVALID_ARGUMENT", f"Service account {email} does not exist.")


def selected(items: list[dict[str, Any]], text: str) -> list[dict[str, Any]]:
    """Filter by labels, which is all of AIP-160 that the fake reads: ``labels.a="b" OR labels.c="d"``."""
    if not text:
        return items
    wanted = []
    for clause in text.split(" OR "):
        key, equals, value = clause.strip().partition("=")
        if not equals or not key.startswith("labels.") or not (value.startswith('"') and value.endswith('"')):
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid filter: {clause}")
        wanted.append((key.removeprefix("labels."), value.strip('"')))
    return [it for it in items if any(it.get("labels", {}).get(key) == value for key, value in wanted)]
