"""Endpoints of this machine: what they answer, and that no model, no client and no kill takes one down."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from scaffolder.operations.errors import AlreadyExists, InvalidRequest, OperationError
from scaffolder.operations.local.server import MOST_BODY_BYTES
from scaffolder.operations.values import Approval, EndpointState
from tests.operations.local.captures import captured
from tests.operations.local.serving import ROWS, Project, project, until

CSV = {"content-type": "text/csv"}
HEAD = """
import os, sys, time
from pathlib import Path

def load(folder):
    return folder
"""
TAKES_S = 0.3
SLOW = f"""{HEAD}
def predict(model, body, content_type):
    time.sleep({TAKES_S})
    return b"slow", "text/plain"
"""


def _waits(flag: Path) -> str:
    """A model that answers as soon as a file is there."""
    return f"""{HEAD}
def predict(model, body, content_type):
    while not Path({str(flag)!r}).exists():
        time.sleep(0.02)
    return b"slow", "text/plain"
"""


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with project(tmp_path_factory.mktemp("project")) as made:
        yield made


@pytest.fixture
def opened(kept: Project) -> Iterator[Project]:
    """The project, with no deployment."""
    kept.serving.remove("churn")
    yield kept
    kept.serving.remove("churn")


def _status(opened: Project) -> dict[str, dict[str, dict[str, list[int]]]]:
    found: dict[str, dict[str, dict[str, list[int]]]] = json.loads(
        (opened.serving.folder("churn") / "status.json").read_text()
    )
    return found


def _pids(opened: Project, deployment: str) -> list[int]:
    return _status(opened)["deployments"][deployment]["pids"]


def _server_pid(opened: Project) -> int:
    return int(str(_status(opened)["pid"]))


def _http(
    opened: Project, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = CSV
) -> tuple[int, Mapping[str, str], bytes]:
    place = urlsplit(opened.url)
    connection = HTTPConnection(place.hostname or "", place.port, timeout=60)
    try:
        connection.request(method, path, body, dict(headers))
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_of_a_hundred_requests_each_deployment_gets_its_percents(opened: Project) -> None:
    version = opened.version()
    opened.deploy("blue", version)
    opened.deploy("green", version)
    opened.serving.set_traffic("churn", {"blue": 80, "green": 20})
    served = Counter(opened.serving.invoke("churn", ROWS).served_by for _ in range(200))
    assert served == {"blue": 160, "green": 40}
    assert opened.serving.invoke("churn", ROWS, deployment="green").served_by == "green"


def test_a_first_request_waits_for_the_model_instead_of_failing(opened: Project) -> None:
    opened.serving.deploy(opened.request("only", opened.version()))
    assert opened.serving.invoke("churn", ROWS).body == b"1\n0\n"


def test_what_was_asked_and_answered_is_captured_by_its_id(opened: Project) -> None:
    version = opened.version()
    opened.deploy("half", version, capture_percent=50)
    ids = []
    for number in range(10):
        status, headers, _ = _http(
            opened, "POST", "/invocations", ROWS, {**CSV, "x-request-id": f"order-{number}"}
        )
        assert (status, headers["x-scaffolder-served-by"]) == (200, "half")
        ids.append(headers["x-request-id"])
    assert ids == [f"order-{number}" for number in range(10)]
    opened.serving.stop("churn")
    lines = [*captured(opened.serving.folder("churn") / "capture")]
    assert [line.id for line in lines] == ids[1::2]
    assert {(line.deployment, line.version, line.request, line.answer) for line in lines} == {
        ("half", version, ROWS, b"1\n0\n")
    }


def test_what_is_wrong_with_a_request_is_said(opened: Project) -> None:
    opened.deploy("only", opened.version())
    with pytest.raises(InvalidRequest, match="KeyError: 'tenure'"):
        opened.serving.invoke("churn", b"tenrue\n3\n")
    status, headers, body = _http(opened, "POST", "/invocations", b"x" * (MOST_BODY_BYTES + 1))
    assert (status, json.loads(body)["id"]) == (413, headers["x-request-id"])
    assert str(MOST_BODY_BYTES) in json.loads(body)["error"]
    status, _, body = _http(opened, "POST", "/invocations", ROWS, {"x-scaffolder-deployment": "old"})
    assert (status, json.loads(body)["error"]) == (404, "there is no deployment 'old'; there is only")
    assert _http(opened, "GET", "/invocations")[0] == 405
    assert _http(opened, "GET", "/elsewhere")[0] == 404
    assert opened.serving.invoke("churn", ROWS).body == b"1\n0\n"


def test_health_readiness_and_metrics_are_told(opened: Project, tmp_path: Path) -> None:
    flag = tmp_path / "loads"
    loading = f"while not Path({str(flag)!r}).exists(): time.sleep(0.02)"
    opened.serving.deploy(
        opened.request("only", opened.version(serve=SLOW.replace("return folder", loading)))
    )
    assert _http(opened, "GET", "/health")[0] == 200
    assert _http(opened, "GET", "/ready")[0] == 503
    flag.touch()
    opened.settled("only")
    assert _http(opened, "GET", "/ready")[0] == 200
    began = time.monotonic()
    opened.serving.invoke("churn", ROWS)
    took_s = time.monotonic() - began
    status, headers, body = _http(opened, "GET", "/metrics")
    assert (status, headers["content-type"].partition(";")[0]) == (200, "text/plain")
    lines = body.decode().splitlines()
    assert all(
        re.fullmatch(r'# (HELP|TYPE) .+|[a-z_]+(\{[a-z]+="[^"]+"(,[a-z]+="[^"]+")*\})? [0-9.]+', line)
        for line in lines
    )
    assert 'scaffolder_requests_total{deployment="only",status="200"} 1' in lines
    found = re.findall(
        r'scaffolder_request_seconds_bucket\{deployment="only",le="(.+)"\} (\d+)', body.decode()
    )
    within = {float(bound): int(number) for bound, number in found}
    assert {within[bound] for bound in within if bound < TAKES_S} == {0}
    assert {within[bound] for bound in within if bound >= took_s} == {1}


def test_a_killed_process_of_a_model_costs_no_request(opened: Project) -> None:
    opened.deploy("pair", opened.version(), replicas=2)
    before = _pids(opened, "pair")
    done = threading.Event()
    answers: Counter[bytes] = Counter()

    def ask() -> None:
        while not done.is_set():
            answers[_http(opened, "POST", "/invocations", ROWS)[2]] += 1

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for pid in before:
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.2)
        until(lambda: len({*_pids(opened, "pair")} - {*before}) == 2, "two others are there")
    finally:
        done.set()
        asking.join()
    assert set(answers) == {b"1\n0\n"}


def test_a_request_that_ends_its_model_is_refused_and_no_other_is(opened: Project) -> None:
    poison = f"""{HEAD}
