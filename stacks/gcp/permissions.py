"""Permissions of Vertex AI and its surroundings by what they are for: the words that custom roles are made of.

May not grant anything. The names are those of "Vertex AI access control with IAM" and of the roles that Google lists
(November 2026). A predefined role would do for none of these: ``roles/aiplatform.user`` may deploy to endpoints.
"""

from __future__ import annotations

__all__ = [
    "DRIFT",
    "ENDPOINTS",
    "EXPERIMENTS",
    "FEATURES",
    "GUARDED",
    "INVOKE",
    "JOBS",
    "LOOK",
    "MODELS",
    "NOTEBOOKS",
    "RUNS",
    "SERVED",
    "VECTORS",
]


def _of(service: str, verbs: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{service}.{noun}.{verb}" for noun, each in verbs.items() for verb in each.split())


LOOK = _of("aiplatform", {"locations": "get list", "operations": "list"})
RUNS = _of("aiplatform", {"pipelineJobs": "cancel create get list"})
JOBS = _of(
    "aiplatform",
    {
        "batchPredictionJobs": "cancel create get list",
        "customJobs": "cancel create get list",
        "hyperparameterTuningJobs": "cancel create get list",
    },
)
DRIFT = _of("aiplatform", {"modelDeploymentMonitoringJobs": "get"})
EXPERIMENTS = _of(
    "aiplatform",
    {
        "artifacts": "create get list update",
        "contexts": "addContextArtifactsAndExecutions addContextChildren create get list queryContextLineageSubgraph update",
        "executions": "addExecutionEvents create get list queryExecutionInputsAndOutputs update",
        "metadataSchemas": "get list",
        "metadataStores": "get list",
        "tensorboardExperiments": "create get list update write",
        "tensorboardRuns": "batchCreate create get list update write",
        "tensorboardTimeSeries": "batchCreate batchRead create get list read update",
        "tensorboards": "get list recordAccess",
    },
)
MODELS = _of("aiplatform", {"modelEvaluations": "get import list", "models": "get list upload"})
FEATURES = _of(
    "aiplatform",
    {
        "featureGroups": "get list",
        "featureOnlineStores": "get list",
        "featureViews": "fetchFeatureValues get list searchNearestEntities",
        "features": "get list",
    },
)
SERVED = _of("aiplatform", {"endpoints": "get list", "models": "get list"})
ENDPOINTS = _of(
    "aiplatform", {"endpoints": "deploy get list predict undeploy update", "models": "get list update"}
)
INVOKE = ("aiplatform.endpoints.predict",)
GUARDED = (
    *_of("modelarmor", {"templates": "get useToSanitizeModelResponse useToSanitizeUserPrompt"}),
    *_of("dlp", {"deidentifyTemplates": "get", "inspectTemplates": "get"}),
)
VECTORS = _of("aiplatform", {"indexEndpoints": "get list", "indexes": "get list update"})
NOTEBOOKS = _of(
    "notebooks",
    {
        "instances": "get list start stop use",
        "locations": "get list",
        "operations": "get list",
    },
)
