"""Monitors: those with a job of their own, which can look now, and what Vertex AI's own found on the platform's endpoints.

Schedules are the stacks', which make them. May not make a monitor.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.gcp.logs import instant
from scaffolder.operations.gcp.runs import GcpRuns
from scaffolder.operations.values import Capability, DriftResult, Ensured, MonitorStatus, RunRequest
from stacks.gcp.watching import drift_log, job_of, watched_by
from stacks.intents import ModelMonitor, TrainingPipeline
from stacks.watching import ALARM_METRIC

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
        """Refuse: monitors' schedules are the stacks'.

        Raises:
            Unsupported: always.
        """
        raise Unsupported(
            Capability.MONITORS,
            f"monitor {monitor.name}: operations make none on Vertex AI",
            remedy=f"Set monitors.{monitor.name}.image, and apply the stack ml: it has the schedule of its job.",
        )

    def run(self, monitor: str, token: str) -> str:
        """Start the monitor's own job, as its schedule would.

        Raises:
            Unsupported: it has none: Vertex AI runs its own monitors by their schedule only.
        """
        intent = self._intent(monitor)
        job = job_of(self._place.context, intent)
        if job is None:
            raise Unsupported(
                Capability.MONITORS,
                f"monitor {monitor} has no job of its own to run, and Vertex AI runs monitors by their schedule only",
                remedy=f"Set monitors.{monitor}.image and monitors.{monitor}.baseline.",
            )
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
        """A monitor with a job of its own: its schedule, and the last that the job logged."""
        display = self._place.context.name("display", look.name)
        asked = {"parent": self._place.parent, "filter": f'display_name="{display}"'}
        found = self._calls.every("schedule_service", "list_schedules", asked, "list schedules")
        schedule = next(iter(found), None)
        native = schedule.state.name if schedule is not None else ""
        last = self._logged(intent.name)
        return MonitorStatus(
            name=intent.name,
            endpoint=intent.endpoint,
            state=SCHEDULES.get(native, "planned"),
            native_state=native,
            last_window_end=instant(str(last["timestamp"])) if last else None,
            alarm=last.get("jsonPayload", {}).get(ALARM_METRIC) == 1,
        )

    def _logged(self, monitor: str) -> dict[str, Any]:
        """The newest entry of a monitor's own job, one for each window; nothing before the first."""
        asked = {
            "resourceNames": [f"projects/{self._place.project}"],
            "filter": f'logName="{drift_log(self._place.context)}" AND jsonPayload.monitor="{monitor}"',
            "orderBy": "timestamp desc",
            "pageSize": 1,
        }
        page = self._calls.rest("logging", "POST", "v2/entries:list", "read what monitors found", json=asked)
        found: dict[str, Any] = next(iter(page.get("entries", ())), {})
        return found

    def results(self, monitor: str, *, since: datetime | None = None) -> Iterator[DriftResult]:
        """Yield what Vertex AI's own monitor found on the endpoint, the oldest window first.

        Raises:
            Unsupported: the monitor has a job of its own, whose results this version does not read.
        """
        intent = self._intent(monitor)
        if job_of(self._place.context, intent) is not None:
            where = f"gs://{self._place.bucket('artifacts')}/monitoring/{monitor}"
            raise Unsupported(
                Capability.MONITORS,
                f"monitor {monitor}: what its own job found is not read here",
                remedy=f"It is in {where}, and in the log {drift_log(self._place.context)}.",
            )
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
