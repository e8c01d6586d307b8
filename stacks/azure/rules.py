"""Security rules over the finished Azure graph: what the platform promises must still hold after overrides.

May not mend anything, nor judge what no rule here names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from stacks.adapter import PolicyViolation
from stacks.azure.roles import built_in, guid_of
from stacks.graph import Stack, Value
from stacks.intents import Platform
from stacks.promises import Promise, block, broken_promises, has_own_keys

__all__ = ["violations_in"]

EVERYWHERE = ("*", "0.0.0.0/0", "::/0", "Internet")
OWNERS = frozenset({"8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"})
"""Owner and User Access Administrator: who has one may give anybody everything (Azure built-in roles, November 2026)."""
OWNER_NAMES = frozenset({"Owner", "User Access Administrator"})

Holds = Callable[[Mapping[str, Value], Platform], bool]


def _is(argument: str, wanted: Value, default: Value = None) -> Holds:
    """Whether an argument, or the provider's default of one that is left out, is as promised."""

    def holds(arguments: Mapping[str, Value], _: Platform) -> bool:
        return arguments.get(argument, default) == wanted

    return holds


def _blobs_are_versioned(arguments: Mapping[str, Value], _: Platform) -> bool:
    """Azure keeps no versions in an account with folders."""
    if arguments.get("is_hns_enabled") is True:
        return True
    return block(arguments.get("blob_properties")).get("versioning_enabled") is True


def _blobs_come_back(arguments: Mapping[str, Value], _: Platform) -> bool:
    return bool(block(block(arguments.get("blob_properties")).get("delete_retention_policy")).get("days"))


def _account_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    """The states' own account is there before any key is, and is known by being open to the internet."""
    if not has_own_keys(platform) or arguments.get("network_rules") is None:
        return True
    return bool(block(arguments.get("customer_managed_key")).get("key_vault_key_id"))


def _registry_is_encrypted(arguments: Mapping[str, Value], platform: Platform) -> bool:
    return not has_own_keys(platform) or bool(block(arguments.get("encryption")).get("key_vault_key_id"))


def _account_is_closed(arguments: Mapping[str, Value], _: Platform) -> bool:
    """An account with network rules lets nobody in by them."""
    rules = arguments.get("network_rules")
    if rules is None:
        return True
    denies = block(rules).get("default_action") == "Deny"
    return denies and arguments.get("public_network_access_enabled", True) is False


def _vault_is_closed(arguments: Mapping[str, Value], _: Platform) -> bool:
    denies = block(arguments.get("network_acls")).get("default_action") == "Deny"
    return denies and arguments.get("public_network_access_enabled", True) is False


def _tls_is_new(arguments: Mapping[str, Value], _: Platform) -> bool:
    secure = arguments.get("https_traffic_only_enabled", True) is True
    return secure and arguments.get("min_tls_version", "TLS1_2") in {"TLS1_2", "TLS1_3"}


def _ingress_is_narrow(arguments: Mapping[str, Value], _: Platform) -> bool:
    if arguments.get("direction") != "Inbound" or arguments.get("access") != "Allow":
        return True
    many = arguments.get("source_address_prefixes")
    listed = many if isinstance(many, Sequence) and not isinstance(many, str) else ()
    return not {str(source) for source in (arguments.get("source_address_prefix"), *listed)} & set(EVERYWHERE)


def _is_no_owner(arguments: Mapping[str, Value], _: Platform) -> bool:
    """Nobody becomes an owner, and who may assign roles may assign only those that a condition names."""
    definition, name = arguments.get("role_definition_id"), arguments.get("role_definition_name")
    role = guid_of(definition) if isinstance(definition, str) else ""
    if role in OWNERS or name in OWNER_NAMES:
        return False
    administrator = built_in("rbac-administrator")
    if role != administrator.id and name != administrator.name:
        return True
    return bool(arguments.get("condition"))


def _is_private(code: str, type_: str, what: str) -> Promise:
    return Promise(
        type_,
        code,
        f"the {what} has a public address",
        _is("public_network_access_enabled", wanted=False, default=True),
    )


