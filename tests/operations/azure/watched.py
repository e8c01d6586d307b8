"""A subscription as a job inside the platform's network sees it: its identity, blobs, and Azure Monitor's ingestion.

Blobs are the fake Azure's. What ingestion takes is written down from its documentation: no package of Azure's has it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stacks.azure.assets import container_url
from stacks.azure.context import Context
from stacks.azure.watching import COLLECTED, insights_id
from tests.operations.fakes.azure.requests import Answer, Refusal, Request, said
from tests.operations.fakes.azure.service import COLLECTING, WORKSPACE_STORE
from tests.operations.watching import NOON, Job, known, requests
from tests.operations.worlds.azure import AzureWorld

__all__ = ["HOUR", "Inside", "Watched", "inside"]

HOUR = timedelta(hours=1)
TOKENS = {
    "https://storage.azure.com/": "token-of-storage",
    "https://monitoring.azure.com/": "token-of-monitor",
}
SECRET = "msi-s3cret"
INGESTED = {"metric", "namespace", "dimNames", "series"}
SERIES = {"dimValues", "min", "max", "sum", "count"}


@dataclass
class Inside:
    """What answers a job, and what it published."""

    world: AzureWorld
    address: str = ""
    published: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    faults: list[int] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        """Answer as the service of the request's host does."""
        self.asked.append(f"{request.method} {request.host}{request.path}")
        try:
            return self._answered(request)
        except Refusal as refusal:
            return refusal.answer(storage=request.host.endswith(".blob.core.windows.net"))

    def _answered(self, request: Request) -> Answer:
        if request.path in {"/metadata/identity/oauth2/token", "/msi/token"}:
            return self._token(request)
        if self.faults:
            raise Refusal(self.faults.pop(0), "ServerBusy", "The server is busy.")
        if request.host.endswith(".monitoring.azure.com"):
            return self._ingested(request)
        if request.headers.get("authorization") != f"Bearer {TOKENS['https://storage.azure.com/']}":
            raise Refusal(401, "InvalidAuthenticationInfo", "Server failed to authenticate the request.")
        return self.world.azure.blobs.answer(request)

    def _token(self, request: Request) -> Answer:
        if request.path == "/msi/token":
            allowed = request.headers.get("secret") == SECRET and request.query["api-version"] == "2017-09-01"
        else:
            allowed = (
                request.headers.get("metadata") == "true" and request.query["api-version"] == "2018-02-01"
            )
        if not allowed:
            return said({"error": "invalid_request", "error_description": "Required metadata header"}, 400)
        return said({"access_token": TOKENS[request.query["resource"]], "expires_on": "4102444800"})

    def _ingested(self, request: Request) -> Answer:
        """Custom metrics (Azure Monitor, "Send custom metrics for an Azure resource by a REST API", November 2026)."""
        context = Context(self.world.platform)
        if request.headers.get("authorization") != f"Bearer {TOKENS['https://monitoring.azure.com/']}":
            raise Refusal(401, "Unauthorized", "The token is of another audience.")
        if request.method != "POST" or request.path != f"{insights_id(context)}/metrics":
            raise Refusal(404, "NotFound", request.path)
        if request.host != f"{context.region}.monitoring.azure.com":
            raise Refusal(400, "BadRequest", "The resource is in another region.")
        body = json.loads(request.body)
        base = body["data"]["baseData"]
        moment = datetime.fromisoformat(body["time"])
        late = abs(moment - self.world.azure.clock.now()) > timedelta(minutes=20)
        (series,) = base["series"]
        if {*body} != {"time", "data"} or {*base} != INGESTED or {*series} != SERIES or late:
            raise Refusal(400, "BadRequest", request.body.decode())
        if len(series["dimValues"]) != len(base["dimNames"]):
            raise Refusal(400, "BadRequest", "dimNames and dimValues are not of the same length")
        dimensions = dict(zip(base["dimNames"], series["dimValues"], strict=True))
        self.published.append((base["namespace"], base["metric"], {**dimensions, "max": series["max"]}))
        return Answer(200)


@contextmanager
def inside(world: AzureWorld) -> Iterator[Inside]:
    """Serve on loopback until the end of the block."""
    there = Inside(world)

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            address = urlsplit(self.path)
            request = Request(
                method=self.command,
                host=self.headers.get("Host", ""),
                path=address.path,
                query=dict(parse_qsl(address.query, keep_blank_values=True)),
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(int(self.headers.get("Content-Length") or 0)),
            )
            answer = there.answer(request)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_PUT = do_POST = _do  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Watched:
    """A world with collected requests, and the job that looks at them."""

    def __init__(self, there: Inside) -> None:
        self.there = there
        self.blobs = there.world.azure.blobs
        context = Context(there.world.platform)
        artifacts = container_url(context, "artifacts")
        self.collected = (
            f"https://{WORKSPACE_STORE}.blob.core.windows.net/{COLLECTING}/{COLLECTED}/"
            f"{context.unique_name('endpoint', 'churn')}"
        )
        hosts = [urlsplit(url).netloc for url in (artifacts, self.collected)]
        hosts += ["169.254.169.254", f"{context.region}.monitoring.azure.com"]
        self.job = Job(
            captured=f"azureml:{self.collected}",
            results=f"{artifacts}/monitoring/churn",
            baseline=f"{artifacts}/baselines/2026-11",
            publish=f"azuremonitor:{context.region}:{insights_id(context)}",
            more=["--cooldown-s=86400"],
            hosts=dict.fromkeys(hosts, there.address),
        )
        self.blobs.write(f"{artifacts}/baselines/2026-11/drift-baseline.json", known())

    def hour(self, number: int, *, shift: float = 0.0) -> None:
        """Keep an hour's requests and answers, apart, as the data collector writes them."""
        begin = NOON + number * HOUR
        sides: dict[str, list[str]] = {"request": [], "response": []}
        for one in requests(begin, shift=shift):
            about = one["eventMetadata"]
            for side, key in (("request", "endpointInput"), ("response", "endpointOutput")):
                line = {
                    "specversion": "1.0",
                    "type": f"azureml.inference.{side}",
                    "correlationid": about["eventId"],
                    "time": about["inferenceTime"],
                    "data": one["captureData"][key]["data"],
                }
                sides[side].append(json.dumps(line))
        for side, lines in sides.items():
            url = f"{self.collected}/v1/{side}/{begin:%Y/%m/%d/%H}/0a1b.jsonl"
            self.blobs.write(url, "\n".join(lines).encode())

    def run(self, number: int) -> tuple[int, int]:
        """Look ten minutes after the end of an hour."""
        clock, at = self.there.world.azure.clock, NOON + (number + 1) * HOUR + timedelta(minutes=10)
        clock.sleep((at - clock.now()).total_seconds())
        return self.job.figures(at)

    def told(self, metric: str) -> list[float]:
        """What the stack's alert sees of this monitor."""
        return [
            it["max"]
            for space, name, it in self.there.published
            if (space, name, it["Monitor"]) == ("Drift", metric, "churn")
        ]
