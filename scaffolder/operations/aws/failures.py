"""What AWS's errors mean: one function from whatever boto3 raises to the port's errors.

Keeps AWS's own code and text, without anything secret in them. May not decide whether to try again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from botocore import exceptions as boto

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

__all__ = ["mapped", "without_secrets"]

LONGEST_TEXT = 600
"""Characters of a service's text that are kept: what follows is mostly an encoded message for AWS's own support."""

_SIGN_IN = "Sign in again (`aws sso login`, or new AWS_* variables), then repeat the command."

_CODES: Mapping[type[OperationError], frozenset[str]] = {
    NotAuthenticated: frozenset(
        {
            *("AuthFailure", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature"),
            *("InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignatureException", "InvalidToken"),
            *("MissingAuthenticationToken", "MissingAuthenticationTokenException", "NotAuthorizedException"),
            *("RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch", "TokenRefreshRequired"),
            "UnrecognizedClientException",
        }
    ),
    PermissionDenied: frozenset(
        {
            *("403", "AccessDenied", "AccessDeniedException", "AuthorizationError", "Forbidden"),
            *("KMSAccessDeniedException", "OptInRequired", "UnauthorizedAccess", "UnauthorizedOperation"),
        }
    ),
    NotFound: frozenset(
        {
            *("404", "FileSystemNotFound", "MountTargetNotFound", "NoSuchBucket", "NoSuchBucketPolicy"),
            *("NoSuchEntity", "NoSuchKey", "NoSuchLifecycleConfiguration", "NoSuchResourceException"),
            *("NoSuchPublicAccessBlockConfiguration", "NotFoundException", "ObjectNotFoundException"),
            *("OwnershipControlsNotFoundError", "ResourceNotFound", "ResourceNotFoundException"),
            "ServerSideEncryptionConfigurationNotFoundError",
        }
    ),
    AlreadyExists: frozenset(
        {
            *("412", "AlreadyExistsException", "BucketAlreadyExists", "BucketAlreadyOwnedByYou"),
            *("EntityAlreadyExists", "PreconditionFailed", "ResourceAlreadyExistsException"),
        }
    ),
    Conflict: frozenset(
        {
            *("409", "ConcurrentModification", "ConcurrentUpdateException", "ConditionalRequestConflict"),
            *("ConflictException", "DependencyTimeout", "DependencyViolation", "FileSystemInUse"),
            *("IncorrectFileSystemLifeCycleState", "IncorrectMountTargetState", "OperationAborted"),
            *("OperationAbortedException", "ResourceInUse", "ResourceInUseException"),
        }
    ),
    QuotaExceeded: frozenset(
        {
            *("LimitExceeded", "LimitExceededException", "ResourceLimitExceeded"),
            *("ServiceQuotaExceededException", "TooManyBuckets"),
        }
    ),
    Throttled: frozenset(
        {
            *("429", "BandwidthLimitExceeded", "EC2ThrottledException", "LimitExceededThrottling"),
            *("PriorRequestNotComplete", "ProvisionedThroughputExceededException", "RequestLimitExceeded"),
            *("RequestThrottled", "RequestThrottledException", "SlowDown", "ThrottledException"),
            *("Throttling", "ThrottlingException", "TooManyRequestsException"),
        }
    ),
    Unavailable: frozenset(
        {
            *("InternalDependencyException", "InternalError", "InternalFailure", "InternalServerError"),
            *("InternalServerException", "ModelNotReadyException", "RequestTimeout"),
            *("RequestTimeoutException", "ServiceUnavailable", "ServiceUnavailableException"),
        }
    ),
}
_BY_CODE = {code: kind for kind, codes in _CODES.items() for code in codes}

_BY_TEXT: tuple[tuple[re.Pattern[str], type[OperationError]], ...] = (
    (re.compile(r"security token .* (expired|invalid)|token .* expired", re.IGNORECASE), NotAuthenticated),
    (re.compile(r"already exist(s|ing)|must be unique", re.IGNORECASE), AlreadyExists),
    (re.compile(r"could not find|does not exist|not found|no scalable target", re.IGNORECASE), NotFound),
    (
        re.compile(r"in-progress|in progress|is being|currently (in|being)|status .*(Updating|Creating)"),
        Conflict,
    ),
    (re.compile(r"rate exceeded", re.IGNORECASE), Throttled),
)
"""SageMaker and its neighbours answer most of what they refuse with ValidationException: the text says which."""

_VAGUE = frozenset(
    {"ValidationException", "ValidationError", "ResourceInUse", "InvalidRequestException", "400"}
)

_OUT_OF_REACH = (boto.ConnectionError, boto.HTTPClientError, boto.ResponseStreamingError)
_HALF_A_REPLY = (boto.IncompleteReadError, boto.ReadTimeoutError)
_UNAUTHENTICATED = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.TokenRetrievalError,
    boto.SSOError,
    boto.NoAuthTokenError,
    boto.ProfileNotFound,
)

_SECRETS = re.compile(
    r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b"
    r"|X-Amz-(?:Signature|Security-Token|Credential)=[^&\s\"']+"
    r"|(?i:aws_?secret_?access_?key|session_?token|x-amz-security-token)\W{1,3}[^\s\"',]+"
)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a service's text, short, on one line, and with what opens an account covered."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = _SECRETS.sub("***", text)
    # The text of a signature that does not match quotes the whole signed request, its token included.
    text = text.partition("The Canonical String")[0]
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"


def mapped(error: Exception, what: str, secrets: Iterable[str] = ()) -> OperationError:
    """Return the port's error for one of boto3's; ``what`` was being done (``start pipeline train``)."""
    text = without_secrets(str(error), secrets)
    if isinstance(error, boto.ClientError):
        return _refused(error, what, secrets)
    if isinstance(error, boto.ReadTimeoutError):
        return TimedOut(f"cannot {what}: no answer in time", code=type(error).__name__, text=text)
    if isinstance(error, _UNAUTHENTICATED):
        return NotAuthenticated(
            f"cannot {what}: there are no usable AWS credentials",
            code=type(error).__name__,
            text=text,
            remedy=_SIGN_IN,
        )
    if isinstance(error, boto.ParamValidationError | boto.UnknownParameterError):
        return InvalidRequest(f"cannot {what}: boto3 refuses the request", code="ParamValidation", text=text)
    if isinstance(error, (*_OUT_OF_REACH, *_HALF_A_REPLY)) or _is_garbled(error):
        return Unavailable(
            f"cannot {what}: AWS does not answer as it should", code=type(error).__name__, text=text
        )
    return OperationError(f"cannot {what}", code=type(error).__name__, text=text)


def _is_garbled(error: Exception) -> bool:
    """Whether a reply could not be read: it ended early, or is not what the service speaks."""
    return type(error).__name__ in {
        "ResponseParserError",
        "JSONDecodeError",
        "ProtocolError",
        "IncompleteRead",
    }


def _refused(error: boto.ClientError, what: str, secrets: Iterable[str]) -> OperationError:
    """Return the error for what a service answered."""
    said: Mapping[str, str] = error.response.get("Error", {})
    code = str(said.get("Code", ""))
    text = without_secrets(str(said.get("Message", "")), secrets)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code == "ModelError":
        original = int(error.response.get("OriginalStatusCode", 500))
        failed = Unavailable if original >= 500 else InvalidRequest
        return failed(f"cannot {what}: the model answered {original}", code=code, text=text)
    kind = _kind(code, text, status)
    remedy = ""
    if kind is NotAuthenticated:
        remedy = _SIGN_IN
    elif kind is PermissionDenied:
        remedy = f"Ask for permission to {what} ({error.operation_name}), or use another role."
    elif kind is QuotaExceeded:
        remedy = "Ask AWS for more in Service Quotas, or use less."
    return kind(f"cannot {what}", code=code, text=text, remedy=remedy)


def _kind(code: str, text: str, status: int) -> type[OperationError]:
    code = code.rpartition("#")[2].removeprefix("Client.")
    if code in _VAGUE:
        for pattern, kind in _BY_TEXT:
            if pattern.search(text):
                return kind
    if code in _BY_CODE:
        return _BY_CODE[code]
    if code.endswith(".NotFound"):
        return NotFound
    if code.endswith(".InUse"):
        return Conflict
    if code.endswith(".Duplicate"):
        return AlreadyExists
    if status >= 500:
        return Unavailable
    return InvalidRequest
