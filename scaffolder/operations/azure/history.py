"""What Azure ML's run history says of a job: when it ran, its steps, why it failed, and the addresses of its logs.

An address of a log carries its own proof of who may read it: it is never kept, nor said.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from scaffolder.operations.azure.calls import Asked, Calls, Document, Reply, escaped
from scaffolder.operations.azure.place import Place
from scaffolder.operations.errors import NotFound
from scaffolder.operations.values import RunState

__all__ = ["History", "error_of", "moment", "state_of"]

STATES = {
    **dict.fromkeys(
        ("NotStarted", "Queued", "Preparing", "Provisioning", "Starting", "Paused"), RunState.QUEUED
    ),
    **dict.fromkeys(("Running", "Finalizing"), RunState.RUNNING),
    "CancelRequested": RunState.STOPPING,
    "Completed": RunState.SUCCEEDED,
    "Failed": RunState.FAILED,
    "Canceled": RunState.STOPPED,
}


def state_of(native: str) -> RunState:
    """The neutral state of a job's own."""
    return STATES.get(native, RunState.UNKNOWN)


def moment(text: object) -> datetime | None:
    """A time as Azure writes it."""
    if not text:
        return None
    found = datetime.fromisoformat(str(text))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def error_of(run: Document) -> str:
    """Why a run failed, empty where it did not."""
    error = (run.get("error") or {}).get("error") or {}
    return str(error.get("message") or error.get("code") or "")


class History:
    """The run history of the platform's workspace; its address is asked for once."""

    def __init__(self, calls: Calls, place: Place) -> None:
        self._calls = calls
        self._place = place
        self._start = ""

    def run(self, ref: str) -> Document:
        """What is known of a job; nothing yet of one that has only just been asked for."""
        try:
            return self._get(f"/runs/{escaped(ref)}", f"read the run {ref}").document()
        except NotFound:
            return {}

    def steps(self, ref: str) -> Iterator[Document]:
        """Yield the jobs that a pipeline's job has started."""
        doing = f"list the steps of the run {ref}"
        token = ""
        while True:
            more = {"$continuationtoken": token} if token else {}
            try:
                page = self._get(f"/runs/{escaped(ref)}/children", doing, **more).document()
            except NotFound:
                return
            yield from page.get("value") or []
            token = page.get("continuationToken") or ""
            if not token:
                return

    def logs(self, ref: str) -> Iterator[tuple[str, list[str]]]:
        """Yield a job's logs: each file's name, and its lines."""
        doing = f"read the logs of {ref}"
        try:
            details = self._get(f"/runs/{escaped(ref)}/details", doing).document()
        except NotFound:
            return
        for name, address in sorted((details.get("logFiles") or {}).items()):
            if not name.startswith("user_logs/"):
                continue
            try:
                reply = self._calls.send(Asked(method="GET", url=address, doing=doing, scope=""))
            except NotFound:
                continue
            yield name.removeprefix("user_logs/"), reply.body.decode("utf-8", "replace").splitlines()

    def _get(self, path: str, doing: str, **params: str) -> Reply:
        asked = Asked(
            method="GET",
            url=f"{self._address()}/history/v1.0{self._place.workspace}{path}",
            doing=doing,
            scope=self._calls.cloud.ml_scope,
            params={"api-version": "v1.0", **params},
        )
        return self._calls.send(asked)

    def _address(self) -> str:
        """Where the workspace's data plane is: its own address in a private network, else its location's."""
        if not self._start:
            doing = "find the workspace's run history"
            workspace = self._calls.get(self._place.workspace, doing)
            address = workspace["properties"]["discoveryUrl"]
            asked = Asked(method="GET", url=address, doing=doing, scope=self._calls.cloud.ml_scope)
            self._start = str(self._calls.send(asked).document()["api"]).rstrip("/")
        return self._start
