"""What a platform needs, in words that no cloud owns: a closed union of frozen intents.

May not know a cloud's resource types, YAML or defaults: every value here is decided already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from stacks.record import record

if TYPE_CHECKING:
    from stacks.pipelines import CodeFolder, PipelineDefinition

__all__ = [
    "INTENT_TYPES",
    "AuditTrail",
    "Budget",
    "CiIdentity",
    "CiSystem",
    "DeniedTopic",
    "Encryption",
    "ExistingNetwork",
    "ExperimentTracking",
    "FeatureStore",
    "FoundationModels",
    "GuardedPattern",
    "Guardrail",
    "HumanRole",
    "ImageRepository",
    "Intent",
    "InvocationLogging",
    "KnowledgeBase",
    "ModelMonitor",
    "ModelRegistry",
    "Notifications",
    "ObjectStore",
    "OnlineEndpoint",
    "Override",
    "PermissionsBoundary",
    "Platform",
    "PrivateNetwork",
    "StateBackend",
    "StateStore",
    "Support",
    "SupportLevel",
    "Target",
    "TrainingPipeline",
    "WorkloadRole",
    "Workspace",
    "describe",
    "job_url",
    "words_of",
]

BucketPurpose: TypeAlias = Literal["data", "artifacts", "logs", "user"]
WorkloadPurpose: TypeAlias = Literal[
    "training", "pipelines", "serving", "monitoring", "workspace", "triggers"
]
CiSystem: TypeAlias = Literal["github", "gitlab", "circleci", "jenkins", "azure-devops"]
HumanPurpose: TypeAlias = Literal["admins", "scientists", "viewers"]


class SupportLevel(StrEnum):
    """How far a lowering carries an intent: the cloud can't differs from we didn't.

    Partial is what Terraform has a part of: the stacks make that, and the rest is named.
    """

    FULL = "full"
    PARTIAL = "partial"
    NOT_IMPLEMENTED = "not implemented"
    NOT_POSSIBLE = "not possible"


@dataclass(frozen=True, slots=True)
class Support:
    """A lowering's declaration for one type of intent; ``reason`` is for people."""

    level: SupportLevel
    reason: str = ""


@record
class StateStore:
    """The bucket that holds Terraform's state, with a native lock; made only when ``create``."""

    create: bool


@record
class Encryption:
    """Encryption at rest with keys of the customer's own, or of the cloud's."""

    customer_managed: bool


@record
class AuditTrail:
    """A tamper-evident record of management calls and of access to model artifacts."""

    retention_days: int
    log_retention_days: int


@record
class PermissionsBoundary:
    """A ceiling over every role. ``existing`` is the cloud's id of one that is there already."""

    existing: str | None


@record
class PrivateNetwork:
    """A network of our own. ``zone_ids`` is empty when only a number of zones is asked for."""

    cidr: str
    zones: int
    zone_ids: tuple[str, ...]
    nat_gateways: int
    private_endpoints: bool
    flow_log_retention_days: int


@record
class ExistingNetwork:
    """A network that is there already; nothing is created."""

    network_id: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]


@record
class ObjectStore:
    """A bucket: private, versioned, encrypted, over TLS only. ``None`` days mean never."""

    name: str
    purpose: BucketPurpose
    expire_after_days: int | None
    archive_after_days: int | None
    keep_versions_days: int


@record
class ImageRepository:
    """A repository of container images with immutable tags, scanned on push."""

    name: str
    keep_images: int
    expire_untagged_days: int


@record
class WorkloadRole:
    """The identity of one kind of workload."""

    purpose: WorkloadPurpose


@record
class HumanRole:
    """A role that people assume. With no ``principals`` nobody could: it is skipped, and said so."""

    purpose: HumanPurpose
    principals: tuple[str, ...]


@record
class CiIdentity:
    """Roles for a CI system's jobs by OIDC.

    ``organization`` is the id of what issues tokens, where that is an organization. ``create_provider`` is false where
    the account has it already.
    """

    system: CiSystem
    host: str
    organization: str | None
    repository: str
    branch: str
    create_provider: bool


def job_url(intent: CiIdentity, branch: str) -> str:
    """A branch's job of a multibranch pipeline of Jenkins; a slash in a branch is encoded in the job's name and again."""
    path = "".join(f"/job/{name}" for name in (*intent.repository.split("/"), branch.replace("/", "%252F")))
    return f"https://{intent.host}{path}/"


@record
class Workspace:
    """Notebooks and an IDE for people."""

    users: tuple[str, ...]
    instance: str
    idle_shutdown_minutes: int
    auth: Literal["iam", "sso"]
    keep_home: bool


@record
class ExperimentTracking:
    """A managed tracking server."""

    backend: Literal["managed"]


@record
class ModelRegistry:
    """One model's line of versions, and what its endpoints serve: a registered ``version``, or ``image`` and ``data``.

    With neither, no version exists yet. ``data`` is a path below ``models/`` of the artifacts bucket.
    """

    name: str
    approval: Literal["manual", "automatic"]
    version: int | None
    image: str | None
    data: str | None
    approval_pipeline: str | None


@record
class FeatureStore:
    """A feature group, online, offline or both. ``columns`` maps names to int|float|string|bool|timestamp."""

    name: str
    key: str
    event_time: str
    columns: Mapping[str, str]
    online: bool
    offline: bool


