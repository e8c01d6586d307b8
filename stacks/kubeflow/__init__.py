"""Kubeflow Pipelines on any cluster: a neutral definition becomes the documents that its command line takes.

No cloud of its own: buckets and images are where a platform's cloud has them. May not know Vertex AI, nor a file's place.
"""

from __future__ import annotations

from stacks.kubeflow.cluster import Cluster
from stacks.kubeflow.pipelines import compiled
from stacks.kubeflow.refused import pipeline_problems, pipeline_warnings

__all__ = ["Cluster", "compiled", "pipeline_problems", "pipeline_warnings"]
