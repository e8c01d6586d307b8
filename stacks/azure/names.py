"""Azure's naming rules, and the names that follow them.

May not know a resource or an intent. Each limit carries its source; all were read in November 2026.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from stacks import names
from stacks.names import NameRule

__all__ = ["NAMED", "RULES", "fitted", "unique"]

_HASH_CHARACTERS = 8
_CAF = "Azure Resource Manager, naming rules and restrictions for Azure resources"

RULES = {
    "resource-group": NameRule(longest=90, pattern=r"[\w().-]*[\w()-]", source=_CAF),
    "storage-account": NameRule(
        longest=24, pattern=r"[a-z0-9]{3,24}", source=f"{_CAF}: Microsoft.Storage (3-24, global)", joint=""
    ),
    "container": NameRule(
        longest=63,
        pattern=r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        source=f"{_CAF}: Microsoft.Storage, blob containers (3-63)",
    ),
    "key-vault": NameRule(
        longest=24,
        pattern=r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
        source=f"{_CAF}: Microsoft.KeyVault (3-24, global)",
    ),
    "registry": NameRule(
        longest=50,
        pattern=r"[a-zA-Z0-9]{5,50}",
        source=f"{_CAF}: Microsoft.ContainerRegistry (5-50, global)",
        joint="",
    ),
    "registry-task": NameRule(
        longest=50,
        pattern=r"[a-zA-Z0-9][a-zA-Z0-9_-]{3,48}[a-zA-Z0-9]",
        source=f"{_CAF}: Microsoft.ContainerRegistry, tasks (5-50)",
    ),
    "log-analytics": NameRule(
        longest=63,
        pattern=r"[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]",
        source=f"{_CAF}: Microsoft.OperationalInsights (4-63)",
    ),
    "application-insights": NameRule(
        longest=255, pattern=r"[^%&\\?/]*[^%&\\?/. ]", source=f"{_CAF}: Microsoft.Insights, components"
    ),
    "diagnostic-setting": NameRule(
        longest=260, pattern=r"[^*<>%&:\\?+/ ]+", source="azurerm 5, MonitorDiagnosticSettingName"
    ),
    "identity": NameRule(
        longest=128,
        pattern=r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}",
        source=f"{_CAF}: Microsoft.ManagedIdentity, user-assigned identities (3-128)",
    ),
    "federated-credential": NameRule(
        longest=120,
        pattern=r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,119}",
        source=f"{_CAF}: Microsoft.ManagedIdentity, federated identity credentials (3-120)",
    ),
    "role-definition": NameRule(
        longest=128,
        pattern=r".{1,128}",
        source="Azure RBAC, custom roles: role name, unique in the directory",
    ),
    "network": NameRule(
        longest=64,
        pattern=r"[a-zA-Z0-9][\w.-]*\w",
        source=f"{_CAF}: Microsoft.Network, virtual networks (2-64)",
    ),
    "network-part": NameRule(
        longest=80,
        pattern=r"[a-zA-Z0-9]([\w.-]*\w)?",
        source=f"{_CAF}: Microsoft.Network: subnets, security groups and rules, addresses, gateways, endpoints (1-80)",
    ),
    "lock": NameRule(
        longest=90,
        pattern=r"[a-zA-Z0-9_().-]*[a-zA-Z0-9_()-]",
        source=f"{_CAF}: Microsoft.Authorization, locks",
    ),
    "workspace": NameRule(
        longest=33,
        pattern=r"[a-zA-Z0-9][\w-]{2,32}",
        source=f"{_CAF}: Microsoft.MachineLearningServices, workspaces (3-33)",
    ),
    "ml-registry": NameRule(
        longest=33,
        pattern=r"[a-zA-Z0-9][\w-]{2,32}",
        source="Machine Learning REST API, Registries: registryName (3-33)",
    ),
    "compute": NameRule(
        longest=24,
        pattern=r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
        source=f"{_CAF}: Microsoft.MachineLearningServices, computes (3-24, an instance's unique in the location)",
    ),
    "endpoint": NameRule(
        longest=32,
        pattern=r"[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]",
        source="Azure Machine Learning, managed online endpoints: name (3-32, unique in the location)",
    ),
    "ml-asset": NameRule(
        longest=254,
        pattern=r"[a-zA-Z0-9][a-zA-Z0-9_-]{0,253}",
        source="Machine Learning REST API, names of datastores, schedules, feature sets and entities",
    ),
    "cognitive-account": NameRule(
        longest=64,
        pattern=r"[a-zA-Z0-9][a-zA-Z0-9-]{0,62}[a-zA-Z0-9]",
        source=f"{_CAF}: Microsoft.CognitiveServices (2-64); also the subdomain, which takes no dots or underscores",
    ),
    "search": NameRule(
        longest=60,
        pattern=r"(?!.*--)[a-z0-9]{2}([a-z0-9-]{0,57}[a-z0-9])?",
        source=f"{_CAF}: Microsoft.Search (2-60, global; no hyphen in the first two)",
    ),
    "action-group": NameRule(
        longest=260,
        pattern=r"[^:<>+/&%\\?|]*[^:<>+/&%\\?|. ]",
        source=f"{_CAF}: Microsoft.Insights, action groups",
    ),
    "alert": NameRule(
        longest=260,
        pattern=r"[^*#&+:<>?@%{}\\/|]*[^*#&+:<>?@%{}\\/|. ]",
        source=f"{_CAF}: Microsoft.Insights, alerts",
    ),
    "event-topic": NameRule(
        longest=50, pattern=r"[a-zA-Z0-9-]{3,50}", source=f"{_CAF}: Microsoft.EventGrid, topics (3-50)"
    ),
    "event-subscription": NameRule(
        longest=64, pattern=r"[a-zA-Z0-9-]{3,64}", source=f"{_CAF}: Microsoft.EventGrid, subscriptions (3-64)"
    ),
    "dashboard": NameRule(
        longest=64,
        pattern=r"[a-zA-Z0-9-]{3,64}",
        source=f"{_CAF}: Microsoft.Portal, dashboards (3-160); azurerm 5 (64)",
    ),
    "budget": NameRule(
        longest=63, pattern=r"[a-zA-Z0-9_-]{1,63}", source=f"{_CAF}: Microsoft.Consumption, budgets (1-63)"
    ),
}

NAMED = {
    ("azurerm_resource_group", "name"): "resource-group",
    ("azurerm_storage_account", "name"): "storage-account",
    ("azurerm_storage_container", "name"): "container",
    ("azurerm_key_vault", "name"): "key-vault",
    ("azurerm_container_registry", "name"): "registry",
    ("azurerm_container_registry_task", "name"): "registry-task",
    ("azurerm_log_analytics_workspace", "name"): "log-analytics",
    ("azurerm_application_insights", "name"): "application-insights",
    ("azurerm_monitor_diagnostic_setting", "name"): "diagnostic-setting",
    ("azurerm_user_assigned_identity", "name"): "identity",
    ("azurerm_federated_identity_credential", "name"): "federated-credential",
    ("azurerm_role_definition", "name"): "role-definition",
    ("azurerm_virtual_network", "name"): "network",
    ("azurerm_subnet", "name"): "network-part",
    ("azurerm_network_security_group", "name"): "network-part",
    ("azurerm_network_security_rule", "name"): "network-part",
    ("azurerm_nat_gateway", "name"): "network-part",
    ("azurerm_public_ip", "name"): "network-part",
    ("azurerm_private_endpoint", "name"): "network-part",
    ("azurerm_private_dns_zone_virtual_network_link", "name"): "network-part",
    ("azurerm_management_lock", "name"): "lock",
    ("azurerm_machine_learning_workspace", "name"): "workspace",
    ("azurerm_machine_learning_compute_cluster", "name"): "compute",
    ("azurerm_machine_learning_compute_instance", "name"): "compute",
    ("azurerm_cognitive_account", "name"): "cognitive-account",
    ("azurerm_search_service", "name"): "search",
    ("azurerm_monitor_action_group", "name"): "action-group",
    ("azurerm_monitor_metric_alert", "name"): "alert",
    ("azurerm_monitor_scheduled_query_rules_alert_v2", "name"): "alert",
    ("azurerm_eventgrid_system_topic", "name"): "event-topic",
    ("azurerm_eventgrid_system_topic_event_subscription", "name"): "event-subscription",
    ("azurerm_portal_dashboard", "name"): "dashboard",
    ("azurerm_consumption_budget_resource_group", "name"): "budget",
}
"""The arguments that are names in Azure, by type and argument: the kind of name that each is."""


def fitted(kind: str, name: str) -> str:
    """Return ``name`` as a legal name of a kind."""
    return names.fitted(kind, RULES[kind], name)


def unique(kind: str, parts: Sequence[str], subscription: str) -> str:
    """Return a name that nobody else in Azure has: what can be read of ``parts``, and a hash of them and the subscription.

    The last part is kept whole where the limit cuts; a hyphen in the second place goes, which not every kind takes.
    """
    rule = RULES[kind]
    digest = sha256("/".join((*parts, subscription)).encode()).hexdigest()[:_HASH_CHARACTERS]
    *start, last = (part if rule.joint else part.replace("-", "") for part in parts)
    room = rule.longest - _HASH_CHARACTERS - len(last) - 2 * len(rule.joint)
    head = rule.joint.join(start)[:room].rstrip("-")
    head = head[:1] + head[1:].removeprefix("-")
    return fitted(kind, f"{head}{rule.joint}{last}{rule.joint}{digest}")
