"""What the network and Google do wrong: tried again with bounds, nothing made twice, a clear end."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffolder.operations.errors import (
    Conflict,
    NotAuthenticated,
    OperationError,
    PermissionDenied,
    Throttled,
    Unavailable,
)
from scaffolder.operations.values import BatchRequest, RunState
from tests.operations.contract import a_version, deployed, deployment, registration, run_request
from tests.operations.fakes.gcp.endpoints import Endpoints
from tests.operations.fakes.gcp.jobs import Jobs
from tests.operations.fakes.gcp.models import Models
from tests.operations.fakes.gcp.pipelines import Pipelines
from tests.operations.worlds import Fault
from tests.operations.worlds.gcp import GcpWorld, open_world

PASSING: tuple[Fault, ...] = ("throttled", "server error", "timeout", "half a reply")
ENDS: dict[Fault, type[OperationError]] = {
    "throttled": Throttled,
    "server error": Unavailable,
    "timeout": Unavailable,
    "half a reply": Unavailable,
    "conflict": Conflict,
    "denied": PermissionDenied,
    "expired credentials": NotAuthenticated,
}


def _made(world: GcpWorld) -> dict[str, int]:
    """How much of everything there is."""
    (shell,) = world.cloud.part(Endpoints).shells.values()
    return {
        "runs": len(world.cloud.part(Pipelines).jobs),
        "versions": sum(len(line) for line in world.cloud.part(Models).models.values()),
        "deployments": len(shell.get("deployedModels", ())),
        "jobs": len(world.cloud.part(Jobs).jobs),
    }


def _score(world: GcpWorld) -> None:
    request = BatchRequest(
        endpoint="scores",
        model="churn",
        version=1,
        input_uri=world.scoring_input(),
        output_uri="data:scored",
        token="one",
    )
    world.provider.batch.submit(request)


@pytest.mark.parametrize("fault", PASSING)
def test_a_scoring_job_whose_answer_is_lost_is_started_once(world: GcpWorld, fault: Fault) -> None:
    a_version(world, "one")
    before, calls = _made(world), world.calls()
    _score(world)
    asked = world.calls() - calls
    assert _made(world) == {**before, "jobs": 1}
    for lost in range(asked):
        made = _another(world.folder / f"{lost}", fault, lost)
        assert made == {**before, "jobs": 1}, f"call {lost} of {asked}"


def _another(home: Path, fault: Fault, lost: int) -> dict[str, int]:
    """Do the same in a fresh world, whose call of a number meets a fault."""
    home.mkdir()
    with open_world(home) as fresh:
        a_version(fresh, "one")
        fresh.inject(fault, after=lost)
        _score(fresh)
        return _made(fresh)


@pytest.mark.parametrize("fault", ENDS)
def test_what_does_not_pass_ends_after_a_bounded_time(world: GcpWorld, fault: Fault) -> None:
    world.provider.identity.whoami()
    world.inject(fault, times=100)
    calls = world.calls()
    with pytest.raises(ENDS[fault]) as ended:
        world.provider.runs.describe(f"{world.cloud.home}/pipelineJobs/none-0000")
    assert world.calls() - calls <= 10
    assert world.slept() < 60
    assert ended.value.code
    said = f"{ended.value} {ended.value.__cause__!r}"
    assert [secret for secret in world.secrets() if secret in said] == []


def test_credentials_that_end_in_the_middle_are_said_so_and_nothing_is_doubled(world: GcpWorld) -> None:
    ref = world.provider.runs.submit(run_request("one"))
    world.inject("expired credentials")
    with pytest.raises(NotAuthenticated, match="gcloud auth"):
        world.provider.runs.submit(run_request("one"))
    assert world.provider.runs.submit(run_request("one")) == ref
    assert _made(world)["runs"] == 1


def test_a_busy_endpoint_is_waited_for_and_then_named(world: GcpWorld) -> None:
    deployed(world, "blue")
    second = a_version(world, "two").version
    third = a_version(world, "three").version
    world.provider.serving.deploy(deployment("green", second))
    with pytest.raises(Conflict, match="one thing at a time"):
        world.provider.serving.deploy(deployment("white", third))
    states = {it.name: it.state.value for it in world.provider.serving.describe("churn").deployments}
    assert states["green"] == "creating"
    with pytest.raises(Conflict, match="does not serve yet"):
        world.provider.serving.set_traffic("churn", {"green": 100})


def test_a_deployment_that_fails_says_why_and_can_be_tried_again(world: GcpWorld) -> None:
    version = a_version(world, "one").version
    world.provider.serving.deploy(deployment("blue", version))
    world.cloud.failing.append({"code": 9, "message": "Model server never became ready."})
    world.settle("churn")
    status = world.provider.serving.describe("churn")
    (failed,) = status.deployments
    assert (failed.name, failed.state.value, failed.version) == ("blue", "failed", version)
    assert "never became ready" in failed.error
    world.provider.serving.undeploy("churn", "blue")
    world.provider.serving.deploy(deployment("blue", version))
    world.cloud.failing.append({"code": 8, "message": "Resources are insufficient in the region."})
    world.settle("churn")
    status = world.provider.serving.describe("churn")
    assert [it.error for it in status.deployments] == ["Resources are insufficient in the region."]
    assert status.state.value == "failed"
    world.provider.serving.deploy(deployment("blue", version))
    world.settle("churn")
    assert [it.state.value for it in world.provider.serving.describe("churn").deployments] == ["in service"]


def test_a_failed_deployment_can_be_taken_away(world: GcpWorld) -> None:
    world.provider.serving.deploy(deployment("blue", a_version(world, "one").version))
    world.cloud.failing.append({"code": 9, "message": "Model server never became ready."})
    world.settle("churn")
    world.provider.serving.undeploy("churn", "blue")
    assert world.provider.serving.describe("churn").deployments == ()


def test_an_upload_that_fails_is_said_in_the_services_words(world: GcpWorld) -> None:
    world.cloud.failing.append({"code": 3, "message": "The image does not exist."})
    with pytest.raises(OperationError, match="image does not exist"):
        world.provider.registry.register(registration(world, "one"))
    assert world.provider.registry.register(registration(world, "one")).version == 1


def test_a_run_goes_on_when_the_caller_dies_and_its_ref_is_good_for_another(world: GcpWorld) -> None:
    ref = world.provider.runs.submit(run_request("one"))
    world.finish(ref, RunState.SUCCEEDED)
    other = GcpWorld(world.folder, world.platform, world.servers, apply=False)
    assert other.provider.runs.describe(ref) == world.provider.runs.describe(ref)
