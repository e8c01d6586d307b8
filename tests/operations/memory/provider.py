"""The groups of the in-memory provider that are small, and the provider itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from scaffolder.operations.errors import Conflict
from scaffolder.operations.port import Opening
from scaffolder.operations.values import (
    Capability,
    DriftResult,
    Ensured,
    Lock,
    MonitorStatus,
    Outcome,
    Principal,
    Probe,
    Removable,
    RunRequest,
    Schedule,
)
from stacks.intents import ModelMonitor, OnlineEndpoint, Support, TrainingPipeline
from tests.operations.memory.cloud import Cloud, Memories, named
from tests.operations.memory.registry import MemoryRegistry
from tests.operations.memory.runs import MONITOR_PREFIX, MemoryRuns, start
from tests.operations.memory.serving import MemoryBatch, MemoryServing

__all__ = ["Memory"]


class MemoryIdentity:
    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def whoami(self) -> Principal:
        with self._memories.open(Capability.IDENTITY):
            return Principal(principal="elephant", account=self._memories.opening.platform.target.account)


class MemoryPreflight:
    """Everything passes but quotas, so that doctor has something to say."""

    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def credentials(self) -> Iterator[Probe]:
        yield self._probe("credentials", "elephant", Outcome.PASS, "elephants need none")

    def permissions(self) -> Iterator[Probe]:
        yield self._probe("permissions", "remember", Outcome.PASS, "allowed")

    def services(self) -> Iterator[Probe]:
        yield self._probe("services", "memory", Outcome.PASS, "there")

    def quotas(self) -> Iterator[Probe]:
        for name, endpoint in self._memories.intents(OnlineEndpoint).items():
            subject = f"{endpoint.instance} for {name}"
            if endpoint.mode == "batch":
                yield self._probe("quota", subject, Outcome.UNKNOWN, "nobody knows")
            else:
                yield self._probe("quota", subject, Outcome.FAIL, "0 of 1", "Ask for a bigger memory.")

    def names(self) -> Iterator[Probe]:
        yield self._probe("names", self._memories.opening.platform.name, Outcome.PASS, "free")

    def _probe(self, group: str, subject: str, outcome: Outcome, detail: str, remedy: str = "") -> Probe:
        with self._memories.open(Capability.PREFLIGHT):
            return Probe(
                group=group,
                subject=subject,
                outcome=outcome,
                detail=detail,
                remedy=remedy,
            )


class MemoryState:
    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def ensure(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        with self._memories.open(Capability.STATE) as cloud:
            made = cloud.state
            cloud.state = made or not dry_run
        yield Ensured(subject="memory state", action="unchanged" if made else "created")

    def acquire(self, name: str, owner: str) -> Lock:
        with self._memories.open(Capability.STATE) as cloud:
            if name in cloud.locks:
                raise Conflict(f"{cloud.locks[name].owner} holds the lock {name!r}")
            cloud.locks[name] = Lock(name=name, owner=owner, token=f"lock-{cloud.number():06d}")
            return cloud.locks[name]

    def release(self, lock: Lock) -> None:
        with self._memories.open(Capability.STATE) as cloud:
            if name_held_by(cloud, lock):
                del cloud.locks[lock.name]


def name_held_by(cloud: Cloud, lock: Lock) -> bool:
    """Say whether a lock is still the one that its store has."""
    held = cloud.locks.get(lock.name)
    return held is not None and held.token == lock.token


class MemorySchedules:
    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def ensure(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        wanted = {
            name: each.schedule
            for name, each in self._memories.intents(TrainingPipeline).items()
            if each.schedule is not None
        }
        with self._memories.open(Capability.SCHEDULES) as cloud:
            before = dict(cloud.schedules)
            cloud.schedules = before if dry_run else wanted
        for name in sorted({*before, *wanted}):
            if name not in wanted:
                yield Ensured(subject=f"schedule {name}", action="removed")
            elif name not in before:
                yield Ensured(subject=f"schedule {name}", action="created")
            else:
                same = before[name] == wanted[name]
                yield Ensured(subject=f"schedule {name}", action="unchanged" if same else "changed")

    def list(self) -> Iterator[Schedule]:
        with self._memories.open(Capability.SCHEDULES) as cloud:
            there = dict(cloud.schedules)
        for name, cron in sorted(there.items()):
            yield Schedule(name=name, key=f"pipelines.{name}", cron=cron, enabled=True, native_state="Kept")


class MemoryMonitoring:
    """A run of a monitor finds the drift of each column: as much as its threshold, and thus a breach."""

    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def ensure(self, monitor: ModelMonitor) -> Ensured:
        with self._memories.open(Capability.MONITORS) as cloud:
            before = cloud.monitors.get(monitor.name)
            cloud.monitors[monitor.name] = monitor
        subject = f"monitor {monitor.name}"
        if before is None:
            return Ensured(subject=subject, action="created")
        return Ensured(subject=subject, action="unchanged" if before == monitor else "changed")

    def run(self, monitor: str, token: str) -> str:
        with self._memories.open(Capability.MONITORS) as cloud:
            intent = named("monitor", monitor, self._memories.intents(ModelMonitor))
            before = len(cloud.runs)
            request = RunRequest(
                pipeline=f"{MONITOR_PREFIX}{monitor}", token=f"monitor {token}", reason="manual"
            )
            ref = start(self._memories, cloud, request)
            if len(cloud.runs) > before:
                cloud.results += self._found(intent)
            return ref

    def list(self) -> Iterator[MonitorStatus]:
        with self._memories.open(Capability.MONITORS) as cloud:
            there, results = {*cloud.monitors}, [*cloud.results]
        for name, monitor in self._memories.intents(ModelMonitor).items():
            ends = [one.window_end for one in results if one.monitor == name]
            yield MonitorStatus(
                name=name,
                endpoint=monitor.endpoint,
                state="active" if name in there else "planned",
                native_state="Watching" if name in there else "",
                last_window_end=max(ends, default=None),
                alarm=bool(ends),
            )

    def results(self, monitor: str, *, since: datetime | None = None) -> Iterator[DriftResult]:
        with self._memories.open(Capability.MONITORS) as cloud:
            named("monitor", monitor, self._memories.intents(ModelMonitor))
            found = [one for one in cloud.results if one.monitor == monitor]
        for one in sorted(found, key=lambda one: one.window_end):
            if since is None or one.window_end > since:
                yield one

    def _found(self, monitor: ModelMonitor) -> Iterator[DriftResult]:
        now = self._memories.now()
        for column in monitor.columns:
            yield DriftResult(
                monitor=monitor.name,
                kind="data",
                feature=column,
                metric="ks",
                value=monitor.data_drift_threshold or 0.0,
                threshold=monitor.data_drift_threshold or 0.0,
                breached=True,
                window_start=now - timedelta(hours=1),
                window_end=now,
                rows=200,
            )


class MemoryTeardown:
    def __init__(self, memories: Memories) -> None:
        self._memories = memories

    def inventory(self) -> Iterator[Removable]:
        with self._memories.open(Capability.TEARDOWN) as cloud:
            there = {
                "schedule": [*cloud.schedules],
                "monitor": [*cloud.monitors],
                "endpoint": [*cloud.endpoints],
            }
        for kind, names in there.items():
            for name in names:
                yield Removable(kind=kind, name=name, ref=f"{kind}/{name}")

    def remove(self, item: Removable) -> None:
        with self._memories.open(Capability.TEARDOWN) as cloud:
            if item.kind == "schedule":
                cloud.schedules.pop(item.name, None)
            elif item.kind == "monitor":
                cloud.monitors.pop(item.name, None)
            else:
                cloud.endpoints.pop(item.name, None)

    def is_gone(self, item: Removable) -> bool:
        return item.ref not in {one.ref for one in self.inventory()}


class Memory:
    """All groups, over one memory."""

    name = "memory"

    def __init__(self, opening: Opening, lacking: Mapping[Capability, Support]) -> None:
        memories = Memories(opening, lacking)
        self._memories = memories
        self.identity = MemoryIdentity(memories)
        self.preflight = MemoryPreflight(memories)
        self.state = MemoryState(memories)
        self.runs = MemoryRuns(memories)
        self.schedules = MemorySchedules(memories)
        self.registry = MemoryRegistry(memories)
        self.serving = MemoryServing(memories)
        self.batch = MemoryBatch(memories)
        self.monitoring = MemoryMonitoring(memories)
        self.teardown = MemoryTeardown(memories)

    @property
    def support(self) -> Mapping[Capability, Support]:
        return self._memories.table()
