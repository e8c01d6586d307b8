"""The llm stack: an account for large models, its models and filters, its log, and search for knowledge bases.

May not fill an index or ask a model anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stacks.adapter import Skipped
from stacks.azure.context import Surroundings, Workplace
from stacks.azure.guardrails import add_guardrails
from stacks.azure.knowledge import add_knowledge_bases
from stacks.azure.llm_ids import Model, model_of
from stacks.azure.logs import Told, add_diagnostics
from stacks.azure.outbound import add_private_rule
from stacks.azure.private import Endpoint, add_private_endpoint
from stacks.azure.roles import Assignment, assign, assign_people
from stacks.graph import Lifecycle, Node, StackBuilder, Value
from stacks.intents import (
    FoundationModels,
    Guardrail,
    HumanRole,
    InvocationLogging,
    KnowledgeBase,
    describe,
)

__all__ = ["lower"]

USERS = ("training", "serving", "workspace")
CAPACITY = 10
"""Thousands of tokens a minute for each model."""

DATA_ZONES = frozenset(
    {
        *(
            "francecentral",
            "germanywestcentral",
            "italynorth",
            "northeurope",
            "polandcentral",
            "spaincentral",
        ),
        *("swedencentral", "westeurope"),
        *("centralus", "eastus", "eastus2", "northcentralus", "southcentralus", "westus", "westus3"),
    }
)
"""Locations whose models may answer anywhere in the EU, or anywhere in the USA, and nowhere else (Microsoft Learn,
deployment types of Foundry models, November 2026)."""

SHORTEST_DAYS, LONGEST_DAYS = 30, 730
ARCHIVES = (1095, 1460, 1826, 2191, 2556, 2922, 3288, 3653, 4018, 4383)
"""Days that a table of Log Analytics keeps, and those for which it archives (azurerm 5.10, workspace tables)."""


def lower(around: Surroundings, workplace: Workplace | None) -> tuple[StackBuilder, Sequence[Skipped]]:
    """Make what the platform asks for; the stack is empty when it asks for nothing. Return also what is left to do."""
    context = around.context
    stack = StackBuilder("llm")
    asked = [
        intent for kind in (FoundationModels, Guardrail, KnowledgeBase) for intent in context.all_of(kind)
    ]
    if not asked:
        return stack, ()
    origin = describe(asked[0])
    account = _account(stack, around, origin)
    rules = _reach(stack, around, workplace, account, origin)
    guardrails = add_guardrails(stack, context, account)
    deployments = _deployments(stack, around, account, guardrails)
    _access(stack, around, account, origin)
    _log(stack, around, account)
    stack.export("models_endpoint", account.ref("endpoint"))
    stack.export("model_deployments", {model: node.ref("name") for model, node in deployments.items()})
    if guardrails:
        stack.export("guardrail_policies", {name: node.ref("name") for name, node in guardrails.items()})
    return stack, add_knowledge_bases(stack, around, workplace, account, deployments, rules)


def _account(stack: StackBuilder, around: Surroundings, origin: str) -> Node:
    context, keys = around.context, around.keys
    name = context.unique_name("cognitive-account", "ai")
    identity: Value = {"type": "SystemAssigned"}
    encryption: Value = None
    if keys.user is not None:
        identity = {"type": "UserAssigned", "identity_ids": [keys.user.id]}
        encryption = {"key_vault_key_id": keys.data, "identity_client_id": keys.user.client_id}
    return stack.resource(
        "azurerm_cognitive_account",
        "models",
        {
            "name": name,
            "location": context.region,
            "resource_group_name": around.base.resource_group,
            "kind": "AIServices",
            "sku_name": "S0",
            "custom_subdomain_name": name,
            "local_auth_enabled": False,
            "public_network_access_enabled": False,
            "outbound_network_access_restricted": True,
            # Azure AI Search asks it for vectors with its own identity, from Azure's side.
            "network_acls": {"default_action": "Deny", "bypass": "AzureServices"},
            "identity": identity,
            "customer_managed_key": encryption,
            "tags": context.tags,
        },
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="the models' deployments and filters",
    )


def _reach(
    stack: StackBuilder, around: Surroundings, workplace: Workplace | None, account: Node, origin: str
) -> Sequence[Node]:
    """From the network, and from the network that the workspace manages."""
    context = around.context
    endpoint = Endpoint(
        name="models",
        target=account.ref("id"),
        subresource="account",
        origin=origin,
        zones=("cognitive", "openai", "ai"),
    )
    add_private_endpoint(stack, context, around.base, around.network, endpoint)
    return () if workplace is None else (add_private_rule(stack, context, workplace, endpoint),)


def _deployments(
    stack: StackBuilder, around: Surroundings, account: Node, guardrails: Mapping[str, Node]
) -> Mapping[str, Node]:
    """A deployment for each model. The first guardrail filters all that answer; a request may name another one."""
    policy = next(iter(guardrails.values()), None)
    after = tuple(guardrails.values())
    models = around.context.one_of(FoundationModels)
    wanted = {model: (describe(models), policy) for model in models.models} if models else {}
    for base in around.context.all_of(KnowledgeBase):
        wanted.setdefault(base.embedding_model, (describe(base), None))
    return {
        id_: _deployment(stack, around, account, model_of(id_), filtered, origin, after)
        for id_, (origin, filtered) in wanted.items()
    }


def _deployment(
    stack: StackBuilder,
    around: Surroundings,
    account: Node,
    model: Model,
    policy: Node | None,
    origin: str,
    after: Sequence[Node],
) -> Node:
    return stack.resource(
        "azurerm_cognitive_deployment",
        model.deployment,
        {
            "name": model.deployment,
            "cognitive_account_id": account.ref("id"),
            "model": {
                "format": model.format,
                "name": model.name,
                **({"version": model.version} if model.version else {}),
            },
            "sku": {"name": _deployed(around.context.region, model), "capacity": CAPACITY},
            "rai_policy_name": None if policy is None else policy.ref("name"),
            "version_upgrade_option": "NoAutoUpgrade" if model.version else "OnceCurrentVersionExpired",
        },
        origin=origin,
        depends_on=after,
        # Azure says which version it chose, and azurerm would take that back with every apply.
        lifecycle=None if model.version else Lifecycle(ignore_changes=("model[0].version",)),
    )


def _deployed(region: str, model: Model) -> str:
    """As near as the model can be had; ``llm_problems`` warned of one that answers from anywhere."""
    if not model.stays:
        return "GlobalStandard"
    return "DataZoneStandard" if region in DATA_ZONES else "Standard"


def _access(stack: StackBuilder, around: Surroundings, account: Node, origin: str) -> None:
    """Workloads and scientists may ask the models."""
    scope = account.ref("id")
    for purpose in USERS:
        if purpose in around.roles:
            assignment = Assignment(role="openai-user", who=purpose, on=scope, what="models", origin=origin)
            assign(stack, around.context, around.roles[purpose], assignment)
    for human in around.context.all_of(HumanRole):
        if human.purpose == "scientists":
            assign_people(
                stack,
                around.context,
                human.principals,
                Assignment(
                    role="openai-user", who=human.purpose, on=scope, what="models", origin=describe(human)
                ),
            )


def _log(stack: StackBuilder, around: Surroundings, account: Node) -> None:
    """Who managed the account, always; who asked the models, when the platform logs that."""
    intent = around.context.one_of(InvocationLogging)
    told = Told(
        name="models",
        target=account.ref("id"),
        origin=describe(intent) if intent else account.origin,
        categories=("Audit", "RequestResponse") if intent else ("Audit",),
    )
    add_diagnostics(stack, around.context, around.base, told)
    if intent is not None and intent.retention_days is not None:
        kept = max(intent.retention_days, SHORTEST_DAYS)
        stack.resource(
            "azurerm_log_analytics_workspace_table",
            "invocations",
            {
                "workspace_id": around.base.log_analytics_id,
                "name": "AzureDiagnostics",
                "plan": "Analytics",
                "retention_in_days": min(kept, LONGEST_DAYS),
                "total_retention_in_days": (
                    kept
                    if kept <= LONGEST_DAYS
                    else next((days for days in ARCHIVES if days >= kept), ARCHIVES[-1])
                ),
            },
            origin=describe(intent),
        )
