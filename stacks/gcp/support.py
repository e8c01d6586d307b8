"""What the GCP lowering carries, what it carries in part, and what Google Cloud has nothing for.

Every type of intent is here: a test holds the table to the union. What the stacks carry only in part, the operations do.
"""

from __future__ import annotations

from collections.abc import Mapping

from stacks.intents import (
    AuditTrail,
    Budget,
    CiIdentity,
    Encryption,
    ExistingNetwork,
    ExperimentTracking,
    FeatureStore,
    FoundationModels,
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
    PermissionsBoundary,
    PrivateNetwork,
    StateStore,
    Support,
    SupportLevel,
    TrainingPipeline,
    WorkloadRole,
    Workspace,
)

__all__ = ["SUPPORT"]

_FULL = Support(SupportLevel.FULL)


def _partial(reason: str) -> Support:
    return Support(SupportLevel.PARTIAL, reason)


SUPPORT: Mapping[type[Intent], Support] = {
    StateStore: _FULL,
    Encryption: _FULL,
    AuditTrail: _FULL,
    PermissionsBoundary: Support(
        SupportLevel.NOT_POSSIBLE,
        "Google Cloud has no ceiling over what accounts may do. Instead CI's deploy account can neither make accounts and "
        "roles nor grant any but the service agents'; an administrator applies the stack identity",
    ),
    PrivateNetwork: _FULL,
    ExistingNetwork: _FULL,
    ObjectStore: _FULL,
    ImageRepository: _FULL,
    WorkloadRole: _FULL,
    HumanRole: _FULL,
    CiIdentity: _FULL,
    Workspace: _FULL,
    ExperimentTracking: _FULL,
    ModelRegistry: _partial(
        "Terraform has no resource for a model of Vertex AI: the stacks make what it needs, and pipelines register it"
    ),
    FeatureStore: _FULL,
    TrainingPipeline: _partial(
        "Terraform has no resource for a pipeline of Vertex AI: the stacks keep its template's place and run it on a "
        "schedule, and the build compiles and uploads the template"
    ),
    OnlineEndpoint: _partial(
        "Terraform has no resource for a model that is deployed: the stacks make the endpoint, and a release deploys to it"
    ),
    ModelMonitor: _partial(
        "Terraform has no resource for a model monitor: the stacks make the schedule, the alerts and the retraining"
    ),
    FoundationModels: _FULL,
    InvocationLogging: Support(
        SupportLevel.NOT_IMPLEMENTED,
        "the stacks do not log what models are asked and answer on Vertex AI yet",
    ),
    Guardrail: Support(SupportLevel.NOT_IMPLEMENTED, "the stacks do not make templates of Model Armor yet"),
    KnowledgeBase: _partial(
        "Terraform has no way to fill an index: the stacks make the index and its endpoint, and a pipeline embeds documents"
    ),
    Notifications: _FULL,
    Budget: _FULL,
}
