"""Accounts for a CI system's jobs, by OIDC and without keys: plan reads, build pushes images, deploy changes the platform.

May not trust a job of another repository, branch or environment, nor let CI decide who may do what. Google has no ceiling
over an account's roles, so that who may make accounts or custom roles may make itself an owner. The deploy account may
not: it reads the identity stack, and an administrator applies that one. On the project it grants only the roles of service
agents, on keys only their use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import assert_never

from stacks.gcp import state
from stacks.gcp.agents import ROLES
from stacks.gcp.ci_roles import BY_API, DEPLOY, GRANT, KEY_GRANT, PLAN
from stacks.gcp.context import Account, Context
from stacks.gcp.grants import (
    Condition,
    Holder,
    Reach,
    act_as,
    add_account,
    let_do,
    on_bucket,
    on_project,
    on_registry,
)
from stacks.gcp.keys import USE_KEY
from stacks.gcp.names import fitted
from stacks.gcp.permissions import LOOK, RUNS
from stacks.gcp.services import services_of
from stacks.gcp.workloads import READ, WRITE
from stacks.graph import Node, StackBuilder, Value, text
from stacks.intents import CiIdentity, describe, job_url
from stacks.record import record

__all__ = ["LONGEST_SUBJECT", "add_ci_accounts", "grantable", "issuer_of"]

MADE_BY_STACKS = ("code/", "pipelines/")
"""Where Terraform itself puts objects: the code and the templates of pipelines."""
PUSH = "roles/artifactregistry.writer"
FEDERATE = "roles/iam.workloadIdentityUser"
ATTACHED = ("pipelines", "tracking", "triggers", "workspace")
"""The accounts that resources of the stacks run as."""

LONGEST_SUBJECT = 127
"""Characters of google.subject (Workload Identity Federation, attribute mappings, November 2026)."""


@record
class Issuer:
    """An OIDC issuer, what a token of the repository looks like, and who the three kinds of job are.

    ``audiences`` are what tokens are made for, where that is not the provider itself. A principal is ``subject/…`` or ``attribute.…``: a token's subject, or an attribute that it is mapped to.
    """

    uri: str
    audiences: tuple[str, ...]
    mapping: Mapping[str, str]
    condition: str
    plan: str
    build: str
    deploy: str


def issuer_of(intent: CiIdentity, name: str, environment: str) -> Issuer:
    """Claims as the vendors document them (GitHub: OIDC reference; GitLab: ID token payload; CircleCI: OpenID Connect
    tokens; Jenkins: oidc-provider plugin; Azure DevOps: workload identity federation; November 2026).
    """
    repository = intent.repository
    match intent.system:
        case "github":
            return Issuer(
                uri="https://token.actions.githubusercontent.com",
                audiences=(),
                mapping={
                    "google.subject": "assertion.sub",
                    "attribute.repository": "assertion.repository",
                    "attribute.ref": "assertion.ref",
                },
                condition=f'assertion.repository == "{repository}"',
                plan=f"subject/repo:{repository}:pull_request",
                build=f"subject/repo:{repository}:ref:refs/heads/{intent.branch}",
                deploy=f"subject/repo:{repository}:environment:{environment}",
            )
        case "gitlab":
            branch = f"project_path:{repository}:ref_type:branch:ref:{intent.branch}"
            return Issuer(
                uri=f"https://{intent.host}",
                audiences=(),
                mapping={
                    "google.subject": "assertion.sub",
                    "attribute.project_path": "assertion.project_path",
                    "attribute.ref_type": "assertion.ref_type",
                },
                condition=f'assertion.project_path == "{repository}"',
                plan="attribute.ref_type/branch",
                build=f"subject/{branch}",
                deploy=f"subject/{branch}",
            )
        case "circleci":
            # The whole subject has the person in it and is too long; the branch stands for it, in a pool of one repository.
            branch = f"subject/refs/heads/{intent.branch}"
            origin = f"github.com/{repository}"
            return Issuer(
                uri=f"https://oidc.circleci.com/org/{intent.organization}",
                audiences=(str(intent.organization),),
                mapping={
                    "google.subject": 'assertion["oidc.circleci.com/vcs-ref"]',
                    "attribute.origin": 'assertion["oidc.circleci.com/vcs-origin"]',
                },
                condition=f'assertion["oidc.circleci.com/vcs-origin"] == "{origin}"',
                plan=f"attribute.origin/{origin}",
                build=branch,
                deploy=branch,
            )
        case "jenkins":
            branch = f"subject/{job_url(intent, intent.branch)}"
            jobs = job_url(intent, "").removesuffix("/")
            return Issuer(
                uri=f"https://{intent.host}/oidc",
                audiences=(f"https://{intent.host}/oidc",),
                mapping={
                    "google.subject": "assertion.sub",
                    "attribute.change": f'assertion.sub.startsWith("{jobs}PR-") ? "yes" : "no"',
                },
                condition=f'assertion.sub.startsWith("{jobs}")',
                plan="attribute.change/yes",
                build=branch,
                deploy=branch,
            )
        case "azure-devops":
            connections = f"subject/sc://{repository}/{name}-{environment}-ci"
            return Issuer(
                uri=f"https://vstoken.dev.azure.com/{intent.organization}",
                audiences=("api://AzureADTokenExchange",),
                mapping={"google.subject": "assertion.sub"},
                condition=f'assertion.sub.startsWith("sc://{repository}/")',
                plan=f"{connections}-plan",
                build=f"{connections}-build",
                deploy=f"{connections}-deploy",
            )
        case _:
            assert_never(intent.system)


def grantable(context: Context) -> tuple[str, ...]:
    """The roles that the deploy account may grant on the project: those of the service agents that *security* makes."""
    services = services_of(context)
    return tuple(sorted(role for service, role in ROLES.items() if role and service in services))


def add_ci_accounts(
    stack: StackBuilder, reach: Reach, intent: CiIdentity, accounts: Mapping[str, Account]
) -> dict[str, Value]:
    """Add the identity pool, unless an environment before has it, and the three accounts; return their addresses."""
    issuer = issuer_of(intent, reach.context.platform.name, reach.context.platform.environment)
    origin = describe(intent)
    pool = _pool(stack, reach, intent, issuer, origin)
    made: dict[str, Value] = {}
    holders: dict[str, Holder] = {}
    for name, use, principal in (
        ("ci-plan", "CI plans a change: reads, and locks the state", issuer.plan),
        ("ci-build", "CI builds: pushes images and pipelines, and runs them", issuer.build),
        ("ci-deploy", "CI deploys: changes the platform, but not who may do what", issuer.deploy),
    ):
        node, holders[name] = add_account(stack, reach.context, name, use, origin=origin)
        made[name] = node.ref("email")
        _trust(stack, node, pool, principal, origin)
    _plan(stack, reach, holders["ci-plan"], write_state=False)
    _build(stack, reach, holders["ci-build"], accounts)
    _plan(stack, reach, holders["ci-deploy"], write_state=True)
    _deploy(stack, reach, holders["ci-deploy"], accounts)
    return made


def _pool(stack: StackBuilder, reach: Reach, intent: CiIdentity, issuer: Issuer, origin: str) -> Value:
    """The pool's full name. Its id stays taken for 30 days after it was deleted, and so does its provider's: within them
    ``gcloud iam workload-identity-pools undelete`` brings it back, and ``terraform import`` takes it in.
    """
    identifier = fitted("pool", f"ci-{reach.context.platform.name}")
    if not intent.create_provider:
        number = reach.keys.project_number
        return text("projects/", number, f"/locations/global/workloadIdentityPools/{identifier}")
    pool = stack.resource(
        "google_iam_workload_identity_pool",
        "ci",
        {
            "project": reach.context.project,
            "workload_identity_pool_id": identifier,
            "display_name": f"CI of {reach.context.platform.name}",
            "description": f"Jobs of {intent.repository}",
            "disabled": False,
        },
        origin=origin,
    )
    audiences = {"allowed_audiences": list(issuer.audiences)} if issuer.audiences else {}
    provider = stack.resource(
        "google_iam_workload_identity_pool_provider",
        "ci",
        {
            "project": reach.context.project,
            "workload_identity_pool_id": pool.ref("workload_identity_pool_id"),
            "workload_identity_pool_provider_id": intent.system,
            "display_name": intent.system,
            "attribute_mapping": dict(issuer.mapping),
            "attribute_condition": issuer.condition,
            "oidc": {"issuer_uri": issuer.uri, **audiences},
        },
        origin=origin,
    )
    stack.export("ci_identity_provider", provider.ref("name"))
    return pool.ref("name")


def _trust(stack: StackBuilder, account: Node, pool: Value, principal: str, origin: str) -> None:
    kind = "principal" if principal.startswith("subject/") else "principalSet"
    stack.resource(
        "google_service_account_iam_member",
        f"{account.address.name}-jobs",
        {
            "service_account_id": account.ref("name"),
            "role": FEDERATE,
            "member": text(f"{kind}://iam.googleapis.com/", pool, f"/{principal}"),
        },
        origin=origin,
    )


def _plan(stack: StackBuilder, reach: Reach, holder: Holder, *, write_state: bool) -> None:
    """Read what refreshing the platform's stacks reads; of objects, only the states and what the stacks put there."""
    found = {role for api in services_of(reach.context) if api in BY_API for role in BY_API[api].read}
    on_project(stack, reach, holder, *sorted(found))
    if not write_state:
        let_do(stack, reach, holder, PLAN)
    if reach.registry.templates is not None:
        on_bucket(stack, reach, holder, "artifacts", WRITE if write_state else READ, MADE_BY_STACKS)
    _state(stack, reach.context, holder, write=write_state)


