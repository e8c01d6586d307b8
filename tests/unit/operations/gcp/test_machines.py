"""What a spec's machines count against: Vertex AI's quotas of processors and of accelerators."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scaffolder.operations.gcp.machines import Need, needs
from stacks.gcp.context import Context
from stacks.intents import OnlineEndpoint, Platform
from tests.operations.platforms import platform_in


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return platform_in("gcp", tmp_path)


def _served_by(platform: Platform, instance: str, replicas: int) -> Context:
    intents = tuple(
        replace(it, instance=instance, max_replicas=replicas)
        if isinstance(it, OnlineEndpoint) and it.name == "churn"
        else it
        for it in platform.intents
    )
    return Context(replace(platform, intents=intents))


def test_the_most_that_one_thing_needs_is_asked_of_each_quota(platform: Platform) -> None:
    assert [(need.metric, need.many) for need in needs(Context(platform))] == [
        ("custom_model_serving_cpus", 12),
        ("custom_model_training_cpus", 4),
    ]


@pytest.mark.parametrize(
    ("instance", "metric", "many"),
    [
        ("gpu.t4", "custom_model_serving_nvidia_t4_gpus", 2),
        ("gpu.l4×2", "custom_model_serving_nvidia_l4_gpus", 4),
        ("a2-highgpu-1g", "custom_model_serving_nvidia_a100_gpus", 2),
    ],
)
def test_an_accelerator_has_a_quota_of_its_own(
    platform: Platform, instance: str, metric: str, many: int
) -> None:
    context = _served_by(
        replace(platform, target=replace(platform.target, region="europe-west4")), instance, 2
    )
    assert Need(metric=metric, many=many, what="endpoint churn") in [*needs(context)]
