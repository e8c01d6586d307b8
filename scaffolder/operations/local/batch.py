"""Jobs that score files on this machine: each a process of its own, which outlives the command that started it.

A job is a folder: ``job.json`` says what was asked, ``status.json`` how far it is, and a lock that its process holds
whether it lives. May not load a model.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from scaffolder.operations.errors import InvalidRequest, NotFound, Unavailable
from scaffolder.operations.local.files import disk_errors, locked, read_json, write_json
from scaffolder.operations.local.layout import Layout
from scaffolder.operations.local.liveness import lives, start_once
from scaffolder.operations.local.registry import LocalRegistry
from scaffolder.operations.port import Opening
from scaffolder.operations.values import FINISHED, BatchJob, BatchRequest, RunState
from stacks.intents import OnlineEndpoint

__all__ = ["LocalBatch"]

JOB, STATUS, CANCEL, ENDING, LOG = "job.json", "status.json", "cancel", "ending", "job.log"
START_S = 60.0
_AGAIN = "Submit it again: what is scored stays, the rest is done."


class LocalBatch:
    """The scoring jobs of the spec's endpoints."""

    def __init__(self, opening: Opening, layout: Layout) -> None:
        self._opening = opening
        self._layout = layout
        self._registry = LocalRegistry(opening, layout)

    def submit(self, request: BatchRequest) -> str:
        """Start a job; with the token of an earlier request, return that one, and let it go on where it died."""
        endpoints = {one.name for one in self._opening.platform.intents if isinstance(one, OnlineEndpoint)}
        if request.endpoint not in endpoints:
            there = ", ".join(sorted(endpoints)) or "none"
            raise NotFound(f"the spec has no endpoint {request.endpoint!r}; it has {there}")
        name = sha256(request.token.encode()).hexdigest()[:16]
        with disk_errors("the job cannot be written"):
            folder = self._layout.made(self._layout.batch / request.endpoint / name)
            with locked(folder / "submitting"):
                if not (folder / JOB).exists():
                    write_json(folder / JOB, self._job(request))
                self._start(folder)
        return f"{request.endpoint}/{name}"

    def describe(self, ref: str) -> BatchJob:
        """Say how a job is; one whose process was killed has failed."""
        return self._described(ref, self._folder(ref))

    def list(self, endpoint: str) -> Iterator[BatchJob]:
        """Yield an endpoint's jobs, the newest first."""
        top = self._layout.batch / endpoint
        folders = [each for each in top.iterdir() if (each / JOB).exists()] if top.is_dir() else []
        jobs = [self._described(f"{endpoint}/{each.name}", each) for each in folders]
        yield from sorted(jobs, key=lambda job: (job.created, job.ref), reverse=True)

    def cancel(self, ref: str) -> None:
        """Ask a job to stop; it does after the rows that it is at. What it wrote stays."""
        folder = self._folder(ref)
        with (
            disk_errors("the job cannot be stopped"),
            locked(folder / ENDING),
        ):  # a job that ends looks once more
            if self._described(ref, folder).state not in FINISHED:
                (folder / CANCEL).touch()

    def _job(self, request: BatchRequest) -> dict[str, object]:
        version = self._registry.get(request.model, request.version)
        source = self._layout.place(request.input_uri)
        if not source.exists():
            raise NotFound(
                f"there is nothing to score at {request.input_uri}",
                remedy="Name a file, or a folder with files.",
            )
        target = self._layout.place(request.output_uri, writing=True)
        if target == source or source in target.parents:
            raise InvalidRequest(f"{request.output_uri} is inside of what is scored, {request.input_uri}")
        return {
            "created": self._opening.now().isoformat(),
            "endpoint": request.endpoint,
            "input": str(source),
            "model": request.model,
            "model_folder": str(self._registry.files(version)),
            "output": str(target),
            "output_uri": request.output_uri,
            "version": request.version,
        }

    def _start(self, folder: Path) -> None:
        """Start a job's process, which inherits the lock, unless it lives or has ended by itself."""
        status = read_json(folder / STATUS) or {}
        if status.get("state") not in FINISHED:
            start_once(folder, lambda lock: self._spawn(folder, lock))

    @staticmethod
    def _spawn(folder: Path, lock: int) -> None:
        (folder / CANCEL).unlink(missing_ok=True)
        with (folder / LOG).open("ab") as log:
            started = subprocess.run(  # noqa: S603 - this program
                [sys.executable, "-P", "-m", "scaffolder.operations.local.scoring", str(folder), str(lock)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock,),
                cwd=folder,
                timeout=START_S,
                check=False,
            )
        if started.returncode:
            raise Unavailable(f"the job's process does not start; its output is in {folder / LOG}")

    def _folder(self, ref: str) -> Path:
        endpoint, _, name = ref.partition("/")
        folder = self._layout.batch / endpoint / name
        if not name.isalnum() or not (folder / JOB).exists():
            raise NotFound(f"there is no scoring job {ref!r}")
        return folder

    def _described(self, ref: str, folder: Path) -> BatchJob:
        alive = lives(folder)  # before its words, which it may be about to write
        job: Any = read_json(folder / JOB) or {}
        status: Any = read_json(folder / STATUS) or {"state": "queued"}
        state, native, error = RunState(status["state"]), str(status["state"]), str(status.get("error", ""))
        if state not in FINISHED and not alive:
            state, native, error = (
                RunState.FAILED,
                "died",
                f"the job's process ended without a word. {_AGAIN}",
            )
        elif state not in FINISHED and (folder / CANCEL).exists():
            state, native = RunState.STOPPING, "stopping"
        ended = status.get("ended")
        return BatchJob(
            ref=ref,
            endpoint=job["endpoint"],
            state=state,
            native_state=native,
            created=datetime.fromisoformat(job["created"]),
            ended=datetime.fromisoformat(ended) if ended else None,
            output_uri=job["output_uri"],
            error=error,
        )
