"""What is Google Cloud's own: doctor's findings, keys of one's own, jobs that are going, monitors, and strict servers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from scaffolder.operations.errors import AlreadyExists, Conflict, InvalidRequest, OperationError, Unsupported
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Approval, Outcome, RunState, Stage
from stacks.gcp.state import state_bucket, state_key
from stacks.gcp.watching import drift_log
from stacks.intents import Encryption, ModelMonitor, StateBackend
from stacks.pipelines import CodeFolder
from tests.operations.contract import a_version, deployed, deployment, finished, registration, run_request
from tests.operations.fakes.gcp.cloud import stamp
from tests.operations.fakes.gcp.endpoints import Endpoints
from tests.operations.fakes.gcp.jobs import Monitors, Schedules
from tests.operations.fakes.gcp.models import Models
from tests.operations.fakes.gcp.pipelines import Pipelines
from tests.operations.fakes.gcp.project import Keys, Logging, Project, Storage
from tests.operations.fakes.gcp.specs import payload_of
from tests.operations.worlds.gcp import GcpWorld, open_world

DRIFT = CodeFolder(path="drift", files={"drift/__main__.py": "print()"}, digest="0123456789abcdef" * 4)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[GcpWorld]:
    with open_world(tmp_path) as opened:
        yield opened


def _other(world: GcpWorld, **changed: Any) -> Any:
    """A provider over the same project, of a platform that says something else."""
    from scaffolder.operations.gcp import open_provider  # noqa: PLC0415

    platform = replace(world.platform, **changed)
    opening = Opening(platform=platform, folder=world.folder, sleep=world.cloud.sleep, now=world.cloud.now)
    return open_provider(opening)


def _without_keys(world: GcpWorld) -> Any:
    others = tuple(it for it in world.platform.intents if not isinstance(it, Encryption))
    return _other(world, intents=(Encryption(customer_managed=False), *others))


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
    other = _other(world, target=replace(world.platform.target, account="acme-other-123"))
    world.cloud.project = "acme-other-123"
    (probe,) = other.preflight.credentials()
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
    provider = _other(world, backend=backend)
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


# --- teardown and monitors -------------------------------------------------------------------------------------------


def _monitor(world: GcpWorld, deployed_id: str) -> str:
    (endpoint,) = world.cloud.part(Endpoints).shells
    name = f"{world.cloud.home}/modelDeploymentMonitoringJobs/77"
    ends = [world.cloud.now() - timedelta(hours=hours) for hours in (2, 1)]
    world.cloud.part(Monitors).jobs[name] = {
        "name": name,
        "displayName": "churn",
        "endpoint": endpoint,
        "state": "JOB_STATE_RUNNING",
        "modelDeploymentMonitoringObjectiveConfigs": [{"deployedModelId": deployed_id}],
    }
    world.cloud.part(Endpoints).shells[endpoint]["modelDeploymentMonitoringJob"] = name
    windows = [
        {
            "distributionDeviation": value,
            "anomalyDetectionThreshold": 0.3,
            "startTime": stamp(end - timedelta(hours=1)),
            "endTime": stamp(end),
        }
        for value, end in zip((0.1, 0.4), ends, strict=True)
    ]
    stats = {"featureDisplayName": "tenure", "threshold": {"value": 0.3}, "predictionStats": windows}
    world.cloud.part(Monitors).found[name] = [
        {"objective": "RAW_FEATURE_DRIFT", "deployedModelId": deployed_id, "featureStats": [stats]}
    ]
    return name


def test_what_vertex_ais_own_monitor_found_is_read(world: GcpWorld) -> None:
    deployed(world, "blue")
    (shell,) = world.cloud.part(Endpoints).shells.values()
    _monitor(world, shell["deployedModels"][0]["id"])
    found = [*world.provider.monitoring.results("churn")]
    assert [(it.feature, it.metric, it.value, it.breached) for it in found] == [
        ("tenure", "drift", 0.1, False),
        ("tenure", "drift", 0.4, True),
    ]
    (status,) = world.provider.monitoring.list()
    assert (status.state, status.alarm, status.last_window_end) == ("active", True, found[-1].window_end)


def test_a_monitor_is_neither_made_nor_run(world: GcpWorld) -> None:
    (monitor,) = (it for it in world.platform.intents if isinstance(it, ModelMonitor))
    for refused in (
        lambda: world.provider.monitoring.ensure(monitor),
        lambda: world.provider.monitoring.run("churn", "1"),
    ):
        with pytest.raises(Unsupported):
            refused()


@pytest.fixture
def watching(world: GcpWorld) -> Any:
    """The provider of a platform whose monitor has a job of its own."""
    (monitor,) = (it for it in world.platform.intents if isinstance(it, ModelMonitor))
    own = replace(monitor, image="training:1.0.0", baseline="2026-11", code=DRIFT)
    return _other(world, intents=tuple(own if it is monitor else it for it in world.platform.intents))


def test_a_monitor_with_a_job_of_its_own_looks_now_and_once(world: GcpWorld, watching: Any) -> None:
    ref = watching.monitoring.run("churn", "one")
    assert watching.monitoring.run("churn", "one") == ref
    run = watching.runs.describe(ref)
    assert (run.pipeline, run.reason) == ("churn--monitor", "monitor: churn")
    assert [it.ref for it in watching.runs.list()] == [ref]
    (job,) = world.cloud.part(Pipelines).jobs.values()
    payload = payload_of(job["pipelineSpec"]["deploymentSpec"]["executors"]["exec-look"])
    assert payload is not None
    assert payload["job_spec"]["service_account"] == world.context.account_email("monitoring")
    stored = {name for _, name in world.cloud.part(Storage).objects}
    assert f"code/churn--monitor/{DRIFT.digest[:16]}/drift/__main__.py" in stored


def test_a_monitor_with_a_job_of_its_own_is_as_its_schedule_and_its_log_say(
    world: GcpWorld, watching: Any
) -> None:
    (planned,) = watching.monitoring.list()
    assert (planned.state, planned.last_window_end, planned.alarm) == ("planned", None, False)
    display = world.context.name("display", "churn--monitor")
    schedule = {"name": f"{world.cloud.home}/schedules/1", "displayName": display, "state": "ACTIVE"}
    world.cloud.part(Schedules).schedules.append(schedule)
    for alarm in (1, 0, 1):
        world.cloud.sleep(3600)
        found = {"monitor": "churn", "drift_score": 0.4, "drift_alarm": alarm}
        world.cloud.part(Logging).tell(drift_log(world.context), found)
        (status,) = watching.monitoring.list()
        assert (status.state, status.alarm) == ("active", bool(alarm))
        assert world.cloud.now() - status.last_window_end < timedelta(minutes=1)
    with pytest.raises(Unsupported, match="not read here"):
        list(watching.monitoring.results("churn"))


def test_what_goes_on_is_stopped_before_what_serves_goes(world: GcpWorld) -> None:
    deployed(world, "blue", "green")
    world.provider.serving.set_traffic("churn", {"blue": 70, "green": 30})
    (shell,) = world.cloud.part(Endpoints).shells.values()
    _monitor(world, shell["deployedModels"][0]["id"])
    ref = world.provider.runs.submit(run_request("one"))
    items = [*world.provider.teardown.inventory()]
    assert [it.kind for it in items] == ["run", "monitor", "deployment", "deployment", "model"]
    assert [it.holds_data for it in items] == [False, False, False, False, True]
    for item in items:
        assert not world.provider.teardown.is_gone(item)
        world.provider.teardown.remove(item)
        if item.kind == "run":
            world.finish(ref, RunState.STOPPED)
        world.settle("churn")
        assert world.provider.teardown.is_gone(item)
    assert [*world.provider.teardown.inventory()] == []


def test_a_model_that_serves_is_not_deleted(world: GcpWorld) -> None:
    deployed(world, "blue")
    model = [*world.provider.teardown.inventory()][-1]
    with pytest.raises(InvalidRequest, match="deployed"):
        world.provider.teardown.remove(model)


# --- the servers -----------------------------------------------------------------------------------------------------


def _sent(world: GcpWorld, verb: str, path: str, body: Mapping[str, Any]) -> str:
    """Send a request past the adapter, signed in, and return what it is refused with."""
    world.provider.identity.whoami()
    headers = {
        "Authorization": f"Bearer {world.servers.issuer.tokens[-1]}",
        "x-goog-user-project": world.cloud.project,
    }
    answer = requests.request(verb, f"{world.servers.address}/{path}", json=body, headers=headers, timeout=10)
    assert answer.status_code >= 400, answer.text
    world.servers.mistakes.clear()
    return str(answer.json()["error"]["message"])


PARENT = "v1/projects/acme-ml-123456/locations/europe-west1"
REFUSED: Mapping[str, tuple[str, str, Mapping[str, Any], str]] = {
    "an unknown field": ("POST", f"{PARENT}/models:upload", {"modell": {}}, "body.modell is unknown"),
    "a field of the service's": (
        "POST",
        f"{PARENT}/pipelineJobs",
        {"displayName": "x", "state": "PIPELINE_STATE_RUNNING"},
        "body.state is the service's own",
    ),
    "a type": ("POST", f"{PARENT}/models:upload", {"model": {"displayName": 3}}, "is of type string"),
    "an enumeration": (
        "POST",
        f"{PARENT}/pipelineJobs",
        {"runtimeConfig": {"gcsOutputDirectory": "gs://b", "failurePolicy": "FAIL_FAST"}},
        "is none of",
    ),
    "what is required": ("POST", f"{PARENT}/endpoints/1:deployModel", {}, "body.deployedModel is required"),
    "an unknown parameter": ("GET", f"{PARENT}/pipelineJobs?filtre=x", {}, "has no parameter 'filtre'"),
    "an unknown path": ("GET", f"{PARENT}/pipelinejobs", {}, "aiplatform.v1 has no GET"),
    "the clients' own path of operations": (
        "GET",
        "ui/projects/1/locations/r/operations/2",
        {},
        "has no GET /ui/",
    ),
    "what the fake has not": ("POST", f"{PARENT}/tuningJobs", {}, "the fake has no"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_the_servers_refuse_what_googles_descriptions_do(world: GcpWorld, what: str) -> None:
    verb, path, body, said = REFUSED[what]
    assert said in _sent(world, verb, path, body)


def test_nobody_is_answered_without_a_token(world: GcpWorld) -> None:
    answer = requests.get(f"{world.servers.address}/{PARENT}/pipelineJobs", timeout=10)
    assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")


def test_a_reply_that_no_description_allows_is_a_mistake_of_the_fakes(world: GcpWorld) -> None:
    ref = finished(world, run_request("one"))
    (job,) = world.cloud.part(Pipelines).jobs.values()
    job["stat"] = "odd"
    with pytest.raises(OperationError):
        world.provider.runs.describe(ref)
    assert [re.sub(r".*: ", "", it) for it in world.servers.mistakes[:1]] == ["reply.stat is unknown"]
    world.servers.mistakes.clear()


def test_no_call_reaches_a_bucket_that_the_stacks_did_not_make(world: GcpWorld) -> None:
    """The SDK's upper layer would make one, and change who may read it."""
    finished(world, run_request("one"))
    deployed(world, "blue")
    assert not [it for it in world.servers.called if "/iam" in it or it.endswith("storage/v1/b")]
    template = json.dumps(next(iter(world.cloud.part(Pipelines).jobs.values()))["pipelineSpec"])
    assert "${" not in template
