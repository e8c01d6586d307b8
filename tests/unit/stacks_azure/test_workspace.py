"""The Azure ML workspace: closed, in a network of its own, and who may do what in it."""

from __future__ import annotations

from typing import Any

from stacks.azure.context import Context
from stacks.azure.workspace import workspace_problems
from tests.unit.stacks_azure.small import BASE, ada, body, environment, nodes, of_type, synthesized

WORKSPACE = "azurerm_machine_learning_workspace"
HOSTS = "azurerm_machine_learning_workspace_network_outbound_rule_fqdn"
ENDPOINTS = "azurerm_machine_learning_workspace_network_outbound_rule_private_endpoint"


def workspace(**more: object) -> Any:
    return nodes(environment(workspace={"users": []}, **more), "workspace")[f"{WORKSPACE}.ml-workspace"]


def test_without_machine_learning_there_is_no_workspace() -> None:
    found = environment()
    assert nodes(found, "workspace") == {}
    assert nodes(found, "ml") == {}


def test_the_workspace_has_no_public_side_and_no_account_key() -> None:
    made = workspace().arguments
    assert made["public_network_access_enabled"] is False
    assert made["storage_account_access_type"] == "Identity"
    assert made["managed_network"]["isolation_mode"] == "AllowOnlyApprovedOutbound"


def test_its_identity_has_its_roles_before_the_workspace_is_made() -> None:
    made = workspace()
    waits = {address.name for address in made.depends_on}
    assert "ml-workspace-vault-secrets-officer" in waits
    assert "ml-workspace-workspace-storage-blob-contributor" in waits


def test_own_keys_encrypt_the_workspace_where_the_platform_has_them() -> None:
    assert workspace(security={"encryption": "customer"}).arguments["encryption"]["key_id"] is not None
    assert "encryption" not in workspace(security={"encryption": "provider"}).arguments


def test_hosts_of_packages_are_reached_only_where_the_spec_asks_for_egress() -> None:
    closed = environment(workspace={"users": []})
    opened = environment(workspace={"users": []}, network={"egress": "nat"})
    assert of_type(closed, "workspace", HOSTS) == {}
    assert "pypi.org" in {
        node.arguments["destination_fqdn"] for node in of_type(opened, "workspace", HOSTS).values()
    }


def test_rules_of_the_managed_network_are_made_one_after_the_other() -> None:
    found = environment(workspace={"users": []}, network={"egress": "nat"})
    rules = [*of_type(found, "workspace", ENDPOINTS).values(), *of_type(found, "workspace", HOSTS).values()]
    assert [len(rule.depends_on) for rule in rules] == [0] + [1] * (len(rules) - 1)


def test_batch_endpoints_reach_queues_and_tables_of_the_workspaces_account() -> None:
    models: dict[str, object] = {"models": {"churn": {}}}
    without = environment(**models, endpoints={"one": {"model": "churn"}})
    with_batch = environment(**models, endpoints={"one": {"model": "churn", "mode": "batch"}})
    parts = [
        {node.arguments["sub_resource_target"] for node in of_type(found, "workspace", ENDPOINTS).values()}
        for found in (without, with_batch)
    ]
    assert parts == [{"blob"}, {"blob", "queue", "table"}]


def test_a_machine_stops_after_three_days_at_the_latest_and_that_is_said() -> None:
    found = environment(workspace={"users": [ada], "idle_shutdown_minutes": 10000})
    (instance,) = of_type(found, "workspace", "azapi_resource").values()
    assert body(instance)["properties"]["idleTimeBeforeShutdown"] == "P3D"
    assert "workspace-idle" in {problem.code for problem in workspace_problems(Context(found.platform))}


def test_a_users_machine_is_theirs_and_stops_when_nobody_uses_it() -> None:
    found = environment(workspace={"users": [ada], "instance": "cpu.large", "idle_shutdown_minutes": 90})
    (instance,) = of_type(found, "workspace", "azapi_resource").values()
    machine = body(instance)["properties"]
    assert machine["personalComputeInstanceSettings"]["assignedUser"]["objectId"] == ada
    assert machine["idleTimeBeforeShutdown"] == "PT1H30M"
    assert machine["vmSize"] == "STANDARD_D8DS_V4"
    assert machine["enableNodePublicIp"] is False
    assert body(instance)["disableLocalAuth"] is True


def test_machines_of_two_environments_have_different_names() -> None:
    spec = {"environments": {"dev": {}, "prod": {}}, "workspace": {"users": [ada]}}
    names = {
        node.arguments["name"]
        for found in synthesized(**spec).environments
        for node in of_type(found, "workspace", "azapi_resource").values()
    }
    assert len(names) == 2


def test_a_user_by_name_gets_no_machine_and_that_is_said() -> None:
    found = synthesized(workspace={"users": ["ada", ada]})
    assert [finding.path for finding in found.warnings if finding.code == "workspace-user"] == [
        "workspace.users.0"
    ]
    (each,) = found.environments
    assert set(of_type(each, "workspace", "azapi_resource")) == {f"instance-{ada}"}


def test_what_azure_does_anyway_is_warned_of() -> None:
    warnings = synthesized(workspace={"users": [], "auth": "sso", "keep_home": False}).warnings
    assert {"workspace-auth", "workspace-home"} <= {finding.code for finding in warnings}


def test_buckets_are_datastores_that_are_read_with_an_identity() -> None:
    found = environment(workspace={"users": []}, storage={"buckets": {"raw-events": {}}})
    stores = of_type(found, "workspace", "azurerm_machine_learning_datastore_blobstorage")
    assert {node.arguments["name"] for node in stores.values()} == {"data", "artifacts", "raw_events"}
    assert {node.arguments["service_data_auth_identity"] for node in stores.values()} == {
        "WorkspaceUserAssignedIdentity"
    }


def test_viewers_only_read_the_workspace() -> None:
    group = "99999999-4444-5555-6666-777777777777"
    found = environment(workspace={"users": []}, identity={"groups": {"viewers": [group]}})
    theirs = [
        name for name in of_type(found, "workspace", "azurerm_role_assignment") if name.startswith("viewers")
    ]
    assert theirs == [f"viewers-ml-reader-{group}"]


def test_tracking_is_the_workspaces_own() -> None:
    def exported(found: Any) -> bool:
        return any(
            "mlflow_tracking_uri" in linked.stack.exports
            for linked in found.stacks
            if linked.stack.concern == "workspace"
        )

    assert exported(environment(tracking={"backend": "managed"}))
    assert not exported(environment(workspace={"users": []}))
    assert "tracking" not in BASE