def predict(model, body, content_type):
    if body == b"poison":
        os._exit(1)
    print("models may print")
    return b"fine", "text/plain"
"""
    opened.deploy("weak", opened.version(serve=poison))
    with pytest.raises(OperationError, match="the model's process died 3 times") as failed:
        opened.serving.invoke("churn", b"poison")
    assert failed.value.code == "500"
    assert opened.serving.invoke("churn", b"food").body == b"fine"
    assert opened.settled("weak").state is EndpointState.IN_SERVICE


def test_an_error_of_the_model_has_an_id_and_is_in_the_log(opened: Project) -> None:
    broken = f"""{HEAD}
def predict(model, body, content_type):
    raise RuntimeError("no luck")
"""
    opened.deploy("bad", opened.version(serve=broken))
    status, headers, body = _http(opened, "POST", "/invocations", ROWS)
    assert (status, json.loads(body)["error"]) == (500, "RuntimeError: no luck")
    id_ = headers["x-request-id"]
    assert json.loads(body)["id"] == id_
    folder = opened.serving.folder("churn")
    lines = [json.loads(line) for line in (folder / "server.log").read_text().splitlines()]
    assert [line["status"] for line in lines if line.get("id") == id_] == [500]
    assert "Traceback" in (folder / "workers/bad.log").read_text()


def test_a_model_that_cannot_be_loaded_fails_alone_and_is_tried_again_when_asked(
    opened: Project, tmp_path: Path
) -> None:
    flag = tmp_path / "database-is-there"
    picky = f"""{HEAD.replace("return folder", f"Path({str(flag)!r}).read_text()")}
def predict(model, body, content_type):
    return b"fine", "text/plain"
