"""Instance types: which exist, and which bring disks of their own. May not know what one costs or where it is."""

from __future__ import annotations

import re
from collections.abc import Mapping

from moto.core.utils import get_service_model

from tests.emulator.call import Refusal

__all__ = ["check_instance_type", "check_volume_key"]

_WITH_LOCAL_DISKS = re.compile(
    r"^ml\.([a-z]+\d+[a-z]*d[a-z]*|g5|g6|g6e|g7e|p5|p5e|p5en|trn1|trn1n|trn2|dl1)\.",
)
"""A `d` after the generation, and accelerated families whose disks are local (EC2 instance types, 2025-06)."""


def check_instance_type(instance_type: str, shape: str) -> None:
    """Refuse an instance type that the API description doesn't list under the name of a shape."""
    known = get_service_model("sagemaker").shape_for(shape).enum
    if instance_type not in known:
        raise Refusal("ValidationException", f"{instance_type} is not a {shape}")


def check_volume_key(cluster: Mapping[str, object], key_member: str) -> None:
    """Refuse a key for the disks of an instance that encrypts them itself.

    CreateEndpointConfig, KmsKeyId, and ProcessingClusterConfig, VolumeKmsKeyId: "You can't request" one for an
    instance type with local storage (SageMaker API reference, 2025-06).
    """
    instance_type = str(cluster.get("InstanceType", ""))
    if cluster.get(key_member) and _WITH_LOCAL_DISKS.match(instance_type):
        raise Refusal("ValidationException", f"{instance_type} has local storage and takes no {key_member}")
