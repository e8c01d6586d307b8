"""What the contract suite cannot ask of every provider: how Azure is asked, and what it is not told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scaffolder.operations.errors import InvalidRequest, NotFound, PermissionDenied
from scaffolder.operations.values import Approval, Autoscaling, BatchRequest, Outcome, RunState
from stacks.azure.assets import workspace_id
from stacks.azure.context import Context
from tests.operations.contract import a_version, deployed, deployment, registration, run_request
from tests.operations.worlds.azure import PROOF, AzureWorld, open_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[AzureWorld]:
    with open_world(tmp_path) as opened:
        yield opened


def resource(world: AzureWorld, kind: str) -> dict[str, Any]:
    """The only resource of a kind."""
    (found,) = world.azure.resources.of_kind(kind)
    return found.document


def test_a_deployment_scales_between_its_bounds_by_two_rules(world: AzureWorld) -> None:
    version = a_version(world, "one").version
    scaling = Autoscaling(
        min_replicas=1, max_replicas=4, metric="requests_per_replica_per_minute", target=100
    )
    world.provider.serving.deploy(deployment("blue", version, scaling=scaling))
    (profile,) = resource(world, "autoscaleSettings")["properties"]["profiles"]
    assert profile["capacity"] == {"minimum": "1", "maximum": "4", "default": "1"}
    up, down = (rule["metricTrigger"] for rule in profile["rules"])
    assert (up["operator"], up["threshold"], down["operator"], down["threshold"]) == (
        "GreaterThan",
        100,
        "LessThan",
        60,
    )
    assert up["metricName"] == "RequestsPerMinute"
    assert up["dividePerInstance"]
    world.settle("churn")
    world.provider.serving.set_traffic("churn", {"blue": 100})


def test_what_scales_a_deployment_goes_with_it(world: AzureWorld) -> None:
    deployed(world, "blue")
    scaling = Autoscaling(min_replicas=1, max_replicas=2)
    world.provider.serving.deploy(deployment("green", a_version(world, "two").version, scaling=scaling))
    world.settle("churn")
    assert [it.kind for it in world.provider.teardown.inventory()] == [
        "autoscale setting",
        "deployment",
        "deployment",
    ]
    world.provider.serving.undeploy("churn", "green")
    world.settle("churn")
    assert [it.name for it in world.provider.teardown.inventory()] == ["churn/blue"]


def test_requests_are_captured_as_far_as_is_asked(world: AzureWorld) -> None:
    version = a_version(world, "one").version
    world.provider.serving.deploy(deployment("blue", version, capture_percent=25))
    collector = resource(world, "deployments")["properties"]["dataCollector"]
    assert {name: it["samplingRate"] for name, it in collector["collections"].items()} == {
        "request": 0.25,
        "response": 0.25,
    }


def test_an_endpoint_keeps_its_identity_and_tags_when_its_traffic_moves(world: AzureWorld) -> None:
    deployed(world, "blue")
    name = Context(world.platform).unique_name("endpoint", "churn")
    shell = world.azure.resources.get(
        f"{workspace_id(Context(world.platform))}/onlineEndpoints/{name}"
    ).document
    assert shell["identity"] == {"type": "UserAssigned", "userAssignedIdentities": {"/i/serving": {}}}
    assert shell["tags"] == {"a": "b"}
    assert shell["properties"]["traffic"] == {"blue": 100}


def test_a_version_without_an_image_is_not_deployed(world: AzureWorld) -> None:
    made = world.provider.registry.register(replace(registration(world, "one"), image=""))
    with pytest.raises(InvalidRequest, match="without an image"):
        world.provider.serving.deploy(deployment("blue", made.version))


def test_a_job_that_is_there_is_not_put_again(world: AzureWorld) -> None:
    ref = world.provider.runs.submit(run_request("one"))
    world.finish(ref)
    before = world.provider.runs.describe(ref)
    calls = world.calls()
    assert world.provider.runs.submit(run_request("one")) == ref
    assert world.calls() == calls + 1
    assert world.provider.runs.describe(ref) == before
    assert before.metrics == {"accuracy": 0.91}


def test_code_is_uploaded_once_and_what_it_is_follows_from_its_digest(world: AzureWorld) -> None:
    world.provider.runs.submit(run_request("one"))
    paths = {path for blobs in world.azure.blobs.containers.values() for path in blobs}
    assert {path.rpartition("/")[2] for path in paths} == {
        "prepare.py",
        "train.py",
        "evaluate.py",
        "serve.py",
    }
    calls = world.calls()
    world.provider.runs.submit(run_request("two"))
    assert world.calls() - calls < 12


def test_a_value_that_would_end_the_shells_text_starts_nothing(world: AzureWorld) -> None:
    with pytest.raises(InvalidRequest, match="single quote"):
        world.provider.runs.submit(run_request("one", day="2026'; rm -rf /"))
    assert [*world.provider.runs.list()] == []


def test_the_address_of_a_log_is_never_said(world: AzureWorld) -> None:
    ref = world.provider.runs.submit(run_request("one"))
    world.finish(ref)
    world.inject("denied", after=8, times=1)
    said = ""
    try:
        said = repr([*world.provider.runs.logs(ref)])
    except PermissionDenied as error:
        said = f"{error!r} {error} {error.__cause__!r}"
    assert PROOF not in said


def test_from_outside_the_network_a_run_is_told_without_its_metrics(world: AzureWorld) -> None:
    ref = world.provider.runs.submit(run_request("one"))
    world.finish(ref)
    world.azure.blobs.containers.clear()
    run = world.provider.runs.describe(ref)
    assert (run.state, run.metrics) == (RunState.SUCCEEDED, {})
    assert len(run.steps) == 4


def test_runs_are_listed_beyond_the_first_page(world: AzureWorld) -> None:
    refs = [world.provider.runs.submit(run_request(str(number))) for number in range(5)]
    assert [run.ref for run in world.provider.runs.list("train")] == refs[::-1]


def test_a_scoring_job_is_no_run_of_a_pipeline_and_many_machines_share_it(world: AzureWorld) -> None:
    version = a_version(world, "one").version
    request = BatchRequest(
        endpoint="scores",
        model="churn",
        version=version,
        input_uri=world.scoring_input(),
        output_uri=f"{world.scoring_input()}-scored",
        token="one",
        replicas=3,
    )
    ref = world.provider.batch.submit(request)
    job = resource(world, "jobs")["properties"]
    assert job["resources"] == {"instanceCount": 3}
    assert job["distribution"]["distributionType"] == "PyTorch"
    assert [*world.provider.runs.list()] == []
    run = world.provider.runs.submit(run_request("one"))
    with pytest.raises(NotFound, match="no scoring job"):
        world.provider.batch.describe(run)
    assert [item.name for item in world.provider.teardown.inventory()] == [ref, run]
    with pytest.raises(InvalidRequest, match=r"no cluster of cpu\.large"):
        world.provider.batch.submit(replace(request, token="two", instance="cpu.large"))


def test_what_somebody_changed_on_the_states_account_is_mended_and_named(world: AzureWorld) -> None:
    list(world.provider.state.ensure())
    account = resource(world, "storageAccounts")
    account["properties"]["allowSharedKeyAccess"] = True
    account["tags"]["theirs"] = "kept"
    changed = [it for it in world.provider.state.ensure() if it.action != "unchanged"]
    assert [it.detail for it in changed] == ["properties.allowSharedKeyAccess"]
    account = resource(world, "storageAccounts")
    assert (account["properties"]["allowSharedKeyAccess"], account["tags"]["theirs"]) == (False, "kept")
    assert {it.action for it in world.provider.state.ensure()} == {"unchanged"}


def test_doctor_says_what_is_missing_and_what_to_do(world: AzureWorld) -> None:
    preflight = world.provider.preflight
    found = {
        probe.subject: probe for probe in (*preflight.permissions(), *preflight.quotas(), *preflight.names())
    }
    refused = found["Microsoft.Authorization/roleAssignments/write"]
    assert (refused.outcome, bool(refused.remedy)) == (Outcome.FAIL, True)
    assert found["Microsoft.KeyVault/vaults/write"].outcome is Outcome.PASS
    assert found["standardDDSv4Family"].detail == "16 vCPUs are needed when all is busy; 4 of 100 are in use"
    free = [probe for subject, probe in found.items() if subject.startswith("storage account")]
    assert sorted(probe.outcome for probe in free) == ["fail", "fail", "pass", "pass"]


def test_a_model_that_is_approved_by_itself_is_so_at_once(world: AzureWorld) -> None:
    made = world.provider.registry.register(registration(world, "one"))
    assert made.approval is Approval.PENDING
    assert (
        world.provider.registry.set_approval("churn", 1, Approval.REJECTED, "x" * 500).approval
        is Approval.REJECTED
    )
