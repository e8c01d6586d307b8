"""Clusters, models, features and endpoints on Azure, and what is left to the operations."""

from __future__ import annotations

import re
from typing import Any

import pytest

from stacks.azure.compute import cluster_of
from stacks.azure.instances import Unavailable, machine
from tests.unit.stacks_azure.small import body, environment, nodes, of_type, refused, synthesized

CLUSTER = "azurerm_machine_learning_compute_cluster"
UNSERVED: dict[str, object] = {"churn": {}}
MODEL = {"churn": {"version": 3}}
COLUMNS = {"plan": "string", "spent": "float"}
GROUP = {"key": "customer_id", "event_time": "at", "columns": COLUMNS}


def azapi(found: Any, concern: str = "ml") -> dict[str, Any]:
    return of_type(found, concern, "azapi_resource")


def test_a_cluster_scales_to_nothing_and_has_no_public_address() -> None:
    found = environment(models=MODEL, endpoints={"bulk": {"model": "churn", "mode": "batch"}})
    made: Any = of_type(found, "ml", CLUSTER)["cpu-medium"].arguments
    assert made["scale_settings"]["min_node_count"] == 0
    assert made["node_public_ip_enabled"] is False
    assert made["local_auth_enabled"] is False


def test_there_is_one_cluster_for_each_machine() -> None:
    batch = {"model": "churn", "mode": "batch"}
    endpoints = {
        "one": {**batch, "instance": "cpu.large", "replicas": {"max": 2}},
        "two": {**batch, "instance": "cpu.large", "replicas": {"max": 5}},
        "three": {**batch, "instance": "gpu.a100x2"},
    }
    made: dict[str, Any] = {**of_type(environment(models=MODEL, endpoints=endpoints), "ml", CLUSTER)}
    assert set(made) == {"cpu-large", "gpu-a100x2", "image-build"}
    large: Any = made["cpu-large"].arguments["scale_settings"]
    assert large["max_node_count"] == 5
    assert made["gpu-a100x2"].arguments["vm_size"] == "STANDARD_NC48ADS_A100_V4"


def test_what_builds_images_is_the_cluster_that_the_workspace_names() -> None:
    found = environment(models=UNSERVED)
    (workspace,) = of_type(found, "workspace", "azurerm_machine_learning_workspace").values()
    assert workspace.arguments["image_build_compute_name"] in of_type(found, "ml", CLUSTER)


@pytest.mark.parametrize("size", ["cpu.small", "gpu.a100×8", "Standard_D4s_v3", "Standard_NC24ads_A100_v4"])
def test_a_clusters_name_is_one_that_azure_takes(size: str) -> None:
    for spot in (False, True):
        assert re.fullmatch(r"[a-z](?![a-z0-9-]*-\d+$)[a-z0-9-]{2,23}", cluster_of(size, spot=spot))


def test_an_endpoint_takes_tokens_only_and_has_no_public_side() -> None:
    found = environment(models=MODEL, endpoints={"churn": {"model": "churn"}})
    made = azapi(found)["endpoint-churn"]
    assert body(made)["authMode"] == "AADToken"
    assert body(made)["publicNetworkAccess"] == "Disabled"


@pytest.mark.parametrize(
    ("change", "tag", "value"),
    [
        ({"instance": "gpu.t4"}, "serving:instance", "Standard_NC4as_T4_v3"),
        ({"replicas": {"min": 2, "max": 6}}, "serving:max_replicas", "6"),
        ({"capture_percent": 40}, "serving:capture_percent", "40"),
        (
            {"replicas": {"max": 3, "target_utilization_percent": 50}},
            "serving:target_utilization_percent",
            "50",
        ),
    ],
)
def test_what_the_operations_deploy_by_is_on_the_endpoint(change: Any, tag: str, value: str) -> None:
    found = environment(models=MODEL, endpoints={"churn": {"model": "churn", **change}})
    assert azapi(found)["endpoint-churn"].arguments["tags"][tag] == value


def test_a_batch_endpoint_names_its_cluster_and_its_schedule() -> None:
    batch = {"model": "churn", "mode": "batch", "instance": "cpu.large", "schedule": "0 3 * * *"}
    found = environment(models=MODEL, endpoints={"bulk": batch})
    made = azapi(found)["endpoint-bulk"]
    assert made.arguments["type"].startswith("Microsoft.MachineLearningServices/workspaces/batchEndpoints@")
    tags = made.arguments["tags"]
    assert (tags["serving:compute"], tags["serving:schedule"]) == ("cpu-large", "0 3 * * *")
    assert tags["serving:compute"] in of_type(found, "ml", CLUSTER)


