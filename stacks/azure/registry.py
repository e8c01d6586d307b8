"""The registry stack: one private registry for all images, and what keeps each repository small.

A repository is there with its first image, so none is made here. May not know what the images are for.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.azure.catalog import zones_of
from stacks.azure.context import Account, Base, Context, Keys, Network, Registry
from stacks.azure.locks import add_lock
from stacks.azure.logs import Told, add_diagnostics
from stacks.azure.private import Endpoint, add_private_endpoint
from stacks.azure.roles import Assignment, assign
from stacks.graph import Lifecycle, Node, StackBuilder, Value, text
from stacks.intents import ImageRepository, describe

__all__ = ["lower"]

ORIGIN = "image repositories"
NIGHTLY = "0 2 * * *"
TIMEOUT_S = 3600


def lower(context: Context, base: Base, keys: Keys, network: Network) -> tuple[StackBuilder | None, Registry]:
    """Make the registry, with a nightly task for each repository; no stack when there is none."""
    intents = tuple(context.all_of(ImageRepository))
    if not intents:
        return None, Registry()
    stack = StackBuilder("registry")
    registry = _registry(stack, context, base, keys, intents)
    add_lock(stack, context, registry)
    add_diagnostics(stack, context, base, Told(name="registry", target=registry.ref("id"), origin=ORIGIN))
    endpoint = Endpoint(name="registry", target=registry.ref("id"), subresource="registry", origin=ORIGIN)
    add_private_endpoint(stack, context, base, network, endpoint)
    for intent in intents:
        _clean(stack, context, registry, intent)
    addresses: dict[str, Value] = {
        intent.name: text(registry.ref("login_server"), f"/{intent.name}") for intent in intents
    }
    stack.export("registry_login_server", registry.ref("login_server"))
    stack.export("repository_urls", addresses)
    return stack, Registry(id=registry.ref("id"), login_server=registry.ref("login_server"))


def _registry(
    stack: StackBuilder, context: Context, base: Base, keys: Keys, intents: Sequence[ImageRepository]
) -> Node:
    return stack.resource(
        "azurerm_container_registry",
        "platform",
        {
            "name": context.unique_name("registry", "images"),
            "resource_group_name": base.resource_group,
            "location": context.region,
            "sku": "Premium",
            "admin_enabled": False,
            "anonymous_pull_enabled": False,
            "public_network_access_enabled": False,
            "export_policy_enabled": False,
            # Azure ML pulls and the nightly tasks run outside the network, each as an identity of its own.
            "network_rule_bypass_option": "AzureServices",
            "network_rule_bypass_for_tasks_enabled": True,
            "data_endpoint_enabled": True,
            "quarantine_policy_enabled": False,
            "zone_redundancy_enabled": bool(zones_of(context.region)),
            "retention_policy_in_days": max(intent.expire_untagged_days for intent in intents),
            **_encryption(keys),
            "tags": context.tags,
        },
        origin=ORIGIN,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="every image",
    )


def _encryption(keys: Keys) -> dict[str, Value]:
    if keys.user is None:
        return {}
    return {
        "identity": {"type": "UserAssigned", "identity_ids": [keys.user.id]},
        "encryption": [{"key_vault_key_id": keys.data, "identity_client_id": keys.user.client_id}],
    }


def _clean(stack: StackBuilder, context: Context, registry: Node, intent: ImageRepository) -> None:
    """Every night the tags of a repository go but for the newest, by a task that may do that and no more."""
    origin = describe(intent)
    task = stack.resource(
        "azurerm_container_registry_task",
        intent.name,
        {
            "name": context.name("registry-task", "keep", intent.name),
            "container_registry_id": registry.ref("id"),
            "platform": {"os": "Linux", "architecture": "amd64"},
            "encoded_step": {"task_content": _steps(intent)},
            "timer_trigger": [{"name": "nightly", "schedule": NIGHTLY, "enabled": True}],
            "timeout_in_seconds": TIMEOUT_S,
            "identity": {"type": "SystemAssigned"},
            "registry_credential": {
                "source": {"login_mode": "None"},
                "custom": [{"login_server": registry.ref("login_server"), "identity": "[system]"}],
            },
            "tags": context.tags,
        },
        origin=origin,
    )
    cleaner = Account(id=task.ref("id"), principal_id=task.ref("identity[0].principal_id"), client_id=None)
    for role in ("acr-delete", "acr-pull"):
        assignment = Assignment(
            role=role, who=f"keep-{intent.name}", on=registry.ref("id"), what="images", origin=origin
        )
        assign(stack, context, cleaner, assignment)


def _steps(intent: ImageRepository) -> str:
    """The task's own language (Azure Container Registry, "Automatically purge images", November 2026)."""
    purge = f"acr purge --filter '{intent.name}:.*' --ago 0d --keep {intent.keep_images}"
    return "\n".join(
        (
            "version: v1.1.0",
            "steps:",
            f"  - cmd: {purge}",
            "    disableWorkingDirectoryOverride: true",
            f"    timeout: {TIMEOUT_S}",
            "",
        )
    )
