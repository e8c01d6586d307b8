"""The steps of a run: what a pipeline job says of its tasks, in words that no cloud owns.

May not call a service.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from scaffolder.operations.gcp.templates import steps_of
from scaffolder.operations.values import RunState, StepRun

__all__ = ["jobs_of", "metrics_in", "step_runs", "task_details"]

STATES: Mapping[str, RunState] = {
    "PENDING": RunState.QUEUED,
    "RUNNING": RunState.RUNNING,
    "SUCCEEDED": RunState.SUCCEEDED,
    "CANCEL_PENDING": RunState.STOPPING,
    "CANCELLING": RunState.STOPPING,
    "CANCELLED": RunState.STOPPED,
    "FAILED": RunState.FAILED,
    "SKIPPED": RunState.SUCCEEDED,
    "NOT_TRIGGERED": RunState.STOPPED,
}
CACHED, NOT_MET = "SKIPPED", "NOT_TRIGGERED"
"""Vertex AI's words: a task is skipped when its result is cached, and not triggered when its condition is not met."""

NOT_BEGUN = "not begun"
"""Not Vertex AI's word: it says nothing of a task before its turn."""

CUSTOM_JOB = re.compile(r"/customJobs/(\d+)")


def task_details(job: Any) -> dict[str, Any]:
    """What is said of each task, by its name; there is nothing before it is its turn."""
    return {task.task_name: task for task in job.job_detail.task_details} if job.job_detail else {}


def step_runs(job: Any, spec: Mapping[str, Any]) -> tuple[StepRun, ...]:
    """The steps in the definition's order; none where the job was listed, and not looked at."""
    details = task_details(job)
    over = job.end_time is not None
    return tuple(_step(name, gate, details, over=over) for name, gate in steps_of(spec)) if details else ()


def _step(name: str, gate: str, details: Mapping[str, Any], *, over: bool) -> StepRun:
    task = details.get(name)
    before = details.get(gate)
    if task is None:
        kept_back = before is not None and before.state.name == NOT_MET
        native = NOT_MET if kept_back else NOT_BEGUN
        state = RunState.STOPPED if kept_back or over else RunState.QUEUED
        return StepRun(name=name, state=state, native_state=native, skipped=kept_back)
    native = task.state.name
    return StepRun(
        name=name,
        state=STATES.get(native, RunState.UNKNOWN),
        native_state=native,
        started=task.start_time,
        ended=task.end_time,
        attempt=1 + len(task.executor_detail.container_detail.failed_main_jobs),
        cached=native == CACHED,
        skipped=native == NOT_MET,
        error=task.error.message if task.error else "",
    )


def metrics_in(job: Any, spec: Mapping[str, Any]) -> dict[str, float]:
    """The numbers that steps handed on as their metrics, of all steps together."""
    found: dict[str, float] = {}
    for name, task in task_details(job).items():
        for output in _reports(spec, name):
            text = _metadata(task).get(f"output:{output}")
            found |= {key: float(it) for key, it in _object(text).items() if isinstance(it, int | float)}
    return found


def _reports(spec: Mapping[str, Any], step: str) -> Iterator[str]:
    """The outputs of a step that are values: its metrics, and the launcher's own."""
    component = spec.get("components", {}).get(f"comp-{step}", {})
    outputs = component.get("outputDefinitions", {}).get("parameters", {})
    yield from (name for name in outputs if name != "gcp_resources")


def jobs_of(task: Any) -> Iterator[str]:
    """Yield the ids of a step's jobs: the launcher's attempts, and what they started."""
    detail = task.executor_detail.container_detail
    for name in (
        *detail.failed_main_jobs,
        detail.main_job,
        str(_metadata(task).get("output:gcp_resources", "")),
    ):
        yield from CUSTOM_JOB.findall(name)


def _metadata(task: Any) -> Mapping[str, Any]:
    """What the task's execution says of its outputs."""
    found: Mapping[str, Any] = task.execution.metadata or {}
    return found


def _object(text: object) -> dict[str, Any]:
    try:
        found = json.loads(str(text))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
