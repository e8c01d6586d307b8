"""What every Azure platform stands on: closed, encrypted, without keys, and deployable from outside its own network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import stacks.azure
from stacks.azure.catalog import locations, zones_of
from stacks.azure.context import Context
from stacks.azure.network import cidrs
from stacks.azure.security import LOG_DAYS
from stacks.azure.state import place_of
from stacks.graph import refs_in
from tests.unit.stacks_azure.platforms import ACCOUNT, VNET, nodes_of, of_type, platform, stacks_of

CONCERNS = ["state", "security", "network", "storage", "registry", "identity"]


def test_stacks_come_in_the_order_of_every_cloud() -> None:
    assert [stack.concern for stack in stacks_of()] == CONCERNS


def test_the_first_stack_registers_what_the_subscription_has_to_know_and_no_other_does() -> None:
    registers = [
        [
            block.config.get("resource_providers_to_register")
            for block in stack.providers
            if block.name == "azurerm"
        ]
        for stack in stacks_of()
    ]
    assert registers[0][0]
    assert registers[1:] == [[None]] * (len(CONCERNS) - 1)


@pytest.mark.parametrize("protected", [True, False])
def test_what_keeps_its_name_after_its_deletion_goes_for_good_unless_it_is_protected(
    *, protected: bool
) -> None:
    (first, *_) = stacks_of(deletion_protection=protected)
    features = first.providers[0].config["features"]
    assert features["machine_learning"] == {"purge_soft_deleted_workspace_on_destroy": not protected}  # type: ignore[index,call-overload]
    assert features["cognitive_account"] == {"purge_soft_delete_on_destroy": not protected}  # type: ignore[index,call-overload]
    assert features["key_vault"]["purge_soft_delete_on_destroy"] is False  # type: ignore[index,call-overload]


def test_azapi_is_configured_only_where_a_node_is_its_own() -> None:
    for stack in stacks_of():
        uses = any(node.address.type.startswith("azapi_") for node in stack.nodes)
        assert uses == any(block.name == "azapi" for block in stack.providers)


def test_no_account_has_keys_or_a_public_address_but_the_states_which_come_before_the_network() -> None:
    accounts = of_type(nodes_of(), "azurerm_storage_account")
    assert accounts.keys() == {"state", "data", "logs", "workspace"}
    assert not any(node.arguments["shared_access_key_enabled"] for node in accounts.values())
    public = [name for name, node in accounts.items() if node.arguments["public_network_access_enabled"]]
    assert public == ["state"]


def test_states_are_reached_by_the_directory_and_the_state_stacks_own_is_local() -> None:
    backends = {stack.concern: stack.backend for stack in stacks_of()}
    assert backends["state"].kind == "local"
    assert backends["storage"].config["use_azuread_auth"] is True
    assert backends["storage"].config["key"] == "dev/storage.tfstate"


def test_an_explicit_backend_asks_for_no_keys_and_keeps_the_users_start() -> None:
    settings = {
        "resource_group_name": "tf",
        "storage_account_name": "tfstates",
        "container_name": "states",
        "key": "ml",
    }
    made = platform()
    explicit = replace(made.backend, kind="azurerm", settings=settings)
    lowered = stacks.azure.lower(replace(made, backend=explicit))
    config = next(stack.backend.config for stack in lowered.stacks if stack.concern == "network")
    assert (config["use_azuread_auth"], config["key"]) == (True, "ml/churn/dev/network.tfstate")
    place = place_of(Context(replace(made, backend=explicit)))
    assert place is not None
    assert place.container_id.endswith("/tfstates/blobServices/default/containers/states")


def test_the_key_is_made_through_the_resource_manager_since_nobody_can_reach_the_vault_yet() -> None:
    nodes = nodes_of()
    key = nodes["azapi_resource_action.key-data"]
    vault = nodes["azurerm_key_vault.platform"]
    assert (key.arguments["method"], vault.arguments["public_network_access_enabled"]) == ("PUT", False)
    uri = f"https://{vault.arguments['name']}.vault.azure.net/keys/data"
    keys = {
        node.arguments["customer_managed_key"]["key_vault_key_id"]  # type: ignore[index,call-overload]
        for name, node in of_type(nodes, "azurerm_storage_account").items()
        if name != "state"
    }
    assert keys == {uri}


def test_without_keys_of_ones_own_there_is_no_key_and_nobody_to_use_one() -> None:
    nodes = nodes_of(security={"encryption": "provider"})
    assert not of_type(nodes, "azapi_resource_action")
    assert "azurerm_user_assigned_identity.keys" not in nodes
    assert "customer_managed_key" not in nodes["azurerm_storage_account.data"].arguments
    assert "encryption" not in nodes["azurerm_container_registry.platform"].arguments


def test_protection_locks_what_holds_data_and_nothing_with_something_in_it_that_goes() -> None:
    everything = {"models": {"churn": {}}, "llm": {"models": ["gpt-4o"]}, "workspace": {}}
    locks = of_type(nodes_of(deletion_protection=True, **everything), "azurerm_management_lock")
    kinds = {node.arguments["scope"].address.type for node in locks.values()}  # type: ignore[union-attr]
    assert kinds == {
        "azapi_resource",
        "azurerm_container_registry",
        "azurerm_key_vault",
        "azurerm_log_analytics_workspace",
        "azurerm_storage_account",
    }
    assert not of_type(nodes_of(deletion_protection=False), "azurerm_management_lock")


def test_the_first_environment_of_a_subscription_collects_its_activity() -> None:
    made = platform()
    activity = "azurerm_monitor_diagnostic_setting.activity"
    for first in (True, False):
        lowered = stacks.azure.lower(replace(made, first_in_account=first))
        addresses = {str(node.address) for stack in lowered.stacks for node in stack.nodes}
        assert (activity in addresses) == first


@pytest.mark.parametrize(("asked", "kept"), [(90, 365), (400, 400), (800, 1095), (3653, 3653)])
def test_the_audit_is_kept_as_long_as_asked_or_the_next_longer_that_a_table_knows(
    asked: int, kept: int
) -> None:
    tables = of_type(
        nodes_of(security={"audit_retention_days": asked}), "azurerm_log_analytics_workspace_table"
    )
    assert {node.arguments["total_retention_in_days"] for node in tables.values()} == {kept}


def test_what_the_workspace_does_not_keep_its_tables_archive() -> None:
    nodes = nodes_of(security={"log_retention_days": 2190, "audit_retention_days": 400})
    tables = of_type(nodes, "azurerm_log_analytics_workspace_table")
    assert {node.arguments["total_retention_in_days"] for node in tables.values()} == {2191}
    assert {node.arguments["retention_in_days"] for node in tables.values()} == {730}
    assert {"azurediagnostics", "appdependencies", "storagebloblogs"} <= set(tables)


def test_a_table_is_kept_by_one_stack_only() -> None:
    nodes = nodes_of(security={"log_retention_days": 2190}, llm={"models": ["gpt-4o"]})
    tables = of_type(nodes, "azurerm_log_analytics_workspace_table")
    names = [node.arguments["name"] for node in tables.values()]
    assert len(names) == len(set(names))
    assert "AzureDiagnostics" in names


def test_the_vaults_audit_is_in_the_table_that_is_kept_for_it() -> None:
    told = nodes_of()["azurerm_monitor_diagnostic_setting.vault"]
    assert told.arguments["log_analytics_destination_type"] == "Dedicated"


def test_logs_are_kept_no_shorter_than_the_workspace_can() -> None:
    nodes = nodes_of(security={"log_retention_days": 1})
    kept = nodes["azurerm_log_analytics_workspace.platform"].arguments["retention_in_days"]
    assert kept == LOG_DAYS[0]


# --- network ---------------------------------------------------------------------------------------------------------


def test_each_zone_has_a_sixteenth_and_the_last_one_is_for_endpoints() -> None:
    workloads, endpoints = cidrs("10.0.0.0/16", 2)
    assert workloads == ("10.0.0.0/20", "10.0.16.0/20")
    assert endpoints == "10.0.240.0/20"


@pytest.mark.parametrize(
    ("network", "gateways"),
    [
        ({}, []),
        ({"egress": "nat"}, [["1"], ["2"], ["3"]]),
        ({"egress": "nat", "nat_gateways": "single"}, [["1"]]),
        ({"egress": "nat", "zones": ["2", "3"]}, [["2"], ["3"]]),
    ],
)
def test_gateways_are_in_the_zones_that_are_asked_for(
    network: dict[str, Any], gateways: list[list[str]]
) -> None:
    nodes = nodes_of(network=network)
    assert [node.arguments["zones"] for node in of_type(nodes, "azurerm_nat_gateway").values()] == gateways
    attached = of_type(nodes, "azurerm_subnet_nat_gateway_association")
    assert len(attached) == (len(of_type(nodes, "azurerm_subnet")) - 1 if gateways else 0)


def test_a_location_without_zones_has_one_gateway_in_none() -> None:
    nodes = nodes_of(
        target={"provider": "azure", "region": "ukwest", "account": ACCOUNT},
        network={"zones": 1, "egress": "nat"},
    )
    assert "zones" not in nodes["azurerm_nat_gateway.nat-1"].arguments
    assert nodes["azurerm_container_registry.platform"].arguments["zone_redundancy_enabled"] is False
    assert nodes["azurerm_storage_account.data"].arguments["account_replication_type"] == "GRS"


def test_every_security_group_ends_with_a_denial_both_ways() -> None:
    rules = of_type(nodes_of(), "azurerm_network_security_rule")
    for group in ("workloads", "endpoints"):
        for direction in ("in", "out"):
            last = rules[f"{group}-{direction}-nothing-else"].arguments
            assert (last["access"], last["priority"]) == ("Deny", 4096)


def test_the_web_is_open_only_where_there_is_a_gateway() -> None:
    rule = "azurerm_network_security_rule.workloads-out-internet"
    assert rule in nodes_of(network={"egress": "nat"})
    assert rule not in nodes_of()


def test_priorities_in_a_group_and_direction_differ() -> None:
    rules = of_type(nodes_of(network={"egress": "nat"}), "azurerm_network_security_rule").values()
    places = [
        (
            node.arguments["network_security_group_name"],
            node.arguments["direction"],
            node.arguments["priority"],
        )
        for node in rules
    ]
    assert len(places) == len(set(places))


def test_every_endpoint_has_a_name_in_a_zone_of_the_network() -> None:
    nodes = nodes_of()
    zones = of_type(nodes, "azurerm_private_dns_zone")
    assert {"blob", "file", "queue", "table", "vault", "registry", "amlworkspace"} <= zones.keys()
    assert "dfs" not in zones
    for node in of_type(nodes, "azurerm_private_endpoint").values():
        refs = list(refs_in(node.arguments["private_dns_zone_group"]))
        assert refs
        assert all(ref.address.name in zones for ref in refs)


def test_in_an_existing_network_only_endpoints_are_made_and_their_names_are_its_owners() -> None:
    subnets = [f"{VNET}/subnets/ml", f"{VNET}/subnets/jobs"]
    nodes = nodes_of(network={"existing": {"network_id": VNET, "subnet_ids": subnets}})
    kinds = {node.address.type for node in nodes.values()}
    assert not kinds & {
        "azurerm_virtual_network",
        "azurerm_subnet",
        "azurerm_private_dns_zone",
        "azurerm_network_security_group",
    }
    endpoint = nodes["azurerm_private_endpoint.vault"]
    assert endpoint.arguments["subnet_id"] == subnets[0]
    assert "private_dns_zone_group" not in endpoint.arguments
    assert endpoint.lifecycle.ignore_changes == ("private_dns_zone_group",)
    assert "azapi_resource.flow-logs" not in nodes


# --- storage and images ----------------------------------------------------------------------------------------------


def test_a_buckets_lifecycle_is_its_containers() -> None:
    buckets = {"x": {"archive_after_days": 40, "expire_after_days": 50, "keep_versions_days": 7}}
    nodes = nodes_of(storage={"buckets": buckets})
    rules = nodes["azurerm_storage_management_policy.data"].arguments["rule"]
    rule = next(each for each in rules if each["name"] == "x")  # type: ignore[index,union-attr,call-overload]
    assert rule["filters"]["prefix_match"] == ["churn-dev-x/"]  # type: ignore[index,call-overload]
    assert rule["actions"] == {  # type: ignore[index,call-overload]
        "base_blob": {
            "tier_to_cool_after_days_since_modification_greater_than": 40,
            "delete_after_days_since_modification_greater_than": 50,
        },
        "version": {"delete_after_days_since_creation": 7},
        "snapshot": {"delete_after_days_since_creation_greater_than": 7},
    }


@pytest.mark.parametrize(
    ("days", "watched"), [(30, {"enabled": True, "days": 30}), (700, {"enabled": False, "days": 0})]
)
def test_flow_logs_go_when_asked_by_the_watcher_or_else_by_the_account(days: int, watched: object) -> None:
    nodes = nodes_of(security={"log_retention_days": days})
    body = nodes["azapi_resource.flow-logs"].arguments["body"]
    assert body["properties"]["retentionPolicy"] == watched  # type: ignore[index,call-overload]
    rules = nodes["azurerm_storage_management_policy.logs"].arguments["rule"]
    rule = next(each for each in rules if each["name"] == "flow-logs")  # type: ignore[index,union-attr,call-overload]
    assert rule["actions"] == {"base_blob": {"delete_after_days_since_modification_greater_than": days}}  # type: ignore[index,call-overload]


def test_a_repository_keeps_as_many_images_as_asked() -> None:
    nodes = nodes_of(containers={"repositories": ["serving"], "keep_images": 7})
    step = nodes["azurerm_container_registry_task.serving"].arguments["encoded_step"]
    assert "acr purge --filter 'serving:.*' --ago 0d --keep 7" in step["task_content"]  # type: ignore[index,call-overload,operator]


def test_a_platform_without_repositories_has_no_registry() -> None:
    assert not of_type(nodes_of(containers={"repositories": []}), "azurerm_container_registry")


# --- catalog ---------------------------------------------------------------------------------------------------------


def test_locations_have_three_zones_or_none() -> None:
    assert {len(zones_of(location)) for location in locations()} == {0, 3}
    assert zones_of("westeurope") == ("1", "2", "3")
    assert zones_of("nowhere") == ()
