"""What overrides take away from an Azure platform's security is said."""

from __future__ import annotations

from typing import Any

import pytest

from scaffolder.pipeline import synthesize_loaded
from scaffolder.spec.load import parse_spec
from tests.strategies import spec_text
from tests.unit.stacks_azure.platforms import SPEC


def warned(overrides: dict[str, Any]) -> list[str]:
    """The codes of what is warned of."""
    text = spec_text({**SPEC, "overrides": overrides})
    return [warning.code for warning in synthesize_loaded(parse_spec(text)).warnings]


@pytest.mark.parametrize(
    ("address", "override", "code"),
    [
        ("azurerm_storage_account.data", {"shared_access_key_enabled": True}, "shared-keys"),
        ("azurerm_storage_account.data", {"public_network_access_enabled": True}, "public-access"),
        ("azurerm_storage_account.data", {"allow_nested_items_to_be_public": True}, "public-blobs"),
        ("azurerm_storage_account.data", {"https_traffic_only_enabled": False}, "tls"),
        ("azurerm_storage_account.state", {"shared_access_key_enabled": None}, "shared-keys"),
        ("azurerm_storage_container.data", {"container_access_type": "blob"}, "public-access"),
        ("azurerm_key_vault.platform", {"purge_protection_enabled": None}, "purge-protection"),
        ("azurerm_key_vault.platform", {"public_network_access_enabled": True}, "public-access"),
        ("azurerm_container_registry.platform", {"admin_enabled": True}, "admin-user"),
        ("azurerm_subnet.endpoints", {"private_endpoint_network_policies": "Disabled"}, "weakened"),
        (
            "azurerm_network_security_rule.endpoints-in-network",
            {"source_address_prefix": "VirtualNetwork", "destination_port_ranges": ["443"]},
            "weakened",
        ),
        ("azurerm_log_analytics_workspace.platform", {"local_authentication_enabled": True}, "weakened"),
        ("azurerm_role_assignment.training-data-blob-contributor", {"condition": None}, "weakened"),
        ("azapi_resource_action.key-data", {"body": {"properties": {}}}, "weakened"),
    ],
)
def test_each_of_them_is_warned_of(address: str, override: dict[str, Any], code: str) -> None:
    assert code in warned({address: override})


def test_an_owner_is_warned_of() -> None:
    owner = (
        "/subscriptions/11111111-2222-4333-8444-555555555555/providers/Microsoft.Authorization"
        "/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
    )
    assignment = "azurerm_role_assignment.training-images-acr-pull"
    assert "broad-grant" in warned({assignment: {"role_definition_id": owner}})


def test_a_key_of_ones_own_that_is_taken_away_is_warned_of() -> None:
    assert "encryption" in warned({"azurerm_storage_account.data": {"customer_managed_key": None}})


def test_what_weakens_nothing_is_not() -> None:
    assert warned({"azurerm_storage_account.data": {"access_tier": "Cool"}}) == []
