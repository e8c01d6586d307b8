"""What a pipeline finds around it on a cluster: where buckets and images are, and what a neutral size asks for.

Pure. May not know a cloud: addresses are given.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from stacks.graph import Value
from stacks.record import record

__all__ = ["READABLE", "Cluster", "Size", "size_of"]

READABLE = ("s3://", "gs://", "minio://")
"""Where the launcher reads artifacts (kubeflow/pipelines, backend/src/v2/objectstore/config.go, August 2026)."""

GPU = "nvidia.com/gpu"
"""What NVIDIA's device plugin for Kubernetes offers, whichever kind it is."""

PROCESSORS: Mapping[str, tuple[int, int]] = {
    "small": (2, 8),
    "medium": (4, 16),
    "large": (8, 32),
    "xlarge": (16, 64),
}
"""Processors, and memory in GiB."""

BESIDE_ONE_GPU = (4, 15)
"""The same beside each accelerator: what the smallest machines with one have on every cloud."""

ACCELERATED = re.compile(r"gpu\.(\w+?)(?:[x×](\d+))?")


@record
class Cluster:
    """Addresses by the spec's names: of buckets, without a slash at the end, and of the platform's own images."""

    buckets: Mapping[str, str]
    images: Mapping[str, str]

    def image(self, image: str) -> str:
        """The address of an image: one of the platform's repositories with its tag or digest, or as it is written."""
        found = re.fullmatch(r"([^/:@]+)([:@].+)", image)
        if found is None or found[1] not in self.images:
            return image
        return self.images[found[1]] + found[2]


@record
class Size:
    """What a container asks for and may use; ``memory_gib`` is whole."""

    processors: int
    memory_gib: int
    accelerators: int = 0

    @property
    def resources(self) -> Value:
        """As KFP writes them, in the fields that drivers read, and those that older ones did."""
        cpu, memory = str(self.processors), f"{self.memory_gib}Gi"
        gigabytes = self.memory_gib * 1024**3 / 10**9
        found: dict[str, Value] = {
            "cpuRequest": float(self.processors),
            "cpuLimit": float(self.processors),
            "memoryRequest": gigabytes,
            "memoryLimit": gigabytes,
            "resourceCpuRequest": cpu,
            "resourceCpuLimit": cpu,
            "resourceMemoryRequest": memory,
            "resourceMemoryLimit": memory,
        }
        if self.accelerators:
            many = str(self.accelerators)
            found["accelerator"] = {"type": GPU, "count": many, "resourceType": GPU, "resourceCount": many}
        return found


def size_of(instance: str) -> Size | None:
    """What a neutral size asks for; ``None`` for a cloud's own name for a machine."""
    if instance.startswith("cpu."):
        found = PROCESSORS.get(instance.removeprefix("cpu."))
        return Size(processors=found[0], memory_gib=found[1]) if found else None
    accelerated = ACCELERATED.fullmatch(instance)
    if accelerated is None:
        return None
    many = int(accelerated[2] or 1)
    processors, memory = BESIDE_ONE_GPU
    return Size(processors=processors * many, memory_gib=memory * many, accelerators=many)
