"""What a neutral size is on Vertex AI, and what a region or a use does not have."""

from __future__ import annotations

import pytest

from stacks.gcp.instances import Machine, Unavailable, Use, machine, zones_with
from tests.unit.stacks_gcp.asked import MODELS, arguments, asked, refused

REGION = "europe-west4"


@pytest.mark.parametrize(
    ("size", "use", "found"),
    [
        ("cpu.small", "serving", Machine("e2-standard-2")),
        ("cpu.small", "training", Machine("e2-standard-4")),
        ("cpu.xlarge", "workbench", Machine("e2-standard-16")),
        ("gpu.t4×4", "serving", Machine("n1-standard-16", "NVIDIA_TESLA_T4", 4)),
        ("gpu.l4x2", "training", Machine("g2-standard-24", "NVIDIA_L4", 2)),
        ("gpu.a100×1", "training", Machine("a2-highgpu-1g", "NVIDIA_TESLA_A100", 1)),
        ("gpu.h100", "spot", Machine("a3-highgpu-1g", "NVIDIA_H100_80GB", 1)),
        ("g2-standard-48", "serving", Machine("g2-standard-48", "NVIDIA_L4", 4)),
    ],
)
def test_a_size_is_a_machine_with_the_accelerators_that_it_comes_with(
    size: str, use: Use, found: Machine
) -> None:
    assert machine(size, use, REGION) == found


@pytest.mark.parametrize(
    ("size", "use", "region", "message", "hint"),
    [
        ("gpu.a10×4", "training", REGION, "Google Cloud has no A10", "The nearest is gpu.l4×4."),
        ("gpu.h100", "training", REGION, "not offered for training in europe-west4", "gpu.h100×8"),
        ("gpu.a100", "serving", "europe-west9", "not offered for serving in europe-west9", "gpu.h100"),
        ("gpu.t4×3", "serving", REGION, "is not a size of Google Cloud's machines", "gpu.t4"),
        ("t2d-standard-4", "serving", REGION, "is not a machine type of Vertex AI", ""),
    ],
)
def test_what_cannot_be_had_is_refused_with_what_can(
    size: str, use: Use, region: str, message: str, hint: str
) -> None:
    found = machine(size, use, region)
    assert isinstance(found, Unavailable)
    assert message in found.message
    assert hint in found.hint


def test_zones_are_those_that_have_the_accelerator() -> None:
    assert zones_with(Machine("a2-highgpu-1g", "NVIDIA_TESLA_A100", 1), REGION) == (
        "europe-west4-a",
        "europe-west4-b",
    )
    assert zones_with(Machine("e2-standard-4"), "europe-west1")[0] == "europe-west1-b"


def test_a_spec_hears_of_a_machine_where_it_names_it() -> None:
    said = refused(models=MODELS, endpoints={"churn": {"model": "churn", "instance": "gpu.a10"}})
    assert 'endpoints.churn.instance "gpu.a10" is not offered: Google Cloud has no A10' in said


def test_a_notebook_stands_in_a_zone_that_has_its_accelerator() -> None:
    found = asked(workspace={"users": ["ada"], "instance": "gpu.h100"})
    notebook = arguments(found, "workspace", "google_workbench_instance.ada")
    assert notebook["location"] == "europe-west4-b"
    assert notebook["gce_setup"]["accelerator_configs"] == [{"type": "NVIDIA_H100_80GB", "core_count": "1"}]
