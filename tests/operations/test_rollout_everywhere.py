"""The rollout, the rollback and the platform's interface over every provider: the same commands have the same end."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffolder.operations.errors import RolledBack
from scaffolder.operations.opening import Opened
from scaffolder.operations.platform import Platform
from scaffolder.operations.port import Opening
from scaffolder.operations.rollout import AT_ONCE, Canary
from scaffolder.operations.values import Capability, EndpointStatus, Stage
from tests.operations.contract import needs
from tests.operations.worlds import World

pytestmark = pytest.mark.slow  # on this machine endpoints really come up


def platform_over(world: World) -> Platform:
    """Open the world's platform; waiting brings what its endpoint does to its end."""

    def sleep(_seconds: float) -> None:
        world.settle("churn")

    opening = Opening(platform=world.platform, folder=Path(), sleep=sleep)
    return Platform(
        Opened(
            spec=Path("platform.yaml"),
            environment="dev",
            platform=world.platform,
            provider=world.provider,
            opening=opening,
        )
    )


def approved(world: World, platform: Platform) -> int:
    version = platform.models.register("churn", world.an_artifact(), image="serving:1.0.0")
    return platform.models.approve("churn", version.version).version


def traffic(platform: Platform) -> dict[int | None, int]:
    return {one.version: one.traffic_percent for one in platform.endpoints.show("churn").deployments}


@needs(Capability.REGISTRY, Capability.REALTIME, Capability.TRAFFIC, Capability.STAGES)
def test_a_version_takes_over_by_a_canary_and_goes_back_by_a_rollback(world: World) -> None:
    platform = platform_over(world)
    one, two = approved(world, platform), approved(world, platform)
    platform.models.deploy("churn", one)
    assert traffic(platform) == {one: 100}
    told: list[str] = []
    done = platform.models.deploy("churn", two, canary=Canary(wait_s=1.0), tell=told.append)
    world.settle("churn")
    assert (dict(done.traffic), traffic(platform)) == ({done.deployment: 100}, {two: 100})
    assert [line for line in told if "%" in line] == [
        "90 % to v001, 10 % to v002",
        "50 % to v001, 50 % to v002",
        "100 % to v002",
    ]
    assert platform.models.promote("churn", two).stage is Stage.PRODUCTION
    platform.models.rollback("churn", keep=True)
    world.settle("churn")
    assert traffic(platform) == {one: 100, two: 0}


@needs(Capability.REGISTRY, Capability.REALTIME, Capability.TRAFFIC)
def test_a_version_that_is_not_healthy_gives_the_traffic_back(world: World) -> None:
    platform = platform_over(world)
    one, two = approved(world, platform), approved(world, platform)
    platform.models.deploy("churn", one, canary=AT_ONCE)

    def health(status: EndpointStatus) -> str:
        return "too many errors" if {one.traffic_percent for one in status.deployments} == {50} else ""

    with pytest.raises(RolledBack, match="too many errors"):
        platform.models.deploy("churn", two, canary=Canary(wait_s=0.0), health=health)
    world.settle("churn")
    assert traffic(platform) == {one: 100}
