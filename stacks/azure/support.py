"""What the Azure lowering carries, and what it does not, or not wholly, and why.

Every type of intent is here: a test holds the table to the union.
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

SUPPORT: Mapping[type[Intent], Support] = {
    StateStore: _FULL,
    Encryption: _FULL,
    AuditTrail: _FULL,
    PermissionsBoundary: Support(
        SupportLevel.NOT_POSSIBLE,
        "Azure has no ceiling over identities; CI's deploy identity may assign only the roles that a condition names, "
        "none of which assigns roles",
    ),
    PrivateNetwork: _FULL,
    ExistingNetwork: _FULL,
    ObjectStore: _FULL,
    ImageRepository: Support(
        SupportLevel.PARTIAL,
        "the registry cleans each repository up, but a repository is there only with its first image, Azure locks tags "
        "one image at a time and not by a rule, and it scans images by Microsoft Defender for the whole subscription",
    ),
    WorkloadRole: _FULL,
    HumanRole: _FULL,
    CiIdentity: _FULL,
    Workspace: _FULL,
    ExperimentTracking: _FULL,
    ModelRegistry: Support(
        SupportLevel.PARTIAL,
        "the model's line of versions is made, and one registry for all environments of an account; registering and "
        "approving a version, and what that starts, are the operations'",
    ),
    FeatureStore: Support(
        SupportLevel.PARTIAL,
        "the feature store, its history's place and the group's entity are made; the features themselves are code that "
        "the operations register, and nothing is served online",
    ),
    TrainingPipeline: Support(
        SupportLevel.PARTIAL,
        "its compute clusters are made; Terraform has no pipeline of Azure ML: `scaffolder run` runs it, and `scaffolder "
        "schedules apply` makes its schedule, after each deployment",
    ),
    OnlineEndpoint: Support(
        SupportLevel.PARTIAL,
        "the endpoint, its logs and its alerts are made; the deployment behind it, traffic, scaling and capture are the "
        "operations', which read them from its tags; a batch endpoint's schedule is made by nobody yet",
    ),
    ModelMonitor: Support(
        SupportLevel.PARTIAL,
        "with an image, its machine and its alert are made, and operations put its job and schedule; Azure ML's own monitors "
        "are not made",
    ),
    FoundationModels: _FULL,
    InvocationLogging: Support(
        SupportLevel.PARTIAL,
        "Azure logs who asked which model, when, and how much; it logs neither questions nor answers",
    ),
    Guardrail: Support(
        SupportLevel.PARTIAL,
        "harm, attacks, profanity, words and patterns are blocked; Azure's filters do not judge grounding and relevance, "
        "find no personal data or topic, and answer with an error instead of a message of one's own",
    ),
    KnowledgeBase: Support(
        SupportLevel.PARTIAL,
        "the search service and its access are made; an index and what fills it are the service's data, which the "
        "operations make",
    ),
    Notifications: _FULL,
    Budget: Support(
        SupportLevel.PARTIAL,
        "the resource group's costs are counted in the subscription's own billing currency, without what Azure ML keeps "
        "in resource groups of its own",
    ),
}

_PIPELINE = "the operations make the pipeline, and read it"

IDLE: Mapping[type[Intent], Mapping[str, str]] = {
    TrainingPipeline: dict.fromkeys(("definition", "schedule", "steps", "lacks", "remedy"), _PIPELINE),
    ModelMonitor: dict.fromkeys(
        (
            *("columns", "data_drift_threshold", "prediction_drift_threshold", "concept_drift_threshold"),
            *("retrain_pipeline", "code", "cooldown_s", "image", "baseline", "every"),
        ),
        "is the operations', which put the job",
    ),
    Guardrail: {
        "grounding": "Azure's filters do not judge whether an answer is founded on its source",
        "relevance": "Azure's filters do not judge whether an answer fits its question",
        "blocked_message": "what is blocked is answered with an error",
    },
}
"""The fields of what is carried in part that change nothing in the stacks, each with the reason."""
