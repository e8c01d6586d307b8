"""What is Google Cloud's own: doctor's findings, keys of one's own, jobs that are going, monitors, and strict servers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, Unsupported
from scaffolder.operations.values import Approval, Autoscaling, Outcome, RunState, Stage
from stacks.gcp.state import state_bucket, state_key
from stacks.intents import Encryption, StateBackend
from tests.operations.contract import a_version, deployed, deployment, finished, registration, run_request
from tests.operations.fakes.gcp.endpoints import Endpoints
from tests.operations.fakes.gcp.models import Models
from tests.operations.fakes.gcp.pipelines import Pipelines
from tests.operations.fakes.gcp.project import Keys, Project, Storage
from tests.operations.gcp.others import other
from tests.operations.worlds.gcp import GcpWorld


def _without_keys(world: GcpWorld) -> Any:
    others = tuple(it for it in world.platform.intents if not isinstance(it, Encryption))
    return other(world, intents=(Encryption(customer_managed=False), *others))


# --- doctor ----------------------------------------------------------------------------------------------------------


def test_a_permission_that_is_missing_is_named(world: GcpWorld) -> None:
    assert {it.outcome for it in world.provider.preflight.permissions()} == {Outcome.PASS}
    world.cloud.permissions_denied.add("aiplatform.endpoints.deploy")
    failed = [it for it in world.provider.preflight.permissions() if it.outcome is Outcome.FAIL]
    assert [it.subject for it in failed] == ["deploy to endpoints"]
    assert "aiplatform.endpoints.deploy" in failed[0].detail


def test_an_api_that_is_off_is_named(world: GcpWorld) -> None:
    assert {it.outcome for it in world.provider.preflight.services()} == {Outcome.PASS}
    world.cloud.part(Project).enabled.remove("aiplatform.googleapis.com")
    (failed,) = (it for it in world.provider.preflight.services() if it.outcome is Outcome.FAIL)
    assert failed.subject == "aiplatform.googleapis.com"
    assert "gcloud services enable aiplatform.googleapis.com" in failed.remedy


def test_a_quota_of_the_region_is_held_against_the_most_that_is_asked_for(world: GcpWorld) -> None:
    found = {it.subject.partition(" ")[0]: it for it in world.provider.preflight.quotas()}
    assert {it.outcome for it in found.values()} == {Outcome.PASS}
    assert "12 for endpoint churn, of 42" in found["custom_model_serving_cpus"].detail
    world.cloud.part(Project).limits["custom_model_serving_cpus"] = 11
    (failed,) = (it for it in world.provider.preflight.quotas() if it.outcome is Outcome.FAIL)
    assert "the limit is 11" in failed.detail
    del world.cloud.part(Project).limits["custom_model_serving_cpus"]
    assert [it.outcome for it in world.provider.preflight.quotas()].count(Outcome.UNKNOWN) == 1


def test_a_buckets_name_is_free_ours_or_anothers(world: GcpWorld) -> None:
    name = world.context.bucket("data")
    assert {it.detail for it in world.provider.preflight.names() if name in it.subject} == {
        "there already, and open to these credentials"
    }
    del world.cloud.part(Storage).buckets[name]
    assert "free" in {it.detail for it in world.provider.preflight.names()}
    world.cloud.part(Storage).closed.add(name)
    (failed,) = (it for it in world.provider.preflight.names() if it.outcome is Outcome.FAIL)
    assert name in failed.subject


def test_credentials_say_whose_they_are_and_in_which_project_they_act(world: GcpWorld) -> None:
    provider = other(world, target=replace(world.platform.target, account="acme-other-123"))
    world.cloud.project = "acme-other-123"
    (probe,) = provider.preflight.credentials()
    assert probe.outcome is Outcome.PASS
    assert "in project acme-other-123" in probe.detail
    assert "the credentials themselves name acme-ml-123456" in probe.detail


# --- state -----------------------------------------------------------------------------------------------------------


def test_the_states_bucket_is_as_the_stack_makes_it(world: GcpWorld) -> None:
    list(_without_keys(world).state.ensure())
    assert world.cloud.part(Keys).there == {}
    bucket = world.cloud.part(Storage).buckets[state_bucket(world.context)]
    assert bucket["location"] == world.context.region.upper()
    assert bucket["versioning"] == {"enabled": True}
    assert bucket["iamConfiguration"] == {
        "uniformBucketLevelAccess": {"enabled": True},
        "publicAccessPrevention": "enforced",
    }
    assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": "604800"}
    assert "encryption" not in bucket


def test_what_was_changed_about_the_bucket_is_mended_and_nothing_else(world: GcpWorld) -> None:
    list(world.provider.state.ensure())
    bucket = world.cloud.part(Storage).buckets[state_bucket(world.context)]
    bucket["versioning"] = {"enabled": False}
    bucket["website"] = {"mainPageSuffix": "kept"}
    assert [it.detail for it in world.provider.state.ensure(dry_run=True) if it.action == "changed"] == [
        "versioning"
    ]
    assert bucket["versioning"] == {"enabled": False}
    list(world.provider.state.ensure())
    assert (bucket["versioning"], bucket["website"]) == ({"enabled": True}, {"mainPageSuffix": "kept"})


def test_apis_that_the_state_needs_are_enabled_first(world: GcpWorld) -> None:
    enabled = world.cloud.part(Project).enabled
    enabled -= {"cloudkms.googleapis.com", "storage.googleapis.com"}
    planned = next(world.provider.state.ensure(dry_run=True))
    assert (planned.action, planned.detail) == ("changed", "cloudkms.googleapis.com, storage.googleapis.com")
    assert not enabled & {"cloudkms.googleapis.com", "storage.googleapis.com"}
    list(world.provider.state.ensure())
    assert enabled >= {"cloudkms.googleapis.com", "storage.googleapis.com"}


def test_a_key_of_ones_own_is_made_first_and_storage_may_use_it(world: GcpWorld) -> None:
    provider = world.provider
    planned = [*provider.state.ensure(dry_run=True)]
    assert world.cloud.part(Keys).there == {}
    made = [*provider.state.ensure()]
    assert [(it.subject, it.action) for it in made] == [(it.subject, it.action) for it in planned]
    assert {it.action for it in provider.state.ensure()} == {"unchanged"}
    key = state_key(world.context)
    assert world.cloud.part(Keys).there[key]["versionTemplate"]["protectionLevel"] == "HSM"
    (binding,) = world.cloud.part(Keys).policies[key]["bindings"]
    assert binding["members"][0].endswith("@gs-project-accounts.iam.gserviceaccount.com")
    bucket = world.cloud.part(Storage).buckets[state_bucket(world.context)]
    assert bucket["encryption"]["defaultKmsKeyName"] == key


def test_a_bucket_of_somebody_elses_is_not_taken(world: GcpWorld) -> None:
    world.cloud.part(Storage).taken.add(state_bucket(world.context))
    with pytest.raises(AlreadyExists, match="somebody else's"):
        list(world.provider.state.ensure())


def test_a_backend_of_ones_own_is_left_alone(world: GcpWorld) -> None:
    backend = StateBackend(kind="local", settings={})
    provider = other(world, backend=backend)
    assert [it.action for it in provider.state.ensure()] == ["unchanged"]
    with pytest.raises(InvalidRequest, match="not in Cloud Storage"):
        provider.state.acquire("dev", "ada")


def test_a_lock_says_since_when_it_is_held_and_where(world: GcpWorld) -> None:
    list(world.provider.state.ensure())
    world.provider.state.acquire("dev", "ada@example.com")
    with pytest.raises(Conflict) as held:
        world.provider.state.acquire("dev", "bob@example.com")
    assert "since 2026-11-02" in str(held.value)
    assert f"gs://{state_bucket(world.context)}/dev/locks/dev.lock" in held.value.remedy


# --- runs, registry, serving -----------------------------------------------------------------------------------------


def test_code_is_put_where_the_stack_puts_it_and_once(world: GcpWorld) -> None:
    storage = world.cloud.part(Storage)
    world.provider.runs.submit(run_request("one"))
    code = {name: it for (_, name), it in storage.objects.items() if name.startswith("code/train/")}
    assert {name.rpartition("/")[2] for name in code} >= {"train.py", "prepare.py", "serve.py"}
    world.provider.runs.submit(run_request("two"))
    assert {name: it for (_, name), it in storage.objects.items() if name.startswith("code/train/")} == code


def test_another_platforms_runs_of_a_pipeline_of_the_same_name_are_not_ours(world: GcpWorld) -> None:
    ref = finished(world, run_request("one"))
    jobs = world.cloud.part(Pipelines).jobs
    (job,) = jobs.values()
    account = f"other-pipelines@{world.cloud.project}.iam.gserviceaccount.com"
    jobs["other"] = {**job, "name": f"{world.cloud.home}/pipelineJobs/other", "serviceAccount": account}
    assert [run.ref for run in world.provider.runs.list()] == [ref]


def test_a_step_that_was_cached_or_is_not_known_yet_is_said_so(world: GcpWorld) -> None:
    ref = finished(world, run_request("one"))
    (job,) = world.cloud.part(Pipelines).jobs.values()
    details = {it["taskName"]: it for it in job["jobDetail"]["taskDetails"]}
    details["prepare"]["state"] = "SKIPPED"
    details["train"]["state"] = "STATE_UNSPECIFIED"
    job["state"] = "PIPELINE_STATE_UNSPECIFIED"
    run = world.provider.runs.describe(ref)
    steps = {it.name: it for it in run.steps}
    assert (steps["prepare"].cached, steps["prepare"].state) == (True, RunState.SUCCEEDED)
    assert (steps["train"].state, run.state) == (RunState.UNKNOWN, RunState.UNKNOWN)
    assert run.metrics == {"accuracy": 0.91}


def test_a_step_that_was_tried_again_counts_its_tries(world: GcpWorld) -> None:
    run = world.provider.runs.describe(finished(world, run_request("one", fail="yes"), RunState.FAILED))
    assert {it.name: it.attempt for it in run.steps if it.state is RunState.FAILED} == {"train": 2}


def test_a_version_that_a_pipeline_registered_is_read_as_well(world: GcpWorld) -> None:
    finished(world, run_request("one"))
    (version,) = world.provider.registry.list("churn")
    assert (version.approval, version.stage, version.metrics) == (
        Approval.PENDING,
        Stage.NONE,
        {"accuracy": 0.91},
    )
    assert (
        version.image
        == f"{world.context.region}-docker.pkg.dev/{world.cloud.project}/churn-dev-images-serving/serving:1.0.0"
    )


def test_approval_moves_the_alias_that_the_stacks_triggers_hear(world: GcpWorld) -> None:
    for token in ("one", "two"):
        a_version(world, token)
    (line,) = world.cloud.part(Models).models.values()
    assert ["approved" in it["versionAliases"] for it in line] == [False, True]
    assert {it.approval for it in world.provider.registry.list("churn")} == {Approval.APPROVED}
    world.provider.registry.set_approval("churn", 2, Approval.REJECTED, "Too slow!")
    assert "approved" not in line[1]["versionAliases"]
    assert line[1]["labels"]["note"] == "too-slow-"


def test_more_is_said_of_a_version_than_vertex_ai_keeps(world: GcpWorld) -> None:
    long = replace(registration(world, "one"), report_uri="gs://b/" + "x" * 3000)
    with pytest.raises(InvalidRequest, match="2000 are kept"):
        world.provider.registry.register(long)


def test_a_capture_that_is_not_the_endpoints_is_refused(world: GcpWorld) -> None:
    version = a_version(world, "one").version
    with pytest.raises(InvalidRequest, match=r"captures 100 % .* 50 %"):
        world.provider.serving.deploy(deployment("blue", version, capture_percent=50))
    world.provider.serving.deploy(deployment("blue", version, capture_percent=100))


def test_an_endpoint_that_is_open_is_asked_by_vertex_ais_own_address(world: GcpWorld) -> None:
    deployed(world, "blue")
    (shell,) = world.cloud.part(Endpoints).shells.values()
    del shell["privateServiceConnectConfig"]
    answer = world.provider.serving.invoke("churn", b"tenure\n3\n48\n")
    assert (answer.body, answer.served_by) == (b"1\n0\n", "blue")


def test_a_private_endpoint_without_an_address_says_what_to_do(world: GcpWorld) -> None:
    deployed(world, "blue")
    (shell,) = world.cloud.part(Endpoints).shells.values()
    shell["privateServiceConnectConfig"]["pscAutomationConfigs"] = []
    with pytest.raises(InvalidRequest, match="no address in the network"):
        world.provider.serving.invoke("churn", b"tenure\n3\n")


def test_one_deployment_cannot_be_asked(world: GcpWorld) -> None:
    deployed(world, "blue")
    with pytest.raises(Unsupported, match="cannot ask one deployment"):
        world.provider.serving.invoke("churn", b"tenure\n3\n", deployment="blue")


def test_a_deployment_has_the_machines_and_the_scaling_that_it_asks_for(world: GcpWorld) -> None:
    scaling = Autoscaling(
        min_replicas=2, max_replicas=5, metric="requests_per_replica_per_minute", target=900
    )
    version = a_version(world, "one").version
    world.provider.serving.deploy(deployment("blue", version, instance="gpu.t4", scaling=scaling))
    world.settle("churn")
    (shell,) = world.cloud.part(Endpoints).shells.values()
    assert shell["deployedModels"][0]["dedicatedResources"] == {
        "machineSpec": {
            "machineType": "n1-standard-4",
            "acceleratorType": "NVIDIA_TESLA_T4",
            "acceleratorCount": 1,
        },
        "minReplicaCount": 2,
        "maxReplicaCount": 5,
        "autoscalingMetricSpecs": [
            {"metricName": "aiplatform.googleapis.com/prediction/online/request_count", "target": 900}
        ],
    }
    with pytest.raises(InvalidRequest, match=r"gpu\.t5"):
        world.provider.serving.deploy(deployment("green", version, instance="gpu.t5"))
    none = Autoscaling(min_replicas=0, max_replicas=1)
    with pytest.raises(InvalidRequest, match="keeps one at least"):
        world.provider.serving.deploy(deployment("green", version, scaling=none))
