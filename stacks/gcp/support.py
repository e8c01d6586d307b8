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

__all__ = ["IDLE", "SUPPORT"]

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
    ImageRepository: _partial(
        "Artifact Registry deletes no image with a tag where tags are immutable: untagged ones go, and keep_images is how "
        "many of the newest always stay"
    ),
    WorkloadRole: _FULL,
    HumanRole: _FULL,
    CiIdentity: _FULL,
    Workspace: _FULL,
    ExperimentTracking: _FULL,
    ModelRegistry: _partial(
        "Terraform has no resource for a model of Vertex AI: a pipeline's step registers each version, the alias "
        '"approved" says that it may serve, and the stacks make what an approval starts'
    ),
    FeatureStore: _FULL,
    TrainingPipeline: _FULL,
    OnlineEndpoint: _partial(
        "Terraform has no resource for a deployed model: the stacks make the endpoint, its log of requests and its alerts, "
        "and a release deploys the model and its machines. Vertex AI has no serverless and no asynchronous endpoints"
    ),
    ModelMonitor: _partial(
        "Terraform has no resource for Vertex AI's own monitor: with an image, a scheduled job of ours looks for drift"
    ),
    FoundationModels: _partial(
        "Vertex AI lets an account ask all of Google's models or none: the stacks grant that, and the list is not enforced"
    ),
    InvocationLogging: _partial(
        "Terraform has no resource for the log of requests to Google's models: what passes a guardrail is logged, and audit "
        "logs say who asked which model"
    ),
    Guardrail: _partial(
        "Model Armor has no filters for topics, swear words, grounding and relevance: the stacks make templates of the others"
    ),
    KnowledgeBase: _partial(
        "Terraform has no way to fill an index: the stacks make the index and its endpoint, and a pipeline embeds documents"
    ),
    Notifications: _FULL,
    Budget: _FULL,
}

_DEPLOYED = "the release decides it, which deploys the model"
_REGISTERED = "the release decides it, which deploys what a pipeline registered"
_UNFILTERED = "Model Armor has no such filter"

IDLE: Mapping[type[Intent], Mapping[str, str]] = {
    ModelRegistry: dict.fromkeys(("version", "image", "data"), _REGISTERED),
    OnlineEndpoint: dict.fromkeys(
        (
            "instance",
            "min_replicas",
            "max_replicas",
            "target_utilization_percent",
            "memory_mb",
            "max_concurrency",
        ),
        _DEPLOYED,
    ),
    Guardrail: dict.fromkeys(("denied_topics", "profanity", "grounding", "relevance"), _UNFILTERED),
    KnowledgeBase: {"standby": "an index has its replicas from Vertex AI, in every zone of its region"},
}
"""The fields of what is carried in part that change nothing in the stacks, each with the reason."""
