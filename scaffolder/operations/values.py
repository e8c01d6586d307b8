"""What operations take and give: frozen records in words that no provider owns.

Times are aware and in UTC, durations in seconds, sizes in bytes, traffic in whole percent. Refs are plain strings: they
can be stored, and picked up again by another process. May not know a provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from typing import Literal, TypeAlias

from stacks.record import record

__all__ = [
    "FINISHED",
    "Answer",
    "Approval",
    "Autoscaling",
    "BatchJob",
    "BatchRequest",
    "Capability",
    "DeployRequest",
    "Deployment",
    "DriftResult",
    "EndpointState",
    "EndpointStatus",
    "Ensured",
    "Lock",
    "LogLine",
    "ModelVersion",
    "MonitorStatus",
    "Outcome",
    "ParameterValue",
    "Principal",
    "Probe",
    "Registration",
    "Removable",
    "Run",
    "RunRequest",
    "RunState",
    "Schedule",
    "Stage",
    "StepRun",
]

ParameterValue: TypeAlias = str | int | float | bool


class Capability(StrEnum):
    """What a provider may or may not do; the support table has a level for each."""

    IDENTITY = "identity"
    PREFLIGHT = "preflight"
    STATE = "state"
    RUNS = "runs"
    LOGS = "logs"
    CANCEL = "cancel"
    REPRODUCE = "reproduce"
    SCHEDULES = "schedules"
    REGISTRY = "registry"
    STAGES = "stages"
    REALTIME = "realtime endpoints"
    TRAFFIC = "traffic split"
    TARGETED_INVOKE = "invoke one deployment"
    AUTOSCALING = "autoscaling"
    CAPTURE = "request capture"
    BATCH = "batch scoring"
    MONITORS = "monitors"
    TEARDOWN = "teardown"


# --- identity, preflight, state --------------------------------------------------------------------------------------


@record
class Principal:
    """Who the credentials are, and whose account they act in."""

    principal: str
    account: str
    tenant: str = ""


class Outcome(StrEnum):
    """What a probe found."""

    PASS = "pass"  # noqa: S105 - what a probe found
    FAIL = "fail"
    UNKNOWN = "unknown"


@record
class Probe:
    """One line of ``doctor``: ``group`` is credentials, permissions, services, quota, names or tools."""

    group: str
    subject: str
    outcome: Outcome
    detail: str
    remedy: str = ""


@record
class Ensured:
    """One thing that is to be there: what was done, or would be (``dry_run``).

    ``removed`` is what is ours and is wanted no more, ``skipped`` what is wanted and cannot be; the detail says why.
    """

    subject: str
    action: Literal["created", "changed", "unchanged", "removed", "skipped"]
    detail: str = ""


@record
class Lock:
    """A lock that is held; ``token`` proves it to the store."""

    name: str
    owner: str
    token: str


# --- runs ------------------------------------------------------------------------------------------------------------


class RunState(StrEnum):
    """Where a run, a step or a job is. ``unknown`` is a state of the provider's that this version does not know."""

    QUEUED = "queued"
    RUNNING = "running"
    STOPPING = "stopping"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


FINISHED = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.STOPPED})


@record
class RunRequest:
    """Start a pipeline. Two requests with one ``token`` start one run.

    ``parameters`` are those that differ from the definition's defaults; ``reason`` is kept with the run (``manual``,
    ``schedule``, ``drift: MONITOR`` …).
    """

    pipeline: str
    token: str
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    reason: str = "manual"


@record
class StepRun:
    """One step of a run; ``attempt`` counts from 1; ``skipped`` stands behind a gate that was not met."""

    name: str
    state: RunState
    native_state: str
    started: datetime | None = None
    ended: datetime | None = None
    attempt: int = 1
    cached: bool = False
    skipped: bool = False
    error: str = ""


@record
class Run:
    """A run of a pipeline. ``record`` (local only) is what it takes to run it again; else empty."""

    ref: str
    pipeline: str
    state: RunState
    native_state: str
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    parameters: Mapping[str, ParameterValue] = field(default_factory=dict)
    reason: str = ""
    error: str = ""
    steps: tuple[StepRun, ...] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    record: Mapping[str, object] = field(default_factory=dict)


@record
class LogLine:
    """One line of a step's log; give the last ``cursor`` back to go on after it."""

    time: datetime
    step: str
    text: str
    cursor: str


@record
class Schedule:
    """What starts something by the clock: ``key`` is the spec's (``pipelines.train``), ``cron`` its five fields, in UTC."""

    name: str
    key: str
    cron: str
    enabled: bool
    native_state: str


