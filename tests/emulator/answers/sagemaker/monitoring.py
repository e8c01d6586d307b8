"""Model Monitor: schedules, which moto 5.2.5 lacks, and job definitions told as they were created."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.sagemaker.models import sagemaker_backends

from tests.emulator.answers.sagemaker.instances import check_instance_type, check_volume_key
from tests.emulator.call import Amendment, Answer, Call, Refusal, Result, Service
from tests.emulator.entity import Entity, Store
from tests.emulator.memory import Memory
from tests.emulator.tags import Tags

__all__ = ["part"]

_SCHEDULE = Entity(
    noun="MonitoringSchedule",
    key=("MonitoringScheduleName",),
    arn="arn:aws:sagemaker:{region}:{account}:monitoring-schedule/{MonitoringScheduleName}",
    arn_member="MonitoringScheduleArn",
    listed="MonitoringScheduleSummaries",
    read_verb="Describe",
    defaults={"MonitoringScheduleStatus": "Scheduled"},
    narrowed={
        "EndpointName": "EndpointName",
        "MonitoringJobDefinitionName": "MonitoringJobDefinitionName",
        "MonitoringTypeEquals": "MonitoringType",
        "StatusEquals": "MonitoringScheduleStatus",
    },
    timestamps=("CreationTime", "LastModifiedTime"),
    missing="ResourceNotFound",
    exists="ResourceInUse",
)

_KINDS = {
    "DataQuality": "data_quality_job_definitions",
    "ModelQuality": "model_quality_job_definitions",
    "ModelBias": "model_bias_job_definitions",
    "ModelExplainability": "model_explainability_job_definitions",
}
"""The types of monitoring, and where moto keeps the job definitions of each."""


class _Schedules:
    def __init__(self, store: Store) -> None:
        self._store = store

    def create(self, call: Call) -> Result:
        told = _told(call)
        created = self._store.create(call)
        self._store.find(call).update(told)
        return created

    def update(self, call: Call) -> Result:
        self._store.find(call)
        told = _told(call)
        updated = self._store.update(call)
        self._store.find(call).update(told)
        return updated

    def stop(self, call: Call) -> Result:
        self._store.find(call)["MonitoringScheduleStatus"] = "Stopped"
        return {}

    def start(self, call: Call) -> Result:
        self._store.find(call)["MonitoringScheduleStatus"] = "Scheduled"
        return {}


def part(tags: Tags) -> Service:
    """No schedules."""
    store = Store(_SCHEDULE, tags)
    schedules = _Schedules(store)
    checks: dict[str, Answer] = {f"Create{kind}JobDefinition": _check_definition(kind) for kind in _KINDS}
    amendments: dict[str, Amendment] = {}
    for kind in _KINDS:
        amendments |= Memory(f"{kind}JobDefinition", "JobDefinitionName", _members(kind)).amendments()
    return Service(
        name="sagemaker",
        answers={
            **store.answers(),
            **checks,
            "CreateMonitoringSchedule": schedules.create,
            "UpdateMonitoringSchedule": schedules.update,
            "StopMonitoringSchedule": schedules.stop,
            "StartMonitoringSchedule": schedules.start,
        },
        amendments=amendments,
    )


def _members(kind: str) -> tuple[str, ...]:
    own = ("AppSpecification", "BaselineConfig", "JobInput", "JobOutputConfig")
    return ("RoleArn", "JobResources", "NetworkConfig", "StoppingCondition", *(f"{kind}{m}" for m in own))


def _check_definition(kind: str) -> Answer:
    def check(call: Call) -> None:
        name = call.text("JobDefinitionName")
        if name in getattr(_backend(call), _KINDS[kind]):
            raise Refusal("ResourceInUse", f"job definition {name} already exists")
        cluster = call.mapping("JobResources").get("ClusterConfig")
        if isinstance(cluster, Mapping):
            check_instance_type(str(cluster["InstanceType"]), "ProcessingInstanceType")
            check_volume_key(cluster, "VolumeKmsKeyId")
        watched = call.mapping(f"{kind}JobInput").get("EndpointInput")
        if isinstance(watched, Mapping):
            _check_captures(call, str(watched["EndpointName"]))

    return check


def _check_captures(call: Call, endpoint_name: str) -> None:
    """Refuse to watch an endpoint that keeps nothing of what it is asked.

    Model Monitor works on captured data (SageMaker guide, Capture data from real-time endpoint, 2025-06).
    """
    endpoint = _backend(call).endpoints.get(endpoint_name)
    if endpoint is None:
        raise _invalid(f'Could not find endpoint "{endpoint_name}".')
    if not endpoint.data_capture_config.get("EnableCapture"):
        raise _invalid(f"data capture is not enabled for endpoint {endpoint_name}")


def _told(call: Call) -> dict[str, object]:
    """What a schedule's description repeats from its configuration and from its job definition."""
    config = call.mapping("MonitoringScheduleConfig")
    name = config.get("MonitoringJobDefinitionName")
    if name is None:
        return {}
    kind = str(config.get("MonitoringType"))
    definition = getattr(_backend(call), _KINDS[kind]).get(name) if kind in _KINDS else None
    if definition is None:
        raise _invalid(f"there is no {kind} job definition {name}")
    told: dict[str, object] = {"MonitoringType": kind, "MonitoringJobDefinitionName": name}
    job_input = definition.response_object.get(f"{kind}JobInput") or {}
    if watched := job_input.get("EndpointInput"):
        told["EndpointName"] = watched["EndpointName"]
    return told


def _backend(call: Call) -> Any:
    """moto has no type information."""
    return sagemaker_backends[call.account][call.region]


def _invalid(message: str) -> Refusal:
    return Refusal("ValidationException", message)
