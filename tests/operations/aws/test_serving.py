"""What is SageMaker's own about serving and scoring: scaling, ownership, capture, what a version has to be."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scaffolder.operations.aws.provider import Aws
from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, NotFound
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Autoscaling, EndpointState
from stacks.intents import Intent, ModelRegistry
from tests.operations.contract import a_version, deployed, deployment, registration
from tests.operations.worlds.aws import AwsWorld

SCALES = Autoscaling(min_replicas=1, max_replicas=3)


def _targets(world: AwsWorld) -> dict[str, tuple[int, int]]:
    scaling = world.cloud.client("application-autoscaling")
    found = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return {one["ResourceId"].rpartition("/")[2]: (one["MinCapacity"], one["MaxCapacity"]) for one in found}


def _configuration(world: AwsWorld) -> dict[str, Any]:
    endpoint = world.cloud.hosting.endpoints[world.context.endpoint("churn")]
    return world.cloud.hosting.configurations[endpoint.configuration]


def test_a_deployment_scales_once_it_serves(world: AwsWorld) -> None:
    request = deployment("blue", a_version(world, "one").version, scaling=SCALES)
    world.provider.serving.deploy(request)
    assert _targets(world) == {}
    world.settle("churn")
    world.provider.serving.deploy(request)
    assert _targets(world) == {"blue": (1, 3)}
    policies = world.cloud.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker"
    )["ScalingPolicies"]
    (policy,) = [one["TargetTrackingScalingPolicyConfiguration"] for one in policies]
    assert policy["TargetValue"] == 280.0, "70 % of each of four processors"


def test_traffic_lets_what_serves_by_now_scale(world: AwsWorld) -> None:
    deployed(world, "blue")
    other = deployment("green", a_version(world, "two").version, scaling=SCALES)
    world.provider.serving.deploy(other)
    world.settle("churn")
    world.provider.serving.set_traffic("churn", {"blue": 50, "green": 50})
    assert _targets(world) == {"green": (1, 3)}


def test_a_deployment_that_scales_can_be_taken_away(world: AwsWorld) -> None:
    deployed(world, "blue")
    request = deployment("green", a_version(world, "two").version, scaling=SCALES)
    for _ in range(2):
        world.provider.serving.deploy(request)
        world.settle("churn")
    assert _targets(world) == {"green": (1, 3)}
    world.provider.serving.undeploy("churn", "green")
    assert _targets(world) == {}


def test_by_requests_a_deployment_scales_by_sagemakers_own_metric(world: AwsWorld) -> None:
    scaling = replace(SCALES, metric="requests_per_replica_per_minute", target=600)
    request = deployment("blue", a_version(world, "one").version, scaling=scaling)
    for _ in range(2):
        world.provider.serving.deploy(request)
        world.settle("churn")
    (policy,) = world.cloud.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker"
    )["ScalingPolicies"]
    metric = policy["TargetTrackingScalingPolicyConfiguration"]["PredefinedMetricSpecification"]
    assert metric == {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}


def test_models_run_in_the_network_and_requests_are_kept_with_the_platforms_key(world: AwsWorld) -> None:
    version = a_version(world, "one").version
    world.provider.serving.deploy(deployment("blue", version, capture_percent=40))
    (model,) = world.cloud.hosting.models.values()
    assert model["EnableNetworkIsolation"] is True
    assert len(model["VpcConfig"]["Subnets"]) == 2
    assert model["ExecutionRoleArn"].endswith("role/churn-dev-serving")
    configuration = _configuration(world)
    (key,) = {one["Arn"] for one in world.cloud.keys.keys.values()}
    assert configuration["KmsKeyId"] == key
    capture = configuration["DataCaptureConfig"]
    assert (capture["InitialSamplingPercentage"], capture["KmsKeyId"]) == (40, key)
    assert capture["DestinationS3Uri"] == f"s3://{world.context.bucket('data')}/capture/churn"


def test_what_is_kept_of_requests_survives_a_deployment_that_goes(world: AwsWorld) -> None:
    for name in ("blue", "green"):
        version = a_version(world, name).version
        world.provider.serving.deploy(deployment(name, version, capture_percent=40))
        world.settle("churn")
    world.provider.serving.undeploy("churn", "green")
    world.settle("churn")
    assert _configuration(world)["DataCaptureConfig"]["InitialSamplingPercentage"] == 40


def test_a_version_that_is_not_approved_is_not_deployed(world: AwsWorld) -> None:
    version = world.provider.registry.register(registration(world, "one")).version
    with pytest.raises(InvalidRequest, match="models approve churn 1"):
        world.provider.serving.deploy(deployment("blue", version))
    assert world.cloud.hosting.models == {}


@pytest.mark.parametrize("pin", [{"version": 3}, {"image": "serving:1.0.0"}], ids=["version", "image"])
def test_an_endpoint_that_terraform_owns_is_refused(world: AwsWorld, pin: dict[str, Any]) -> None:
    version = a_version(world, "one").version
    pinned = _pinned(world, pin)
    for attempt in (
        lambda: pinned.serving.deploy(deployment("blue", version)),
        lambda: pinned.serving.set_traffic("churn", {"blue": 100}),
        lambda: pinned.serving.undeploy("churn", "blue"),
    ):
        with pytest.raises(InvalidRequest, match=rf"models\.churn\.{next(iter(pin))}.*or take it out"):
            attempt()
    assert world.cloud.hosting.endpoints == {}


def _pinned(world: AwsWorld, pin: dict[str, Any]) -> Aws:
    intents: list[Intent] = [
        replace(one, **pin) if isinstance(one, ModelRegistry) else one for one in world.platform.intents
    ]
    platform = replace(world.platform, intents=tuple(intents))
    return Aws(Opening(platform=platform, folder=Path(), sleep=world.clock.sleep, now=world.clock.now))


def test_an_endpoint_that_somebody_else_made_is_refused(world: AwsWorld) -> None:
    deployed(world, "blue")
    world.cloud.place.tags = {arn: {} for arn in world.cloud.place.tags}
    with pytest.raises(InvalidRequest, match="was not made by operations"):
        world.provider.serving.set_traffic("churn", {"blue": 100})
    assert [*world.provider.teardown.inventory()] == []


def test_an_endpoint_that_is_busy_is_not_changed(world: AwsWorld) -> None:
    deployed(world, "blue")
    version = a_version(world, "two").version
    world.provider.serving.deploy(deployment("green", version))
    with pytest.raises(Conflict, match="Updating"):
        world.provider.serving.set_traffic("churn", {"blue": 100})
    by_name = {one.name: one for one in world.provider.serving.describe("churn").deployments}
    assert by_name["blue"].state is EndpointState.IN_SERVICE
    assert by_name["green"].state is EndpointState.CREATING
    with pytest.raises(AlreadyExists, match="green"):
        world.provider.serving.deploy(deployment("green", 1))
    assert world.provider.serving.deploy(deployment("green", version))


def test_without_its_network_a_platform_is_deployed_first(world: AwsWorld) -> None:
    version = a_version(world, "one").version
    elsewhere = replace(world.platform, environment="dev")
    ec2 = world.cloud.client("ec2")
    (group,) = [
        one
        for one in ec2.describe_security_groups()["SecurityGroups"]
        if one["GroupName"] == "churn-dev-workloads"
    ]
    ec2.delete_security_group(GroupId=group["GroupId"])
    opening = Opening(platform=elsewhere, folder=Path(), sleep=world.clock.sleep, now=world.clock.now)
    with pytest.raises(NotFound, match="cdktf deploy churn-dev-network"):
        Aws(opening).serving.deploy(deployment("blue", version))


@pytest.mark.parametrize("change", ["deploy", "traffic", "undeploy"])
def test_a_change_whose_answer_is_lost_is_made_once(world: AwsWorld, change: str) -> None:
    """At the call that changes the endpoint: SageMaker has no token for it, and is busy when it is asked again."""
    deployed(world, "blue", "green")
    version = a_version(world, "three").version
    changes: dict[str, Callable[[], object]] = {
        "deploy": lambda: world.provider.serving.deploy(deployment("white", version)),
        "traffic": lambda: world.provider.serving.set_traffic("churn", {"blue": 30, "green": 70}),
        "undeploy": lambda: world.provider.serving.undeploy("churn", "green"),
    }
    made = changes[change]
    asked = _before_update(world, made)
    world.inject("half a reply", after=asked)
    made()
    world.settle("churn")
    traffic = {one.name: one.traffic_percent for one in world.provider.serving.describe("churn").deployments}
    assert (
        traffic
        == {
            "deploy": {"blue": 100, "green": 0, "white": 0},
            "traffic": {"blue": 30, "green": 70},
            "undeploy": {"blue": 100},
        }[change]
    )


def _before_update(world: AwsWorld, made: Callable[[], object]) -> int:
    """How many calls come before the one that changes the endpoint: seen at a change that is then taken back."""
    hosting = world.cloud.hosting
    before = copy.deepcopy(
        (hosting.endpoints, hosting.models, hosting.configurations, world.cloud.place.tags)
    )
    calls = world.calls()
    made()
    names = world.cloud.calls[calls:]
    hosting.endpoints, hosting.models, hosting.configurations, world.cloud.place.tags = before
    return next(number for number, name in enumerate(names) if ":UpdateEndpoint" in name)
