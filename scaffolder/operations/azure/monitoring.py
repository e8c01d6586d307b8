"""Monitors on Azure: the drift job and its schedule are put here, since Terraform has no resource for either.

May not read what a deployment collected: the job does, inside the platform's network.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Literal
from xml.etree import ElementTree as ET

from scaffolder.operations.azure.calls import Calls
from scaffolder.operations.azure.jobs import Submission, submission
from scaffolder.operations.azure.place import Place
from scaffolder.operations.azure.runs import PARAMETERS, PIPELINE, REASON, AzureRuns
from scaffolder.operations.azure.schedules import Timetable, Wanted, wanted_by
from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.values import Capability, DriftResult, Ensured, MonitorStatus, RunRequest
from scaffolder.operations.windows import latest, results_of, starts_in, windows_place
from stacks.azure.pipelines import compiled
from stacks.azure.watching import datastore_id, job_of
from stacks.intents import ModelMonitor, TrainingPipeline
from stacks.pipelines import PipelineDefinition
from stacks.record import record
from stacks.watching import baseline_remedy

__all__ = ["AzureMonitoring"]

SECTION = "monitors"


@record
class _Made:
    """A monitor's job, what submits it, and the schedules that it is to have."""

    key: str
    job: TrainingPipeline
    submitted: Submission
    wanted: tuple[Wanted, ...]


def _key(monitor: ModelMonitor) -> str:
    return f"{SECTION}.{monitor.name}"


