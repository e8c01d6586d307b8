"""What Google's errors mean: every status, the busy and the full, and no token in a message."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from google.api_core.exceptions import from_http_response
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError

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
from scaffolder.operations.gcp.faults import failed_operation, mapped, said

RATE: dict[str, Any] = {
    "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "RATE_LIMIT_EXCEEDED"}]
}
QUOTA = (
    "The following quota metrics exceed quota limits: aiplatform.googleapis.com/custom_model_training_cpus"
)


def _answer(code: int, **error: Any) -> Exception:
    answer = requests.Response()
    answer.status_code = code
    answer._content = json.dumps({"error": {"code": code, **error}}).encode() if error else b"<html>"  # noqa: SLF001
    answer.request = requests.Request("GET", "https://x.googleapis.com/?access_token=ya29.secret").prepare()
    made: Exception = from_http_response(answer)
    return made


CASES: list[tuple[Exception, type[OperationError]]] = [
    (_answer(400, status="INVALID_ARGUMENT", message="bad"), InvalidRequest),
    (
        _answer(400, status="FAILED_PRECONDITION", message="There are other operations running on it."),
        Conflict,
    ),
    (_answer(400, status="FAILED_PRECONDITION", message="It has traffic."), InvalidRequest),
    (_answer(401, status="UNAUTHENTICATED", message="no"), NotAuthenticated),
    (_answer(403, status="PERMISSION_DENIED", message="no"), PermissionDenied),
    (_answer(403, message="slow down", errors=[{"reason": "userRateLimitExceeded"}]), Throttled),
    (_answer(404, status="NOT_FOUND", message="none"), NotFound),
    (_answer(409, status="ALREADY_EXISTS", message="there"), AlreadyExists),
    (_answer(409, status="ABORTED", message="etag"), Conflict),
    (_answer(409, message="You already own this bucket.", errors=[{"reason": "conflict"}]), AlreadyExists),
    (_answer(412, message="not met", errors=[{"reason": "conditionNotMet"}]), AlreadyExists),
    (_answer(429, status="RESOURCE_EXHAUSTED", message=QUOTA), QuotaExceeded),
    (
        _answer(429, status="RESOURCE_EXHAUSTED", message="Quota exceeded: requests per minute", **RATE),
        Throttled,
    ),
    (_answer(429, status="RESOURCE_EXHAUSTED", message="Quota exceeded for requests per minute"), Throttled),
    (_answer(429, message="slow", errors=[{"reason": "rateLimitExceeded"}]), Throttled),
    (_answer(500, status="INTERNAL", message="oops"), Unavailable),
    (_answer(502), Unavailable),
    (_answer(503, status="UNAVAILABLE", message="later"), Unavailable),
    (_answer(504, status="DEADLINE_EXCEEDED", message="late"), Unavailable),
    (requests.ConnectionError("Max retries exceeded with url: /?access_token=ya29.secret"), Unavailable),
    (requests.exceptions.ChunkedEncodingError("Connection broken"), Unavailable),
    (requests.Timeout("https://x/?access_token=ya29.secret"), Unavailable),
    (DefaultCredentialsError("none were found"), NotAuthenticated),
    (RefreshError("invalid_grant: Token has been expired or revoked.", {"error": "x"}), NotAuthenticated),
    (RefreshError("temporarily_unavailable", retryable=True), Unavailable),
    (TransportError("https://oauth2/?access_token=ya29.secret"), Unavailable),
]


@pytest.mark.parametrize(
    ("error", "kind"), CASES, ids=lambda it: type(it).__name__ if isinstance(it, Exception) else it.__name__
)
def test_an_error_of_googles_has_one_meaning(error: Exception, kind: type[OperationError]) -> None:
    found = mapped(error, "do it")
    assert type(found) is kind
    assert str(found).startswith("cannot do it")
    assert "ya29" not in str(found)


def test_a_cause_that_has_a_token_is_not_told() -> None:
    told = [said(error) for error, _ in CASES if "ya29" in str(error)]
    assert told
    assert {*told} == {None}
    plain = requests.ConnectionError("refused")
    assert said(plain) is plain


def test_a_services_own_words_and_code_are_kept() -> None:
    found = mapped(_answer(403, status="PERMISSION_DENIED", message="Permission 'x.y.z' denied"), "do it")
    assert (found.code, found.text) == ("PERMISSION_DENIED", "Permission 'x.y.z' denied")


@pytest.mark.parametrize(
    "secret", ["ya29.c.b0Aaekm1K", "eyJhbGciOi.eyJpc3MiOi.c2lnbmF0dXJl"], ids=["token", "assertion"]
)
def test_what_looks_like_a_token_is_hidden_in_a_services_words(secret: str) -> None:
    found = mapped(_answer(401, status="UNAUTHENTICATED", message=f"Bearer {secret} is bad"), "do it")
    assert secret not in str(found)
    assert "is bad" in found.text


def test_an_api_that_is_off_says_how_it_is_turned_on() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED"}]
    error = _answer(403, status="PERMISSION_DENIED", message="API has not been used", details=details)
    assert "gcloud services enable" in mapped(error, "do it").remedy


@pytest.mark.parametrize(
    ("number", "text", "kind"),
    [
        (3, "bad image", InvalidRequest),
        (7, "no", PermissionDenied),
        (8, QUOTA, QuotaExceeded),
        (13, "oops", Unavailable),
        (99, "new", Unavailable),
    ],
)
def test_an_operation_that_failed_means_the_same(number: int, text: str, kind: type[OperationError]) -> None:
    found = failed_operation({"code": number, "message": text}, "do it")
    assert type(found) is kind
    assert found.text == text
