"""What a platform is called in Azure: the ids and addresses of what its stacks made, by the names that the stacks give.

May not make a call.
"""

from __future__ import annotations

from hashlib import sha256

from scaffolder.operations.errors import InvalidRequest, NotFound
from stacks.azure.assets import datastore_of, workspace_id
from stacks.azure.compute import cluster_of
from stacks.azure.context import Context
from stacks.azure.instances import Unavailable, Use, machine
from stacks.intents import (
    ModelMonitor,
    ModelRegistry,
    ObjectStore,
    OnlineEndpoint,
    Platform,
    TrainingPipeline,
)

__all__ = ["Place", "short_hash"]

DATASTORE = "azureml://datastores/"


def short_hash(*parts: str) -> str:
    """Sixteen hexadecimal digits of texts, the same each time."""
    return sha256("\0".join(parts).encode()).hexdigest()[:16]


class Place:
    """A platform's names in Azure."""

    def __init__(self, platform: Platform, blobs: str) -> None:
        self.platform = platform
        self.context = Context(platform)
        self._blobs = blobs

    @property
    def workspace(self) -> str:
        """The workspace's id."""
        return workspace_id(self.context)

    @property
    def group(self) -> str:
        """The resource group's id."""
        return f"{self.context.subscription_id}/resourceGroups/{self.context.name('resource-group')}"

    # --- the spec's names ---

    def pipeline(self, name: str) -> TrainingPipeline:
        """A pipeline of the platform's.

        Raises:
            NotFound: it has none of that name.
        """
        found = next((it for it in self.context.all_of(TrainingPipeline) if it.name == name), None)
        if found is None:
            raise _unknown("pipeline", name, [it.name for it in self.context.all_of(TrainingPipeline)])
        return found

    def model(self, name: str) -> ModelRegistry:
        """A model of the platform's."""
        found = next((it for it in self.context.all_of(ModelRegistry) if it.name == name), None)
        if found is None:
            raise _unknown("model", name, [it.name for it in self.context.all_of(ModelRegistry)])
        return found

    def monitor(self, name: str) -> ModelMonitor:
        """A monitor of the platform's."""
        found = next((it for it in self.context.all_of(ModelMonitor) if it.name == name), None)
        if found is None:
            raise _unknown("monitor", name, [it.name for it in self.context.all_of(ModelMonitor)])
        return found

    def endpoint(self, name: str, mode: str) -> OnlineEndpoint:
        """An endpoint of the platform's, of a mode."""
        there = [it for it in self.context.all_of(OnlineEndpoint) if it.mode == mode]
        found = next((it for it in there if it.name == name), None)
        if found is None:
            raise _unknown(f"{mode} endpoint", name, [it.name for it in there])
        return found

    def realtime(self) -> list[OnlineEndpoint]:
        """The endpoints that answer, in the spec's order."""
        return [it for it in self.context.all_of(OnlineEndpoint) if it.mode == "realtime"]

    # --- ids ---

    def endpoint_id(self, name: str) -> str:
        """The id of an online endpoint by the spec's name."""
        return f"{self.workspace}/onlineEndpoints/{self.context.unique_name('endpoint', name)}"

    def model_id(self, model: str, version: int) -> str:
        """The id of a registered version."""
        return f"{self.workspace}/models/{model}/versions/{version}"

    def job_id(self, ref: str) -> str:
        """The id of a job by its name.

        Raises:
            NotFound: no job can be called so.
        """
        if not ref or not all(letter.isalnum() or letter in "-_" for letter in ref):
            raise NotFound(f'there is no job "{ref}" in the workspace')
        return f"{self.workspace}/jobs/{ref}"

    def cluster_id(self, size: str, *, spot: bool = False) -> str:
        """The id of the cluster of a size."""
        return f"{self.workspace}/computes/{cluster_of(size, spot=spot)}"

    def instance(self, size: str, use: Use) -> str:
        """The VM size that a size is.

        Raises:
            InvalidRequest: Azure has none.
        """
        found = machine(size, use)
        if isinstance(found, Unavailable):
            raise InvalidRequest(f"the instance {found.message}", remedy=found.hint)
        return found

    # --- buckets ---

    def bucket_url(self, bucket: str) -> str:
        """The address of a bucket's container."""
        purpose = "logs" if bucket in self._logs() else "data"
        account = self.context.unique_name("storage-account", purpose)
        return f"{self._blobs.format(account=account)}/{self.context.name('container', bucket)}"

    def blob_url(self, uri: str) -> str | None:
        """The address of a blob by that of a datastore (``azureml://datastores/…``); ``None`` for another kind."""
        if not uri.startswith(DATASTORE):
            return None
        store, _, path = uri.removeprefix(DATASTORE).partition("/paths/")
        bucket = next(
            (it.name for it in self.context.all_of(ObjectStore) if datastore_of(it.name) == store), None
        )
        return f"{self.bucket_url(bucket)}/{path}" if bucket is not None else None

    def _logs(self) -> set[str]:
        return {it.name for it in self.context.all_of(ObjectStore) if it.purpose == "logs"}


def _unknown(kind: str, name: str, there: list[str]) -> NotFound:
    listed = ", ".join(there) or "none"
    return NotFound(f'the platform has no {kind} "{name}"', remedy=f"It has: {listed}.")
