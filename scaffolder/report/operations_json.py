"""What the commands that run a platform print with ``--json``: the same documents on each provider.

Every document names the platform, the environment and the provider. Times are ISO 8601 in UTC, or null; percents are
whole; keys with nothing to say are there all the same. May not ask a provider, nor print.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypedDict

__all__ = [
    "AnswerJson",
    "BootstrapJson",
    "DestroyJson",
    "DoctorJson",
    "EndpointDocumentJson",
    "EndpointsJson",
    "JobDocumentJson",
    "LogsJson",
    "ModelDocumentJson",
    "ModelsJson",
    "MonitorsJson",
    "ReportJson",
    "RetrainJson",
    "RolloutJson",
    "RunDocumentJson",
    "RunsJson",
    "SchedulesAppliedJson",
    "SchedulesJson",
    "plain",
]


class StepJson(TypedDict):
    """A step of a run. `native_state` is the provider's own word; `skipped` stands behind a gate that was not met."""

    name: str
    state: str
    native_state: str
    started: str | None
    ended: str | None
    attempt: int
    cached: bool
    skipped: bool
    error: str


class RunJson(TypedDict):
    """A run. `record` is what it takes to run it again, empty where the provider keeps none."""

    ref: str
    pipeline: str
    state: str
    native_state: str
    created: str
    started: str | None
    ended: str | None
    parameters: dict[str, str | int | float | bool]
    reason: str
    error: str
    steps: list[StepJson]
    metrics: dict[str, float]
    record: dict[str, object]


class RunDocumentJson(TypedDict):
    """One run; give `token` again to repeat the command without starting a second one (null where none was given)."""

    platform: str
    environment: str
    provider: str
    token: str | None
    run: RunJson


class RunsJson(TypedDict):
    """Runs, the newest first; their steps may be left out."""

    platform: str
    environment: str
    provider: str
    runs: list[RunJson]


class LineJson(TypedDict):
    """A line of a log; `--after` takes the last `cursor`."""

    time: str
    step: str
    text: str
    cursor: str


class LogsJson(TypedDict):
    """The lines of a run, in order."""

    platform: str
    environment: str
    provider: str
    run: str
    lines: list[LineJson]


class VersionJson(TypedDict):
    """A version of a model in the registry."""

    ref: str
    model: str
    version: int
    approval: str
    stage: str
    created: str
    artifact_uri: str
    image: str
    metrics: dict[str, float]
    report_uri: str
    run: str
    source_commit: str
    data_uri: str
    digest: str


class ModelsJson(TypedDict):
    """Versions, the newest of each model first."""

    platform: str
    environment: str
    provider: str
    versions: list[VersionJson]


class ModelDocumentJson(TypedDict):
    """One version; give `token` again to repeat the command without registering a second one."""

    platform: str
    environment: str
    provider: str
    token: str | None
    version: VersionJson


class RolloutJson(TypedDict):
    """A rollout, or with `dry_run` its plan. `steps` are the splits of the traffic in percent, `removes` goes at the end."""

    platform: str
    environment: str
    provider: str
    dry_run: bool
    endpoint: str
    model: str
    version: int
    deployment: str
    is_there: bool
    before: dict[str, int]
    steps: list[dict[str, int]]
    step_wait_s: float
    removes: list[str]


class DeploymentJson(TypedDict):
    """A version behind an endpoint, and its share of the traffic."""

    name: str
    model: str
    version: int | None
    traffic_percent: int
    state: str
    native_state: str
    instance: str
    replicas: int | None
    error: str


class EndpointJson(TypedDict):
    """An endpoint."""

    name: str
    ref: str
    state: str
    native_state: str
    deployments: list[DeploymentJson]
    url: str
    error: str


class EndpointsJson(TypedDict):
    """The endpoints of the spec, in its order."""

    platform: str
    environment: str
    provider: str
    endpoints: list[EndpointJson]


class EndpointDocumentJson(TypedDict):
    """One endpoint."""

    platform: str
    environment: str
    provider: str
    endpoint: EndpointJson


