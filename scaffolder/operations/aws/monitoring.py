"""Monitors: those with a job of their own, which can look now, and the violations that SageMaker's own wrote to S3.

Jobs and schedules are Terraform's. May not make or change a monitor.
"""

from __future__ import annotations

import builtins
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal, TypeAlias

from scaffolder.operations.aws.runs import utc
from scaffolder.operations.aws.surroundings import Surroundings
from scaffolder.operations.errors import NotFound, Unsupported
from scaffolder.operations.values import Capability, DriftResult, Ensured, MonitorStatus
from scaffolder.operations.windows import latest, results_of, starts_in, windows_place
from stacks.aws.schedules import monitor_hours
from stacks.aws.watching import job_of
from stacks.intents import ModelMonitor, TrainingPipeline
from stacks.watching import baseline_remedy

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
        """Say that the stacks have made the monitor's job.

        Raises:
            NotFound: they have not yet.
            Unsupported: it has none: SageMaker's own monitor is Terraform's.
        """
        job = self._job(monitor)
        if self._deployed(job) is None:
            raise self._not_yet(monitor)
        return Ensured(
            subject=f"monitor {monitor.name}",
            action="unchanged",
            detail=f"{self.context.pipeline(job.name)} and its schedule are Terraform's",
        )

    def run(self, monitor: str, token: str) -> str:
        """Start the monitor's own job, as its schedule would."""
        intent = self._intent(monitor)
        job = self._job(intent)
        if self._deployed(job) is None:
            raise self._not_yet(intent)
        started = self.account.ask(
            "sagemaker",
            "StartPipelineExecution",
            {
                "PipelineName": self.context.pipeline(job.name),
                "PipelineExecutionDescription": f"monitor: {monitor}",
                "ClientRequestToken": sha256(token.encode()).hexdigest(),
            },
            f"start monitor {monitor}",
        )
        return str(started["PipelineExecutionArn"])

    def _job(self, monitor: ModelMonitor) -> TrainingPipeline:
        job = job_of(self.context, monitor)
        if job is not None:
            return job
        if monitor.image is not None:
            raise NotFound(
                f"monitor {monitor.name} has nothing to compare with yet", remedy=baseline_remedy(monitor)
            )
        raise Unsupported(
            Capability.MONITORS,
            f"monitor {monitor.name} has no job of its own, and SageMaker runs its monitors by their schedule only",
            remedy=f"Set monitors.{monitor.name}.image and monitors.{monitor.name}.baseline.",
        )

    def _deployed(self, job: TrainingPipeline) -> Mapping[str, Any] | None:
        name = self.context.pipeline(job.name)
        return self.account.find("sagemaker", "DescribePipeline", {"PipelineName": name}, f"find {name}")

    def _not_yet(self, monitor: ModelMonitor) -> NotFound:
        return NotFound(
            f"there is no job of monitor {monitor.name} in {self.context.region} yet",
            remedy=self.around.deploy_first("ml"),
        )

    def list(self) -> Iterator[MonitorStatus]:
        for intent in self.context.all_of(ModelMonitor):
            yield self._own(intent) if intent.image is not None else self._status(intent)

    def _own(self, intent: ModelMonitor) -> MonitorStatus:
        """A monitor with a job of its own: whether the job is there, and what its last windows found."""
        job = job_of(self.context, intent)
        deployed = self._deployed(job) if job is not None else None
        last, alarm = latest(intent, self._starts(intent), self._read, self._place(intent))
        return MonitorStatus(
            name=intent.name,
            endpoint=intent.endpoint,
            state="planned" if deployed is None else "active",
            native_state=str(deployed["PipelineStatus"]) if deployed is not None else "",
            last_window_end=last,
            alarm=alarm,
            detail="" if job is not None else "there is no baseline to compare with",
        )

    def _starts(self, intent: ModelMonitor) -> builtins.list[datetime]:
        bucket = self.context.bucket("artifacts")
        found = self.account.each(
            "s3",
            "ListObjectsV2",
            {"Bucket": bucket, "Prefix": f"{windows_place(intent.name)}/"},
            "Contents",
            f"list what monitor {intent.name} found",
            token=("ContinuationToken", "NextContinuationToken"),
        )
        return starts_in(str(item["Key"]) for item in found)

    def _place(self, intent: ModelMonitor) -> str:
        return f"s3://{self.context.bucket('artifacts')}/{windows_place(intent.name)}"

    def _read(self, uri: str) -> bytes:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        asked = {"Bucket": bucket, "Key": key}
        content: bytes = self.account.ask("s3", "GetObject", asked, "read what a monitor found")["Body"]
        return content

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
        if intent.image is not None:
            starts, place = self._starts(intent), self._place(intent)
            yield from results_of(intent, starts, self._read, place, since=since)
            return
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