class AzureMonitoring:
    """Monitors with a job of their own; Azure ML's own monitors are made by nobody here."""

    def __init__(self, calls: Calls, place: Place, runs: AzureRuns, timetable: Timetable) -> None:
        self._calls = calls
        self._place = place
        self._runs = runs
        self._timetable = timetable

    # --- the job ---

    def ensure(self, monitor: ModelMonitor) -> Ensured:
        """Put the job's schedule, and what the job names: code, environment and component.

        Raises:
            NotFound: there is nothing to compare with yet.
            Unsupported: the monitor has no job of its own.
        """
        made = self._made(monitor)
        others = [_key(it) for it in self._place.context.all_of(ModelMonitor)]
        done = [*self._timetable.ensure(SECTION, made.wanted, self._prepare({made.key: made}), keep=others)]
        first = next(one for one in done if one.subject == f"schedule {made.wanted[0].name}")
        return Ensured(subject=f"monitor {monitor.name}", action=first.action, detail=first.detail)

    def apply(self, *, dry_run: bool = False) -> Iterator[Ensured]:
        """Put the schedules of all monitors with a job of their own, and remove those that the spec has no more."""
        made: dict[str, _Made] = {}
        keep: builtins.list[str] = []
        for monitor in self._place.context.all_of(ModelMonitor):
            if monitor.image is not None and monitor.baseline is None:
                keep.append(_key(monitor))
                detail = "there is no baseline to compare with"
                yield Ensured(subject=f"schedule of {_key(monitor)}", action="skipped", detail=detail)
            elif monitor.image is not None:
                made[_key(monitor)] = self._made(monitor)
        wanted = [one for each in made.values() for one in each.wanted]
        yield from self._timetable.ensure(SECTION, wanted, self._prepare(made), keep=keep, dry_run=dry_run)

    def _made(self, monitor: ModelMonitor) -> _Made:
        job, reason = self._job(monitor), f"monitor: {monitor.name}"
        made = submission(
            compiled(job, self._steps(job), self._place.context),
            self._place.workspace,
            {PIPELINE: job.name, REASON: reason, PARAMETERS: "{}"},
            {"reason": reason},
        )
        wanted = wanted_by(_key(monitor), job.schedule or "", made.job["properties"])
        return _Made(key=_key(monitor), job=job, submitted=made, wanted=wanted)

    def _prepare(self, made: Mapping[str, _Made]) -> Callable[[Wanted], None]:
        def prepare(one: Wanted) -> None:
            each = made[one.key]
            self._runs.prepare(each.job, each.submitted, f"put the schedule {one.name}")

        return prepare

    def run(self, monitor: str, token: str) -> str:
        """Start the monitor's own job, as its schedule would."""
        job = self._job(self._place.monitor(monitor))
        request = RunRequest(pipeline=job.name, token=token, reason=f"monitor: {monitor}")
        return self._runs.start(job, self._steps(job), request)

    def _job(self, monitor: ModelMonitor) -> TrainingPipeline:
        if monitor.image is None:
            raise Unsupported(
                Capability.MONITORS,
                f"monitor {monitor.name} has no job of its own, and Azure ML's own monitors are not made here",
                remedy=f"Set monitors.{monitor.name}.image and monitors.{monitor.name}.baseline.",
            )
        if monitor.baseline is None:
            raise NotFound(
                f"monitor {monitor.name} has nothing to compare with yet", remedy=baseline_remedy(monitor)
            )
        job = job_of(self._place.context, monitor, self._container)
        if job is None:
            raise NotFound(f"monitor {monitor.name} has no code to run")
        return job

    @staticmethod
    def _steps(job: TrainingPipeline) -> PipelineDefinition:
        if job.steps is None:
            raise NotFound(f"{job.name} has no steps")
        return job.steps

    @cached_property
    def _container(self) -> str:
        """The address of the container that deployments collect into."""
        found = self._calls.get(datastore_id(self._place.context), "find where requests are collected")
        there = found["properties"]
        return f"https://{there['accountName']}.blob.{there['endpoint']}/{there['containerName']}"

    # --- what it found ---

    def list(self) -> Iterator[MonitorStatus]:
        """Yield the spec's monitors: their schedules, and what their last windows found."""
        intents = [*self._place.context.all_of(ModelMonitor)]
        own = any(it.image is not None for it in intents)
        schedules = {one.key: one for one in self._timetable.list()} if own else {}
        for intent in intents:
            schedule = schedules.get(f"{SECTION}.{intent.name}")
            state: Literal["planned", "active", "paused"] = "planned"
            if schedule is not None:
                state = "active" if schedule.enabled else "paused"
            last, alarm = None, False
            if intent.image is not None:
                last, alarm = latest(intent, self._starts(intent), self._read, self._windows(intent))
            yield MonitorStatus(
                name=intent.name,
                endpoint=intent.endpoint,
                state=state,
                native_state=schedule.native_state if schedule is not None else "",
                last_window_end=last,
                alarm=alarm,
                detail=""
                if intent.image is not None
                else "it names no image, and Azure ML's own is not made here",
            )

    def results(self, monitor: str, *, since: datetime | None = None) -> Iterator[DriftResult]:
        """Yield what the monitor's own job found, the oldest window first."""
        intent = self._place.monitor(monitor)
        if intent.image is None:
            self._job(intent)
        yield from results_of(intent, self._starts(intent), self._read, self._windows(intent), since=since)

    def _windows(self, intent: ModelMonitor) -> str:
        return f"{self._place.bucket_url('artifacts')}/{windows_place(intent.name)}"

    def _read(self, url: str) -> bytes:
        content: bytes = self._calls.blob("GET", url, "read what a monitor found").body
        return content

    def _starts(self, intent: ModelMonitor) -> builtins.list[datetime]:
        asked = {"restype": "container", "comp": "list", "prefix": f"{windows_place(intent.name)}/"}
        names: builtins.list[str] = []
        while True:
            url, doing = self._place.bucket_url("artifacts"), f"list what monitor {intent.name} found"
            page = ET.fromstring(self._calls.blob("GET", url, doing, params=asked).body)  # noqa: S314 - Azure's, over TLS
            names += [item.findtext("Name") or "" for item in page.iter("Blob")]
            marker = page.findtext("NextMarker")
            if not marker:
                return starts_in(names)
            asked["marker"] = marker