@record
class TrainingPipeline:
    """A pipeline with its schedule (five cron fields, UTC).

    ``steps`` is what the file ``definition`` says; ``None`` when it, or what it names, is not there yet: ``lacks``
    says what, and ``remedy`` what to do about it.
    """

    name: str
    definition: str
    schedule: str | None
    instance: str
    steps: PipelineDefinition | None
    lacks: str = ""
    remedy: str = ""


@record
class OnlineEndpoint:
    """A served model in one of four modes; autoscaled when ``max_replicas`` exceeds ``min_replicas``.

    A batch endpoint is a job that scores files with ``max_replicas`` machines, when asked or by its ``schedule``.
    ``memory_mb`` and ``max_concurrency`` are of serverless ones only, which have no instance and no replicas.
    """

    name: str
    model: str
    mode: Literal["realtime", "serverless", "async", "batch"]
    instance: str
    min_replicas: int
    max_replicas: int
    target_utilization_percent: int
    capture_percent: int
    max_latency_ms: int
    max_error_percent: float
    memory_mb: int
    max_concurrency: int
    schedule: str | None


@record
class ModelMonitor:
    """Scheduled drift tests on an endpoint; a threshold of ``None`` turns that test off.

    With an ``image``, ``code`` (our own) runs in it and looks; without one, the cloud's own monitor does, if it has one.
    The alarm is raised when ``breaches`` of the last ``windows`` drifted.

    ``every`` is a number and a unit (``1h``, ``7d``); ``baseline`` a folder below ``baselines/`` of the artifacts
    bucket, ``None`` when there is none yet. ``columns`` are those whose data drift raises the alarm.
    """

    name: str
    endpoint: str
    every: str
    instance: str
    baseline: str | None
    columns: tuple[str, ...]
    data_drift_threshold: float | None
    prediction_drift_threshold: float | None
    concept_drift_threshold: float | None
    notify: bool
    retrain_pipeline: str | None
    image: str | None
    code: CodeFolder | None
    breaches: int
    windows: int
    cooldown_s: int


@record
class FoundationModels:
    """The large models of the cloud that workloads and scientists may invoke, by the cloud's own ids."""

    models: tuple[str, ...]


@record
class InvocationLogging:
    """A log of what models are asked and answer. ``None`` days where an earlier environment keeps it already."""

    retention_days: int | None


@record
class GuardedPattern:
    """A pattern that a guardrail masks or blocks."""

    regex: str
    description: str
    action: Literal["mask", "block"]


@record
class DeniedTopic:
    """A topic that a guardrail refuses."""

    definition: str
    examples: tuple[str, ...]


@record
class Guardrail:
    """A filter around models. ``personal_data`` maps neutral kinds (``credit-card``) to mask or block.

    ``grounding`` and ``relevance`` are scores from 0 to 1 that an answer has to reach; 0 asks for none.
    """

    name: str
    content: Literal["high", "medium", "low", "none"]
    prompt_attacks: Literal["high", "medium", "low", "none"]
    personal_data: Mapping[str, str]
    patterns: Mapping[str, GuardedPattern]
    denied_topics: Mapping[str, DeniedTopic]
    denied_words: tuple[str, ...]
    profanity: bool
    grounding: float
    relevance: float
    blocked_message: str


@record
class KnowledgeBase:
    """Documents below a prefix of a bucket, searched by meaning. With no ``index`` there is none to search yet."""

    name: str
    bucket: str
    prefix: str
    embedding_model: str
    dimensions: int
    standby: bool
    index: str | None


@record
class Notifications:
    """Where alerts go."""

    emails: tuple[str, ...]


@record
class Budget:
    """A monthly spending limit."""

    monthly: float
    currency: str


Intent: TypeAlias = (
    StateStore
    | Encryption
    | AuditTrail
    | PermissionsBoundary
    | PrivateNetwork
    | ExistingNetwork
    | ObjectStore
    | ImageRepository
    | WorkloadRole
    | HumanRole
    | CiIdentity
    | Workspace
    | ExperimentTracking
    | ModelRegistry
    | FeatureStore
    | TrainingPipeline
    | OnlineEndpoint
    | ModelMonitor
    | FoundationModels
    | InvocationLogging
    | Guardrail
    | KnowledgeBase
    | Notifications
    | Budget
)

INTENT_TYPES: tuple[type[Intent], ...] = get_args(Intent)


@record
class Target:
    """The cloud, region and account."""

    provider: Literal["aws", "gcp", "azure"]
    region: str
    account: str


@record
class StateBackend:
    """How each stack keeps its state. ``settings`` are Terraform's own arguments of an explicit backend."""

    kind: Literal["managed", "local", "s3", "gcs", "azurerm"]
    settings: Mapping[str, str | int | bool]


@record
class Override:
    """An argument that the user sets on one resource; ``value`` is literal, ``None`` takes the argument away."""

    address: str
    argument: str
    value: object


@record
class Platform:
    """One environment of a platform, fully decided: the input of every lowering.

    ``first_in_account`` is false where an environment listed earlier has the same account: what an account has once is
    that one's.
    """

    name: str
    environment: str
    tags: Mapping[str, str]
    target: Target
    first_in_account: bool
    deletion_protection: bool
    backend: StateBackend
    intents: tuple[Intent, ...]
    overrides: tuple[Override, ...]


def describe(intent: Intent) -> str:
    """Name an intent for people: its kind in words and its own name (``object store data``)."""
    own = getattr(intent, "name", None) or getattr(intent, "purpose", None) or ""
    return f"{words_of(type(intent))} {own}".strip()


def words_of(kind: type[Intent]) -> str:
    """Name a type of intent for people (``object store``)."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind.__name__).strip()
