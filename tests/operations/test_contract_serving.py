"""What every provider promises of endpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Literal

import pytest

from scaffolder.operations.errors import AlreadyExists, InvalidRequest, NotFound, OperationError, Unsupported
from scaffolder.operations.values import Autoscaling, Capability, EndpointState, EndpointStatus
from stacks.intents import OnlineEndpoint
from tests.operations.contract import NAME, a_version, deployed, deployment, is_full, needs, neutral
from tests.operations.worlds import World

ROWS = b"tenure,charge\n3,50\n48,50\n"


def _traffic(world: World) -> dict[str, int]:
    return {one.name: one.traffic_percent for one in _status(world).deployments}


def _status(world: World) -> EndpointStatus:
    status: EndpointStatus = neutral(world.provider.serving.describe("churn"))
    assert sum(one.traffic_percent for one in status.deployments) in {0, 100}
    assert [one.name for one in status.deployments if not NAME.fullmatch(one.name)] == []
    return status


@needs(Capability.REALTIME)
def test_before_a_deployment_an_endpoint_is_listed_and_serves_nothing(world: World) -> None:
    listed = neutral([*world.provider.serving.list()])
    spec = [one.name for one in world.platform.intents if isinstance(one, OnlineEndpoint)]
    assert [one.name for one in listed] == [name for name in spec if name in {one.name for one in listed}]
    assert "churn" in {one.name for one in listed}
    assert {one.deployments for one in listed} == {()}
    assert _status(world) == next(one for one in listed if one.name == "churn")
    with pytest.raises(OperationError):
        world.provider.serving.invoke("churn", ROWS)


@needs(Capability.REALTIME)
def test_the_first_deployment_takes_all_traffic_and_answers(world: World) -> None:
    version = a_version(world, "one").version
    ref = world.provider.serving.deploy(deployment("blue", version))
    world.settle("churn")
    status = _status(world)
    assert (status.ref, status.state) == (ref, EndpointState.IN_SERVICE)
    (one,) = status.deployments
    assert (one.name, one.model, one.version, one.traffic_percent) == ("blue", "churn", version, 100)
    assert (one.state, one.error) == (EndpointState.IN_SERVICE, "")
    answer = world.provider.serving.invoke("churn", ROWS)
    assert answer.body
    assert answer.content_type
    assert answer.served_by in {"blue", ""}
    assert status in [*world.provider.serving.list()]


@needs(Capability.REALTIME)
def test_a_deployment_that_is_being_made_is_not_in_service(world: World) -> None:
    version = a_version(world, "one").version
    world.provider.serving.deploy(deployment("blue", version))
    soon = {EndpointState.CREATING, EndpointState.UPDATING, EndpointState.IN_SERVICE}
    assert _status(world).state in soon
    world.settle("churn")
    assert _status(world).state is EndpointState.IN_SERVICE


@needs(Capability.REALTIME, Capability.TRAFFIC)
def test_traffic_moves_to_a_second_deployment_and_the_first_goes(world: World) -> None:
    deployed(world, "blue", "green")
    assert _traffic(world) == {"blue": 100, "green": 0}
    world.provider.serving.set_traffic("churn", {"blue": 90, "green": 10})
    world.settle("churn")
    assert _traffic(world) == {"blue": 90, "green": 10}
    with pytest.raises(InvalidRequest, match="green"):
        world.provider.serving.undeploy("churn", "green")
    world.provider.serving.set_traffic("churn", {"green": 100})
    world.settle("churn")
    assert _traffic(world) == {"blue": 0, "green": 100}
    world.provider.serving.undeploy("churn", "blue")
    world.settle("churn")
    assert _traffic(world) == {"green": 100}
    assert world.provider.serving.invoke("churn", ROWS).served_by in {"green", ""}


@needs(Capability.REALTIME)
def test_a_deployment_that_is_not_there_can_be_taken_away(world: World) -> None:
    deployed(world, "blue")
    before = _status(world)
    world.provider.serving.undeploy("churn", "grey")
    assert _status(world) == before


@needs(Capability.REALTIME)
def test_the_same_request_again_changes_nothing(world: World) -> None:
    deployed(world, "blue")
    before = _status(world)
    version = before.deployments[0].version
    assert version is not None
    ref = world.provider.serving.deploy(deployment("blue", version))
    world.settle("churn")
    assert ref == before.ref
    assert _status(world) == before


@needs(Capability.REALTIME)
def test_a_deployments_name_is_not_given_to_another_version(world: World) -> None:
    deployed(world, "blue")
    before = _status(world)
    other = a_version(world, "another").version
    with pytest.raises(AlreadyExists, match="blue"):
        world.provider.serving.deploy(deployment("blue", other))
    assert _status(world) == before


@needs(Capability.REALTIME, Capability.TRAFFIC)
@pytest.mark.parametrize(
    "percent",
    [{"blue": 90}, {"blue": 60, "green": 60}, {"blue": 150, "green": -50}],
    ids=["too little", "too much", "negative"],
)
def test_traffic_that_is_not_a_hundred_percent_is_refused(world: World, percent: Mapping[str, int]) -> None:
    deployed(world, "blue", "green")
    with pytest.raises(InvalidRequest, match="100"):
        world.provider.serving.set_traffic("churn", percent)
    assert _traffic(world) == {"blue": 100, "green": 0}


@needs(Capability.REALTIME, Capability.TRAFFIC)
def test_traffic_for_a_deployment_that_is_not_there_is_refused(world: World) -> None:
    deployed(world, "blue")
    with pytest.raises(NotFound, match="grey"):
        world.provider.serving.set_traffic("churn", {"blue": 50, "grey": 50})
    assert _traffic(world) == {"blue": 100}


ASKED: Mapping[str, Callable[[World], object]] = {
    "deploy": lambda world: world.provider.serving.deploy(
        deployment("blue", a_version(world, "one").version, endpoint="chrun")
    ),
    "undeploy": lambda world: world.provider.serving.undeploy("chrun", "blue"),
    "set_traffic": lambda world: world.provider.serving.set_traffic("chrun", {"blue": 100}),
    "describe": lambda world: world.provider.serving.describe("chrun"),
    "invoke": lambda world: world.provider.serving.invoke("chrun", ROWS),
}


@needs(Capability.REALTIME)
@pytest.mark.parametrize("operation", ASKED)
def test_an_endpoint_that_the_platform_does_not_have_is_named(world: World, operation: str) -> None:
    with pytest.raises(NotFound, match="chrun"):
        ASKED[operation](world)


@needs(Capability.REALTIME)
def test_a_version_that_is_not_there_is_not_deployed(world: World) -> None:
    with pytest.raises(NotFound):
        world.provider.serving.deploy(deployment("blue", 7))
    assert _status(world).deployments == ()


@needs(Capability.REALTIME)
@pytest.mark.parametrize("name", ["Blue", "sky_blue", "1-blue", "v3", "blue" * 9, "blue-"])
def test_a_deployments_name_suits_every_provider(world: World, name: str) -> None:
    version = a_version(world, "one").version
    with pytest.raises(InvalidRequest, match=name):
        world.provider.serving.deploy(deployment(name, version))
    assert _status(world).deployments == ()


@needs(Capability.REALTIME, Capability.TARGETED_INVOKE)
def test_one_deployment_can_be_asked_whatever_the_traffic(world: World) -> None:
    deployed(world, "blue", "green")
    for name in ("blue", "green"):
        assert world.provider.serving.invoke("churn", ROWS, deployment=name).served_by == name
    with pytest.raises(NotFound, match="grey"):
        world.provider.serving.invoke("churn", ROWS, deployment="grey")


@needs(Capability.REALTIME, Capability.TRAFFIC)
def test_who_takes_no_traffic_is_not_asked(world: World) -> None:
    deployed(world, "blue", "green")
    assert {world.provider.serving.invoke("churn", ROWS).served_by for _ in range(5)} <= {"blue", ""}
    world.provider.serving.set_traffic("churn", {"green": 100})
    world.settle("churn")
    assert {world.provider.serving.invoke("churn", ROWS).served_by for _ in range(5)} <= {"green", ""}


@contextmanager
def _refused_or_not(capability: Capability) -> Iterator[None]:
    """What a table does not call full may be left out, or refused by its name."""
    try:
        yield
    except Unsupported as refused:
        named = refused.capability
    else:
        return
    assert named == capability


@needs(Capability.REALTIME)
@pytest.mark.parametrize("metric", ["cpu_percent", "requests_per_replica_per_minute"])
def test_replicas_that_follow_the_load_are_taken_or_refused_by_name(
    world: World, metric: Literal["cpu_percent", "requests_per_replica_per_minute"]
) -> None:
    version = a_version(world, "one").version
    scaling = Autoscaling(min_replicas=1, max_replicas=3, metric=metric, target=60)
    request = deployment("blue", version, scaling=scaling)
    full = is_full(world, Capability.AUTOSCALING)
    with nullcontext() if full else _refused_or_not(Capability.AUTOSCALING):
        for _ in range(2):
            world.provider.serving.deploy(request)
            world.settle("churn")
            (one,) = _status(world).deployments
            assert (one.name, one.state) == ("blue", EndpointState.IN_SERVICE)
            assert one.replicas in {None, 1, 2, 3}


@needs(Capability.REALTIME, Capability.CAPTURE)
def test_a_deployment_whose_requests_are_kept_serves_and_is_the_same_again(world: World) -> None:
    version = a_version(world, "one").version
    request = deployment("blue", version, capture_percent=100)
    for _ in range(2):
        world.provider.serving.deploy(request)
        world.settle("churn")
        (one,) = _status(world).deployments
        assert (one.name, one.traffic_percent) == ("blue", 100)
    assert world.provider.serving.invoke("churn", ROWS).body