RULES = (
    Promise("azurerm_storage_account", "public-access", "the account is not closed", _account_is_closed),
    Promise(
        "azurerm_storage_account",
        "shared-keys",
        "the account's own keys open it",
        _is("shared_access_key_enabled", wanted=False, default=True),
    ),
    Promise(
        "azurerm_storage_account",
        "public-blobs",
        "blobs of the account can be made public",
        _is("allow_nested_items_to_be_public", wanted=False, default=False),
    ),
    Promise("azurerm_storage_account", "tls", "the account takes old or no TLS", _tls_is_new),
    Promise("azurerm_storage_account", "versioning", "the account keeps no versions", _blobs_are_versioned),
    Promise("azurerm_storage_account", "soft-delete", "what is deleted does not come back", _blobs_come_back),
    Promise(
        "azurerm_storage_account", "encryption", "the account has no key of yours", _account_is_encrypted
    ),
    Promise(
        "azurerm_storage_container",
        "public-access",
        "the container is not private",
        _is("container_access_type", wanted="private", default="private"),
    ),
    Promise("azurerm_key_vault", "public-access", "the vault is not closed", _vault_is_closed),
    Promise(
        "azurerm_key_vault",
        "purge-protection",
        "the vault's keys can be purged",
        _is("purge_protection_enabled", wanted=True, default=False),
    ),
    Promise(
        "azurerm_key_vault",
        "vault-policies",
        "the vault does not ask the directory's roles",
        _is("rbac_authorization_enabled", wanted=True),
    ),
    _is_private("public-access", "azurerm_container_registry", "registry"),
    Promise(
        "azurerm_container_registry",
        "admin-user",
        "the registry has a user with a password",
        _is("admin_enabled", wanted=False, default=False),
    ),
    Promise(
        "azurerm_container_registry", "encryption", "the registry has no key of yours", _registry_is_encrypted
    ),
    _is_private("public-access", "azurerm_machine_learning_workspace", "workspace"),
    _is_private("public-access", "azurerm_cognitive_account", "account of models"),
    _is_private("public-access", "azurerm_search_service", "search service"),
    Promise(
        "azurerm_cognitive_account",
        "shared-keys",
        "the account's own keys open it",
        _is("local_auth_enabled", wanted=False, default=True),
    ),
    Promise(
        "azurerm_search_service",
        "shared-keys",
        "the service's own keys open it",
        _is("local_authentication_enabled", wanted=False, default=True),
    ),
    Promise(
        "azurerm_machine_learning_compute_cluster",
        "public-compute",
        "the cluster's machines have public addresses",
        _is("node_public_ip_enabled", wanted=False, default=True),
    ),
    Promise(
        "azurerm_subnet",
        "default-egress",
        "machines in the subnet reach the internet by Azure's default",
        _is("default_outbound_access_enabled", wanted=False, default=True),
    ),
    Promise(
        "azurerm_network_security_rule",
        "open-ingress",
        "the whole internet may connect",
        _ingress_is_narrow,
    ),
    Promise(
        "azurerm_role_assignment", "broad-grant", "it makes an administrator without bounds", _is_no_owner
    ),
)

GUARDED: Mapping[str, tuple[str, ...]] = {
    "azapi_resource": ("body", "identity"),
    "azapi_resource_action": ("body",),
    "azurerm_application_insights": ("local_authentication_enabled", "workspace_id"),
    "azurerm_cognitive_account": ("customer_managed_key", "network_acls"),
    "azurerm_container_registry": ("encryption", "export_policy_enabled", "network_rule_bypass_option"),
    "azurerm_federated_identity_credential": ("audience", "issuer", "subject"),
    "azurerm_log_analytics_workspace": ("local_authentication_enabled",),
    "azurerm_machine_learning_compute_cluster": ("local_auth_enabled", "ssh_public_access_enabled"),
    "azurerm_machine_learning_workspace": ("encryption", "managed_network", "storage_account_access_type"),
    "azurerm_management_lock": ("lock_level", "scope"),
    "azurerm_monitor_diagnostic_setting": ("enabled_log", "log_analytics_workspace_id"),
    "azurerm_network_security_rule": (
        *("access", "destination_address_prefix", "destination_port_range", "destination_port_ranges"),
        *("direction", "priority", "protocol", "source_address_prefix"),
    ),
    "azurerm_private_endpoint": ("private_service_connection", "subnet_id"),
    "azurerm_role_assignment": (
        *("condition", "condition_version", "principal_id", "role_definition_id", "role_definition_name"),
        "scope",
    ),
    "azurerm_role_definition": ("assignable_scopes", "permissions"),
    "azurerm_storage_account": (
        *("allowed_copy_scope", "cross_tenant_replication_enabled", "customer_managed_key"),
        *("infrastructure_encryption_enabled", "is_hns_enabled", "local_user_enabled", "network_rules"),
    ),
    "azurerm_subnet": ("private_endpoint_network_policies",),
}
"""Arguments whose value the platform's security rests on, by type: whatever else an override makes of one is said."""


def violations_in(
    stacks: Sequence[Stack], platform: Platform, made: Sequence[Stack]
) -> tuple[PolicyViolation, ...]:
    """Return every broken promise, in the order of the graph."""
    return broken_promises(stacks, platform, made, promises=RULES, guarded=GUARDED)
