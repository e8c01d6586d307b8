"""Models by name, before they have a version; and the registry that carries versions from one environment to the next.

May not register a version: that is a pipeline's, or the operations'.
"""

from __future__ import annotations

from stacks.azure.catalog import zones_of
from stacks.azure.context import Surroundings, Workplace
from stacks.azure.locks import add_lock
from stacks.azure.outbound import add_private_rule
from stacks.azure.private import Endpoint, add_private_endpoint
from stacks.azure.roles import Assignment, assign
from stacks.graph import Lifecycle, StackBuilder
from stacks.intents import ModelRegistry, describe

__all__ = ["add_models"]

API = "2025-12-01"
PART = "amlregistry"
"""What a private endpoint of a registry reaches (Microsoft Learn, network isolation with registries, November 2026)."""
REGISTRY_USERS = ("training", "pipelines", "serving")


def add_models(stack: StackBuilder, around: Surroundings, workplace: Workplace) -> None:
    """Make each model's container, and the account's registry where this environment is the account's first."""
    models = tuple(around.context.all_of(ModelRegistry))
    for model in models:
        _container(stack, around, workplace, model)
    if models and around.context.platform.first_in_account:
        _registry(stack, around, workplace, describe(models[0]))


def _container(stack: StackBuilder, around: Surroundings, workplace: Workplace, model: ModelRegistry) -> None:
    """A model's line of versions. The operations read from its tags how a version is approved, and what it starts."""
    approval: dict[str, str] = {"approval": model.approval}
    if model.approval_pipeline is not None:
        approval["on_approval"] = model.approval_pipeline
    stack.resource(
        "azapi_resource",
        f"model-{model.name}",
        {
            "type": f"Microsoft.MachineLearningServices/workspaces/models@{API}",
            "name": model.name,
            "parent_id": workplace.id,
            "body": {
                "properties": {
                    "description": f"Versions of {model.name}",
                    "isArchived": False,
                    "tags": {**around.context.tags, **approval},
                }
            },
        },
        origin=describe(model),
        lifecycle=Lifecycle(prevent_destroy=around.context.protected),
        holds="every registered version of the model",
    )


def _registry(stack: StackBuilder, around: Surroundings, workplace: Workplace, origin: str) -> None:
    """One for all environments of an account: versions are promoted through it. azurerm has no resource for it."""
    context = around.context
    registry = stack.resource(
        "azapi_resource",
        "ml-registry",
        {
            "type": f"Microsoft.MachineLearningServices/registries@{API}",
            "name": context.unique_name("ml-registry", "models"),
            "parent_id": around.base.resource_group_id,
            "location": context.region,
            "identity": {"type": "SystemAssigned"},
            "body": {
                "properties": {
                    "publicNetworkAccess": "Disabled",
                    "regionDetails": [
                        {
                            "location": context.region,
                            "acrDetails": [{"systemCreatedAcrAccount": {"acrAccountSku": "Premium"}}],
                            "storageAccountDetails": [
                                {
                                    "systemCreatedStorageAccount": {
                                        "storageAccountType": "Standard_ZRS"
                                        if zones_of(context.region)
                                        else "Standard_GRS",
                                        "storageAccountHnsEnabled": False,
                                        "allowBlobPublicAccess": False,
                                    }
                                }
                            ],
                        }
                    ],
                }
            },
            "tags": context.tags,
        },
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="every version that was shared between environments",
    )
    add_lock(stack, context, registry)
    endpoint = Endpoint(
        name="ml-registry",
        target=registry.ref("id"),
        subresource=PART,
        origin=origin,
        zones=("amlworkspace",),
    )
    add_private_endpoint(stack, context, around.base, around.network, endpoint)
    add_private_rule(stack, context, workplace, endpoint)
    for purpose in REGISTRY_USERS:
        if purpose in around.roles:
            assignment = Assignment(
                role="ml-registry-user",
                who=purpose,
                on=registry.ref("id"),
                what="ml-registry",
                origin=origin,
            )
            assign(stack, context, around.roles[purpose], assignment)
    stack.export("ml_registry_id", registry.ref("id"))
