"""What Azure's services and its SDK say, as errors of the port, without anybody's secret."""

from __future__ import annotations

import json

import pytest

from scaffolder.operations.azure.failures import refused, without_secrets
from scaffolder.operations.azure.identity import claims_of
from scaffolder.operations.azure.preflight import allows
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


def error(status: int, code: str = "X", message: str = "said") -> OperationError:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    return refused(status, body, {}, "make the thing")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "BadRequest", InvalidRequest),
        (401, "ExpiredAuthenticationToken", NotAuthenticated),
        (403, "AuthorizationFailed", PermissionDenied),
        (404, "ResourceNotFound", NotFound),
        (409, "Conflict", Conflict),
        (409, "StorageAccountAlreadyTaken", AlreadyExists),
        (412, "PreconditionFailed", Conflict),
        (412, "LeaseIdMissing", AlreadyExists),
        (409, "LeaseIdMismatchWithLeaseOperation", InvalidRequest),
        (400, "QuotaExceeded", QuotaExceeded),
        (429, "TooManyRequests", Throttled),
        (418, "Teapot", InvalidRequest),
        (500, "InternalServerError", Unavailable),
        (504, "GatewayTimeout", Unavailable),
    ],
)
def test_each_way_to_fail_has_its_class_and_keeps_the_services_words(
    status: int, code: str, kind: type[OperationError]
) -> None:
    found = error(status, code)
    assert (type(found), found.code, found.text) == (kind, code, "said")
    assert "make the thing" in str(found)


def test_a_quota_is_told_by_its_text_where_the_code_is_a_common_one() -> None:
    message = "Operation could not be completed as it results in exceeding approved quota"
    assert isinstance(error(409, "OperationNotAllowed", message), QuotaExceeded)


def test_azure_storage_says_it_in_xml() -> None:
    body = b"\xef\xbb\xbf<?xml version='1.0'?><Error><Code>ContainerNotFound</Code><Message>none\nId:1</Message></Error>"
    found = refused(404, body, {}, "read a blob")
    assert (type(found), found.code, found.text) == (NotFound, "ContainerNotFound", "none\nId:1")


def test_an_answer_without_a_body_has_its_code_in_a_header() -> None:
    assert (
        refused(409, b"", {"x-ms-error-code": "LeaseAlreadyPresent"}, "take a lock").code
        == "LeaseAlreadyPresent"
    )


def test_a_proxys_page_is_not_repeated() -> None:
    found = refused(502, b"<html><body>Bad Gateway</body></html>", {}, "ask")
    assert (found.code, found.text) == ("502", "")


@pytest.mark.parametrize(
    "text",
    [
        "https://logs.example.com/x?sv=1&sig=s3cr3t%3D&sp=r was refused",
        "Authorization: Bearer s3cr3t",
        "token eyJhbGciOiJ.eyJzdWIiOi.s3cr3t is expired",
        "grant_type=client_credentials&client_secret=s3cr3t&scope=x",
    ],
)
def test_what_proves_who_somebody_is_is_taken_out(text: str) -> None:
    assert "s3cr3t" not in without_secrets(text)
    assert len(without_secrets(text)) > 10


GRANTED = [
    {"actions": ["Microsoft.Storage/*/read"], "notActions": []},
    {"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"], "dataActions": ["*/blobs/*"]},
]


@pytest.mark.parametrize(
    "action", ["Microsoft.Storage/storageAccounts/read", "microsoft.insights/autoscaleSettings/WRITE"]
)
def test_a_role_allows_what_its_patterns_cover(action: str) -> None:
    assert allows(GRANTED, action)
    assert not allows(GRANTED, action, data=True)


def test_a_role_does_not_allow_what_it_takes_away_again() -> None:
    assert not allows(GRANTED, "Microsoft.Authorization/roleAssignments/write")


def test_what_is_in_a_resource_has_permissions_of_its_own() -> None:
    assert allows(GRANTED, "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write", data=True)


def test_a_role_takes_away_only_what_it_gives_itself() -> None:
    roles = [{"actions": ["*"], "notActions": ["a/b/write"]}, {"actions": ["a/b/*"], "notActions": []}]
    assert allows(roles, "a/b/write")


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a.ImJhcmUi.c"])
def test_a_token_that_cannot_be_read_says_nothing(token: str) -> None:
    assert claims_of(token) == {}
