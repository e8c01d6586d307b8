"""An endpoint inside its server: which deployments it has, which of them answers, and what was counted.

Follows ``desired.json`` and writes ``status.json`` beside it. May not know HTTP.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scaffolder.operations.local.capture import Capture, Captured
from scaffolder.operations.local.exposition import Counts, exposed
from scaffolder.operations.local.files import read_json, write_json
from scaffolder.operations.local.models import Reply, Request
from scaffolder.operations.local.replicas import Deployed, Pool, status_of
from scaffolder.operations.local.traffic import Split

__all__ = ["DESIRED", "STATUS", "Endpoint", "log"]

DESIRED, STATUS, CAPTURED, WORKER_LOGS = "desired.json", "status.json", "capture", "workers"


def log(event: str, **about: object) -> None:
    """Write a line of the server's log."""
    line = {"time": datetime.now(UTC).isoformat(), "event": event, **about}
    sys.stderr.write(f"{json.dumps(line)}\n")
    sys.stderr.flush()


class Endpoint:
    """The deployments of one endpoint. Everything is of the loop's thread, but what the capture writes."""

    def __init__(self, folder: Path, about: Mapping[str, object]) -> None:
        self.generation = 0
        self.counts = Counts()
        self._folder = folder
        self._about = about
        self._pools: dict[str, Pool] = {}
        self._split = Split({})
        self._leaving: set[asyncio.Task[None]] = set()
        self._capture = Capture(folder / CAPTURED)
        (folder / WORKER_LOGS).mkdir(exist_ok=True)

    async def answer(self, id_: str, request: Request, deployment: str | None) -> tuple[Reply, str]:
        """Answer a request, and name who did (may be empty)."""
        name = deployment or self._split.next()
        pool = self._pools.get(name) if name else None
        if pool is None:
            if deployment:
                there = ", ".join(self._pools) or "none"
                return Reply(
                    status=404, body=f"there is no deployment {deployment!r}; there is {there}".encode()
                ), ""
            return Reply(status=503, body=b"no deployment takes traffic"), ""
        began = time.monotonic()
        reply = await pool.answer(request)
        of = pool.deployed
        self.counts.add(of.name, reply.status, time.monotonic() - began)
        if reply.status >= 500:
            log("not answered", id=id_, deployment=of.name, status=reply.status, error=reply.body.decode())
        elif (
            of.capture_percent
            and reply.status == 200
            and self._capture.is_wanted(of.name, of.capture_percent)
        ):
            self._capture.put(
                Captured(
                    time=datetime.now(UTC),
                    id=id_,
                    deployment=of.name,
                    model=of.model,
                    version=of.version,
                    content_type=request.content_type,
                    request=request.body,
                    answer_content_type=reply.content_type,
                    answer=reply.body,
                )
            )
        return reply, of.name

    def reload(self) -> int:
        """Follow what is desired now, and return its generation. What is not desired any more drains, then ends."""
        found: Any = read_json(self._folder / DESIRED) or {}
        if not found or found["generation"] == self.generation:
            return self.generation
        wanted = {name: Deployed(**about) for name, about in found["deployments"].items()}
        for name, deployed in wanted.items():
            if name not in self._pools or self._pools[name].deployed != deployed:
                self._start(deployed)
        self._split = Split(found["traffic"])
        for name in [name for name in self._pools if name not in wanted]:
            self._end(self._pools.pop(name))
        self.generation = found["generation"]
        log("follows", generation=self.generation, traffic=found["traffic"], deployments=[*wanted])
        self.write_status()
        return self.generation

    def is_ready(self) -> bool:
        """Whether every deployment that takes traffic can answer, and there is one."""
        names = self._split.percent
        return bool(names) and all(
            name in self._pools and self._pools[name].state.state == "serving" for name in names
        )

    def metrics(self) -> str:
        pools = {name: (pool.state, pool.in_flight) for name, pool in self._pools.items()}
        return exposed(self.counts, pools, self._split.percent, self._capture.dropped)

    def write_status(self) -> None:
        deployments = {name: status_of(pool) for name, pool in self._pools.items()}
        status = {**self._about, "generation": self.generation, "deployments": deployments}
        try:
            write_json(self._folder / STATUS, status)
        except OSError as error:  # a full disk must not end the endpoint
            log("status not written", error=str(error))

    async def close(self) -> None:
        """Answer what was accepted, end all processes, and write what was captured."""
        for pool in self._pools.values():
            self._end(pool)
        await asyncio.gather(*self._leaving, return_exceptions=True)
        await asyncio.to_thread(self._capture.close)

    def _start(self, deployed: Deployed) -> None:
        before = self._pools.get(deployed.name)
        if before is not None:
            self._end(before)
        pool = Pool(deployed, self._folder / WORKER_LOGS / f"{deployed.name}.log", self.write_status)
        self._pools[deployed.name] = pool
        pool.start()

    def _end(self, pool: Pool) -> None:
        task = asyncio.create_task(pool.close())
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)
