"""Write stacks/aws/instances.toml: SageMaker's machine types by use, what they have, their regions, neutral sizes.

Types by use come from botocore's model of the SageMaker API. Which region has a family is read from moto's copy of
EC2's instance type offerings: AWS publishes no list for SageMaker that can be read without an account, and a family that
EC2 lacks in a region SageMaker lacks there too. Processors, accelerators and local disks are those of the EC2 type.
"""

from __future__ import annotations

import gzip
import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import botocore.session
import moto.ec2

INSTANCES = Path(__file__).parent.parent / "stacks" / "aws" / "instances.toml"
OFFERINGS = Path(moto.ec2.__path__[0]) / "resources" / "instance_type_offerings" / "region"
TYPES = Path(moto.ec2.__path__[0]) / "resources" / "instance_types.json.gz"
OTHER_PARTITIONS = ("cn-", "us-gov-", "us-iso")
USES = {
    "training": "TrainingInstanceType",
    "processing": "ProcessingInstanceType",
    "hosting": "ProductionVariantInstanceType",
    "transform": "TransformInstanceType",
    "studio": "AppInstanceType",
}
NEUTRAL = {
    "cpu.small": ["ml.m5.large", "ml.m6i.large", "ml.m7i.large"],
    "cpu.medium": ["ml.m5.xlarge", "ml.m6i.xlarge", "ml.m7i.xlarge"],
    "cpu.large": ["ml.m5.2xlarge", "ml.m6i.2xlarge", "ml.m7i.2xlarge"],
    "cpu.xlarge": ["ml.m5.4xlarge", "ml.m6i.4xlarge", "ml.m7i.4xlarge"],
    "gpu.t4": ["ml.g4dn.xlarge"],
    "gpu.t4×4": ["ml.g4dn.12xlarge"],
    "gpu.l4": ["ml.g6.xlarge"],
    "gpu.l4×4": ["ml.g6.12xlarge"],
    "gpu.l4×8": ["ml.g6.48xlarge"],
    "gpu.a10": ["ml.g5.xlarge"],
    "gpu.a10×4": ["ml.g5.12xlarge"],
    "gpu.a10×8": ["ml.g5.48xlarge"],
    "gpu.a100": ["ml.p4d.24xlarge", "ml.p4de.24xlarge"],
    "gpu.a100×8": ["ml.p4d.24xlarge", "ml.p4de.24xlarge"],
    "gpu.h100": ["ml.p5.4xlarge", "ml.p5.48xlarge"],
    "gpu.h100×8": ["ml.p5.48xlarge"],
}
"""Neutral size → types in the order in which they are tried: 2, 4, 8, 16 vCPU; the accelerators of EC2's own pages.

A size without a count is the smallest machine that has the accelerator: A100s come by eight.
"""


def family(type_: str) -> str:
    """The part that a region has or lacks as a whole: ``m5`` of ``ml.m5.xlarge``."""
    return type_.split(".")[-2]


def regions_of_families(families: set[str]) -> dict[str, list[str]]:
    """The regions of each family, sorted."""
    found: dict[str, set[str]] = {name: set() for name in families}
    for path in OFFERINGS.glob("*.json.gz"):
        region = path.name.removesuffix(".json.gz")
        if region.startswith(OTHER_PARTITIONS):
            continue
        offered: list[dict[str, Any]] = json.loads(gzip.decompress(path.read_bytes()))
        for name in {family(f"ml.{item['InstanceType']}") for item in offered} & families:
            found[name].add(region)
    return {name: sorted(regions) for name, regions in found.items()}


def shapes(families: set[str], hosting: list[str]) -> tuple[list[str], dict[str, list[int]]]:
    """The families with local disks; and of each type that serves, its virtual CPUs and its accelerators."""
    known: dict[str, dict[str, Any]] = json.loads(gzip.decompress(TYPES.read_bytes()))
    disks = {family(f"ml.{type_}") for type_, about in known.items() if about.get("InstanceStorageSupported")}
    found = {}
    for type_ in hosting:
        about = known.get(type_.removeprefix("ml."))
        if about is not None:
            gpus = sum(gpu["Count"] for gpu in about.get("GpuInfo", {}).get("Gpus", []))
            found[type_] = [about["VCpuInfo"]["DefaultVCpus"], gpus]
    return sorted(disks & families), found


def table() -> str:
    """The file's text."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    uses = {
        use: sorted(item for item in model.shape_for(shape).enum if item.count(".") == 2)
        for use, shape in USES.items()
    }
    families = {family(type_) for types in uses.values() for type_ in types}
    disks, found = shapes(families, uses["hosting"])
    lines = [
        "# SageMaker's machine types: by use, the regions of their families, and what the neutral sizes are.",
        "# Written by scripts/update_aws_instances.py; do not edit.",
        f'source = "botocore {version("botocore")}, SageMaker API; EC2 instance type offerings in moto {version("moto")}"',
        'date = "2026-11"',
        f"local_disks = {json.dumps(disks)}",
        "",
        "[neutral]",
        *(f'"{name}" = {json.dumps(types)}' for name, types in NEUTRAL.items()),
        "",
        "[uses]",
        *(f"{use} = {json.dumps(types)}" for use, types in uses.items()),
        "",
        "# Virtual CPUs and accelerators.",
        "[shapes]",
        *(f'"{type_}" = {json.dumps(shape)}' for type_, shape in found.items()),
        "",
        "[families]",
        *(
            f"{name} = {json.dumps(regions)}"
            for name, regions in sorted(regions_of_families(families).items())
        ),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    INSTANCES.write_text(table(), encoding="utf-8")
