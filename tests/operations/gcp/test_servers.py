"""How strict the loopback servers are: what Google's descriptions refuse, they refuse."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
import requests

from scaffolder.operations.errors import OperationError
from tests.operations.contract import deployed, finished, run_request
from tests.operations.fakes.gcp.pipelines import Pipelines
from tests.operations.worlds.gcp import GcpWorld


def _sent(world: GcpWorld, verb: str, path: str, body: Mapping[str, Any]) -> str:
    """Send a request past the adapter, signed in, and return what it is refused with."""
    world.provider.identity.whoami()
    headers = {
        "Authorization": f"Bearer {world.servers.issuer.tokens[-1]}",
        "x-goog-user-project": world.cloud.project,
    }
    answer = requests.request(
        verb, f"{world.servers.address}/{path}", json=body, headers=headers, timeout=600
    )
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
    answer = requests.get(f"{world.servers.address}/{PARENT}/pipelineJobs", timeout=600)
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
