"""Identities of a CI system's jobs, by federation and without secrets: plan reads, build pushes images, deploy changes the platform.

May not trust a job of another repository, branch or environment, nor let a job make itself an administrator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from stacks.azure.conditions import assigns_only
from stacks.azure.context import Account
from stacks.azure.network import endpoint_subnet
from stacks.azure.roles import Assignment, assign, built_ins
from stacks.azure.state import place_of
from stacks.azure.storage import watcher_id
from stacks.azure.workloads import Reach, add_identity, on_bucket
from stacks.graph import GraphError, Node, StackBuilder, Value
from stacks.intents import (
    CiIdentity,
    ExistingNetwork,
    KnowledgeBase,
    PrivateNetwork,
    TrainingPipeline,
    describe,
    job_url,
)

__all__ = ["JOBS", "add_ci"]

JOBS = ("plan", "build", "deploy")
AUDIENCE = "api://AzureADTokenExchange"
GITHUB = "https://token.actions.githubusercontent.com"
SUBSCRIPTION_READS = (
    "Microsoft.Authorization/roleAssignments/read",
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.Insights/DiagnosticSettings/Read",
    "Microsoft.Resources/subscriptions/providers/read",
    "Microsoft.Resources/subscriptions/read",
)
"""What a plan of the security and identity stacks looks at beyond the resource group."""
SEARCH_KEYS = (
    "Microsoft.Search/searchServices/listAdminKeys/action",
    "Microsoft.Search/searchServices/listQueryKeys/action",
)
"""What azurerm asks of every search service that it reads (5.10). The services here take no keys, so these open nothing."""


def _issuer(intent: CiIdentity) -> str:
    match intent.system:
        case "github":
            return GITHUB
        case "gitlab":
            return f"https://{intent.host}"
        case "jenkins":
            return f"https://{intent.host}/oidc"
        case "azure-devops":
            return f"https://vstoken.dev.azure.com/{intent.organization}"
        case "circleci":
            return f"https://oidc.circleci.com/org/{intent.organization}"
        case _:
            assert_never(intent.system)


def _subjects(intent: CiIdentity, name: str, environment: str) -> Mapping[str, str]:
    """Subjects as the vendors document them (GitHub: OIDC reference; GitLab: ID token payload; Jenkins: oidc-provider
    plugin; Azure DevOps: workload identity federation of service connections; November 2026).

    Azure compares the whole of a subject, so of the branches of GitLab and Jenkins it is the one that is named, and of
    CircleCI, whose subjects have a person in them, there is none: ``target`` refuses it.
    """
    repository = intent.repository
    match intent.system:
        case "github":
            return {
                "plan": f"repo:{repository}:pull_request",
                "build": f"repo:{repository}:ref:refs/heads/{intent.branch}",
                "deploy": f"repo:{repository}:environment:{environment}",
            }
        case "gitlab":
            return dict.fromkeys(JOBS, f"project_path:{repository}:ref_type:branch:ref:{intent.branch}")
        case "jenkins":
            return dict.fromkeys(JOBS, job_url(intent, intent.branch))
        case "azure-devops":
            return {job: f"sc://{repository}/{name}-{environment}-ci-{job}" for job in JOBS}
        case "circleci":
            raise GraphError("a subject of CircleCI cannot be compared whole")
        case _:
            assert_never(intent.system)


def add_ci(stack: StackBuilder, reach: Reach, intent: CiIdentity) -> dict[str, Account]:
    """Add the three identities with their trust and their roles; return them by ``ci-`` and the job."""
    origin = describe(intent)
    accounts: dict[str, Account] = {}
    trusted: list[Node] = []
    platform = reach.context.platform
    for job, subject in _subjects(intent, platform.name, platform.environment).items():
        name = f"ci-{job}"
        accounts[name] = add_identity(stack, reach, name, origin=origin)
        trusted.append(
            stack.resource(
                "azurerm_federated_identity_credential",
                name,
                {
                    "name": reach.context.name("federated-credential", name),
                    "user_assigned_identity_id": accounts[name].id,
                    "audience": [AUDIENCE],
                    "issuer": _issuer(intent),
                    "subject": subject,
                },
                origin=origin,
                # Azure refuses credentials that are made at the same time.
                depends_on=trusted[-1:],
            )
        )
    give = _Giver(stack, reach, accounts, origin)
    _plan(give)
    _build(give)
    _deploy(give)
    if reach.context.one_of(KnowledgeBase) is not None:
        _see_search(stack, reach, accounts["ci-plan"], origin)
    _see_subscription(stack, reach, {name: accounts[name] for name in ("ci-plan", "ci-deploy")}, origin)
    return accounts


@dataclass(frozen=True, slots=True)
class _Giver:
    stack: StackBuilder
    reach: Reach
    accounts: Mapping[str, Account]
    origin: str

    def __call__(
        self, who: str, role: str, on: Value, what: str, *, why: str = "", condition: str = ""
    ) -> None:
        """Assign a role to a job's identity."""
        assignment = Assignment(
            role=role, who=who, on=on, what=what, origin=self.origin, why=why, condition=condition
        )
        assign(self.stack, self.reach.context, self.accounts[who], assignment)


