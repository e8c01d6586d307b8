"""The security stack: the resource group, the vault with its key, the logs of the whole platform, and the audit.

May not know what is encrypted or logged; what needs the vault, the key or the logs gets a handle.
"""

from __future__ import annotations

from bisect import bisect_left

from stacks.azure.context import Account, Base, Context, Keys
from stacks.azure.locks import add_lock
from stacks.azure.logs import Told, add_diagnostics
from stacks.azure.roles import Assignment, assign
from stacks.graph import Lifecycle, Node, StackBuilder, Value, text
from stacks.intents import AuditTrail, Encryption, InvocationLogging, describe

__all__ = ["LOG_DAYS", "lower"]

ORIGIN = "platform"
SOFT_DELETE_DAYS = 90
LOG_DAYS = (30, 730)
"""The shortest and the longest that a Log Analytics workspace keeps logs for questions (November 2026)."""
DEFAULT_LOG_DAYS = 90
ARCHIVE_DAYS = (1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383)
"""What a table may keep beyond two years (azurerm 5, total_retention_in_days, November 2026)."""
AUDIT_TABLES = ("AzureActivity", "AZKVAuditLogs", "StorageBlobLogs")
"""Who managed what, who used a key, and who touched a blob."""
LOG_TABLES = (
    *("AmlComputeClusterEvent", "AmlComputeJobEvent", "AmlRunStatusChangedEvent"),
    *("AmlOnlineEndpointConsoleLog", "AmlOnlineEndpointEventLog", "AmlOnlineEndpointTrafficLog"),
    *("AppDependencies", "AppExceptions", "AppRequests", "AppTraces"),
    *("AzureDiagnostics", "ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents"),
)
"""Where the other logs of the platform are (Azure Monitor Logs, tables by resource type, November 2026)."""
ACTIVITY = (
    *("Administrative", "Alert", "Autoscale", "Policy", "Recommendation", "ResourceHealth", "Security"),
    "ServiceHealth",
)
KEY_API = "Microsoft.KeyVault/vaults/keys@2025-05-01"
KEY = "data"


def lower(context: Context) -> tuple[StackBuilder, Base, Keys]:
    """Make what every other stack is put into, encrypts with and reports to."""
    stack = StackBuilder("security")
    current = stack.data("azurerm_client_config", "current", {}, origin=ORIGIN)
    group = stack.resource(
        "azurerm_resource_group",
        "platform",
        {"name": context.name("resource-group"), "location": context.region, "tags": context.tags},
        origin=ORIGIN,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="the whole platform",
    )
    vault = _vault(stack, context, group, current)
    logs, insights = _logs(stack, context, group)
    base = Base(
        resource_group=group.ref("name"),
        resource_group_id=group.ref("id"),
        tenant_id=current.ref("tenant_id"),
        key_vault_id=vault.ref("id"),
        key_vault_uri=vault.ref("vault_uri"),
        log_analytics_id=logs.ref("id"),
        application_insights_id=insights.ref("id"),
    )
    add_diagnostics(
        stack, context, base, Told(name="vault", target=vault.ref("id"), origin=ORIGIN, dedicated=True)
    )
    _audit(stack, context, base)
    keys = _keys(stack, context, base, vault)
    stack.export("resource_group", base.resource_group)
    stack.export("key_vault_uri", base.key_vault_uri)
    stack.export("log_analytics_workspace_id", base.log_analytics_id)
    if keys.data is not None:
        stack.export("data_key_id", keys.data)
    return stack, base, keys


def _vault(stack: StackBuilder, context: Context, group: Node, current: Node) -> Node:
    vault = stack.resource(
        "azurerm_key_vault",
        "platform",
        {
            "name": context.vault,
            "resource_group_name": group.ref("name"),
            "location": context.region,
            "tenant_id": current.ref("tenant_id"),
            "sku_name": "premium",
            "rbac_authorization_enabled": True,
            "purge_protection_enabled": True,
            "soft_delete_retention_days": SOFT_DELETE_DAYS,
            "public_network_access_enabled": False,
            "enabled_for_deployment": False,
            "enabled_for_disk_encryption": False,
            "enabled_for_template_deployment": False,
            # Storage, the registry and Azure ML come for the key from outside the network.
            "network_acls": {"bypass": "AzureServices", "default_action": "Deny"},
            "tags": context.tags,
        },
        origin=ORIGIN,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="the keys, and everything that they encrypted",
    )
    add_lock(stack, context, vault)
    return vault


