"""Faults that a test asks for: how AWS fails, on the wire. May not know a service's operations."""

from __future__ import annotations

from collections import deque
from socket import SHUT_RDWR, socket

from moto.core.request import Request
from werkzeug.wrappers import Response

from tests.emulator.call import Call, Refusal
from tests.operations.fakes.aws.wire import refusal
from tests.operations.worlds import Fault

__all__ = ["Faults"]

TOKEN = "IQoJb3JpZ2luX2VjEDoaCXVzLWVhc3QtMSJHMEUCIQ"
"""What a message must never show: AWS quotes tokens in some of its own."""

_CODES: dict[Fault, dict[str, tuple[str, str, int]]] = {
    "throttled": {
        "": ("ThrottlingException", "Rate exceeded", 400),
        "s3": ("SlowDown", "Please reduce your request rate.", 503),
        "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    },
    "server error": {"": ("InternalFailure", "We encountered an internal error. Please try again.", 500)},
    "conflict": {
        "": ("ConflictException", "The resource is being modified by another request.", 400),
        "s3": ("OperationAborted", "A conflicting conditional operation is in progress.", 409),
    },
    "expired credentials": {
        "": (
            "ExpiredTokenException",
            f"The security token included in the request is expired: X-Amz-Security-Token={TOKEN}",
            400,
        ),
        "s3": ("ExpiredToken", "The provided token has expired.", 400),
        "sts": ("ExpiredToken", "The security token included in the request is expired", 403),
    },
    "denied": {
        "": ("AccessDeniedException", "User is not authorized to perform the action", 400),
        "s3": ("AccessDenied", "Access Denied", 403),
        "ec2": ("UnauthorizedOperation", "You are not authorized to perform this operation.", 403),
    },
}


class Faults:
    """The faults of the next calls, in order; ``None`` for a call that goes well."""

    def __init__(self) -> None:
        self._next: deque[Fault | None] = deque()

    def inject(self, fault: Fault, *, times: int, after: int) -> None:
        """Plan anew: what was planned is forgotten."""
        self._next = deque([None] * after + [fault] * times)

    def instead(self, call: Call, request: Request) -> Response | None:
        """The answer of a call that fails before anything is done; ``None`` for one that is done."""
        fault = self._next[0] if self._next else None
        if fault not in _CODES:
            return None
        if call.service == "sts" and fault in {"conflict", "denied"}:
            return None  # nothing there can be busy, and everybody may ask who they are
        codes = _CODES[fault]
        code, message, status = codes.get(call.service, codes[""])
        response = refusal(call, request, Refusal(code, message))
        response.status_code = status
        return response

    def afterwards(self, response: Response, connection: socket) -> Response:
        """What becomes of an answer on its way: half of it comes, or nothing, and the connection ends."""
        fault = self._next.popleft() if self._next else None
        if fault == "timeout":
            connection.shutdown(SHUT_RDWR)
        if fault != "half a reply":
            return response
        whole = response.get_data()
        half = Response(whole[: len(whole) // 2], response.status_code, dict(response.headers))
        half.automatically_set_content_length = False
        half.headers["Content-Length"] = str(len(whole) + 1)
        return half
