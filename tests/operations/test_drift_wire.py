"""HTTP of the drift code: what is tried again and how long after, what is refused, and what a message may hold."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from scaffolder.drift.wire import Around, Refused

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
SECRET = "ya29.s3cret"


class Service:
    """A service that answers what a test says, the last answer again and again."""

    def __init__(self, port: int) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = [(200, {}, b"{}")]
        self.asked: list[str] = []
        self.slept: list[float] = []
        hosts = {"service.example": f"http://127.0.0.1:{port}"}
        self.around = Around(now=lambda: NOON, sleep=self.slept.append, hosts=hosts)
        self.around.secrets.add(SECRET)

    def ask(self, **more: Any) -> int:
        url = "https://service.example/things/one?sig=signature"
        headers = {"Authorization": f"Bearer {SECRET}"}
        return self.around.ask("GET", url, "look", headers=headers, **more).status


@pytest.fixture
def service() -> Iterator[Service]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            there.asked.append(f"{self.headers['Host']}{self.path}")
            code, headers, body = there.answers.pop(0) if len(there.answers) > 1 else there.answers[0]
            if code == 0:
                return  # the connection ends without a word
            self.send_response(code)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there = Service(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield there
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("code", [0, 408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_tried_five_times_and_then_refused(service: Service, code: int) -> None:
    service.answers = [(code, {}, b"busy")]
    with pytest.raises(Refused) as refused:
        service.ask()
    assert (len(service.asked), len(service.slept), refused.value.status) == (5, 4, code)


def test_pauses_double_and_a_service_may_ask_for_longer_ones(service: Service) -> None:
    service.answers = [(503, {}, b""), (503, {}, b""), (429, {"Retry-After": "17"}, b""), (200, {}, b"")]
    assert service.ask() == 200
    first, second, asked_for = service.slept
    assert 0.5 <= first <= 1 <= second <= 2
    assert asked_for == 17


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 412])
def test_what_lasts_is_refused_at_once_unless_the_caller_understands_it(service: Service, code: int) -> None:
    service.answers = [(code, {}, b"no")]
    with pytest.raises(Refused):
        service.ask()
    assert (service.ask(fine=(code,)), len(service.asked), service.slept) == (code, 2, [])


def test_a_lost_answer_to_what_must_not_be_done_twice_is_not_asked_for_again(service: Service) -> None:
    service.answers = [(0, {}, b"")]
    with pytest.raises(Refused):
        service.ask(surely=False)
    assert len(service.asked) == 1


def test_half_an_answer_is_none(service: Service) -> None:
    service.answers = [(200, {"Content-Length": "9"}, b"half"), (200, {}, b"whole")]
    assert service.ask() == 200
    assert len(service.asked) == 2


def test_a_redirect_is_not_followed_since_it_would_take_the_token_along(service: Service) -> None:
    service.answers = [(302, {"Location": "https://elsewhere.example/"}, b"")]
    with pytest.raises(Refused, match="answered 302"):
        service.ask()
    assert service.asked == ["service.example/things/one?sig=signature"]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"error": {"message": "The table is not there.", "code": 404}}', "The table is not there."),
        (b'{"error": "invalid_request"}', "invalid_request"),
        (b'<?xml version="1.0"?><Error><Message>Gone\nforever</Message></Error>', "Gone forever"),
        (f"token {SECRET} is bad".encode(), "token *** is bad"),
        (b"x" * 1000, "x" * 300),
        (f"{'x' * 295}{SECRET}".encode(), f"{'x' * 295}***"),
    ],
)
def test_a_message_has_the_services_own_words_and_no_secret(
    service: Service, body: bytes, shown: str
) -> None:
    service.answers = [(403, {}, body)]
    with pytest.raises(Refused) as refused:
        service.ask()
    assert str(refused.value) == f"cannot look: service.example/things/one answered 403: {shown}"
