"""A deployment of an endpoint: its model's processes, and the requests that wait for one.

A process that dies is started again, and what it was asked goes to another; a request that outlives several is given up
as the likely cause. May not know HTTP, nor the split of the traffic.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scaffolder.operations.local.models import Reply, Request
from scaffolder.operations.local.worker import HEAD, packed, unpacked
from stacks.record import record

__all__ = ["Deployed", "Pool", "State", "status_of"]

MOST_WAITING = 2_000
"""Requests that wait for one deployment; more are refused at once."""
PATIENCE_S = 60.0
"""How long a request may wait, and how long a model may take for one batch."""
MOST_ATTEMPTS = 3
"""Processes that one request may take down with it."""
MOST_DEATHS = 4
"""Processes of one deployment that die one after the other while they load, before it counts as failed."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
SHORT_LIFE_S = 5.0
"""Who dies sooner than that is started again after a pause."""
MOST_TOGETHER_BYTES = 4 << 20
GRACE_S = 5.0


@record
class Deployed:
    """What is deployed: a version's folder under a name. ``attempt`` counts how often it was asked for."""

    name: str
    model: str
    version: int
    folder: str
    replicas: int
    capture_percent: int
    attempt: int


@dataclass(slots=True)
class Job:
    """A request that waits for its answer."""

    request: Request
    answer: asyncio.Future[Reply]
    since: float
    attempts: int = 0

    def give(self, status: int, text: str) -> None:
        self.done(Reply(status=status, body=text.encode()))

    def done(self, reply: Reply) -> None:
        if not self.answer.done():
            self.answer.set_result(reply)


@dataclass(slots=True)
class State:
    """How a pool is; ``pids`` are of the processes that answer."""

    state: str = "starting"
    error: str = ""
    pids: set[int] = field(default_factory=set)
    restarts: int = 0


class _CannotLoadError(Exception):
    """The model's process says that it cannot load the model."""


class _DiedError(Exception):
    """The model's process ended."""


class _Worker:
    """One process of a model."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.together = 1
        self.idle: asyncio.Future[None] | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @classmethod
    async def start(cls, folder: str, log: Path) -> _Worker:
        """Start a process, and wait until it has loaded the model.

        Raises:
            _CannotLoadError: it says that it cannot.
            _DiedError: it died.
        """
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "scaffolder.operations.local.worker", folder),
                stdin=PIPE,
                stdout=PIPE,
                stderr=output,
                limit=1 << 20,
                env={"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **os.environ},
            )
        worker = cls(process)
        try:
            await worker._load()
        except BaseException:
            await worker.end(0)
            raise
        return worker

    async def _load(self) -> None:
        header, _ = await self._receive()
        if "failed" in header:
            raise _CannotLoadError(header["failed"])
        self.together = header["together"]

    def watched(self) -> asyncio.Future[int]:
        """Return what is done when the process has ended; it is woken where it waits for requests."""
        gone = asyncio.ensure_future(self._process.wait())
        gone.add_done_callback(lambda _: self._wake())
        return gone

    def _wake(self) -> None:
        if self.idle is not None and not self.idle.done():
            self.idle.set_result(None)

    async def ask(self, requests: Sequence[Request]) -> Sequence[Reply]:
        """Ask for answers, one for each request.

        Raises:
            _DiedError: the process ended before it answered.
            TimeoutError: it does not answer.
        """
        stdin = self._process.stdin
        if stdin is None:
            raise _DiedError
        message = packed(
            {"content_types": [request.content_type for request in requests]},
            [request.body for request in requests],
        )
        try:
            async with asyncio.timeout(PATIENCE_S):
                stdin.write(message)
                await stdin.drain()
                header, bodies = await self._receive()
        except OSError as broken:
            if isinstance(broken, TimeoutError):
                raise
            raise _DiedError from broken
        return [
            Reply(status=status, body=body, content_type=content_type)
            for (status, content_type), body in zip(header["replies"], bodies, strict=True)
        ]

    async def _receive(self) -> tuple[Any, Sequence[bytes]]:
        stdout = self._process.stdout
        if stdout is None:
            raise _DiedError
        try:
            text_length, content_length = HEAD.unpack(await stdout.readexactly(HEAD.size))
            return unpacked(await stdout.readexactly(text_length), await stdout.readexactly(content_length))
        except asyncio.IncompleteReadError as ended:
            raise _DiedError from ended

    async def end(self, grace_s: float) -> None:
        """Let the process end: at the end of its input, or after the grace by force."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(grace_s):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


