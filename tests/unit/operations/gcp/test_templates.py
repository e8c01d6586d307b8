"""What operations start is what the stacks make: names, ids and templates, literal where Terraform has references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.gcp.place import Place, carried, read_carried
from scaffolder.operations.gcp.runs import pipeline_job
from scaffolder.operations.gcp.templates import chosen, literal, template
from scaffolder.operations.values import RunRequest
from scaffolder.pipeline import synthesize
from stacks.gcp import lower
from stacks.graph import Address, JsonText, Node, Ref, Text, Value
from stacks.intents import Platform, TrainingPipeline
from tests.operations.platforms import platform_in

EXAMPLE = Path(__file__).resolve().parents[4] / "examples/07-full-gcp/platform.yaml"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Platform:
    return platform_in("gcp", tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module", params=["suite", "example"])
def platform(request: pytest.FixtureRequest, suite: Platform) -> Platform:
    return suite if request.param == "suite" else synthesize(EXAMPLE).environments[0].platform


class Applied:
    """A platform's nodes, with the attributes that Google's provider computes of what they are given."""

    def __init__(self, platform: Platform) -> None:
        self.place = Place(platform)
        self.nodes: dict[Address, Node] = {
            node.address: node for stack in lower(platform).stacks for node in stack.nodes
        }

    def arguments(self, type_: str, name: str) -> Any:
        return self.known(self.nodes[Address("resource", type_, name)].arguments)

    def known(self, value: Value) -> Any:
        match value:
            case Ref():
                return self.attribute(self.nodes[value.address], value.attribute)
            case Text(parts=parts):
                return "".join(str(self.known(part)) for part in parts)
            case JsonText(document=document):
                return literal(JsonText(self.known(document)))
            case Mapping():
                return {key: self.known(item) for key, item in value.items()}
            case list() | tuple():
                return [self.known(item) for item in value]
            case _:
                return value

    def attribute(self, node: Node, name: str) -> str:
        given = {key: it for key, it in node.arguments.items() if isinstance(it, str)}
        project, region = self.place.project, self.place.context.region
        ring = f"projects/{project}/locations/{region}/keyRings"
        computed = {
            ("google_storage_bucket", "url"): f"gs://{given.get('name')}",
            (
                "google_service_account",
                "email",
            ): f"{given.get('account_id')}@{project}.iam.gserviceaccount.com",
            ("google_kms_key_ring", "id"): f"{ring}/{given.get('name')}",
            (
                "google_compute_network_attachment",
                "id",
            ): f"projects/{project}/regions/{region}/networkAttachments/{given.get('name')}",
            ("google_artifact_registry_repository", "registry_uri"): f"{region}-docker.pkg.dev/{project}/"
            f"{given.get('repository_id')}",
        }
        if node.address.type == "google_kms_crypto_key" and name == "id":
            return f"{self.known(node.arguments['key_ring'])}/cryptoKeys/{given['name']}"
        return computed.get((node.address.type, name)) or given[name]


def _pipelines(place: Place) -> Iterator[TrainingPipeline]:
    yield from (it for it in place.context.all_of(TrainingPipeline) if it.steps is not None)


def test_a_run_has_the_template_that_the_stack_writes(platform: Platform) -> None:
    applied = Applied(platform)
    pipelines = [*_pipelines(applied.place)]
    assert pipelines
    for pipeline in pipelines:
        content = applied.arguments("google_storage_bucket_object", pipeline.name)["content"]
        assert literal(JsonText(template(applied.place, pipeline))) == content


def test_a_run_has_all_that_the_schedule_says(suite: Platform) -> None:
    del suite
    applied = Applied(synthesize(EXAMPLE).environments[0].platform)
    (pipeline,) = (it for it in _pipelines(applied.place) if it.schedule)
    job = applied.arguments("google_colab_schedule", pipeline.name)["create_pipeline_job_request"][
        "pipeline_job"
    ]
    request = RunRequest(pipeline=pipeline.name, token="one", reason="")
    ours = pipeline_job(applied.place, pipeline, template(applied.place, pipeline), {}, request)
    assert literal(JsonText(ours.pop("pipeline_spec"))) == job.pop("pipeline_spec")
    assert ours["runtime_config"].pop("parameter_values") == {}
    assert ours.pop("labels") == {**job.pop("labels"), "reason": ""}
    assert ours == job


def test_a_parameter_has_its_defaults_type(suite: Platform) -> None:
    pipeline = Place(suite).pipeline("train")
    assert chosen(pipeline, {"min_accuracy": 1, "seed": 3}) == {"min_accuracy": 1.0, "seed": 3}
    for wrong in ({"seed": True}, {"seed": 1.5}, {"day": 3}):
        with pytest.raises(InvalidRequest, match=next(iter(wrong))):
            chosen(pipeline, wrong)
    with pytest.raises(InvalidRequest, match="sead"):
        chosen(pipeline, {"sead": 1})


def test_what_the_spec_does_not_name_is_not_found(suite: Platform) -> None:
    place = Place(suite)
    for look in (place.pipeline, place.endpoint, place.model, place.bucket):
        with pytest.raises(NotFound, match="nowhere"):
            look("nowhere")
    with pytest.raises(InvalidRequest, match="batch"):
        place.endpoint("scores", "realtime")


@pytest.mark.parametrize(
    "text", ["manual", "drift: churn", "Größe_ü/%", "x" * 300, "a_5f__b", "", "-", "名前 12"], ids=repr
)
def test_any_reason_is_carried_by_labels(text: str) -> None:
    labels = carried("reason", text)
    assert all(
        len(value) <= 63 and not set(value) - set("abcdefghijklmnopqrstuvwxyz0123456789_-")
        for value in labels.values()
    )
    assert len(labels) <= 4
    found = read_carried("reason", labels)
    assert text.startswith(found) if len(text) > 200 else found == text


def test_addresses_in_storage_are_the_platforms_or_whole(suite: Platform) -> None:
    place = Place(suite)
    assert place.uri("gs://other/a/b/") == "gs://other/a/b"
    assert place.uri("data:raw/x/") == f"gs://{place.bucket('data')}/raw/x"
    for wrong in ("raw/x", "s3://bucket/x", "https://x"):
        with pytest.raises(InvalidRequest, match="no address"):
            place.uri(wrong)


def test_a_name_with_the_projects_number_is_the_same_with_its_id(suite: Platform) -> None:
    place = Place(suite)
    assert (
        place.named("projects/123/locations/x/models/m") == f"projects/{place.project}/locations/x/models/m"
    )