class AnswerJson(TypedDict):
    """An answer. `served_by` is the deployment that gave it, empty where the provider does not tell."""

    platform: str
    environment: str
    provider: str
    endpoint: str
    body: str
    content_type: str
    served_by: str


class JobJson(TypedDict):
    """A scoring job."""

    ref: str
    endpoint: str
    state: str
    native_state: str
    created: str
    ended: str | None
    output_uri: str
    error: str


class JobDocumentJson(TypedDict):
    """One scoring job; give `token` again to repeat the command without starting a second one."""

    platform: str
    environment: str
    provider: str
    token: str | None
    job: JobJson


class MonitorJson(TypedDict):
    """A monitor; `alarm` says that enough of its last windows breached."""

    name: str
    endpoint: str
    state: str
    native_state: str
    last_window_end: str | None
    alarm: bool
    detail: str


class MonitorsJson(TypedDict):
    """The monitors of the spec, in its order."""

    platform: str
    environment: str
    provider: str
    monitors: list[MonitorJson]


class DriftJson(TypedDict):
    """One number of one window; `feature` is empty where it is of the whole. `value` at `threshold` is a breach."""

    monitor: str
    kind: str
    feature: str
    metric: str
    value: float
    threshold: float
    breached: bool
    window_start: str
    window_end: str
    rows: int
    report_uri: str


class ReportJson(TypedDict):
    """What a monitor found; `run` is the run that looked, null where none was started."""

    platform: str
    environment: str
    provider: str
    monitor: str
    run: RunJson | None
    results: list[DriftJson]


class RetrainJson(TypedDict):
    """A turn of a monitor's loop: whether retraining is due and why, the run that was started, and what was judged.

    `candidate` is the version that the last retraining brought; `promoted` says whether it is better, and null that
    nothing was judged. `told` are the notices of this turn.
    """

    platform: str
    environment: str
    provider: str
    monitor: str
    due: bool
    why: str
    run: RunJson | None
    candidate: VersionJson | None
    promoted: bool | None
    told: list[str]


class ProbeJson(TypedDict):
    """One question and what was found: `pass`, `fail` or `unknown`; `remedy` says what to do."""

    group: str
    subject: str
    outcome: str
    detail: str
    remedy: str


class DoctorJson(TypedDict):
    """Everything that was asked, in the order in which things need each other."""

    platform: str
    environment: str
    provider: str
    probes: list[ProbeJson]


class EnsuredJson(TypedDict):
    """One thing that was looked at: `created`, `changed`, `unchanged`, `removed` or `skipped`."""

    subject: str
    action: str
    detail: str


class BootstrapJson(TypedDict):
    """What was made, or with `dry_run` would be."""

    platform: str
    environment: str
    provider: str
    dry_run: bool
    ensured: list[EnsuredJson]


class ScheduleJson(TypedDict):
    """What starts something by the clock: `key` is the spec's, `cron` its five fields, in UTC."""

    name: str
    key: str
    cron: str
    enabled: bool
    native_state: str


class SchedulesJson(TypedDict):
    """The schedules that operations have made."""

    platform: str
    environment: str
    provider: str
    schedules: list[ScheduleJson]


class SchedulesAppliedJson(TypedDict):
    """What was done to the schedules, or with `dry_run` would be."""

    platform: str
    environment: str
    provider: str
    dry_run: bool
    ensured: list[EnsuredJson]


class RemovableJson(TypedDict):
    """One thing that goes; `holds_data` says that what it loses is nowhere else."""

    kind: str
    name: str
    ref: str
    holds_data: bool
    detail: str


class DestroyJson(TypedDict):
    """What was removed, or with `dry_run` would be, in order; `next` are the commands that come after it."""

    platform: str
    environment: str
    provider: str
    dry_run: bool
    removed: list[RemovableJson]
    next: list[str]


def plain(value: object) -> Any:
    """Make JSON values of records, times, enums, mappings and sequences."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case tuple() | list():
            return [plain(one) for one in value]
        case bytes():
            return value.decode("utf-8", "replace")
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
        case _:
            return value
