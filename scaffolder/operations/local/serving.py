"""Endpoints of this machine: each a server of its own on loopback, which outlives the command that started it.

What is wanted is written to ``desired.json`` and the server told; what is there it writes to ``status.json``. A lock that
the server holds says whether it lives. May not load a model.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scaffolder.operations.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    NotFound,
    OperationError,
    TimedOut,
    Unavailable,
)
from scaffolder.operations.local.files import (
    disk_errors,
    locked,
    read_json,
    write_json,
)
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.liveness import lives, start_once
from scaffolder.operations.local.registry import LocalRegistry
from scaffolder.operations.local.trees import remove_tree
from scaffolder.operations.port import Opening
from scaffolder.operations.values import (
    Answer,
    Approval,
    Deployment,
    DeployRequest,
    EndpointState,
    EndpointStatus,
)
from stacks.intents import OnlineEndpoint

__all__ = ["LocalServing"]

NAME = re.compile(r"[a-z][a-z0-9-]{1,30}[a-z0-9]")
DESIRED, STATUS, WRITING = "desired.json", "status.json", "writing"
HOST = "127.0.0.1"
ANSWER_S = 90.0
"""Longer than the server lets a request wait."""
LISTEN_S = 60.0
LAST_WORDS = 2_000
_WAKES = "It starts again when it is invoked or deployed to."


class LocalServing:
    """The endpoints of the spec; those of mode serverless and async are served as realtime ones are."""

    def __init__(self, opening: Opening, layout: Layout) -> None:
        self._opening = opening
        self._layout = layout
        self._registry = LocalRegistry(opening, layout)

    # --- the port ----------------------------------------------------------------------------------------------------

    def deploy(self, request: DeployRequest) -> str:
        """Add a deployment; one that failed is tried again."""
        self._known(request.endpoint)
        if not NAME.fullmatch(request.deployment):
            raise InvalidRequest(f"a deployment cannot be named {request.deployment!r}: {NAME.pattern}")
        version = self._registry.get(request.model, request.version)
        if version.approval is Approval.REJECTED:
            raise InvalidRequest(
                f"version {request.version} of {request.model} was rejected",
                remedy="Deploy another one, or approve it first.",
            )
        wanted = {
            "model": request.model,
            "version": request.version,
            "folder": str(self._registry.files(version)),
            "replicas": request.scaling.min_replicas,
            "capture_percent": request.capture_percent,
        }
        asked = {"instance": request.instance, "max_replicas": request.scaling.max_replicas}
        with self._changing(request.endpoint) as desired:
            self._put(request, desired, wanted, asked)
        self._follow(request.endpoint)
        return request.endpoint

    def _put(
        self,
        request: DeployRequest,
        desired: dict[str, Any],
        wanted: Mapping[str, object],
        asked: Mapping[str, object],
    ) -> None:
        name = request.deployment
        before = desired["deployments"].get(name)
        attempt = 1
        if before is not None:
            if {**before, "attempt": 0} != {**wanted, "name": name, "attempt": 0} or desired["asked"][
                name
            ] != asked:
                raise AlreadyExists(
                    f"the deployment {name!r} is there, and is another one: version {before['version']} of "
                    f"{before['model']}",
                    remedy="Choose another name, or take that one away first.",
                )
            attempt = before["attempt"] + (self._state(request.endpoint, name)["state"] == "failed")
        elif not desired["deployments"]:
            desired["traffic"] = {name: 100}
        desired["deployments"][name] = {**wanted, "name": name, "attempt": attempt}
        desired["asked"][name] = dict(asked)

    def undeploy(self, endpoint: str, deployment: str) -> None:
        """Take a deployment away; what it was asked before, it answers."""
        self._known(endpoint)
        if deployment not in self._desired(endpoint)["deployments"]:
            return
        with self._changing(endpoint) as desired:
            percent = desired["traffic"].get(deployment, 0)
            if percent:
                raise InvalidRequest(
                    f"the deployment {deployment!r} takes {percent} % of the traffic",
                    remedy="Give the traffic to another one first.",
                )
            desired["deployments"].pop(deployment, None)
            desired["asked"].pop(deployment, None)
        self._tell(endpoint)

    def set_traffic(self, endpoint: str, percent: Mapping[str, int]) -> None:
        """Split the traffic; the next request goes by it."""
        self._known(endpoint)
        if sum(percent.values()) != 100 or min(percent.values()) < 0:
            raise InvalidRequest(f"traffic is whole percents, 100 together, and not {dict(percent)}")
        with self._changing(endpoint) as desired:
            for name in percent:
                self._can_serve(endpoint, name, desired, taking=percent[name] > 0)
            desired["traffic"] = {name: share for name, share in percent.items() if share}
        self._tell(endpoint)

    def _can_serve(self, endpoint: str, name: str, desired: Mapping[str, Any], *, taking: bool) -> None:
        if name not in desired["deployments"]:
            raise NotFound(
                f"the endpoint {endpoint!r} has no deployment {name!r}; "
                f"it has {', '.join(desired['deployments']) or 'none'}"
            )
        now = self._state(endpoint, name)
        if taking and now["state"] == "failed":
            raise InvalidRequest(f"the deployment {name!r} has failed: {now['error']}")
        if taking and now["state"] != "serving" and not desired["traffic"].get(name):
            raise Conflict(f"the deployment {name!r} is not in service yet", remedy="Wait until it is.")

    def describe(self, endpoint: str) -> EndpointStatus:
        """Say how an endpoint is; one whose server was killed has failed."""
        self._known(endpoint)
        desired = self._desired(endpoint)
        alive = self._lives(endpoint)
        deployments = tuple(
            self._deployment(endpoint, about, desired, alive=alive)
            for about in desired["deployments"].values()
        )
        state, native = _whole(deployments, alive=alive)
        status = read_json(self._folder(endpoint) / STATUS) or {}
        return EndpointStatus(
            name=endpoint,
            ref=endpoint,
            state=state,
            native_state=native,
            deployments=deployments,
            url=f"http://{HOST}:{status['port']}/invocations" if alive and "port" in status else "",
            error=f"the endpoint's server has ended. {_WAKES}" if deployments and not alive else "",
        )

    def list(self) -> Iterator[EndpointStatus]:
        """Yield the spec's endpoints that answer requests; batch endpoints have jobs only."""
        for name, endpoint in self._endpoints().items():
            if endpoint.mode != "batch":
                yield self.describe(name)

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str = "text/csv", deployment: str | None = None
    ) -> Answer:
        """Ask; an endpoint whose server was killed is started again for it."""
        self._known(endpoint)
        desired = self._desired(endpoint)
        if not desired["deployments"]:
            raise NotFound(
                f"nothing serves behind the endpoint {endpoint!r}",
                remedy="`scaffolder models deploy MODEL` deploys a version.",
            )
        if deployment is not None and deployment not in desired["deployments"]:
            raise NotFound(
                f"the endpoint {endpoint!r} has no deployment {deployment!r}; "
                f"it has {', '.join(desired['deployments'])}"
            )
        self.ensure_running(endpoint)
        headers = {"content-type": content_type}
        if deployment:
            headers["x-scaffolder-deployment"] = deployment
        status, answered, got = self._ask(endpoint, "/invocations", body, headers, ANSWER_S)
        if status == 200:
            return Answer(
                body=got,
                content_type=answered.get("content-type", ""),
                served_by=answered.get("x-scaffolder-served-by", ""),
            )
        raise _refused(endpoint, status, got)

    # --- what is of this machine only --------------------------------------------------------------------------------

    def ensure_running(self, endpoint: str) -> str:
        """Start an endpoint's server if it is not there, and return its URL.

        Raises:
            Unavailable: it does not start.
        """
        self._known(endpoint)
        folder = self._layout.made(self._folder(endpoint))
        start_once(folder, lambda lock: self._start(folder, lock))
        return f"http://{HOST}:{self._port(endpoint)}"

    def stop(self, endpoint: str) -> None:
        """End an endpoint's server, which answers first what it was asked; its deployments stay desired."""
        self._known(endpoint)
        if not self._lives(endpoint):
            return
        status: Any = read_json(self._folder(endpoint) / STATUS) or {}
        with suppress(ProcessLookupError, KeyError):
            os.kill(status["pid"], signal.SIGTERM)
        waited = 0.0
        while self._lives(endpoint):
            if waited > ANSWER_S:
                raise TimedOut(f"the server of the endpoint {endpoint!r} does not end")
            self._opening.sleep(0.05)
            waited += 0.05

    def remove(self, endpoint: str) -> None:
        """End an endpoint with all its deployments, whatever traffic they take, and forget what it captured."""
        self.stop(endpoint)
        remove_tree(self._folder(endpoint))

    def folder(self, endpoint: str) -> Path:
        """Where an endpoint keeps what is its own; ``capture`` below it is for monitors."""
        self._known(endpoint)
        return self._folder(endpoint)

    # --- the files ---------------------------------------------------------------------------------------------------

    def _endpoints(self) -> Mapping[str, OnlineEndpoint]:
        return {one.name: one for one in self._opening.platform.intents if isinstance(one, OnlineEndpoint)}

    def _known(self, endpoint: str) -> None:
        endpoints = self._endpoints()
        if endpoint not in endpoints:
            there = ", ".join(endpoints) or "none"
            raise NotFound(f"the spec has no endpoint {endpoint!r}; it has {there}")
        if endpoints[endpoint].mode == "batch":
            raise InvalidRequest(
                f"the endpoint {endpoint!r} scores files and has no deployments",
                remedy="Submit a scoring job.",
            )

    def _folder(self, endpoint: str) -> Path:
        return self._layout.endpoints / endpoint

    def _desired(self, endpoint: str) -> dict[str, Any]:
        empty: dict[str, Any] = {"generation": 0, "deployments": {}, "traffic": {}, "asked": {}}
        return read_json(self._folder(endpoint) / DESIRED) or empty

    @contextmanager
    def _changing(self, endpoint: str) -> Iterator[dict[str, Any]]:
        """Change what is desired, alone; nothing is written where it stays the same, or on an error."""
        with disk_errors(f"the endpoint {endpoint!r} cannot be written"):
            folder = self._layout.made(self._folder(endpoint))
            with locked(folder / WRITING):
                desired = self._desired(endpoint)
                before = json.dumps(desired, sort_keys=True)
                yield desired
                if json.dumps(desired, sort_keys=True) != before:
                    desired["generation"] += 1
                    write_json(folder / DESIRED, desired)

    def _state(self, endpoint: str, deployment: str) -> Mapping[str, Any]:
        """Say what the server last wrote of a deployment; ``starting`` where that is of another attempt, or nothing."""
        status: Any = read_json(self._folder(endpoint) / STATUS) or {}
        found = status.get("deployments", {}).get(deployment)
        wanted = self._desired(endpoint)["deployments"].get(deployment, {})
        if found is None or found["attempt"] != wanted.get("attempt"):
            return {"state": "starting", "error": "", "pids": [], "restarts": 0}
        return dict(found)

    def _deployment(
        self, endpoint: str, about: Mapping[str, Any], desired: Mapping[str, Any], *, alive: bool
    ) -> Deployment:
        name = about["name"]
        now = self._state(endpoint, name)
        states = {
            "serving": EndpointState.IN_SERVICE,
            "starting": EndpointState.CREATING,
            "failed": EndpointState.FAILED,
        }
        return Deployment(
            name=name,
            model=about["model"],
            version=about["version"],
            traffic_percent=desired["traffic"].get(name, 0),
            state=states[now["state"]] if alive else EndpointState.FAILED,
            native_state=now["state"] if alive else "ended",
            instance=desired["asked"][name]["instance"],
            replicas=len(now["pids"]) if alive else 0,
            error=now["error"] if alive else f"the endpoint's server has ended. {_WAKES}",
        )

    # --- the server --------------------------------------------------------------------------------------------------

    def _lives(self, endpoint: str) -> bool:
        return lives(self._folder(endpoint))

    def _start(self, folder: Path, lock: int) -> None:
        """Start the server, which inherits the lock, and wait until it listens."""
        try:
            said = subprocess.run(  # noqa: S603 - this program
                [sys.executable, "-P", "-m", "scaffolder.operations.local.server", str(folder), str(lock)],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                pass_fds=(lock,),
                cwd=folder,
                timeout=LISTEN_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"the server of {folder.name} does not listen", text=str(error)) from error
        if not said.stdout:
            log = folder / "server.log"
            words = log.read_bytes()[-LAST_WORDS:] if log.exists() else b""
            raise Unavailable(
                f"the server of the endpoint {folder.name!r} does not start",
                text=(said.stderr or words).decode(errors="replace").strip(),
            )

    def _follow(self, endpoint: str) -> None:
        self.ensure_running(endpoint)
        self._tell(endpoint)

    def _tell(self, endpoint: str) -> None:
        """Let a server that lives follow what is desired now; one that does not will when it starts."""
        if self._lives(endpoint):
            with suppress(Unavailable):  # it looks by itself every second, too
                self._ask(endpoint, "/reload", b"", {}, LISTEN_S)

    def _port(self, endpoint: str) -> int:
        status: Any = read_json(self._folder(endpoint) / STATUS) or {}
        return int(status.get("port", 0))

    def _ask(
        self, endpoint: str, path: str, body: bytes, headers: Mapping[str, str], timeout_s: float
    ) -> tuple[int, Mapping[str, str], bytes]:
        connection = HTTPConnection(HOST, self._port(endpoint), timeout=timeout_s)
        try:
            connection.request("POST", quote(path), body, dict(headers))
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        except TimeoutError as error:
            raise TimedOut(f"the endpoint {endpoint!r} does not answer in {timeout_s:.0f} s") from error
        except (OSError, HTTPException) as error:
            raise Unavailable(f"the endpoint {endpoint!r} cannot be reached", text=str(error)) from error
        finally:
            connection.close()


