"""What AWS's errors become."""

from __future__ import annotations

from typing import Any

import pytest
from botocore import exceptions as boto

from scaffolder.operations.aws.failures import mapped, without_secrets
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


def _refusal(code: str, message: str = "", status: int = 400, **others: Any) -> boto.ClientError:
    response = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **others,
    }
    return boto.ClientError(response, "SomeOperation")


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ExpiredToken", NotAuthenticated),
        ("ExpiredTokenException", NotAuthenticated),
        ("UnrecognizedClientException", NotAuthenticated),
        ("AccessDeniedException", PermissionDenied),
        ("Client.UnauthorizedOperation", PermissionDenied),
        ("403", PermissionDenied),
        ("ResourceNotFound", NotFound),
        ("NoSuchBucket", NotFound),
        ("InvalidNetworkInterfaceID.NotFound", NotFound),
        ("PreconditionFailed", AlreadyExists),
        ("ConflictException", Conflict),
        ("OperationAborted", Conflict),
        ("InvalidNetworkInterface.InUse", Conflict),
        ("ResourceLimitExceeded", QuotaExceeded),
        ("ThrottlingException", Throttled),
        ("SlowDown", Throttled),
        ("com.amazonaws.sagemaker#ThrottlingException", Throttled),
        ("InternalFailure", Unavailable),
        ("MalformedPolicyDocument", InvalidRequest),
        ("ValidationException", InvalidRequest),
    ],
)
def test_a_code_says_what_happened(code: str, kind: type[OperationError]) -> None:
    error = mapped(_refusal(code, "some text"), "do it")
    assert type(error) is kind
    assert (error.code, error.text) == (code, "some text")
    assert error.message.startswith("cannot do it")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('Could not find endpoint "arn:aws:sagemaker:eu-west-1:1:endpoint/churn".', NotFound),
        ("ModelPackage arn:aws:sagemaker:… does not exist.", NotFound),
        ("Endpoint churn of account 123456789012 not found.", NotFound),
        ('Cannot create already existing endpoint "arn:…".', AlreadyExists),
        ('Cannot update in-progress endpoint "arn:…".', Conflict),
        ("Rate exceeded", Throttled),
        ("2 validation errors detected", InvalidRequest),
    ],
)
def test_where_the_code_is_vague_the_text_says_what_happened(text: str, kind: type[OperationError]) -> None:
    assert type(mapped(_refusal("ValidationException", text), "do it")) is kind


def test_a_name_that_is_taken_differs_from_something_that_is_busy() -> None:
    name = _refusal("ResourceInUse", "Job name must be unique within an AWS account and region")
    assert type(mapped(name, "do it")) is AlreadyExists
    assert type(mapped(_refusal("ResourceInUse", "Resource being accessed is in use"), "do it")) is Conflict


def test_a_code_that_nobody_knows_follows_the_status() -> None:
    assert type(mapped(_refusal("Novelty", status=503), "do it")) is Unavailable
    assert type(mapped(_refusal("Novelty", status=400), "do it")) is InvalidRequest


@pytest.mark.parametrize(("status", "kind"), [(500, Unavailable), (400, InvalidRequest)])
def test_what_a_models_container_answers_is_told_apart(status: int, kind: type[OperationError]) -> None:
    error = mapped(_refusal("ModelError", "it broke", 424, OriginalStatusCode=status), "ask churn")
    assert type(error) is kind
    assert str(status) in error.message


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (boto.NoCredentialsError(), NotAuthenticated),
        (boto.PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), NotAuthenticated),
        (boto.ProfileNotFound(profile="work"), NotAuthenticated),
        (boto.EndpointConnectionError(endpoint_url="https://x"), Unavailable),
        (boto.ConnectionClosedError(endpoint_url="https://x"), Unavailable),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), Unavailable),
        (boto.ReadTimeoutError(endpoint_url="https://x"), TimedOut),
        (boto.ParamValidationError(report="Unknown parameter"), InvalidRequest),
        (ValueError("anything else"), OperationError),
    ],
    ids=lambda each: getattr(each, "__name__", type(each).__name__),
)
def test_what_boto3_raises_itself_has_its_class(raised: Exception, kind: type[OperationError]) -> None:
    error = mapped(raised, "do it")
    assert type(error) is kind
    assert error.code


def test_who_is_not_signed_in_is_told_how() -> None:
    assert "aws sso login" in str(mapped(boto.NoCredentialsError(), "do it"))
    assert "aws sso login" in str(mapped(_refusal("ExpiredToken"), "do it"))


def test_who_may_not_is_told_what_to_ask_for() -> None:
    assert "SomeOperation" in mapped(_refusal("AccessDenied"), "do it").remedy


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE",
        "X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0445342fe2855ddc963176630326f1024",
        'aws_secret_access_key="wJalrXUtnFEMI/K7MDENG"',
        "our own secret",
    ],
)
def test_nothing_that_opens_an_account_is_in_a_text(secret: str) -> None:
    said = mapped(_refusal("Refused", f"before {secret} after"), "do it", ["our own secret"])
    assert secret not in str(said)
    assert "before" in said.text
    assert "after" in said.text


def test_a_text_is_short_on_one_line_and_has_no_signed_request() -> None:
    assert without_secrets("one\n  two") == "one two"
    assert len(without_secrets("x" * 5000)) < 700
    assert without_secrets("It does not match. The Canonical String for this request is: GET /") == (
        "It does not match."
    )
