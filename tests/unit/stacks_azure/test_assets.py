"""What operations call a platform's things is what its stacks make."""

from __future__ import annotations

from pathlib import Path

import pytest

from scaffolder.pipeline import EnvironmentPlatform, synthesize
from stacks.azure.assets import code_asset, container_url, datastore_of, datastore_uri, image_of, workspace_id
from stacks.azure.compute import cluster_of
from stacks.azure.context import Context
from stacks.intents import ObjectStore
from tests.unit.stacks_azure.small import of_type

EXAMPLE = Path(__file__).parents[3] / "examples/08-full-azure/platform.yaml"


@pytest.fixture(scope="module")
def made() -> EnvironmentPlatform:
    return synthesize(EXAMPLE).environments[0]


def test_the_workspace_its_group_and_its_registry_are_the_stacks(made: EnvironmentPlatform) -> None:
    context = Context(made.platform)
    (workspace,) = (it for it in of_type(made, "workspace", "azurerm_machine_learning_workspace").values())
    (group,) = of_type(made, "security", "azurerm_resource_group").values()
    (registry,) = of_type(made, "registry", "azurerm_container_registry").values()
    parts = workspace_id(context).split("/")
    assert (parts[4], parts[8]) == (group.arguments["name"], workspace.arguments["name"])
    assert image_of("training:1.0.0", context) == f"{registry.arguments['name']}.azurecr.io/training:1.0.0"
    assert image_of("docker.io/x:1", context) == "docker.io/x:1"


def test_buckets_and_datastores_are_the_stacks(made: EnvironmentPlatform) -> None:
    context = Context(made.platform)
    containers = of_type(made, "storage", "azurerm_storage_container")
    accounts = {
        str(node.arguments["name"]) for node in of_type(made, "storage", "azurerm_storage_account").values()
    }
    stores = of_type(made, "workspace", "azurerm_machine_learning_datastore_blobstorage")
    for bucket in context.all_of(ObjectStore):
        host, container = container_url(context, bucket.name).removeprefix("https://").split("/")
        assert host.removesuffix(".blob.core.windows.net") in accounts
        assert container == containers[bucket.name].arguments["name"]
        if bucket.purpose != "logs":
            assert datastore_of(bucket.name) == stores[bucket.name].arguments["name"]
    assert datastore_uri("my-data", "/a/b/") == "azureml://datastores/my_data/paths/a/b"


def test_clusters_are_the_stacks(made: EnvironmentPlatform) -> None:
    clusters = of_type(made, "ml", "azurerm_machine_learning_compute_cluster")
    names = {node.arguments["name"] for node in clusters.values()}
    assert {cluster_of("cpu.large", spot=False), cluster_of("cpu.large", spot=True)} <= names


def test_other_code_is_another_version() -> None:
    assert code_asset("train", "ab" * 32) == ("code-train", "ab" * 8)
