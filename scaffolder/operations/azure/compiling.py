"""A pipeline as Azure ML takes it, and where a platform's buckets and images are, by their names alone.

May not ask a service.
"""

from __future__ import annotations

from scaffolder.operations.compiling import Document
from scaffolder.operations.names import definition_of
from stacks.azure.assets import container_url, image_of
from stacks.azure.context import Context
from stacks.azure.pipelines import compiled
from stacks.intents import ImageRepository, ObjectStore, Platform, TrainingPipeline
from stacks.kubeflow import Cluster

__all__ = ["cluster", "document"]


def document(platform: Platform, pipeline: TrainingPipeline) -> Document:
    """The pipeline job, as ``az ml job create`` reads it, with the parameters' defaults."""
    return Document(parts=(compiled(pipeline, definition_of(pipeline), Context(platform)),), form="yaml")


def cluster(platform: Platform) -> Cluster:
    """Where a cluster finds the platform's things."""
    context = Context(platform)
    repositories = [repository.name for repository in context.all_of(ImageRepository)]
    return Cluster(
        buckets={store.name: container_url(context, store.name) for store in context.all_of(ObjectStore)},
        images={name: image_of(f"{name}:x", context).removesuffix(":x") for name in repositories},
    )
