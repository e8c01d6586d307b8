"""The WSGI application: the layer's own answers first, moto for the rest, a 400 for what neither knows.

May not know any service. A refusal is always a 400, because AWS's clients try a 500 again up to 25 times.
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from moto.core.request import Request
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Response

from tests.emulator.answers import SERVICES
from tests.emulator.call import Call, Refusal, Service
from tests.emulator.identify import Match, identify, is_modelled
from tests.emulator.journal import Entry, Journal
from tests.emulator.patches import apply_patches
from tests.emulator.wire import parameters_of, write_error, write_result

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = ["FAILURE", "HEALTH_PATH", "OPERATIONS_PATH", "RESET_PATH", "UNKNOWN_OPERATION", "Emulator", "make"]

HEALTH_PATH = "/_emulator/health"
OPERATIONS_PATH = "/_emulator/operations"
RESET_PATH = "/_emulator/reset"
UNKNOWN_OPERATION = "EmulatorUnknownOperation"
FAILURE = "EmulatorFailure"

_MOTO_CONTROL_PATH = "/moto-api/"
"""moto's own switches, such as the answers that SageMaker endpoints give."""

_NOT_IMPLEMENTED = "action has not been implemented"
"""What moto says of an operation that it lacks; of a parameter that it lacks it says something else."""

_ERROR_CODE = re.compile(r'<Code>([^<]+)</Code>|"__type":\s*"(?:[^"#]*#)?([^"]+)"')


class Emulator:
    """AWS as a WSGI application; its state lives as long as the process, or until it is reset."""

    def __init__(self, moto: WSGIApplication) -> None:
        self._moto = moto
        self._journal = Journal()
        self._lock = Lock()
        self._services = _fresh_services()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        body = _read_body(environ)
        request = _with_body(environ, body)
        control = self._controls().get((request.method, request.path))
        response = control() if control else self._serve(request, _with_body(environ, body))
        return response(environ, start_response)

    def _controls(self) -> Mapping[tuple[str, str], Callable[[], Response]]:
        return {
            ("GET", HEALTH_PATH): lambda: _json({"status": "ok"}),
            ("GET", OPERATIONS_PATH): lambda: _json(self._journal.as_json()),
            ("DELETE", OPERATIONS_PATH): self._clear_journal,
            ("POST", RESET_PATH): self._reset,
        }

    def _clear_journal(self) -> Response:
        self._journal.clear()
        return _json({})

    def _reset(self) -> Response:
        with self._lock:
            self._services = _fresh_services()
            reset = Request.from_primitives("POST", "http://localhost/moto-api/reset", {})
            return Response.from_app(self._moto, reset.environ, buffered=True)

    def _serve(self, request: Request, forwarded: Request) -> Response:
        if request.path.startswith(_MOTO_CONTROL_PATH):
            return Response.from_app(self._moto, forwarded.environ, buffered=True)
        match = identify(request)
        if match is None:
            what = f"{request.method} {request.url}"
            refusal = Refusal(UNKNOWN_OPERATION, f"{what} is not a request that the emulator can name")
            self._journal.write(Entry("", what, 400, refusal.code))
            return write_error(None, request, refusal)
        with self._lock:
            response = self._answer(match, request, forwarded)
        call = match.call
        self._journal.write(Entry(call.service, call.operation, response.status_code, _error_code(response)))
        return response

    def _answer(self, match: Match, request: Request, forwarded: Request) -> Response:
        """The answer to a call; one call at a time, because moto's stores aren't safe for threads."""
        call = match.call
        try:
            return self._own_or_moto(match, request, forwarded)
        except Refusal as refusal:
            return write_error(call, request, refusal)
        except Exception as error:  # noqa: BLE001  a defect of moto or of ours: the client has to hear of it
            return write_error(call, request, _refusal_for(call, error))

    def _own_or_moto(self, match: Match, request: Request, forwarded: Request) -> Response:
        call = match.call
        service = self._services.get(call.service, Service(call.service))
        if call.operation in service.mistaken or not is_modelled(call.service):
            raise _unknown(call)
        if answer := service.answers.get(call.operation):
            call = replace(call, parameters=parameters_of(match, request))
            if (result := answer(call)) is not None:
                return write_result(call, request, result)
        response = Response.from_app(self._moto, forwarded.environ, buffered=True)
        _refuse_unserved(call, request, response)
        amendment = service.amendments.get(call.operation)
        if amendment and response.status_code < 300:
            call = replace(call, parameters=parameters_of(match, request))
            told = json.loads(response.get_data() or b"null") or {}
            response.set_data(json.dumps(amendment(call, told)))
        return response


def make(port: int) -> BaseWSGIServer:
    """A server on a loopback port that accepts connections, but doesn't serve yet; port 0 is any free one."""
    os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    warnings.filterwarnings("ignore", message=r"Exception\(.*does not match an error shape")
    apply_patches()
    emulator = Emulator(_Moto(create_backend_app))
    server = make_server("127.0.0.1", port, emulator, threaded=True, request_handler=_QuietHandler)
    os.environ["MOTO_PORT"] = str(server.port)
    return server


class _Moto(DomainDispatcherApplication):
    """moto, which says so when it lacks the service of a request instead of failing at it."""

    def get_backend_for_host(self, host: str | None) -> object:
        backend: object = super().get_backend_for_host(host)
        if host is not None and backend is None:
            raise NotImplementedError(f"there is no action for {host}: {_NOT_IMPLEMENTED}")
        return backend


class _QuietHandler(MotoRequestHandler):
    """Leaves the log to the journal."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing."""


def _fresh_services() -> dict[str, Service]:
    services = [make_service() for make_service in SERVICES]
    return {service.name: service for service in services}


def _read_body(environ: WSGIEnvironment) -> bytes:
    if environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read())
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def _with_body(environ: WSGIEnvironment, body: bytes) -> Request:
    """A request of its own, because reading a form empties the stream that it comes from."""
    return Request({**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})


def _refusal_for(call: Call, error: Exception) -> Refusal:
    if isinstance(error, NotImplementedError) and _NOT_IMPLEMENTED in str(error):
        return _unknown(call)
    traceback.print_exception(error, file=sys.stderr)
    return Refusal(FAILURE, f"the emulator failed at {call.name}: {type(error).__name__}: {error}")


def _unknown(call: Call) -> Refusal:
    return Refusal(UNKNOWN_OPERATION, f"{call.name} is not known to the emulator, nor to moto")


def _refuse_unserved(call: Call, request: Request, response: Response) -> None:
    """Refuse what moto didn't route (a 404 without an AWS error in it) or failed at (a 500)."""
    if response.status_code >= 500:
        raise Refusal(FAILURE, f"moto failed at {call.name}: {response.get_data(as_text=True)[:500]}")
    if response.status_code == 404 and request.method != "HEAD":
        body = response.get_data(as_text=True).lstrip()
        if not body or body.lower().startswith("<!doctype html"):
            raise _unknown(call)


def _error_code(response: Response) -> str:
    if response.status_code < 400:
        return ""
    if header := response.headers.get("x-amzn-ErrorType"):
        return header.partition(":")[0].rpartition("#")[2]
    found = _ERROR_CODE.search(response.get_data(as_text=True))
    return (found[1] or found[2]) if found else str(response.status_code)


def _json(document: Mapping[str, object]) -> Response:
    return Response(json.dumps(document), content_type="application/json")
