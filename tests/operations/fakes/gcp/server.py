"""The loopback servers: one for Google's APIs and its tokens, one with TLS for a private endpoint's own address.

Every request is held against Google's description before the fake sees it, and every reply before it leaves.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.operations.fakes.gcp.cloud import Cloud, Refused
from tests.operations.fakes.gcp.discovery import Answered, Called, Wrong, judge_reply, recognized
from tests.operations.fakes.gcp.identity import Issuer, self_signed

__all__ = ["Servers", "serving"]

DOCUMENTS = (
    (r"/(upload/)?storage/v1/", "storage.v1"),
    (r"/v2/entries:", "logging.v2"),
    (r"/bigquery/v2/", "bigquery.v2"),
    (r"/v3/projects/", "cloudresourcemanager.v3"),
    (r"/oauth2/v2/", "oauth2.v2"),
    (r"/v1beta1/projects/[^/]+/services/", "serviceusage.v1beta1"),
    (r"/v1/(operations/|projects/[^/]+/services)", "serviceusage.v1"),
    (r"/v1/projects/[^/]+/locations/[^/]+/keyRings", "cloudkms.v1"),
    (r"/", "aiplatform.v1"),
)
METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"
RATE = {
    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
    "reason": "RATE_LIMIT_EXCEEDED",
    "domain": "googleapis.com",
}
REFUSALS: Mapping[str, Refused] = {
    "throttled": Refused(429, "RESOURCE_EXHAUSTED", "Quota exceeded for requests per minute", (RATE,)),
    "server error": Refused(503, "UNAVAILABLE", "The service is currently unavailable."),
    "conflict": Refused(409, "ABORTED", "The resource is being changed by another request."),
    "denied": Refused(403, "PERMISSION_DENIED", "Permission denied on the resource (or it may not exist)."),
}


class Servers:
    """What answers: the cloud behind it, the faults that are to come, and what was asked."""

    def __init__(self, cloud: Cloud, issuer: Issuer) -> None:
        self.cloud = cloud
        self.issuer = issuer
        self.faults: list[str] = []
        self.called: list[str] = []
        self.mistakes: list[str] = []
        """Requests that no description allows, and replies of the fake's own that none does."""
        self.lock = threading.Lock()
        self.address = ""
        self.private = ""

    # --- one request ---

    def answer(self, verb: str, target: str, headers: Mapping[str, str], body: bytes) -> _Sent:
        """Answer a request; ``timeout`` and ``half a reply`` lose the answer after the work is done."""
        split = urlsplit(target)
        if split.path == "/token":
            return _json(*self.issuer.token(body))
        if split.path == METADATA:
            return _json(*self.issuer.machine(headers.get("Metadata-Flavor", "")))
        with self.lock:
            self.called.append(f"{verb} {split.path}")
            fault = self.faults.pop(0) if self.faults else ""
            if fault == "expired credentials":
                self.issuer.expire()
            try:
                self._admit(headers)
                if fault in REFUSALS:
                    raise REFUSALS[fault]
                sent = self._reply(verb, split.path, split.query, headers, body)
            except Refused as refused:
                storage = "storage/v1/" in split.path
                sent = _json(refused.code, refused.body_of_storage() if storage else refused.body())
        return sent.broken(fault)

    def _admit(self, headers: Mapping[str, str]) -> None:
        if not self.issuer.knows(headers.get("Authorization", "")):
            raise Refused(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        of_a_job = self.issuer.is_machine(headers.get("Authorization", ""))
        if not of_a_job and headers.get("x-goog-user-project", "") != self.cloud.project:
            raise Refused(403, "PERMISSION_DENIED", "The request names no project that pays for it.")

    def _reply(self, verb: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> _Sent:
        name = next(name for pattern, name in DOCUMENTS if re.match(pattern, path))
        try:
            called = recognized(name, verb, path, query, body, headers.get("Content-Type", ""))
        except Wrong as wrong:
            self.mistakes.append(f"{verb} {path}: {wrong}")
            raise Refused(400, "INVALID_ARGUMENT", str(wrong)) from wrong
        handler = self.cloud.handler(called.id)
        if handler is None:
            self.mistakes.append(f"the fake has no {called.id}")
            raise Refused(501, "UNIMPLEMENTED", f"the fake has no {called.id}")
        self.cloud.advance()
        return self._judged(called, handler(called))

    def _judged(self, called: Called, reply: Any) -> _Sent:
        if isinstance(reply, Answered):
            return _Sent(200, reply.body, reply.content_type, reply.headers)
        try:
            judge_reply(called, reply)
        except Wrong as wrong:
            self.mistakes.append(f"the fake's own answer to {called.id}: {wrong}")
            raise Refused(500, "INTERNAL", str(wrong)) from wrong
        return _json(200, reply) if reply is not None else _Sent(204, b"", "application/json")


class _Sent:
    """What goes over the wire."""

    def __init__(
        self, code: int, body: bytes, kind: str, headers: tuple[tuple[str, str], ...] = (), how: str = ""
    ) -> None:
        self.code, self.body, self.kind, self.headers, self.how = code, body, kind, headers, how

    def broken(self, fault: str) -> _Sent:
        how = fault if fault in {"timeout", "half a reply"} else ""
        return _Sent(self.code, self.body, self.kind, self.headers, how)


def _json(code: int, body: Any) -> _Sent:
    return _Sent(code, json.dumps(body).encode(), "application/json; charset=UTF-8")


def _handler(answer: Callable[[str, str, Mapping[str, str], bytes], _Sent]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            sent = answer(self.command, self.path, self.headers, self.rfile.read(length))  # type: ignore[arg-type]
            self.close_connection = bool(sent.how)
            if sent.how == "timeout":
                return
            self.send_response(sent.code)
            for name, value in (("Content-Type", sent.kind), *sent.headers):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(sent.body)))
            self.end_headers()
            self.wfile.write(sent.body[: len(sent.body) // 2] if sent.how else sent.body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do  # noqa: N815 - the names that http.server asks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in http.server
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error of the server's."""


@contextmanager
def serving(cloud: Cloud, issuer: Issuer, folder: Path) -> Iterator[Servers]:
    """Serve on loopback until the end of the block."""
    servers = Servers(cloud, issuer)
    plain = _Server(("127.0.0.1", 0), _handler(servers.answer))
    private = _Server(("127.0.0.1", 0), _handler(servers.answer))
    certificate, key = self_signed(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    private.socket = context.wrap_socket(private.socket, server_side=True)
    servers.address = f"http://127.0.0.1:{plain.server_address[1]}"
    servers.private = cloud.private_address = f"127.0.0.1:{private.server_address[1]}"
    issuer.address = servers.address
    threads = [
        threading.Thread(target=it.serve_forever, args=(0.02,), daemon=True) for it in (plain, private)
    ]
    for thread in threads:
        thread.start()
    try:
        yield servers
    finally:
        for server, thread in zip((plain, private), threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()
