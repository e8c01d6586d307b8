"""What an operation may fail with: one class for each way, the same on every provider.

An adapter maps its service's errors to these in one place and keeps the service's own code and text. May not import an
SDK.
"""

from __future__ import annotations

from scaffolder.errors import ScaffolderError

__all__ = [
    "AlreadyExists",
    "Conflict",
    "InvalidRequest",
    "NotAuthenticated",
    "NotFound",
    "OperationError",
    "PermissionDenied",
    "QuotaExceeded",
    "RolledBack",
    "RunFailed",
    "Throttled",
    "TimedOut",
    "Unavailable",
    "Unsupported",
]


class OperationError(ScaffolderError):
    """An operation failed. ``code`` and ``text`` are the service's own words, empty where the failure is ours.

    ``retryable`` says whether the same call may succeed later; ``remedy`` what to do next.
    """

    exit_code = 20
    retryable = False

    def __init__(self, message: str, *, code: str = "", text: str = "", remedy: str = "") -> None:
        self.message = message
        self.code = code
        self.text = text
        self.remedy = remedy
        super().__init__(_whole(message, code, text, remedy))


def _whole(message: str, code: str, text: str, remedy: str) -> str:
    said = ": ".join(part for part in (code, text) if part)
    lines = [message, *([f"  the service says {said}"] if said else []), *([f"  {remedy}"] if remedy else [])]
    return "\n".join(lines)


class NotAuthenticated(OperationError):
    """There are no credentials, or they have expired."""

    exit_code = 21


class PermissionDenied(OperationError):
    """The credentials are good, and may not do this."""

    exit_code = 22


class NotFound(OperationError):
    """What the operation is about is not there."""

    exit_code = 23


class AlreadyExists(OperationError):
    """What the operation makes is there already, and is another one."""

    exit_code = 24


class Conflict(OperationError):
    """What the operation is about is busy with something else."""

    exit_code = 25
    retryable = True


class InvalidRequest(OperationError):
    """The request does not fit: a value, a state or an order that the provider refuses."""

    exit_code = 26


class QuotaExceeded(OperationError):
    """The account may not have so much."""

    exit_code = 27


class Throttled(OperationError):
    """Too many calls; it was tried again and again."""

    exit_code = 28
    retryable = True


class Unavailable(OperationError):
    """The service does not answer, or answers that it cannot now."""

    exit_code = 29
    retryable = True


class TimedOut(OperationError):
    """What was waited for did not happen in time; it may still."""

    exit_code = 30
    retryable = True


class Unsupported(OperationError):
    """The provider cannot do this, or this version does not do it there; ``capability`` names it."""

    exit_code = 4

    def __init__(self, capability: str, message: str, *, remedy: str = "") -> None:
        self.capability = capability
        super().__init__(message, remedy=remedy)


class RunFailed(OperationError):
    """A run ended without success; ``ref`` names it."""

    exit_code = 31

    def __init__(self, ref: str, message: str, *, remedy: str = "") -> None:
        self.ref = ref
        super().__init__(message, remedy=remedy)


class RolledBack(OperationError):
    """A new version was not good enough; the traffic is where it was before."""

    exit_code = 32
