"""MLflow tracking servers and code repositories: moto 5.2.5 has neither."""

from __future__ import annotations

from tests.emulator.call import Call, Result, Service
from tests.emulator.entity import Entity, Store
from tests.emulator.tags import Tags

__all__ = ["part"]

_SERVER = Entity(
    noun="MlflowTrackingServer",
    key=("TrackingServerName",),
    arn="arn:aws:sagemaker:{region}:{account}:mlflow-tracking-server/{TrackingServerName}",
    arn_member="TrackingServerArn",
    listed="TrackingServerSummaries",
    read_verb="Describe",
    defaults={
        "TrackingServerStatus": "Created",
        "IsActive": "Active",
        "TrackingServerSize": "Small",
        "MlflowVersion": "2.16.2",
        "TrackingServerUrl": "https://mlflow.invalid",
    },
    narrowed={"TrackingServerStatus": "TrackingServerStatus", "MlflowVersion": "MlflowVersion"},
    timestamps=("CreationTime", "LastModifiedTime"),
    missing="ResourceNotFound",
)

_REPOSITORY = Entity(
    noun="CodeRepository",
    plural="CodeRepositories",
    key=("CodeRepositoryName",),
    arn="arn:aws:sagemaker:{region}:{account}:code-repository/{CodeRepositoryName}",
    arn_member="CodeRepositoryArn",
    listed="CodeRepositorySummaryList",
    read_verb="Describe",
    timestamps=("CreationTime", "LastModifiedTime"),
    missing="ValidationException",
    missing_message="Cannot find CodeRepository: {key}",
    exists="ValidationException",
)


def part(tags: Tags) -> Service:
    """No servers and no repositories."""
    servers, repositories = Store(_SERVER, tags), Store(_REPOSITORY, tags)

    def update(call: Call) -> Result:
        servers.find(call)["TrackingServerStatus"] = "Updated"
        return servers.update(call)

    return Service(
        name="sagemaker",
        answers={**servers.answers(), **repositories.answers(), "UpdateMlflowTrackingServer": update},
    )