"""
    opened.deploy("good", opened.version())
    request = opened.request("picky", opened.version(serve=picky))
    opened.serving.deploy(request)
    failed = opened.settled("picky")
    assert failed.state is EndpointState.FAILED
    assert failed.error.startswith("serve.py cannot be loaded: FileNotFoundError")
    with pytest.raises(InvalidRequest, match="has failed"):
        opened.serving.set_traffic("churn", {"picky": 100})
    assert opened.serving.invoke("churn", ROWS).served_by == "good"
    assert opened.serving.describe("churn").state is EndpointState.IN_SERVICE
    flag.touch()
    opened.serving.deploy(request)
    assert opened.settled("picky").state is EndpointState.IN_SERVICE


def test_a_killed_server_is_seen_and_comes_back_where_it_was(opened: Project) -> None:
    opened.deploy("only", opened.version())
    url, workers = opened.url, _pids(opened, "only")
    os.kill(_server_pid(opened), signal.SIGKILL)
    until(lambda: opened.serving.describe("churn").state is EndpointState.FAILED, "it is seen")
    assert "starts again when it is invoked or deployed to" in opened.serving.describe("churn").error
    assert opened.serving.describe("churn").deployments[0].state is EndpointState.FAILED
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "its models' processes end")
    port = urlsplit(url).port or 0
    is_free = _is_free(port)  # else another program of this machine has it by now
    assert opened.serving.invoke("churn", ROWS).body == b"1\n0\n"
    assert opened.url == url or not is_free


def _is_free(port: int) -> bool:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def test_a_server_whose_folder_was_removed_ends_with_its_models(opened: Project) -> None:
    opened.deploy("v001", opened.version())
    status = json.loads((opened.serving.folder("churn") / "status.json").read_text())
    processes = [status["pid"], *status["deployments"]["v001"]["pids"]]
    shutil.rmtree(opened.serving.folder("churn"))
    until(lambda: not any(Path(f"/proc/{each}").exists() for each in processes), "the processes end")
    opened.deploy("v001", opened.version())


def _asked(opened: Project, answers: list[bytes]) -> threading.Thread:
    """Ask the deployment ``slow`` from a thread, and wait until it has the request."""
    asking = threading.Thread(
        target=lambda: answers.append(opened.serving.invoke("churn", ROWS, deployment="slow").body)
    )
    asking.start()
    until(
        lambda: b'scaffolder_in_flight{deployment="slow"} 1' in _http(opened, "GET", "/metrics")[2],
        "it is asked",
    )
    return asking


def test_what_was_accepted_is_answered_before_a_server_ends(opened: Project, tmp_path: Path) -> None:
    flag = tmp_path / "answers"
    opened.deploy("slow", opened.version(serve=_waits(flag)))
    port = urlsplit(opened.url).port or 0
    answers: list[bytes] = []
    asking = _asked(opened, answers)
    stopping = threading.Thread(target=opened.serving.stop, args=["churn"])
    stopping.start()
    until(lambda: not _listens(port), "it takes no more requests")
    assert answers == []
    flag.touch()
    for thread in (asking, stopping):
        thread.join()
    assert answers == [b"slow"]


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True


def test_a_deployment_that_is_taken_away_answers_what_it_has(opened: Project, tmp_path: Path) -> None:
    flag = tmp_path / "answers"
    opened.deploy("good", opened.version())
    opened.deploy("slow", opened.version(serve=_waits(flag)))
    answers: list[bytes] = []
    asking = _asked(opened, answers)
    pids = _pids(opened, "slow")
    opened.serving.undeploy("churn", "slow")
    assert [one.name for one in opened.serving.describe("churn").deployments] == ["good"]
    assert answers == []
    flag.touch()
    asking.join()
    assert answers == [b"slow"]
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), "its process ends")


def test_a_name_is_one_version_and_the_same_request_changes_nothing(opened: Project) -> None:
    first, second = opened.version(), opened.version()
    opened.deploy("only", first)
    pids = _pids(opened, "only")
    opened.deploy("only", first)
    assert _pids(opened, "only") == pids
    with pytest.raises(AlreadyExists, match=f"version {first} of churn"):
        opened.serving.deploy(opened.request("only", second))


def test_a_rejected_version_is_not_deployed(opened: Project) -> None:
    version = opened.version()
    opened.registry.set_approval("churn", version, Approval.REJECTED)
    with pytest.raises(InvalidRequest, match="was rejected"):
        opened.serving.deploy(opened.request("only", version))


def test_commands_at_once_start_one_server(opened: Project) -> None:
    version = opened.version()
    names = [f"part{number}" for number in range(4)]
    commands = [
        threading.Thread(target=opened.serving.deploy, args=[opened.request(name, version)]) for name in names
    ]
    for command in commands:
        command.start()
    for command in commands:
        command.join()
    for name in names:
        assert opened.settled(name).state is EndpointState.IN_SERVICE
    log = (opened.serving.folder("churn") / "server.log").read_text()
    assert log.count('"event": "listens"') == 1
    assert sum(one.traffic_percent for one in opened.serving.describe("churn").deployments) == 100
