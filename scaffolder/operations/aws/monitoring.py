"""Drift that SageMaker's own monitors found: their schedules, and the violations that they wrote to S3.

The schedules are Terraform's. May not make or change a monitor.
"""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, NoReturn, TypeAlias

from scaffolder.operations.aws.runs import utc
from scaffolder.operations.aws.surroundings import Surroundings
from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.values import Capability, DriftResult, Ensured, MonitorStatus
from stacks.aws.schedules import monitor_hours
from stacks.intents import ModelMonitor

__all__ = ["Monitors"]

State: TypeAlias = Literal["planned", "active", "paused", "failed"]
STATES: Mapping[str, State] = {
    "Pending": "active",
    "Scheduled": "active",
    "Stopped": "paused",
    "Failed": "failed",
}
LOOKED = frozenset({"Completed", "CompletedWithViolations"})
VIOLATIONS = "constraint_violations.json"
DISTANCE = re.compile(r"distance:\s*([\d.eE+-]+)\s+exceeds threshold:\s*([\d.eE+-]+)")
"""How the analyzer puts a drift into words: it has no field for the numbers (SageMaker Developer Guide, schema for
constraint violations, November 2026)."""
DRIFT_CHECK = "baseline_drift_check"


class Monitors:
    """The platform's monitors."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.around = surroundings
        self.account = surroundings.account
        self.context = surroundings.context

    def ensure(self, monitor: ModelMonitor) -> Ensured:
        self._refuse(monitor.name)

    def run(self, monitor: str, token: str) -> str:  # noqa: ARG002 - the port's
        self._refuse(self._intent(monitor).name)

    def _refuse(self, monitor: str) -> NoReturn:
        raise Unsupported(
            Capability.MONITORS,
            f"monitor {monitor}: jobs of our own are not made on AWS yet; SageMaker's own monitor is Terraform's",
            remedy=f"Set monitors.{monitor}.baseline and deploy {self.context.stack('monitoring')}.",
        )

    def list(self) -> Iterator[MonitorStatus]:
        for intent in self.context.all_of(ModelMonitor):
            yield self._status(intent)

    def _status(self, intent: ModelMonitor) -> MonitorStatus:
        said = self._schedule(intent)
        if said is None:
            return MonitorStatus(
                name=intent.name,
                endpoint=intent.endpoint,
                state="planned",
                native_state="",
                detail="SageMaker has no schedule for it yet",
            )
        last: Mapping[str, Any] = said.get("LastMonitoringExecutionSummary", {})
        return MonitorStatus(
            name=intent.name,
            endpoint=intent.endpoint,
            state=STATES.get(said["MonitoringScheduleStatus"], "failed"),
            native_state=said["MonitoringScheduleStatus"],
            last_window_end=utc(last["ScheduledTime"]) if last else None,
            alarm=last.get("MonitoringExecutionStatus") == "CompletedWithViolations",
            detail=said.get("FailureReason", "") or last.get("FailureReason", ""),
        )

    def _schedule(self, intent: ModelMonitor) -> Mapping[str, Any] | None:
        name = self.context.name("sagemaker", intent.name)
        return self.account.find(
            "sagemaker",
            "DescribeMonitoringSchedule",
            {"MonitoringScheduleName": name},
            f"look at monitor {intent.name}",
        )

    def results(self, monitor: str, *, since: datetime | None = None) -> Iterator[DriftResult]:
        intent = self._intent(monitor)
        after = {"ScheduledTimeAfter": since.astimezone(UTC)} if since is not None else {}
        executions = self.account.each(
            "sagemaker",
            "ListMonitoringExecutions",
            {
                "MonitoringScheduleName": self.context.name("sagemaker", intent.name),
                "SortBy": "ScheduledTime",
                "SortOrder": "Ascending",
                **after,
            },
            "MonitoringExecutionSummaries",
            f"list what monitor {monitor} looked at",
        )
        try:
            for execution in executions:
                if execution["MonitoringExecutionStatus"] in LOOKED:
                    yield from self._found(intent, execution)
        except NotFound:
            return  # without a schedule nothing was looked at

    def _intent(self, name: str) -> ModelMonitor:
        monitors = {intent.name: intent for intent in self.context.all_of(ModelMonitor)}
        if name not in monitors:
            raise NotFound(f"the spec has no monitor {name!r}; it has {', '.join(monitors) or 'none'}")
        return monitors[name]

    def _found(self, intent: ModelMonitor, execution: Mapping[str, Any]) -> Iterator[DriftResult]:
        """The violations of one window, and how many there were."""
        end = utc(execution["ScheduledTime"])
        hours = monitor_hours(intent.every) or 1
        place = self._output(str(execution.get("ProcessingJobArn", "")).rpartition("/")[2])
        violations = self._violations(place) if place else []
        window: dict[str, Any] = {
            "monitor": intent.name,
            "kind": "data",
            "window_start": end - timedelta(hours=hours),
            "window_end": end,
            "report_uri": f"{place}/{VIOLATIONS}" if place else "",
        }
        yield DriftResult(
            feature="",
            metric="violations",
            value=float(len(violations)),
            threshold=1.0,
            breached=bool(violations),
            **window,
        )
        for violation in violations:
            numbers = DISTANCE.search(violation.get("description", ""))
            if violation.get("constraint_check_type") == DRIFT_CHECK and numbers:
                yield DriftResult(
                    feature=violation.get("feature_name", "").strip(),
                    metric="distance",
                    value=float(numbers[1]),
                    threshold=float(numbers[2]),
                    breached=True,
                    **window,
                )

    def _output(self, job: str) -> str:
        """Where a window's job wrote its reports; empty where nobody knows any more."""
        if not job:
            return ""
        said = self.account.find(
            "sagemaker", "DescribeProcessingJob", {"ProcessingJobName": job}, f"find where {job} wrote"
        )
        outputs = (said or {}).get("ProcessingOutputConfig", {}).get("Outputs", ())
        return next((str(output["S3Output"]["S3Uri"]).rstrip("/") for output in outputs), "")

    def _violations(self, place: str) -> builtins.list[Mapping[str, str]]:
        bucket, _, path = place.removeprefix("s3://").partition("/")
        found = self.account.find(
            "s3", "GetObject", {"Bucket": bucket, "Key": f"{path}/{VIOLATIONS}"}, "read what a monitor found"
        )
        return list(json.loads(found["Body"])["violations"]) if found else []