def _plan(give: _Giver) -> None:
    """See the platform and its states; without a lock, which would be a write."""
    give("ci-plan", "reader", give.reach.base.resource_group_id, "platform")
    context = give.reach.context
    place = place_of(context)
    if place is not None:
        give("ci-plan", "blob-reader", place.container_id, "state")
    if context.one_of(PrivateNetwork) is not None:
        give("ci-plan", "reader", watcher_id(context), "watcher")


def _build(give: _Giver) -> None:
    if give.reach.registry.id is not None:
        give("ci-build", "acr-push", give.reach.registry.id, "images")


def _deploy(give: _Giver) -> None:
    """Change everything in the resource group, and assign the roles that the stacks do, of which none assigns roles."""
    group, context = give.reach.base.resource_group_id, give.reach.context
    give("ci-deploy", "contributor", group, "platform")
    give(
        "ci-deploy",
        "rbac-administrator",
        group,
        "platform",
        why="Assigns the roles of the platform's identities, and no role that could assign roles",
        condition=assigns_only(
            [role.id for role in built_ins().values() if role.deploy and not role.services],
            to_services=[role.id for role in built_ins().values() if role.deploy and role.services],
        ),
    )
    place = place_of(context)
    if place is not None:
        give("ci-deploy", "blob-contributor", place.container_id, "state")
    if context.one_of(PrivateNetwork) is not None:
        give("ci-deploy", "network-contributor", watcher_id(context), "watcher")
    if any(pipeline.schedule for pipeline in context.all_of(TrainingPipeline)):
        # `scaffolder schedules apply` uploads the code that a schedule starts.
        on = on_bucket(give.reach, "ci-deploy", "artifacts", give.origin, below=("code/",))
        assign(give.stack, context, give.accounts["ci-deploy"], on)
    existing = context.one_of(ExistingNetwork)
    if existing is not None:
        # Private endpoints join a subnet of another resource group.
        give("ci-deploy", "network-contributor", endpoint_subnet(existing), "subnet")


def _see_search(stack: StackBuilder, reach: Reach, plan: Account, origin: str) -> None:
    """Let a plan read search services as azurerm does, which a reader may not."""
    group = reach.base.resource_group_id
    definition = stack.resource(
        "azurerm_role_definition",
        "search",
        {
            "name": reach.context.unique_name("role-definition", "search"),
            "scope": group,
            "description": f"{reach.context.prefix}: what its plans read of search services",
            "permissions": [{"actions": list(SEARCH_KEYS)}],
            "assignable_scopes": [group],
        },
        origin=origin,
    )
    stack.resource(
        "azurerm_role_assignment",
        "ci-plan-search",
        {
            "scope": group,
            "role_definition_id": definition.ref("role_definition_resource_id"),
            "principal_id": plan.principal_id,
            "principal_type": "ServicePrincipal",
            "skip_service_principal_aad_check": True,
        },
        origin=origin,
    )


def _see_subscription(
    stack: StackBuilder, reach: Reach, accounts: Mapping[str, Account], origin: str
) -> None:
    """Let them see what of the subscription the stacks refer to; Azure's own Reader would see all of it."""
    context = reach.context
    definition = stack.resource(
        "azurerm_role_definition",
        "subscription",
        {
            "name": context.unique_name("role-definition", "subscription"),
            "scope": context.subscription_id,
            "description": f"{context.prefix}: what its deployment looks at in the subscription",
            "permissions": [{"actions": list(SUBSCRIPTION_READS)}],
            "assignable_scopes": [context.subscription_id],
        },
        origin=origin,
    )
    for name, account in accounts.items():
        stack.resource(
            "azurerm_role_assignment",
            f"{name}-subscription",
            {
                "scope": context.subscription_id,
                "role_definition_id": definition.ref("role_definition_resource_id"),
                "principal_id": account.principal_id,
                "principal_type": "ServicePrincipal",
                "skip_service_principal_aad_check": True,
            },
            origin=origin,
        )
