"""The port of operations: what a provider does, in groups of at most six members.

Calls return at once, mostly with a ref; waiting is ours (``waiting``). Lists are iterators. A call that creates takes a
token, and is safe to repeat with it. Everything raised is an :class:`~scaffolder.operations.errors.OperationError`. May
not import an SDK, nor a provider.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from scaffolder.operations.values import (
    Answer,
    Approval,
    BatchJob,
    BatchRequest,
    Capability,
    DeployRequest,
    DriftResult,
    EndpointStatus,
    Ensured,
    Lock,
    LogLine,
    ModelVersion,
    MonitorStatus,
    Principal,
    Probe,
    Registration,
    Removable,
    Run,
    RunRequest,
    Schedule,
    Stage,
)
from stacks.intents import ModelMonitor, Platform, Support
from stacks.record import record

__all__ = [
    "Batch",
    "Identity",
    "Monitoring",
    "Opening",
    "Preflight",
    "Provider",
    "Registry",
    "Reporting",
    "Reproducing",
    "Resuming",
    "Runs",
    "Schedules",
    "Scheduling",
    "Serving",
    "StateStore",
    "Teardown",
]


def _now() -> datetime:
    return datetime.now(UTC)


@record
class Opening:
    """What a provider is opened with: one environment of a platform, and the project's folder (the spec's).

    ``folder`` is where code is read from and where ``.scaffolder/`` is. ``now`` and ``sleep`` are the only clock that a
    provider may use.
    """

    platform: Platform
    folder: Path
    sleep: Callable[[float], None]
    now: Callable[[], datetime] = _now


class Identity(Protocol):
    """Who we are."""

    def whoami(self) -> Principal:
        """Ask the provider who the credentials are.

        Raises:
            NotAuthenticated: there are none, or they have expired.
        """
        ...


class Preflight(Protocol):
    """What ``doctor`` asks; each probe answers for itself, and none raises for what it finds."""

    def credentials(self) -> Iterator[Probe]: ...
    def permissions(self) -> Iterator[Probe]: ...
    def services(self) -> Iterator[Probe]: ...
    def quotas(self) -> Iterator[Probe]: ...
    def names(self) -> Iterator[Probe]: ...


class StateStore(Protocol):
    """Where Terraform's state will be: encrypted, versioned, private, with a lock. Nothing here deletes state."""

    def ensure(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        """Make what is missing and mend what differs; again, and everything is unchanged."""
        ...

    def acquire(self, name: str, owner: str) -> Lock:
        """Take a lock.

        Raises:
            Conflict: somebody has it; the message names the owner.
        """
        ...

    def release(self, lock: Lock) -> None:
        """Give a lock back; one that is gone already is fine, one that another holds is not touched."""
        ...


class Runs(Protocol):
    """Pipelines that run."""

    def submit(self, request: RunRequest) -> str:
        """Start a run and return its ref; with the token of an earlier request, that run's."""
        ...

    def describe(self, ref: str) -> Run: ...

    def list(self, pipeline: str | None = None) -> Iterator[Run]:
        """Yield runs, the newest first; their steps may be left out."""
        ...

    def logs(self, ref: str, *, step: str | None = None, after: str = "") -> Iterator[LogLine]:
        """Yield the lines that are there, in order, beginning after a cursor."""
        ...

    def cancel(self, ref: str) -> None:
        """Ask a run to stop; one that has ended already stays as it is."""
        ...


@runtime_checkable
class Reproducing(Protocol):
    """What a provider's ``runs`` have beside :class:`Runs` where it supports ``Capability.REPRODUCE``."""

    def reproduce(self, ref: str, token: str) -> str:
        """Start a run again from its record, with the code and the data of then; return the new run's ref.

        Raises:
            InvalidRequest: the code, the data or the environment of then cannot be had; the message says which.
        """
        ...


@runtime_checkable
class Reporting(Protocol):
    """What a provider's ``monitoring`` may have beside :class:`Monitoring`."""

    def report(self, monitor: str) -> Path:
        """Write a page in HTML about the last window that was decided, and return its path.

        Raises:
            NotFound: no window was decided yet.
        """
        ...


@runtime_checkable
class Resuming(Protocol):
    """What a provider's ``runs`` may have beside :class:`Runs`."""

    def resume(self, ref: str) -> str:
        """Let a run that failed, was stopped or has died go on after the steps that are done; return its ref."""
        ...


class Schedules(Protocol):
    """What starts pipelines by the clock, where Terraform has no resource for it."""

    def ensure(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        """Make what the spec says, change what differs, remove what is ours and is not said; again, and all is unchanged."""
        ...

    def list(self) -> Iterator[Schedule]:
        """Yield those that operations have made, by their names."""
        ...


class Registry(Protocol):
    """Versions of models."""

    def register(self, registration: Registration) -> ModelVersion:
        """Add a version; with the token of an earlier registration, return that version."""
        ...

    def list(self, model: str) -> Iterator[ModelVersion]:
        """Yield a model's versions, the newest first; none where nothing was registered yet."""
        ...

    def get(self, model: str, version: int) -> ModelVersion: ...

    def set_approval(self, model: str, version: int, approval: Approval, note: str = "") -> ModelVersion: ...

    def set_stage(self, model: str, version: int, stage: Stage) -> ModelVersion:
        """Move a version to a stage; the version that held ``staging`` or ``production`` before is archived."""
        ...


class Serving(Protocol):
    """Endpoints that answer."""

    def deploy(self, request: DeployRequest) -> str:
        """Add a deployment, with no traffic unless it is the endpoint's first, and return the endpoint's ref."""
        ...

    def undeploy(self, endpoint: str, deployment: str) -> None:
        """Take a deployment away; one that is not there is fine.

        Raises:
            InvalidRequest: it takes traffic.
        """
        ...

    def set_traffic(self, endpoint: str, percent: Mapping[str, int]) -> None:
        """Split the traffic: whole percents by deployment, 100 together. Who is not named gets none."""
        ...

    def describe(self, endpoint: str) -> EndpointStatus: ...

    def list(self) -> Iterator[EndpointStatus]:
        """Yield the platform's endpoints, in the spec's order; one that is not there yet is ``planned``."""
        ...

    def invoke(
        self, endpoint: str, body: bytes, *, content_type: str = "text/csv", deployment: str | None = None
    ) -> Answer: ...


class Batch(Protocol):
    """Jobs that score files."""

    def submit(self, request: BatchRequest) -> str: ...
    def describe(self, ref: str) -> BatchJob: ...
    def list(self, endpoint: str) -> Iterator[BatchJob]: ...
    def cancel(self, ref: str) -> None: ...


class Monitoring(Protocol):
    """Drift: jobs that look for it, and what they found."""

    def ensure(self, monitor: ModelMonitor) -> Ensured:
        """Make the monitor's scheduled job as the spec says, or change it to that."""
        ...

    def run(self, monitor: str, token: str) -> str:
        """Look now, at the window that ends now; return a ref that ``Runs.describe`` knows."""
        ...

    def list(self) -> Iterator[MonitorStatus]: ...

    def results(self, monitor: str, *, since: datetime | None = None) -> Iterator[DriftResult]:
        """Yield what was found, the oldest window first."""
        ...


class Teardown(Protocol):
    """What has to go before Terraform can destroy the platform."""

    def inventory(self) -> Iterator[Removable]:
        """Yield what there is, in the order in which it has to go."""
        ...

    def remove(self, item: Removable) -> None:
        """Remove one; what is gone already is fine. Returns once it is being removed."""
        ...

    def is_gone(self, item: Removable) -> bool: ...


class Provider(Protocol):
    """All groups of one provider; making one touches nothing outside this process."""

    @property
    def name(self) -> str: ...
    @property
    def support(self) -> Mapping[Capability, Support]: ...
    @property
    def identity(self) -> Identity: ...
    @property
    def preflight(self) -> Preflight: ...
    @property
    def state(self) -> StateStore: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def registry(self) -> Registry: ...
    @property
    def serving(self) -> Serving: ...
    @property
    def batch(self) -> Batch: ...
    @property
    def monitoring(self) -> Monitoring: ...
    @property
    def teardown(self) -> Teardown: ...


@runtime_checkable
class Scheduling(Protocol):
    """What a provider has beside :class:`Provider` where it supports ``Capability.SCHEDULES`` in full."""

    @property
    def schedules(self) -> Schedules: ...
