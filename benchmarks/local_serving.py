"""Measure an endpoint of this machine beside `mlflow models serve`: the same model, the same requests, the same run.

    .venv/bin/python benchmarks/local_serving.py            rewrites local_serving.json and LOCAL_SERVING.md
    .venv/bin/python benchmarks/local_serving.py --quick    one round of seconds, nothing rewritten

`make peer` installs the full mlflow. The model is scikit-learn's gradient boosting on its breast cancer data, a request
one row of it as JSON. In each round every server is started, asked, and ended; the table has medians of the rounds.
Cold start is from the start of the command to the first answer: ours is a process that deploys and asks.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.http_load import Load, ask_for, load
from benchmarks.machine import this_machine
from scaffolder.operations.adapters import open_provider
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.serving import LocalServing
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Autoscaling, DeployRequest, Registration
from scaffolder.pipeline import synthesize

ROOT = Path(__file__).resolve().parent.parent
SAVED = ROOT / "benchmarks/local_serving.json"
PAGE = ROOT / "benchmarks/LOCAL_SERVING.md"
PEER = ROOT / ".tools/peer/bin/mlflow"
JSON = {"content-type": "application/json"}
CLIENTS = 50
START_S = 300.0
SPEC = """
version: 1
name: bench
owner: bench
target: {provider: aws, region: eu-west-1, account: "123456789012"}
environments: {dev: {}}
models: {cancer: {approval: automatic}}
endpoints: {cancer: {model: cancer, mode: realtime, instance: cpu.medium}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One server in one round."""

    cold_start_s: float
    alone_ms: float
    per_second: float
    median_ms: float
    p99_ms: float
    resident_mib: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A way to serve the model, with so many processes that answer."""

    name: str
    processes: int


SERVERS = (
    Server(name="scaffolder", processes=1),
    Server(name="scaffolder", processes=2),
    Server(name="mlflow models serve", processes=1),
    Server(name="mlflow models serve", processes=2),
)


class UnfairError(Exception):
    """The servers do not answer the same, or not at all, so their numbers mean nothing."""


def main() -> int:
    options = _options()
    if options.deploy:
        _deploy(Path(options.deploy), int(options.processes))
        return 0
    rounds, seconds = (1, 2.0) if options.quick else (options.rounds, 8.0)
    with TemporaryDirectory() as folder:
        body, answer = _prepare(Path(folder))
        seen: dict[Server, list[Seen]] = {server: [] for server in SERVERS}
        for _ in range(rounds):
            for server, found in seen.items():
                with _served(server, Path(folder)) as (url, cold_start_s, pid):
                    found.append(_measured(url, cold_start_s, pid, body, answer, seconds))
    results = {_title(server): _medians(found) for server, found in seen.items()}
    page = _page(results, rounds)
    print(page)
    if not options.quick:
        versions = {name: version(name) for name in ("mlflow-skinny", "scikit-learn", "uvicorn")}
        about = asdict(this_machine(versions))
        SAVED.write_text(
            json.dumps({"machine": about, "rounds": rounds, "servers": results}, indent=1) + "\n"
        )
        PAGE.write_text(page)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure a local endpoint beside `mlflow models serve`.")
    parser.add_argument("--quick", action="store_true", help="one short round; rewrite nothing")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--deploy", help=argparse.SUPPRESS)
    parser.add_argument("--processes", help=argparse.SUPPRESS)
    return parser.parse_args()


# --- the model, and both sides ---------------------------------------------------------------------------------------


def _prepare(folder: Path) -> tuple[bytes, object]:
    """Train the model, save it for both sides, and return a request and its answer."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    import joblib  # noqa: PLC0415 - not in the process that is timed
    import mlflow.sklearn  # noqa: PLC0415 - not in the process that is timed
    from sklearn.datasets import load_breast_cancer  # noqa: PLC0415 - not in the process that is timed
    from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - not in the process that is timed

    rows, target = load_breast_cancer(return_X_y=True, as_frame=True)
    model = HistGradientBoostingClassifier(random_state=7).fit(rows, target)
    (folder / "artifact").mkdir()
    joblib.dump(model, folder / "artifact/model.joblib")
    mlflow.sklearn.save_model(
        model, folder / "mlflow", serialization_format="cloudpickle", pip_requirements=["scikit-learn"]
    )
    (folder / "platform.yaml").write_text(SPEC)
    _registry(folder, folder / "artifact")
    first = rows.head(1)
    request = {"dataframe_split": {"columns": [*first.columns], "data": first.to_numpy().tolist()}}
    body = json.dumps(request).encode()
    (folder / "request.json").write_bytes(body)
    return body, model.predict(first).tolist()


def _opening(folder: Path) -> Opening:
    platform = synthesize(folder / "platform.yaml").environments[0].platform
    return Opening(platform=platform, folder=folder, sleep=time.sleep)


def _registry(folder: Path, artifact: Path) -> None:

    open_provider("local", _opening(folder)).registry.register(
        Registration(model="cancer", artifact_uri=str(artifact), token="bench")  # noqa: S106 - no secret
    )


def _deploy(folder: Path, processes: int) -> None:
    """Deploy, and ask until there is an answer: what is timed as our cold start."""
    provider = open_provider("local", _opening(folder))
    request = DeployRequest(
        endpoint="cancer",
        deployment="bench",
        model="cancer",
        version=1,
        instance="cpu.medium",
        scaling=Autoscaling(min_replicas=processes, max_replicas=processes),
    )
    provider.serving.deploy(request)
    body = (folder / "request.json").read_bytes()
    provider.serving.invoke("cancer", body, content_type="application/json")


@contextmanager
def _served(server: Server, folder: Path) -> Iterator[tuple[str, float, int]]:
    """Start a server; give its URL, its cold start and its process."""
    if server.name == "scaffolder":
        yield from _ours(server, folder)
    else:
        yield from _peers(server, folder)


def _ours(server: Server, folder: Path) -> Iterator[tuple[str, float, int]]:
    serving = LocalServing(_opening(folder), Layout(folder))
    command = [sys.executable, __file__, "--deploy", str(folder), "--processes", str(server.processes)]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    cold_start_s = time.perf_counter() - began
    try:
        while serving.describe("cancer").deployments[0].replicas != server.processes:
            time.sleep(0.1)
        status = json.loads((serving.folder("cancer") / "status.json").read_text())
        yield serving.describe("cancer").url, cold_start_s, status["pid"]
    finally:
        serving.remove("cancer")


def _peers(server: Server, folder: Path) -> Iterator[tuple[str, float, int]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        *(str(PEER), "models", "serve", "-m", str(folder / "mlflow"), "--env-manager", "local"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", str(server.processes)),
    ]
    environment = {
        **os.environ,
        "PATH": f"{PEER.parent}:{os.environ['PATH']}",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    body = (folder / "request.json").read_bytes()
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while _asked("127.0.0.1", port, body) != 200:
            if process.poll() is not None or time.perf_counter() - began > START_S:
                raise UnfairError("mlflow models serve does not answer; `make peer` installs it")
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}/invocations", time.perf_counter() - began, process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _asked(host: str, port: int, body: bytes) -> int:
    connection = HTTPConnection(host, port, timeout=60)
    try:
        connection.request("POST", "/invocations", body, JSON)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


# --- measuring -------------------------------------------------------------------------------------------------------


def _measured(url: str, cold_start_s: float, pid: int, body: bytes, answer: object, seconds: float) -> Seen:
    load(url, body, JSON, clients=CLIENTS, going=ask_for(1.0))
    alone = _checked(load(url, body, JSON, clients=1, going=ask_for(seconds / 2)), answer)
    many = _checked(load(url, body, JSON, clients=CLIENTS, going=ask_for(seconds)), answer)
    return Seen(
        cold_start_s=cold_start_s,
        alone_ms=alone.percentile_ms(50),
        per_second=many.per_second,
        median_ms=many.percentile_ms(50),
        p99_ms=many.percentile_ms(99),
        resident_mib=_resident_mib(pid),
    )


def _checked(found: Load, answer: object) -> Load:
    if found.failures:
        raise UnfairError(f"requests failed: {found.failures.most_common(3)}")
    if any(json.loads(one) != {"predictions": answer} for one in found.answers):
        raise UnfairError(f"answers differ from the model's: {[*found.answers][:3]}")
    return found


def _resident_mib(pid: int) -> float:
    """The proportional share of the memory of a process and its descendants."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    own = next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return own / 1024 + sum(_resident_mib(int(child)) for child in children)


def _medians(found: Sequence[Seen]) -> Mapping[str, float]:
    rounds = [asdict(one) for one in found]
    return {name: round(median(one[name] for one in rounds), 2) for name in rounds[0]}


def _title(server: Server) -> str:
    return f"{server.name}, {server.processes} process{'es' * (server.processes > 1)}"


def _page(results: Mapping[str, Mapping[str, float]], rounds: int) -> str:
    lines = [
        "# An endpoint of this machine beside `mlflow models serve`",
        "",
        f"Medians of {rounds} rounds: scikit-learn's gradient boosting, requests of one row of 30 columns as JSON.",
        f"Requests a second, their median and 99th percentile with {CLIENTS} clients; the latency alone with one.",
        "`benchmarks/local_serving.py` says how; it wrote this page.",
        "",
        "| server | cold start | latency alone | requests/s | median | 99 % | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {one['cold_start_s']:.1f} s | {one['alone_ms']:.1f} ms | {one['per_second']:.0f} "
        f"| {one['median_ms']:.0f} ms | {one['p99_ms']:.0f} ms | {one['resident_mib']:.0f} MiB |"
        for name, one in results.items()
    ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
