"""A pipeline as Vertex AI takes it, and where a platform's buckets and images are, by their names alone.

May not ask a service.
"""

from __future__ import annotations

from scaffolder.operations.compiling import Document
from scaffolder.operations.gcp.place import Place
from scaffolder.operations.gcp.templates import template
from stacks.intents import Platform, TrainingPipeline
from stacks.kubeflow import Cluster

__all__ = ["cluster", "document"]


def document(platform: Platform, pipeline: TrainingPipeline) -> Document:
    """The template, as the stack writes it into the artifacts bucket."""
    return Document(parts=(template(Place(platform), pipeline),), form="json")


def cluster(platform: Platform) -> Cluster:
    """Where a cluster finds the platform's things."""
    around = Place(platform).around
    return Cluster(
        buckets={name: str(store.url) for name, store in around.stores.by_name.items()},
        # A repository of Artifact Registry holds many images: the platform's image has its name.
        images={name: f"{url}/{name}" for name, url in around.registry.urls.items()},
    )
