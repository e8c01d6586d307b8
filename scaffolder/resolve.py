"""Turns a spec into intents: names are given their uses, and values that depend on others are decided.

The spec's static defaults are its model's; everything that is computed is computed here and nowhere else. May
not know a cloud's resources.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, cast

from scaffolder.pipelines import Lacking
from scaffolder.spec import model as vocabulary
from scaffolder.spec.model import Bucket, Endpoint, Monitor, Network, Pipeline, PlatformSpec
from scaffolder.spec.providers import PROVIDERS
from scaffolder.spec.scalars import seconds_of
from stacks.intents import (
    AuditTrail,
    Budget,
    CiIdentity,
    CiSystem,
    DeniedTopic,
    Encryption,
    ExistingNetwork,
    ExperimentTracking,
    FeatureStore,
    FoundationModels,
    GuardedPattern,
    Guardrail,
    HumanRole,
    ImageRepository,
    Intent,
    InvocationLogging,
    KnowledgeBase,
    ModelMonitor,
    ModelRegistry,
    Notifications,
    ObjectStore,
    OnlineEndpoint,
    Override,
    PermissionsBoundary,
    Platform,
    PrivateNetwork,
    StateBackend,
    StateStore,
    Target,
    TrainingPipeline,
    WorkloadRole,
    Workspace,
)

if TYPE_CHECKING:
    from stacks.pipelines import CodeFolder, PipelineDefinition

__all__ = ["PLATFORM_BUCKETS", "resolve"]

PLATFORM_BUCKETS: tuple[Literal["data", "artifacts", "logs"], ...] = ("data", "artifacts", "logs")
WORKLOADS: tuple[Literal["training", "pipelines", "serving", "monitoring"], ...] = (
    *("training", "pipelines"),
    *("serving", "monitoring"),
)
HUMANS: tuple[Literal["admins", "scientists", "viewers"], ...] = ("admins", "scientists", "viewers")
EXPIRE_UNTAGGED_DAYS = 7
KNOWLEDGE_PREFIX = "kb"
MANAGED_BY = "scaffolder"
UNREAD = Lacking(lacks="its definition was not read", remedy="Give the spec by its file.")


def resolve(
    spec: PlatformSpec,
    environment: str,
    *,
    earlier_accounts: Sequence[str] = (),
    logged_earlier: bool = False,
    pipelines: Mapping[str, PipelineDefinition | Lacking] = MappingProxyType({}),
) -> Platform:
    """Decide one environment's platform.

    ``earlier_accounts`` are the accounts of the environments listed before this one: what an account has once
    (the CI system's identity provider) is created by the first environment only. ``logged_earlier`` says that one of
    those logs the invocations of models in the same account and region. ``pipelines`` are the definitions
    that the spec's pipelines name, or what they lack; one that was not read lacks its definition.
    """
    return Platform(
        name=spec.name,
        environment=environment,
        tags=_tags(spec, environment),
        target=Target(
            provider=cast("Literal['aws', 'gcp', 'azure']", spec.target.provider),
            region=spec.target.region,
            account=spec.target.account,
        ),
        first_in_account=spec.target.account not in earlier_accounts,
        deletion_protection=spec.deletion_protection,
        backend=StateBackend(
            kind=cast("Literal['managed', 'local', 's3', 'gcs', 'azurerm']", spec.state.backend),
            settings=dict(spec.state.settings),
        ),
        intents=(
            *_foundation(spec),
            *_identity(spec, earlier_accounts),
            *_machine_learning(spec, pipelines),
            *_llm(spec, logged_earlier=logged_earlier),
            *_operations(spec),
        ),
        overrides=tuple(
            Override(address=address, argument=argument, value=value)
            for address, arguments in spec.overrides.items()
            for argument, value in arguments.items()
        ),
    )


def _tags(spec: PlatformSpec, environment: str) -> dict[str, str]:
    tags = {
        **spec.tags,
        "owner": spec.owner,
        "platform": spec.name,
        "environment": environment,
        "managed-by": MANAGED_BY,
    }
    if spec.security.profiles:
        tags["compliance"] = " ".join(sorted(spec.security.profiles))
    return dict(sorted(tags.items()))


def _foundation(spec: PlatformSpec) -> Iterator[Intent]:
    security = spec.security
    if spec.state.backend == "managed":
        yield StateStore(create=spec.state.create)
    yield Encryption(customer_managed=security.encryption == "customer")
    if security.audit:
        yield AuditTrail(
            retention_days=security.audit_retention_days, log_retention_days=security.log_retention_days
        )
    boundary = security.permissions_boundary
    if isinstance(boundary, str):
        yield PermissionsBoundary(existing=boundary)
    elif boundary or (boundary is None and _needs_boundary(spec)):
        yield PermissionsBoundary(existing=None)
    yield _network(spec.network, security.log_retention_days)
    yield from _buckets(spec)
    for name in spec.containers.repositories:
        yield ImageRepository(
            name=name, keep_images=spec.containers.keep_images, expire_untagged_days=EXPIRE_UNTAGGED_DAYS
        )


def _needs_boundary(spec: PlatformSpec) -> bool:
    """Whether CI may make roles, on a cloud that has something to put over them."""
    return spec.identity.ci is not None and PROVIDERS[spec.target.provider].boundary is not None


def _network(network: Network, log_retention_days: int) -> PrivateNetwork | ExistingNetwork:
    if network.existing is not None:
        return ExistingNetwork(
            network_id=network.existing.network_id,
            subnet_ids=network.existing.subnet_ids,
            security_group_ids=network.existing.security_group_ids,
        )
    zones = network.zones if isinstance(network.zones, int) else len(network.zones)
    gateways = {"per-zone": zones, "single": 1}[network.nat_gateways]
    return PrivateNetwork(
        cidr=network.cidr,
        zones=zones,
        zone_ids=() if isinstance(network.zones, int) else network.zones,
        nat_gateways=gateways if network.egress == "nat" else 0,
        private_endpoints=network.private_endpoints,
        flow_log_retention_days=log_retention_days,
    )


def _buckets(spec: PlatformSpec) -> Iterator[ObjectStore]:
    given = spec.storage.buckets
    for name in PLATFORM_BUCKETS:
        bucket = given.get(name, Bucket())
        days = bucket.expire_after_days
        if name == "logs" and days is None:
            days = spec.security.log_retention_days
        yield _bucket(name, name, bucket, days)
    for own, bucket in given.items():
        if own not in PLATFORM_BUCKETS:
            yield _bucket(own, "user", bucket, bucket.expire_after_days)


def _bucket(
    name: str,
    purpose: Literal["data", "artifacts", "logs", "user"],
    bucket: Bucket,
    expire_after_days: int | None,
) -> ObjectStore:
    return ObjectStore(
        name=name,
        purpose=purpose,
        expire_after_days=expire_after_days,
        archive_after_days=bucket.archive_after_days,
        keep_versions_days=bucket.keep_versions_days,
    )


def _identity(spec: PlatformSpec, earlier_accounts: Sequence[str]) -> Iterator[Intent]:
    for workload in WORKLOADS:
        yield WorkloadRole(purpose=workload)
    if _starts_pipelines(spec):
        yield WorkloadRole(purpose="triggers")
    if spec.workspace is not None:
        yield WorkloadRole(purpose="workspace")
    groups = spec.identity.groups
    principals = {"admins": groups.admins, "scientists": groups.scientists, "viewers": groups.viewers}
    for human in HUMANS:
        yield HumanRole(purpose=human, principals=principals[human])
    ci = spec.identity.ci
    if ci is not None:
        create = {"create": True, "existing": False, "auto": spec.target.account not in earlier_accounts}
        yield CiIdentity(
            system=cast("CiSystem", ci.system),
            host=ci.host,
            organization=ci.organization,
            repository=ci.repository,
            branch=ci.branch,
            create_provider=create[ci.provider],
        )


def _starts_pipelines(spec: PlatformSpec) -> bool:
    """Whether some pipeline is started by a schedule, an alarm or an approval."""
    return (
        any(pipeline.schedule for pipeline in spec.pipelines.values())
        or any(endpoint.mode == "batch" and endpoint.schedule for endpoint in spec.endpoints.values())
        or any(model.on_approval for model in spec.models.values())
        or any("retrain" in monitor.on_alert for monitor in spec.monitors.values())
    )


def _machine_learning(
    spec: PlatformSpec, pipelines: Mapping[str, PipelineDefinition | Lacking]
) -> Iterator[Intent]:
    if spec.workspace is not None:
        yield Workspace(
            users=spec.workspace.users,
            instance=spec.workspace.instance,
            idle_shutdown_minutes=spec.workspace.idle_shutdown_minutes,
            auth=cast("Literal['iam', 'sso']", spec.workspace.auth),
            keep_home=spec.workspace.keep_home,
        )
    if spec.tracking.backend == "managed":
        yield ExperimentTracking(backend="managed")
    for name, model in spec.models.items():
        yield ModelRegistry(
            name=name,
            approval=cast("Literal['manual', 'automatic']", model.approval),
            version=model.version,
            image=model.image,
            data=model.data,
            approval_pipeline=model.on_approval,
        )
    for name, group in spec.features.items():
        yield FeatureStore(
            name=name,
            key=group.key,
            event_time=group.event_time,
            columns={group.key: "string", group.event_time: "timestamp", **group.columns},
            online=group.online,
            offline=group.offline,
        )
    for name, pipeline in spec.pipelines.items():
        yield _pipeline(name, pipeline, pipelines.get(name, UNREAD))
    for name, endpoint in spec.endpoints.items():
        yield _endpoint(name, endpoint)


def _pipeline(name: str, pipeline: Pipeline, definition: PipelineDefinition | Lacking) -> TrainingPipeline:
    lacking = definition if isinstance(definition, Lacking) else None
    return TrainingPipeline(
        name=name,
        definition=pipeline.definition,
        schedule=pipeline.schedule,
        instance=pipeline.instance,
        steps=None if isinstance(definition, Lacking) else definition,
        lacks=lacking.lacks if lacking else "",
        remedy=lacking.remedy if lacking else "",
    )


def _endpoint(name: str, endpoint: Endpoint) -> OnlineEndpoint:
    return OnlineEndpoint(
        name=name,
        model=endpoint.model,
        mode=cast("Literal['realtime', 'serverless', 'async', 'batch']", endpoint.mode),
        instance=endpoint.instance,
        min_replicas=endpoint.replicas.min,
        max_replicas=endpoint.replicas.max,
        target_utilization_percent=endpoint.replicas.target_utilization_percent,
        capture_percent=endpoint.capture_percent,
        max_latency_ms=endpoint.max_latency_ms,
        max_error_percent=endpoint.max_error_percent,
        memory_mb=endpoint.memory_mb,
        max_concurrency=endpoint.max_concurrency,
        schedule=endpoint.schedule,
    )


def _llm(spec: PlatformSpec, *, logged_earlier: bool) -> Iterator[Intent]:
    llm = spec.llm
    if llm is None:
        return
    if llm.models:
        yield FoundationModels(models=llm.models)
    if llm.log_invocations:
        yield InvocationLogging(retention_days=None if logged_earlier else spec.security.log_retention_days)
    for name, guardrail in llm.guardrails.items():
        yield _guardrail(name, guardrail)
    for name, base in llm.knowledge_bases.items():
        yield KnowledgeBase(
            name=name,
            bucket=base.bucket,
            prefix=base.prefix or f"{KNOWLEDGE_PREFIX}/{name}",
            embedding_model=base.embedding_model or PROVIDERS[spec.target.provider].embedding_model,
            dimensions=base.dimensions,
            standby=base.standby,
            index=base.index,
        )


def _guardrail(name: str, guardrail: vocabulary.Guardrail) -> Guardrail:
    return Guardrail(
        name=name,
        content=cast("Literal['high', 'medium', 'low', 'none']", guardrail.content),
        prompt_attacks=cast("Literal['high', 'medium', 'low', 'none']", guardrail.prompt_attacks),
        personal_data=guardrail.pii,
        patterns={
            own: GuardedPattern(
                regex=pattern.regex,
                description=pattern.description,
                action=cast("Literal['mask', 'block']", pattern.action),
            )
            for own, pattern in guardrail.patterns.items()
        },
        denied_topics={
            own: DeniedTopic(definition=topic.definition, examples=topic.examples)
            for own, topic in guardrail.denied_topics.items()
        },
        denied_words=guardrail.denied_words,
        profanity=guardrail.profanity,
        grounding=guardrail.grounding,
        relevance=guardrail.relevance,
        blocked_message=guardrail.blocked_message,
    )


def _operations(spec: PlatformSpec) -> Iterator[Intent]:
    for name, monitor in spec.monitors.items():
        yield _monitor(name, monitor, tuple(spec.pipelines), heard=bool(spec.alerts.emails))
    if spec.alerts.emails:
        yield Notifications(emails=spec.alerts.emails)
    if spec.alerts.budget is not None:
        yield Budget(monthly=spec.alerts.budget.monthly, currency=spec.alerts.budget.currency)


def _drift_code() -> CodeFolder:
    from scaffolder.pipelines.drift import drift_code  # noqa: PLC0415 - only where a monitor has an image

    return drift_code()


def _monitor(name: str, monitor: Monitor, pipelines: Sequence[str], *, heard: bool) -> ModelMonitor:
    """A monitor that retrains does so by the pipeline it names, or by the only one; it notifies where one listens."""
    return ModelMonitor(
        name=name,
        endpoint=monitor.endpoint,
        every=monitor.every,
        instance=monitor.instance,
        baseline=monitor.baseline,
        columns=monitor.data_drift.columns if monitor.data_drift else (),
        data_drift_threshold=monitor.data_drift.threshold if monitor.data_drift else None,
        prediction_drift_threshold=monitor.prediction_drift.threshold if monitor.prediction_drift else None,
        concept_drift_threshold=monitor.concept_drift.threshold if monitor.concept_drift else None,
        notify=heard and "notify" in monitor.on_alert,
        retrain_pipeline=(monitor.pipeline or pipelines[0]) if "retrain" in monitor.on_alert else None,
        image=monitor.image,
        code=_drift_code() if monitor.image is not None else None,
        breaches=monitor.breaches,
        windows=monitor.windows,
        cooldown_s=seconds_of(monitor.cooldown),
    )
