"""What is SageMaker's own about the registry: archives, pages, limits, and the group that Terraform makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scaffolder.operations.aws.provider import Aws
from scaffolder.operations.errors import InvalidRequest, NotFound
from scaffolder.operations.port import Opening
from scaffolder.operations.values import Approval
from stacks.intents import Encryption, ExistingNetwork, Intent, ModelRegistry, PrivateNetwork
from tests.operations.contract import a_version, deployment, registration
from tests.operations.worlds.aws import AwsWorld


def _with(world: AwsWorld, *intents: Intent) -> Aws:
    """The provider of the platform with other intents instead of its own of these types."""
    kinds = tuple(type(one) for one in intents)
    kinds = (*kinds, PrivateNetwork) if ExistingNetwork in kinds else kinds
    kept = [one for one in world.platform.intents if not isinstance(one, kinds)]
    platform = replace(world.platform, intents=(*kept, *intents))
    return Aws(Opening(platform=platform, folder=Path(), sleep=world.clock.sleep, now=world.clock.now))


def test_lists_have_what_is_on_every_page(world: AwsWorld) -> None:
    for number in range(7):
        world.provider.registry.register(registration(world, f"token {number}"))
    assert [one.version for one in world.provider.registry.list("churn")] == [7, 6, 5, 4, 3, 2, 1]


def test_an_archive_is_registered_as_one(world: AwsWorld) -> None:
    given = replace(registration(world, "one"), artifact_uri=f"{world.an_artifact()}/model.tar.gz")
    assert world.provider.registry.register(given).artifact_uri == given.artifact_uri


def test_a_model_that_approves_itself_registers_approved_versions(world: AwsWorld) -> None:
    (model,) = [one for one in world.platform.intents if isinstance(one, ModelRegistry)]
    provider = _with(world, replace(model, approval="automatic"))
    assert provider.registry.register(registration(world, "one")).approval is Approval.APPROVED


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"image": ""}, "needs an image"),
        ({"data_uri": "s3://" + "x" * 300}, "SageMaker keeps 256"),
        ({"metrics": {f"m{number}": 1.0 for number in range(60)}}, "SageMaker keeps 50"),
    ],
    ids=["image", "length", "number"],
)
def test_what_sagemaker_cannot_keep_is_refused_before_it_is_asked(
    world: AwsWorld, change: dict[str, object], said: str
) -> None:
    given = replace(registration(world, "one"), **change)  # type: ignore[arg-type]  # by the field's name
    with pytest.raises(InvalidRequest, match=said):
        world.provider.registry.register(given)
    assert world.calls() == 0


def test_without_the_group_of_its_versions_a_model_is_deployed_first(world: AwsWorld) -> None:
    world.cloud.packages.groups.clear()
    with pytest.raises(NotFound, match="cdktf deploy churn-dev-ml"):
        world.provider.registry.register(registration(world, "one"))


def test_in_a_network_that_was_there_models_run_where_the_spec_says(world: AwsWorld) -> None:
    network = ExistingNetwork(
        network_id="vpc-1", subnet_ids=("subnet-1", "subnet-2"), security_group_ids=("sg-1",)
    )
    version = a_version(world, "one").version
    provider = _with(world, network)
    provider.serving.deploy(deployment("blue", version))
    (model,) = world.cloud.hosting.models.values()
    assert model["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    world.settle("churn")
    assert {item.kind for item in provider.teardown.inventory()} == {
        "endpoint",
        "endpoint configuration",
        "model",
    }
    assert not [call for call in world.cloud.calls if call.startswith("ec2")]


def test_without_keys_of_its_own_nothing_names_a_key(world: AwsWorld) -> None:
    version = a_version(world, "one").version
    provider = _with(world, Encryption(customer_managed=False))
    provider.serving.deploy(deployment("blue", version, capture_percent=10))
    (configuration,) = world.cloud.hosting.configurations.values()
    assert "KmsKeyId" not in {*configuration, *configuration["DataCaptureConfig"]}
    assert "created" in {one.action for one in provider.state.ensure()}
    assert {one.action for one in provider.state.ensure()} == {"unchanged"}
    rules = world.cloud.client("s3").get_bucket_encryption(Bucket=world.context.bucket("state"))
    (rule,) = rules["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert not [call for call in world.cloud.calls if call.startswith("kms")]