def _logs(stack: StackBuilder, context: Context, group: Node) -> tuple[Node, Node]:
    """Ingestion and queries over the internet stay on: jobs in the workspace's own network, and people, come that way.

    Both take a token of the directory, and no key.
    """
    logs = stack.resource(
        "azurerm_log_analytics_workspace",
        "platform",
        {
            "name": context.name("log-analytics", "logs"),
            "resource_group_name": group.ref("name"),
            "location": context.region,
            "sku": "PerGB2018",
            "retention_in_days": _log_days(context),
            "local_authentication_enabled": False,
            "allow_resource_only_permissions": True,
            "tags": context.tags,
        },
        origin=ORIGIN,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="the logs of the whole platform",
    )
    add_lock(stack, context, logs)
    insights = stack.resource(
        "azurerm_application_insights",
        "platform",
        {
            "name": context.name("application-insights", "insights"),
            "resource_group_name": group.ref("name"),
            "location": context.region,
            "application_type": "web",
            "workspace_id": logs.ref("id"),
            "local_authentication_enabled": False,
            "ip_masking_enabled": True,
            "tags": context.tags,
        },
        origin=ORIGIN,
    )
    return logs, insights


def _log_days(context: Context) -> int:
    audit = context.one_of(AuditTrail)
    shortest, longest = LOG_DAYS
    return DEFAULT_LOG_DAYS if audit is None else min(max(audit.log_retention_days, shortest), longest)


def _kept_for(days: int) -> int:
    """Round up to what a table may keep, which is more than the spec may ask."""
    return days if days <= LOG_DAYS[1] else ARCHIVE_DAYS[bisect_left(ARCHIVE_DAYS, days)]


def _audit(stack: StackBuilder, context: Context, base: Base) -> None:
    """Keep tables as long as asked, and send the subscription's activity log to the audit's once.

    What the workspace itself does not keep, the tables archive.

    The activity log is the subscription's: the first environment in it collects it for all.
    """
    intent = context.one_of(AuditTrail)
    if intent is None:
        return
    origin = describe(intent)
    logs = max(_kept_for(intent.log_retention_days), _log_days(context))
    kept = dict.fromkeys(AUDIT_TABLES, max(_kept_for(intent.retention_days), logs))
    if logs > _log_days(context):
        kept.update(dict.fromkeys(_log_tables(context), logs))
    for table, days in kept.items():
        stack.resource(
            "azurerm_log_analytics_workspace_table",
            table.lower(),
            {
                "workspace_id": base.log_analytics_id,
                "name": table,
                "plan": "Analytics",
                "retention_in_days": _log_days(context),
                "total_retention_in_days": days,
            },
            origin=origin,
        )
    if context.platform.first_in_account:
        stack.resource(
            "azurerm_monitor_diagnostic_setting",
            "activity",
            {
                "name": context.name("diagnostic-setting", "activity"),
                "target_resource_id": context.subscription_id,
                "log_analytics_workspace_id": base.log_analytics_id,
                "enabled_log": [{"category": category} for category in ACTIVITY],
            },
            origin=origin,
        )


def _log_tables(context: Context) -> tuple[str, ...]:
    """The tables but for the one that the llm stack keeps, where it logs who asks models."""
    models = context.one_of(InvocationLogging)
    elsewhere = {"AzureDiagnostics"} if models is not None and models.retention_days is not None else set()
    return tuple(table for table in LOG_TABLES if table not in elsewhere)


def _keys(stack: StackBuilder, context: Context, base: Base, vault: Node) -> Keys:
    """Make the key through the resource manager: the vault itself cannot be reached from outside the network, which
    nobody could be inside of yet.

    An action has no deletion, as the vault's keys have none there: they go with the vault.
    """
    intent = context.one_of(Encryption)
    if intent is None or not context.own_keys:
        return Keys()
    origin = describe(intent)
    user = stack.resource(
        "azurerm_user_assigned_identity",
        "keys",
        {
            "name": context.name("identity", "keys"),
            "resource_group_name": base.resource_group,
            "location": context.region,
            "tags": context.tags,
        },
        origin=origin,
    )
    account = Account(
        id=user.ref("id"), principal_id=user.ref("principal_id"), client_id=user.ref("client_id")
    )
    key_id = text(vault.ref("id"), f"/keys/{KEY}")
    key = stack.resource(
        "azapi_resource_action",
        "key-data",
        {"type": KEY_API, "resource_id": key_id, "method": "PUT", "body": _key()},
        origin=origin,
        holds="everything that the key encrypted",
    )
    assign(
        stack,
        context,
        account,
        Assignment(
            role="key-user",
            who="keys",
            on=key_id,
            what="data",
            origin=origin,
            why="Storage, the registry and the workspace encrypt as this identity",
        ),
        after=(key,),
    )
    return Keys(data=f"{context.vault_uri}keys/{KEY}", data_scope=key_id, user=account)


def _key() -> Value:
    """A key in an HSM that is renewed every year and good for a quarter more; whoever names no version follows."""
    return {
        "properties": {
            "kty": "RSA-HSM",
            "keySize": 3072,
            "keyOps": ["unwrapKey", "wrapKey"],
            "attributes": {"enabled": True, "exportable": False},
            "rotationPolicy": {
                "attributes": {"expiryTime": "P15M"},
                "lifetimeActions": [
                    {"action": {"type": "rotate"}, "trigger": {"timeAfterCreate": "P1Y"}},
                    {"action": {"type": "notify"}, "trigger": {"timeBeforeExpiry": "P30D"}},
                ],
            },
        }
    }