def _whole(deployments: tuple[Deployment, ...], *, alive: bool) -> tuple[EndpointState, str]:
    """Say the endpoint's state and its native one from its deployments'."""
    if not deployments:
        return EndpointState.PLANNED, "not there"
    if not alive:
        return EndpointState.FAILED, "ended"
    states = {one.state for one in deployments}
    if EndpointState.CREATING in states:
        return (EndpointState.CREATING if len(deployments) == 1 else EndpointState.UPDATING), "starting"
    if any(one.state is EndpointState.FAILED and one.traffic_percent for one in deployments):
        return EndpointState.FAILED, "failed"
    return EndpointState.IN_SERVICE, "listens"


def _refused(endpoint: str, status: int, body: bytes) -> OperationError:
    try:
        found = json.loads(body)
        text, id_ = str(found["error"]), str(found["id"])
    except (ValueError, KeyError, TypeError):
        text, id_ = body.decode(errors="replace"), ""
    match status:
        case 400 | 413:
            return InvalidRequest(f"the endpoint {endpoint!r} refuses the request: {text}", code=str(status))
        case 404:
            return NotFound(text, code="404")
        case 503:
            return Unavailable(f"the endpoint {endpoint!r} cannot answer now: {text}", code="503")
        case 504:
            return TimedOut(f"the endpoint {endpoint!r}: {text}", code="504")
        case _:
            return OperationError(
                f"the model behind the endpoint {endpoint!r} failed on request {id_}: {text}",
                code=str(status),
            )
