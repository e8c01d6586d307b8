"""Monitors: those with a job of their own, which can look now, and what Vertex AI's own found on the platform's endpoints.

Schedules are the stacks', which make them. May not make a monitor.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.gcp import storage
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.runs import GcpRuns
from scaffolder.operations.values import Capability, DriftResult, Ensured, MonitorStatus, RunRequest
from scaffolder.operations.windows import latest, results_of, starts_in, windows_place
from stacks.gcp.watching import job_of, watched_by
from stacks.intents import ModelMonitor, TrainingPipeline
from stacks.watching import baseline_remedy

__all__ = ["GcpMonitoring"]

SERVICE = "job_service"
METRICS = {"RAW_FEATURE_SKEW": "skew", "RAW_FEATURE_DRIFT": "drift"}
State = Literal["planned", "active", "paused", "failed"]
STATES: Mapping[str, State] = {
    "JOB_STATE_PAUSED": "paused",
    "JOB_STATE_FAILED": "failed",
    "JOB_STATE_EXPIRED": "failed",
    "JOB_STATE_CANCELLED": "paused",
}
SCHEDULES: Mapping[str, State] = {"ACTIVE": "active", "PAUSED": "paused", "COMPLETED": "paused"}


class GcpMonitoring:
    """Monitors on Vertex AI."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._place = calls.place
        self._runs = GcpRuns(calls)

    def ensure(self, monitor: ModelMonitor) -> Ensured:
        """Say that the stacks have made the schedule of the monitor's job.

        Raises:
            NotFound: they have not yet.
            Unsupported: it has none: Vertex AI's own monitor is nobody's here.
        """
        if self._schedule(self._job(monitor)) is None:
            raise NotFound(
                f"there is no schedule of monitor {monitor.name} in {self._place.context.region} yet",
                remedy=f"Deploy the stack first: cdktf deploy {self._place.context.stack('ml')}",
            )
        detail = "the schedule of its job is Terraform's"
        return Ensured(subject=f"monitor {monitor.name}", action="unchanged", detail=detail)

    def _job(self, monitor: ModelMonitor) -> TrainingPipeline:
        job = job_of(self._place.context, monitor)
        if job is not None:
            return job
        if monitor.image is not None:
            raise NotFound(
                f"monitor {monitor.name} has nothing to compare with yet", remedy=baseline_remedy(monitor)
            )
        raise Unsupported(
            Capability.MONITORS,
            f"monitor {monitor.name} has no job of its own, and Vertex AI runs monitors by their schedule only",
            remedy=f"Set monitors.{monitor.name}.image and monitors.{monitor.name}.baseline.",
        )

    def run(self, monitor: str, token: str) -> str:
        """Start the monitor's own job, as its schedule would.

        Raises:
            Unsupported: it has none: Vertex AI runs its own monitors by their schedule only.
        """
        intent = self._intent(monitor)
        job = self._job(intent)
        request = RunRequest(pipeline=job.name, token=token, reason=f"monitor: {monitor}")
        return self._runs.start(job, request, watched_by(self._place.around))

    def _intent(self, name: str) -> ModelMonitor:
        intents = {it.name: it for it in self._place.context.all_of(ModelMonitor)}
        if name not in intents:
            raise NotFound(
                f"the platform has no monitor {name!r}; there is {', '.join(sorted(intents)) or 'none'}"
            )
        return intents[name]

    def _jobs(self) -> dict[str, Any]:
        """The monitors of the project and region, by the endpoint that they watch."""
        asked = {"parent": self._place.parent}
        found = self._calls.every(SERVICE, "list_model_deployment_monitoring_jobs", asked, "list monitors")
        return {self._place.named(job.endpoint): job for job in found}

    def list(self) -> Iterator[MonitorStatus]:
        """Yield the spec's monitors, and what is on their endpoints."""
        intents = [*self._place.context.all_of(ModelMonitor)]
        own = {intent.name: job_of(self._place.context, intent) for intent in intents}
        jobs = self._jobs() if None in own.values() else {}
        for intent in intents:
            look = own[intent.name]
            if look is not None:
                yield self._own(intent, look)
                continue
            job = jobs.get(self._place.endpoint_name(intent.endpoint))
            if job is None:
                yield MonitorStatus(
                    name=intent.name, endpoint=intent.endpoint, state="planned", native_state=""
                )
                continue
            found = [*self._found(intent, job, None)]
            last = max((it.window_end for it in found), default=None)
            yield MonitorStatus(
                name=intent.name,
                endpoint=intent.endpoint,
                state=STATES.get(job.state.name, "active"),
                native_state=job.state.name,
                last_window_end=last,
                alarm=any(it.breached for it in found if it.window_end == last),
                detail=job.error.message if job.error else "",
            )

    def _own(self, intent: ModelMonitor, look: TrainingPipeline) -> MonitorStatus:
        """A monitor with a job of its own: its schedule, and what its last windows found."""
        schedule = self._schedule(look)
        native = schedule.state.name if schedule is not None else ""
        last, alarm = latest(intent, self._starts(intent), self._read, self._windows(intent))
        return MonitorStatus(
            name=intent.name,
            endpoint=intent.endpoint,
            state=SCHEDULES.get(native, "planned"),
            native_state=native,
            last_window_end=last,
            alarm=alarm,
        )

    def _schedule(self, look: TrainingPipeline) -> Any:
        display = self._place.context.name("display", look.name)
        asked = {"parent": self._place.parent, "filter": f'display_name="{display}"'}
        found = self._calls.every("schedule_service", "list_schedules", asked, "list schedules")
        return next(iter(found), None)

    def _starts(self, intent: ModelMonitor) -> builtins.list[datetime]:
        home, place = self._place.bucket("artifacts"), windows_place(intent.name)
        return starts_in(it.name for it in storage.objects(self._calls, home, f"{place}/", most=None))

    def _windows(self, intent: ModelMonitor) -> str:
        return f"gs://{self._place.bucket('artifacts')}/{windows_place(intent.name)}"

    def _read(self, uri: str) -> bytes:
        return storage.read(self._calls, *storage.divided(uri))

    def results(self, monitor: str, *, since: datetime | None = None) -> Iterator[DriftResult]:
        """Yield what the monitor's own job found, or Vertex AI's own on the endpoint, the oldest window first."""
        intent = self._intent(monitor)
        if intent.image is not None:
            starts, place = self._starts(intent), self._windows(intent)
            yield from results_of(intent, starts, self._read, place, since=since)
            return
        job = self._jobs().get(self._place.endpoint_name(intent.endpoint))
        if job is not None:
            yield from sorted(
                self._found(intent, job, since), key=lambda it: (it.window_end, it.feature, it.metric)
            )

    def _found(self, intent: ModelMonitor, job: Any, since: datetime | None) -> Iterator[DriftResult]:
        deployed = {it.deployed_model_id for it in job.model_deployment_monitoring_objective_configs}
        for ident in sorted(deployed):
            asked: dict[str, Any] = {
                "model_deployment_monitoring_job": self._place.named(job.name),
                "deployed_model_id": ident,
                "objectives": [{"type_": kind} for kind in METRICS],
                **({"start_time": since} if since is not None else {}),
            }
            method = "search_model_deployment_monitoring_stats_anomalies"
            for stats in self._calls.every(SERVICE, method, asked, f"read what monitor {intent.name} found"):
                yield from _results(intent, stats)


def _results(intent: ModelMonitor, stats: Any) -> Iterator[DriftResult]:
    for feature in stats.feature_stats:
        for window in feature.prediction_stats:
            threshold = window.anomaly_detection_threshold or feature.threshold.value
            yield DriftResult(
                monitor=intent.name,
                kind="data",
                feature=feature.feature_display_name,
                metric=METRICS.get(stats.objective.name, stats.objective.name.lower()),
                value=window.distribution_deviation,
                threshold=threshold,
                breached=window.distribution_deviation >= threshold,
                window_start=window.start_time,
                window_end=window.end_time,
                report_uri=window.stats_uri,
            )