# --- registry --------------------------------------------------------------------------------------------------------


class Approval(StrEnum):
    """Whether a version may be deployed."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class Stage(StrEnum):
    """What a version is used for; a model has at most one version in ``staging`` and in ``production``."""

    NONE = "none"
    STAGING = "staging"
    PRODUCTION = "production"
    ARCHIVED = "archived"


@record
class Registration:
    """A new version of a model. ``artifact_uri`` is a folder of the provider's storage."""

    model: str
    artifact_uri: str
    token: str
    image: str = ""
    content_type: str = "text/csv"
    metrics: Mapping[str, float] = field(default_factory=dict)
    report_uri: str = ""
    run: str = ""
    source_commit: str = ""
    data_uri: str = ""
    digest: str = ""


@record
class ModelVersion:
    """A version in the registry; versions count from 1. ``digest`` is of its files, empty where nobody computed it."""

    ref: str
    model: str
    version: int
    approval: Approval
    stage: Stage
    created: datetime
    artifact_uri: str
    image: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    report_uri: str = ""
    run: str = ""
    source_commit: str = ""
    data_uri: str = ""
    digest: str = ""


# --- serving ---------------------------------------------------------------------------------------------------------


class EndpointState(StrEnum):
    """Where an endpoint, or a deployment behind it, is."""

    PLANNED = "planned"
    CREATING = "creating"
    UPDATING = "updating"
    IN_SERVICE = "in service"
    FAILED = "failed"
    DELETING = "deleting"
    UNKNOWN = "unknown"


@record
class Autoscaling:
    """How many replicas serve, and what they follow."""

    min_replicas: int
    max_replicas: int
    metric: Literal["cpu_percent", "requests_per_replica_per_minute"] = "cpu_percent"
    target: int = 70


@record
class DeployRequest:
    """Put a version behind an endpoint as a deployment that takes no traffic yet, unless it is the first.

    ``deployment`` is a name of ours: ``[a-z][a-z0-9-]{1,30}[a-z0-9]``, such as ``v003``; two letters are too few. The
    same request again changes nothing.
    """

    endpoint: str
    deployment: str
    model: str
    version: int
    instance: str
    scaling: Autoscaling
    capture_percent: int = 0


@record
class Deployment:
    """A version behind an endpoint and its share of the traffic, in percent."""

    name: str
    model: str
    version: int | None
    traffic_percent: int
    state: EndpointState
    native_state: str
    instance: str = ""
    replicas: int | None = None
    error: str = ""


@record
class EndpointStatus:
    """An endpoint and its deployments; the traffic of all is 100 or, where nothing serves, 0."""

    name: str
    ref: str
    state: EndpointState
    native_state: str
    deployments: tuple[Deployment, ...] = ()
    url: str = ""
    error: str = ""


@record
class Answer:
    """What an endpoint answered, and the deployment that did (empty where the provider does not tell)."""

    body: bytes
    content_type: str
    served_by: str = ""


@record
class BatchRequest:
    """Score what is below ``input_uri`` into ``output_uri`` with one version."""

    endpoint: str
    model: str
    version: int
    input_uri: str
    output_uri: str
    token: str
    instance: str = "cpu.medium"
    replicas: int = 1


@record
class BatchJob:
    """A scoring job."""

    ref: str
    endpoint: str
    state: RunState
    native_state: str
    created: datetime
    ended: datetime | None = None
    output_uri: str = ""
    error: str = ""


# --- monitoring and teardown -----------------------------------------------------------------------------------------


@record
class DriftResult:
    """One number of one window: the drift of a feature, of the predictions or of the error.

    ``value`` reaching ``threshold`` is a breach. ``feature`` is empty where the number is of the whole.
    """

    monitor: str
    kind: Literal["data", "prediction", "concept"]
    feature: str
    metric: str
    value: float
    threshold: float
    breached: bool
    window_start: datetime
    window_end: datetime
    rows: int = 0
    report_uri: str = ""


@record
class MonitorStatus:
    """A monitor, its last windows and whether it raises an alarm (``alarm``: enough of the last windows breached)."""

    name: str
    endpoint: str
    state: Literal["planned", "active", "paused", "failed"]
    native_state: str
    last_window_end: datetime | None = None
    alarm: bool = False
    detail: str = ""


@record
class Removable:
    """Something that stands in the way of ``terraform destroy``, or that operations made; in the order of removal.

    ``holds_data``: what it loses is nowhere else.
    """

    kind: str
    name: str
    ref: str
    holds_data: bool = False
    detail: str = ""