def test_an_endpoint_whose_model_has_no_version_is_there_and_waits() -> None:
    found = environment(models={"churn": {}}, endpoints={"churn": {"model": "churn"}})
    assert "endpoint-churn" in azapi(found)
    waiting = [each.remedy for each in found.skipped if each.intent == "online endpoint churn"]
    assert "Register one, and set models.churn.version." in waiting


@pytest.mark.parametrize("mode", ["serverless", "async"])
def test_a_mode_that_azure_lacks_is_refused(mode: str) -> None:
    said = refused(models=MODEL, endpoints={"churn": {"model": "churn", "mode": mode}})
    assert f"endpoints.churn.mode {mode}: Azure ML has no" in said
    assert "Set it to realtime, or to batch for what may wait." in said


def test_an_accelerator_that_azure_lacks_is_refused_with_the_nearest() -> None:
    said = refused(models=MODEL, endpoints={"churn": {"model": "churn", "instance": "gpu.l4"}})
    assert '"gpu.l4" is not a size of Azure Machine Learning\'s machines' in said
    assert "the nearest are gpu.t4 and gpu.a10" in said


def test_every_neutral_size_but_what_azure_lacks_is_a_machine_for_both_uses() -> None:
    for size in (
        "cpu.small",
        "cpu.medium",
        "cpu.large",
        "cpu.xlarge",
        "gpu.t4",
        "gpu.a10",
        "gpu.a100",
        "gpu.h100",
    ):
        assert isinstance(machine(size, "compute"), str)
        assert isinstance(machine(size, "serving"), str)
    assert isinstance(machine("gpu.l4", "compute"), Unavailable)
    assert isinstance(machine("Standard_D4ds_v4", "serving"), Unavailable)


def test_how_a_model_is_approved_and_what_that_starts_is_on_it() -> None:
    models = {"churn": {"approval": "manual", "on_approval": "train"}, "other": {"approval": "automatic"}}
    found = environment(models=models, pipelines={"train": {"definition": "pipelines/train.yaml"}})
    tags = {name: body(azapi(found)[f"model-{name}"])["tags"] for name in models}
    assert (tags["churn"]["approval"], tags["churn"]["on_approval"]) == ("manual", "train")
    assert tags["other"]["approval"] == "automatic"


def test_environments_of_an_account_share_one_registry() -> None:
    found = synthesized(environments={"dev": {}, "prod": {}}, models=UNSERVED).environments
    assert ["ml-registry" in azapi(each) for each in found] == [True, False]


def test_a_feature_group_has_an_entity_and_its_key_is_a_version_of_its_own() -> None:
    first = azapi(environment(features={"customer": GROUP}))["entity-customer-key"]
    second = azapi(environment(features={"customer": {**GROUP, "key": "plan"}}))["entity-customer-key"]
    assert body(first)["indexColumns"] == [{"columnName": "customer_id", "dataType": "String"}]
    assert first.arguments["name"] != second.arguments["name"]


def test_history_is_kept_in_folders_and_only_where_a_group_asks_for_it() -> None:
    offline = environment(features={"customer": GROUP})
    online = environment(features={"customer": {**GROUP, "online": True, "offline": False}})
    assert body(azapi(offline)["feature-store-offline"])["category"] == "ADLSGen2"
    assert "feature-store-offline" not in azapi(online)
    account = nodes(offline, "storage")["azurerm_storage_account.features"].arguments
    assert account["is_hns_enabled"] is True
    assert "versioning_enabled" not in dict(account["blob_properties"])  # type: ignore[arg-type]
    assert "azurerm_storage_account.features" not in nodes(online, "storage")


def test_whoever_reads_features_reads_their_records() -> None:
    made = of_type(environment(features={"customer": GROUP}), "ml", "azurerm_role_assignment")
    history = {name for name in made if "-history-" in name}
    assert {"pipelines-history-blob-contributor", "training-history-blob-reader"} & history


def test_features_that_would_be_served_online_are_named() -> None:
    found = environment(features={"customer": {**GROUP, "online": True}})
    reasons = [each.reason for each in found.skipped if each.intent == "feature store customer"]
    assert any("not served online" in reason for reason in reasons)


def test_a_pipeline_that_is_not_written_says_so() -> None:
    found = environment(pipelines={"train": {"definition": "pipelines/train.yaml"}})
    assert any(each.remedy for each in found.skipped if each.intent == "training pipeline train")
    assert "cpu-large" in of_type(found, "ml", CLUSTER)
