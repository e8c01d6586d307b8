"""The fake behind a socket: HTTPS on loopback for every host of Azure's, and answers that go wrong when a test says so."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from tempfile import mkdtemp
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.operations.fakes.azure.requests import Answer, Refusal, Request, said

__all__ = ["Faults", "certificate", "serving"]

LOST = {"timeout", "half a reply"}
REFUSED = {
    "throttled": Refusal(429, "TooManyRequests", "The request is being throttled."),
    "server error": Refusal(503, "ServiceUnavailable", "The service is not available."),
    "conflict": Refusal(409, "Conflict", "Another operation is going on."),
    "expired credentials": Refusal(
        401, "ExpiredAuthenticationToken", "The access token expiry UTC time has passed."
    ),
    "denied": Refusal(
        403, "AuthorizationFailed", "The client does not have authorization to perform the action."
    ),
}


class Faults:
    """How many of the next calls fail, and how; and how many calls there were."""

    def __init__(self) -> None:
        self.calls = 0
        self._kind = ""
        self._times = 0
        self._after = 0

    def set(self, kind: str, times: int, after: int) -> None:
        self._kind, self._times, self._after = kind, times, after

    def next(self) -> str:
        """What goes wrong with this call; empty when nothing does."""
        self.calls += 1
        if self._times <= 0:
            return ""
        if self._after > 0:
            self._after -= 1
            return ""
        self._times -= 1
        return self._kind


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # An answer in one piece: two would wait for each other's receipt.
    disable_nagle_algorithm = True
    answering: Callable[[Request], Answer]
    faults: Faults
    lock: threading.Lock

    def _any(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        address = urlsplit(self.path)
        request = Request(
            method=self.command,
            host=self.headers.get("Host", ""),
            path=address.path,
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length),
        )
        with self.lock:
            fault = self.faults.next()
            answer = self._answer(request, fault)
        if fault == "timeout":
            self.close_connection = True
            return
        self._send(answer, half=fault == "half a reply")

    def _answer(self, request: Request, fault: str) -> Answer:
        if fault in REFUSED:
            return REFUSED[fault].answer(storage=request.host.endswith(".blob.core.windows.net"))
        try:
            return type(self).answering(request)
        except Exception as error:  # noqa: BLE001 - the fake's own mistake is told, and seen
            return said({"error": {"code": "BrokenFake", "message": repr(error)}}, 501)

    def _send(self, answer: Answer, *, half: bool) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        body = b"" if self.command == "HEAD" else answer.body
        self.send_header("Content-Length", str(len(body) + (10 if half else 0)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)
        if half:
            self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _any  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
        """Say nothing."""


@cache
def certificate() -> Path:
    """A certificate of our own for 127.0.0.1 with its key, in one file."""
    from cryptography import x509  # noqa: PLC0415 - as late as it is asked for
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415 - as above
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - as above

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = Path(mkdtemp(prefix="azure-fake-")) / "certificate.pem"
    form = serialization.PrivateFormat.PKCS8
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    file.write_bytes(text + made.public_bytes(serialization.Encoding.PEM))
    return file


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 32


@contextmanager
def serving(answering: Callable[[Request], Answer], faults: Faults) -> Iterator[int]:
    """Serve on loopback, and give the port."""
    parts = {"answering": staticmethod(answering), "faults": faults, "lock": threading.Lock()}
    handler = type("Handler", (_Handler,), parts)
    server = _Server(("127.0.0.1", 0), handler)
    context = SSLContext(PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate())
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