class Pool:
    """The processes of one deployment. ``changed`` is called whenever its state is another."""

    def __init__(self, deployed: Deployed, log: Path, changed: Callable[[], None]) -> None:
        self.deployed = deployed
        self.state = State()
        self.in_flight = 0
        self._log = log
        self._changed = changed
        self._waiting: deque[Job] = deque()
        self._idle: deque[asyncio.Future[None]] = deque()
        self._deaths = 0
        self._keepers: Sequence[asyncio.Task[None]] = ()
        self._sweeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._keepers = [asyncio.create_task(self._keep()) for _ in range(self.deployed.replicas)]
        self._sweeper = asyncio.create_task(self._sweep())

    async def answer(self, request: Request) -> Reply:
        """Answer a request when its turn comes; 503 where nothing can."""
        if self.state.state == "failed":
            return Reply(status=503, body=f"{self.deployed.name} has failed: {self.state.error}".encode())
        if len(self._waiting) >= MOST_WAITING:
            return Reply(status=503, body=f"{MOST_WAITING} requests wait for {self.deployed.name}".encode())
        job = Job(request, asyncio.get_running_loop().create_future(), time.monotonic())
        self._put(job)
        self.in_flight += 1
        try:
            return await job.answer
        finally:
            self.in_flight -= 1

    async def close(self) -> None:
        """Answer what was accepted, then let the processes end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                while self.in_flight and self.state.state != "failed":
                    await asyncio.sleep(0.01)
        for task in (*self._keepers, *([self._sweeper] if self._sweeper else [])):
            task.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        self._refuse_waiting("has ended")

    # --- the queue ---------------------------------------------------------------------------------------------------

    def _put(self, job: Job, *, first: bool = False) -> None:
        (self._waiting.appendleft if first else self._waiting.append)(job)
        self._wake()

    def _wake(self) -> None:
        while self._idle:
            waiter = self._idle.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    async def _some(self, worker: _Worker, gone: asyncio.Future[int]) -> list[Job]:
        """Wait for requests, and take as many as this process should have.

        Raises:
            _DiedError: the process ended meanwhile.
        """
        while not self._waiting and not gone.done():
            worker.idle = asyncio.get_running_loop().create_future()
            self._idle.append(worker.idle)
            await worker.idle
        if gone.done():
            self._wake()  # what woke this one may be another's work
            raise _DiedError
        share = -(-len(self._waiting) // max(1, len(self.state.pids)))
        return self._take(min(worker.together, share))

    def _take(self, most: int) -> list[Job]:
        taken: list[Job] = []
        size = 0
        while self._waiting and len(taken) < most and size < MOST_TOGETHER_BYTES:
            job = self._waiting[0]
            if (
                job.attempts and taken
            ):  # it may have taken a process down: let it not take others' requests with it
                break
            taken.append(self._waiting.popleft())
            size += len(job.request.body)
            if job.attempts:
                break
        return taken

    async def _sweep(self) -> None:
        """Give up requests that wait for too long."""
        while True:
            await asyncio.sleep(1)
            old = time.monotonic() - PATIENCE_S
            while self._waiting and self._waiting[0].since < old:
                self._waiting.popleft().give(503, f"no process of {self.deployed.name} was free in time")

    # --- the processes -----------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Keep one process alive, for as long as the deployment is there."""
        short_lives = 0
        while self.state.state != "failed":
            worker = await self._started()
            if worker is None:
                continue
            began = time.monotonic()
            try:
                await self._serve(worker)
            except _DiedError:
                self.state.restarts += 1
            finally:
                await worker.end(GRACE_S)
            short_lives = short_lives + 1 if time.monotonic() - began < SHORT_LIFE_S else 0
            if short_lives > 1:
                await asyncio.sleep(min(FIRST_PAUSE_S * 2**short_lives, LONGEST_PAUSE_S))

    async def _started(self) -> _Worker | None:
        """Start a process; ``None`` where it did not come up, after a pause, or for good."""
        try:
            worker = await _Worker.start(self.deployed.folder, self._log)
        except _CannotLoadError as error:
            self._fail(str(error))
            return None
        except _DiedError:
            self._deaths += 1
            if self._deaths >= MOST_DEATHS:
                self._fail(
                    f"its process died {MOST_DEATHS} times while it loaded; its output is in {self._log}"
                )
            else:
                await asyncio.sleep(FIRST_PAUSE_S * 2**self._deaths)
            return None
        self._deaths = 0
        return worker

    async def _serve(self, worker: _Worker) -> None:
        gone = worker.watched()
        self._is(worker.pid, alive=True)
        try:
            while True:
                await self._ask(worker, await self._some(worker, gone))
        finally:
            gone.cancel()
            self._is(worker.pid, alive=False)

    async def _ask(self, worker: _Worker, jobs: Sequence[Job]) -> None:
        try:
            replies = await worker.ask([job.request for job in jobs])
        except TimeoutError:
            for job in jobs:
                job.give(504, f"the model did not answer in {PATIENCE_S:.0f} s")
            await worker.end(0)
            raise _DiedError from None
        except asyncio.CancelledError:
            for job in jobs:
                job.give(503, f"{self.deployed.name} has ended")
            raise
        except _DiedError:
            for job in reversed(jobs):
                job.attempts += 1
                if job.attempts < MOST_ATTEMPTS:
                    self._put(job, first=True)
                else:
                    job.give(500, f"the model's process died {MOST_ATTEMPTS} times while it had this request")
            raise
        for job, reply in zip(jobs, replies, strict=True):
            job.done(reply)

    def _is(self, pid: int, *, alive: bool) -> None:
        (self.state.pids.add if alive else self.state.pids.discard)(pid)
        if self.state.state != "failed":
            self.state.state = "serving" if self.state.pids else "starting"
        self._changed()

    def _refuse_waiting(self, why: str) -> None:
        while self._waiting:
            self._waiting.popleft().give(503, f"{self.deployed.name} {why}")

    def _fail(self, error: str) -> None:
        """Give up: what waits is refused. A replica that still lives goes on with what it has."""
        self.state.state, self.state.error = "failed", error
        self._refuse_waiting(f"has failed: {error}")
        for waiter in self._idle:
            waiter.cancel()
        self._changed()


def status_of(pool: Pool) -> Mapping[str, object]:
    """Say how a deployment is, for ``status.json``."""
    return {
        "attempt": pool.deployed.attempt,
        "error": pool.state.error,
        "pids": sorted(pool.state.pids),
        "restarts": pool.state.restarts,
        "state": pool.state.state,
    }
