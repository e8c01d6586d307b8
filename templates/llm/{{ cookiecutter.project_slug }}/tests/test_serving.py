from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from .conftest import PROJECT

STARTUP_S = 30
QUESTION = {"question": "How often are encryption keys rotated?"}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


class Served:
    """The service as a process of its own."""

    def __init__(self, index: Path, log: Path, **environment: str) -> None:
        self.port = free_port()
        self.log = log
        variables = {
            "APP_INDEX": str(index),
            "APP_HOST": "127.0.0.1",
            "APP_PORT": str(self.port),
            "APP_DRAIN_S": "1.5",
        }
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "serve"],
                cwd=PROJECT / "src",
                env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **variables, **environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def ask(self, path: str, body: object = None, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return (
                    answer.status,
                    answer.read(),
                    {key.lower(): value for key, value in answer.headers.items()},
                )
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read(), {key.lower(): value for key, value in error.headers.items()}

    def wait(self, status: int = 200) -> None:
        end = time.monotonic() + STARTUP_S
        while time.monotonic() < end:
            try:
                if self.ask("/readyz")[0] == status:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(self.log.read_text(encoding="utf-8"))

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


@pytest.fixture(scope="module")
def served(index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    made = Served(index, tmp_path_factory.mktemp("log") / "log", APP_MOST_BYTES="2000")
    try:
        made.wait()
        yield made
    finally:
        made.stop()


@pytest.mark.parametrize("path", ["/ask", "/invocations", "/score"])
def test_a_question_is_answered_with_its_sources(served: Served, path: str) -> None:
    status, body, headers = served.ask(path, QUESTION, **{"x-request-id": "mine-1"})
    answer = json.loads(body)
    assert status == 200
    assert "rotated yearly" in answer["answer"]
    assert answer["sources"][0]["source"] == "security.md#encryption-keys"
    assert answer["refused"] is None
    assert len(answer["trace_id"]) == 32
    assert headers["x-request-id"] == "mine-1"


def test_instances_become_predictions(served: Served) -> None:
    status, body, _ = served.ask(
        "/invocations", {"instances": [QUESTION, {"question": "How to bake bread?"}]}
    )
    first, second = json.loads(body)["predictions"]
    assert (status, first["refused"], second["refused"]) == (200, None, "no-answer")


def test_a_stream_is_sentences_and_then_the_answer(served: Served) -> None:
    status, body, headers = served.ask("/ask/stream", QUESTION)
    events = [event.split("\n") for event in body.decode().strip().split("\n\n")]
    names = [lines[0].removeprefix("event: ") for lines in events]
    told = [json.loads(lines[1].removeprefix("data: ")) for lines in events]
    assert status == 200
    assert headers["content-type"].startswith("text/event-stream")
    assert names[-1] == "answer"
    assert set(names[:-1]) == {"sentence"}
    assert " ".join(each["text"] for each in told[:-1]) == told[-1]["answer"]


def test_a_client_that_goes_away_frees_its_place(served: Served) -> None:
    body = json.dumps(QUESTION).encode()
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", served.port), timeout=5) as client:
            head = f"POST /ask/stream HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
            client.sendall(head.encode() + body)
    end = time.monotonic() + 10
    while b"app_in_flight 0\n" not in served.ask("/metrics")[1]:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert served.ask("/ask", QUESTION)[0] == 200


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"no", 400, "the body is not JSON"),
        ({"question": 3}, 400, "question is missing, or is no text"),
        ({"question": "x" * 3000}, 413, "a body may have 2000 bytes"),
        ({"instances": [{"question": "x"}] * 33}, 413, "a request may have 32 questions"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_requests_id(
    served: Served, body: object, status: int, says: str
) -> None:
    code, text, headers = served.ask("/ask", body)
    told = json.loads(text)
    assert code == status
    assert told["error"].startswith(says)
    assert told["request_id"] == headers["x-request-id"]


def test_health_readiness_and_metrics(served: Served) -> None:
    served.ask("/ask", QUESTION)
    assert [served.ask(path)[0] for path in ("/healthz", "/readyz", "/ping", "/metrics")] == [200] * 4
    text = served.ask("/metrics")[1].decode()
    for line in text.splitlines():
        assert re.fullmatch(r"# TYPE \w+ (counter|gauge|histogram)|\w+(\{.*\})? [0-9.e+-]+", line), line
    assert 'app_requests_total{route="/ask",status="200"} ' in text
    assert 'app_answers_total{outcome="answered"} ' in text
    assert 'app_request_seconds_bucket{le="+Inf",route="/ask"} ' in text
    assert "app_in_flight 0" in text


def test_logs_are_json_and_hold_no_question(served: Served) -> None:
    served.ask("/ask", QUESTION, **{"x-request-id": "logged-1"})
    mine = [line for line in served.lines() if line.get("request_id") == "logged-1"]
    assert (mine[0]["message"], mine[0]["status"], mine[0]["route"]) == ("request", 200, "/ask")
    assert "encryption" not in served.log.read_text(encoding="utf-8")


def test_an_id_that_could_forge_a_line_is_replaced(served: Served) -> None:
    assert served.ask("/ask", QUESTION, **{"x-request-id": "a b"})[2]["x-request-id"] != "a b"


def test_without_an_index_it_lives_and_is_not_ready(tmp_path: Path) -> None:
    made = Served(tmp_path / "no", tmp_path / "log")
    try:
        made.wait(503)
        assert made.ask("/healthz")[0] == 200
        end = time.monotonic() + STARTUP_S
        while b"run the pipeline" not in made.ask("/readyz")[1]:
            assert time.monotonic() < end
            time.sleep(0.05)
        status, body, headers = made.ask("/ask", QUESTION)
        assert (status, json.loads(body)["error"], headers["retry-after"]) == (503, "not ready", "1")
    finally:
        assert made.stop() == 0


def test_vertex_routes_and_port_are_taken_from_its_variables(index: Path, tmp_path: Path) -> None:
    port = free_port()
    variables = {"AIP_HTTP_PORT": str(port), "AIP_HEALTH_ROUTE": "/alive", "AIP_PREDICT_ROUTE": "/predict"}
    made = Served(index, tmp_path / "log", APP_DRAIN_S="0", **variables)
    made.port = port
    try:
        made.wait()
        assert made.ask("/alive")[0] == 200
        assert len(json.loads(made.ask("/predict", {"instances": [QUESTION]})[1])["predictions"]) == 1
    finally:
        assert made.stop() == 0


def test_a_stop_finishes_what_was_begun_and_exits_with_0(index: Path, tmp_path: Path) -> None:
    """A request whose body is still coming when SIGTERM does is answered; new ones hear that it is not ready."""
    made = Served(index, tmp_path / "log")
    try:
        made.wait()
        body = json.dumps(QUESTION).encode()
        slow = HTTPConnection("127.0.0.1", made.port, timeout=10)
        slow.putrequest("POST", "/ask")
        slow.putheader("Content-Length", str(len(body)))
        slow.endheaders()
        slow.send(body[:5])
        time.sleep(0.3)
        made.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert made.ask("/readyz")[0] == 503
        assert made.ask("/healthz")[0] == 200
        slow.send(body[5:])
        assert slow.getresponse().status == 200
        slow.close()
        assert made.process.wait(timeout=20) == 0
    finally:
        made.stop()
    assert [line["message"] for line in made.lines()].count("stopping") == 1
