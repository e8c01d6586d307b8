"""Monitors of Vertex AI on the platform's endpoints: whether they are there, and what they found.

Looks only: it makes no monitor and starts none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Literal

from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.gcp.calls import Calls
from scaffolder.operations.values import Capability, DriftResult, Ensured, MonitorStatus
from stacks.intents import ModelMonitor

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


class GcpMonitoring:
    """Drift on Vertex AI, as its own monitors see it."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._place = calls.place

    def ensure(self, monitor: ModelMonitor) -> Ensured:
        """Refuse: this version makes no monitor on Vertex AI.

        Raises:
            Unsupported: always.
        """
        raise Unsupported(
            Capability.MONITORS, f"monitor {monitor.name}: this version makes none on Vertex AI"
        )

    def run(self, monitor: str, token: str) -> str:
        """Refuse: a monitor of Vertex AI runs by its schedule only.

        Raises:
            Unsupported: always.
        """
        self._intent(monitor)
        raise Unsupported(
            Capability.MONITORS,
            f"monitor {monitor} cannot be run now ({token}): Vertex AI runs monitors by schedule",
        )

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
        jobs = self._jobs() if intents else {}
        for intent in intents:
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

    def results(self, monitor: str, *, since: datetime | None = None) -> Iterator[DriftResult]:
        """Yield what Vertex AI's own monitor found on the endpoint, the oldest window first."""
        intent = self._intent(monitor)
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
