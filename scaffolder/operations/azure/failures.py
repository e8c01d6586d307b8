"""What Azure says went wrong, as errors of the port: its services' codes, its SDK's own errors, and no secret.

The only place that knows either. May not make a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

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
    Unavailable,
)

__all__ = ["raised", "refused", "without_secrets"]

SECRET = re.compile(
    r"\b(sig|signature|code|token|access_token|client_secret|assertion)=[^&\s'\"<>)]+", re.IGNORECASE
)
BEARER = re.compile(r"\b(bearer|sharedkey|secret:)\s+\S+", re.IGNORECASE)
JWT = re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*")
ELEMENT = re.compile(r"<(Code|Message)>([^<]*)<")
LONGEST = 2000

QUOTA = frozenset(
    {
        "quotaexceeded",
        "outofquota",
        "insufficientquota",
        "notenoughquota",
        "corequotaexceeded",
        "subscriptionquotaexceeded",
    }
)
THERE = frozenset(
    {
        *(
            "alreadyexists",
            "resourceexists",
            "resourcealreadyexists",
            "blobalreadyexists",
            "containeralreadyexists",
        ),
        *("storageaccountalreadytaken", "storageaccountalreadyexists", "entityalreadyexists"),
        # Of a blob: somebody has its lease, and will not be gone by the next try.
        *("leasealreadypresent", "leaseidmissing"),
    }
)
BY_STATUS: Mapping[int, type[OperationError]] = {
    400: InvalidRequest,
    401: NotAuthenticated,
    403: PermissionDenied,
    404: NotFound,
    405: InvalidRequest,
    408: Unavailable,
    409: Conflict,
    410: NotFound,
    412: Conflict,
    422: InvalidRequest,
    429: Throttled,
}
REMEDIES: Mapping[type[OperationError], str] = {
    NotAuthenticated: "Sign in (az login), or set the variables of a service principal, and try again.",
    PermissionDenied: "Ask for a role that has the permission; scaffolder doctor says which are missing. From outside the "
    "platform's network, its storage and its workspace answer nobody.",
    QuotaExceeded: "Ask for more in the Azure portal, Quotas, or choose a smaller instance.",
}


def refused(status: int, body: bytes, headers: Mapping[str, str], doing: str) -> OperationError:
    """Make the error of an answer that is no success; ``doing`` says what was tried (``submit the run x``)."""
    code, text = _said(body)
    code = code or headers.get("x-ms-error-code", "")
    kind = _kind(status, code, text)
    return kind(
        f"Azure refused to {doing}" if kind not in (Unavailable, Throttled) else f"Azure could not {doing}",
        code=code or str(status),
        text=without_secrets(text),
        remedy=REMEDIES.get(kind, ""),
    )


def _kind(status: int, code: str, text: str) -> type[OperationError]:
    plain = code.replace("_", "").lower()
    if plain in QUOTA or (status in {400, 403, 409} and "quota" in text.lower() and "exceed" in text.lower()):
        return QuotaExceeded
    if status in {409, 412} and plain in THERE:
        return AlreadyExists
    if plain.startswith("lease"):
        return InvalidRequest
    if status == 403 and plain in {"throttled", "toomanyrequests"}:
        return Throttled
    return BY_STATUS.get(status, Unavailable if status >= 500 else InvalidRequest)


def _said(body: bytes) -> tuple[str, str]:
    """The service's code and text: of Azure Resource Manager, of run history, or of Azure Storage."""
    text = body.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if text.startswith("<"):
        # Azure Storage: two elements of a flat document are all that is looked at.
        found = dict(ELEMENT.findall(text))
        return found.get("Code", ""), found.get("Message", "").strip()
    try:
        document = json.loads(text)
    except ValueError:
        return "", text
    error = document.get("error", document) if isinstance(document, dict) else {}
    if not isinstance(error, dict):
        return "", str(error)
    details = [
        it["message"] for it in error.get("details") or [] if isinstance(it, dict) and it.get("message")
    ]
    return str(error.get("code") or ""), "; ".join([str(error.get("message") or ""), *details]).strip("; ")


def raised(error: Exception, doing: str) -> OperationError:
    """Make the error of what the SDK raised instead of an answer."""
    from azure.core import exceptions as sdk  # noqa: PLC0415 - only once an operation runs

    text = without_secrets(str(getattr(error, "message", None) or error))
    match error:
        case sdk.ClientAuthenticationError():
            message = f"Azure has no credentials of yours to {doing}"
            return NotAuthenticated(message, text=text, remedy=REMEDIES[NotAuthenticated])
        case sdk.ServiceRequestError() | sdk.ServiceResponseError() | sdk.HttpResponseError():
            # An answer that breaks off is one of these as well.
            return Unavailable(
                f"Azure did not answer when asked to {doing}", code=type(error).__name__, text=text
            )
        case _:
            return Unavailable(f"Azure could not be asked to {doing}", code=type(error).__name__, text=text)


def without_secrets(text: str) -> str:
    """A service's text without what proves who somebody is."""
    cleaned = SECRET.sub(r"\1=…", text)
    return JWT.sub("…", BEARER.sub(r"\1 …", cleaned))[:LONGEST]
