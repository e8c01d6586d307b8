"""Google's errors in the words of operations: one mapper for the clients, the bare HTTP calls and the credentials.

Keeps the service's own code and text; an address, which may hold a token, never comes into a message. May not call a
service.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from scaffolder.operations.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    OperationError,
    PermissionDenied,
    QuotaExceeded,
    Throttled,
    TimedOut,
    Unavailable,
)

__all__ = ["caught", "failed_operation", "mapped", "said", "timed_out"]

LOGIN = "Run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a credentials file."
SECRETS = re.compile(r"ya29\.[\w.-]+|(?<=Bearer )\S+|eyJ[\w-]+\.[\w-]+\.[\w-]+|(?<=access_token=)[^&\s]+")
LONGEST = 2000

BY_STATUS: Mapping[str, type[OperationError]] = {
    "UNAUTHENTICATED": NotAuthenticated,
    "PERMISSION_DENIED": PermissionDenied,
    "NOT_FOUND": NotFound,
    "ALREADY_EXISTS": AlreadyExists,
    "ABORTED": Conflict,
    "INVALID_ARGUMENT": InvalidRequest,
    "FAILED_PRECONDITION": InvalidRequest,
    "OUT_OF_RANGE": InvalidRequest,
    "UNIMPLEMENTED": InvalidRequest,
    "RESOURCE_EXHAUSTED": Throttled,
    "DEADLINE_EXCEEDED": Unavailable,
    "INTERNAL": Unavailable,
    "UNAVAILABLE": Unavailable,
    "UNKNOWN": Unavailable,
    "CANCELLED": Unavailable,
    "DATA_LOSS": Unavailable,
}
BY_HTTP: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    412: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""What a service that names no status means. 412 is Cloud Storage's: what a precondition says is not there, is."""

BY_NUMBER = (
    *("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE"),
    *("UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)
"""google.rpc.Code, by number: what operations that ended with an error have."""

BUSY = re.compile(
    r"other operations? (?:is |are )?running|being (?:updated|modified)|concurrent", re.IGNORECASE
)
TOO_FAST = re.compile(r"per (?:minute|second|100 seconds)|rate ?limit|too many requests", re.IGNORECASE)
TOO_MUCH = re.compile(
    r"exceeds? quota limits?|quota exceeded|insufficient.*quota|resources are insufficient", re.IGNORECASE
)
RATE_REASONS = {"RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded"}


def caught() -> tuple[type[Exception], ...]:
    """The exceptions that :func:`mapped` knows."""
    from google.api_core.exceptions import GoogleAPIError  # noqa: PLC0415 - only once an operation runs
    from google.auth.exceptions import GoogleAuthError  # noqa: PLC0415
    from google.protobuf.json_format import ParseError  # noqa: PLC0415
    from requests import RequestException  # noqa: PLC0415

    return (GoogleAPIError, GoogleAuthError, ParseError, RequestException)


def mapped(error: Exception, doing: str) -> OperationError:
    """Say what an exception means; ``doing`` is what was tried (``deploy v3``)."""
    from google.api_core.exceptions import GoogleAPICallError  # noqa: PLC0415 - only once an operation runs
    from google.auth.exceptions import GoogleAuthError, TransportError  # noqa: PLC0415

    if isinstance(error, GoogleAPICallError):
        return _of_call(error, doing)
    if isinstance(error, GoogleAuthError) and not isinstance(error, TransportError):
        return _of_credentials(error, doing)
    kind = type(error.__cause__ or error).__name__
    return Unavailable(
        f"cannot {doing}: no whole answer came", code=kind, remedy="Look whether Google Cloud can be reached."
    )


def said(error: Exception) -> Exception | None:
    """The error itself, to be told as the cause; nothing where its text has a token, as addresses do."""
    return None if SECRETS.search(f"{error} {error.__cause__} {error.__context__}") else error


def failed_operation(error: Mapping[str, Any], doing: str) -> OperationError:
    """Say what the error of a long-running operation means (a ``google.rpc.Status``)."""
    number = int(error.get("code", 2))
    status = BY_NUMBER[number] if number < len(BY_NUMBER) else "UNKNOWN"
    return _error(status, str(error.get("message", "")), set(), doing)


def _of_call(error: Any, doing: str) -> OperationError:
    body = _body(error)
    status = str(body.get("status") or BY_HTTP.get(int(error.code or 0), "UNKNOWN"))
    if error.code == 409 and body.get("status") is None and "already" in str(body.get("message", "")).lower():
        status = "ALREADY_EXISTS"
    return _error(status, str(body.get("message") or error.message or ""), {*_reasons(body)}, doing)


def _body(error: Any) -> Mapping[str, Any]:
    """The error's own record, if the service sent one."""
    try:
        found = error.response.json()["error"]
    except (AttributeError, KeyError, TypeError, ValueError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _reasons(body: Mapping[str, Any]) -> Iterator[str]:
    for detail in (*body.get("details", ()), *body.get("errors", ())):
        if isinstance(detail, Mapping) and detail.get("reason"):
            yield str(detail["reason"])


def _error(status: str, text: str, reasons: set[str], doing: str) -> OperationError:
    kind, remedy = BY_STATUS.get(status, OperationError), ""
    if reasons & RATE_REASONS:
        kind = Throttled
    elif status == "RESOURCE_EXHAUSTED" and TOO_MUCH.search(text) and not TOO_FAST.search(text):
        kind, remedy = QuotaExceeded, "Ask for more at https://console.cloud.google.com/iam-admin/quotas."
    elif status == "FAILED_PRECONDITION" and BUSY.search(text):
        kind = Conflict
    elif "SERVICE_DISABLED" in reasons or "accessNotConfigured" in reasons:
        remedy = "Apply the stack security, which enables the API, or run `gcloud services enable`."
    elif kind is NotAuthenticated:
        remedy = LOGIN
    elif kind is PermissionDenied:
        remedy = "Let an administrator grant it in the platform's project; `scaffolder doctor` says what is missing."
    return kind(f"cannot {doing}", code=status, text=_public(text), remedy=remedy)


def _of_credentials(error: Exception, doing: str) -> OperationError:
    from google.auth.exceptions import DefaultCredentialsError  # noqa: PLC0415 - only once an operation runs

    text = _public(str(error.args[0])) if error.args else ""
    if getattr(error, "retryable", False):
        return Unavailable(
            f"cannot {doing}: Google issues no token now", code=type(error).__name__, text=text
        )
    reason = (
        "there are no credentials"
        if isinstance(error, DefaultCredentialsError)
        else "the credentials are refused"
    )
    return NotAuthenticated(f"cannot {doing}: {reason}", code=type(error).__name__, text=text, remedy=LOGIN)


def _public(text: str) -> str:
    """A service's text without what looks like a token."""
    return SECRETS.sub("[hidden]", text)[:LONGEST]


def timed_out(error: TimedOut, doing: str, operation: str) -> TimedOut:
    """Name the operation that goes on, so that it can be looked for."""
    return TimedOut(
        f"cannot {doing} in time", code="", text=str(error.message), remedy=f"It goes on as {operation}."
    )