def _state(stack: StackBuilder, context: Context, holder: Holder, *, write: bool) -> None:
    """Where the states lie, when that is Cloud Storage: a plan reads states and writes locks, a deployment writes both."""
    place = state.place_of(context)
    if place is None:
        return
    objects = f'resource.name.startsWith("projects/_/buckets/{place.bucket}/objects/{place.start}")'
    locks = f'{objects} && resource.name.endsWith(".tflock")'
    bucket = 'resource.type == "storage.googleapis.com/Bucket"'
    grants = {"state-read": (READ, f"{bucket} || {objects}")}
    if write:
        grants = {"state-write": (WRITE, f"{bucket} || {objects}")}
    else:
        grants["state-lock"] = (WRITE, locks)
    for what, (role, expression) in grants.items():
        for name, member in holder.each(what):
            stack.resource(
                "google_storage_bucket_iam_member",
                name,
                {
                    "bucket": place.bucket,
                    "role": role,
                    "member": member,
                    "condition": Condition(title=what, expression=expression).block(),
                },
                origin=holder.origin,
            )


def _build(stack: StackBuilder, reach: Reach, holder: Holder, accounts: Mapping[str, Account]) -> None:
    let_do(stack, reach, holder, (*LOOK, *RUNS))
    on_registry(stack, reach, holder, PUSH)
    on_bucket(stack, reach, holder, "artifacts", WRITE, ("code/", "pipelines/"))
    act_as(stack, holder, accounts, "pipelines")


def _deploy(stack: StackBuilder, reach: Reach, holder: Holder, accounts: Mapping[str, Account]) -> None:
    context = reach.context
    changes = {role for api in services_of(context) if api in BY_API for role in BY_API[api].change}
    on_project(stack, reach, holder, *sorted(changes))
    let_do(stack, reach, holder, DEPLOY)
    let_do(
        stack,
        reach,
        holder,
        GRANT,
        what="agents",
        condition=_only("roles of service agents only", grantable(context)),
    )
    if context.own_keys:
        let_do(
            stack,
            reach,
            holder,
            KEY_GRANT,
            what="keys",
            condition=_only("use of keys only", (USE_KEY,)),
        )
    act_as(stack, holder, accounts, *ATTACHED)


def _only(title: str, roles: tuple[str, ...]) -> Condition:
    """Grants and revokes of these roles and no other (IAM, "Set limits on granting roles": ten roles at most)."""
    listed = ", ".join(f"'{role}'" for role in roles)
    modified = "api.getAttribute('iam.googleapis.com/modifiedGrantsByRole', [])"
    return Condition(title=title, expression=f"{modified}.hasOnly([{listed}])")
