"""What the GCP lowering carries, and what it does not carry yet.

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

__all__ = ["SUPPORT"]

_FULL = Support(SupportLevel.FULL)

SUPPORT: Mapping[type[Intent], Support] = {
    StateStore: _FULL,
    Encryption: _FULL,
    AuditTrail: _FULL,
    PermissionsBoundary: _FULL,
    PrivateNetwork: _FULL,
    ExistingNetwork: _FULL,
    ObjectStore: _FULL,
    ImageRepository: _FULL,
    WorkloadRole: _FULL,
    HumanRole: _FULL,
    CiIdentity: _FULL,
    Workspace: _FULL,
    ExperimentTracking: _FULL,
    ModelRegistry: _FULL,
    FeatureStore: _FULL,
    TrainingPipeline: _FULL,
    OnlineEndpoint: _FULL,
    ModelMonitor: _FULL,
    FoundationModels: _FULL,
    InvocationLogging: _FULL,
    Guardrail: _FULL,
    KnowledgeBase: _FULL,
    Notifications: _FULL,
    Budget: _FULL,
}
