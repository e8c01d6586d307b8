"""Accounts and grants: narrow, additive, without keys, and nothing by which CI could raise itself."""

from __future__ import annotations

import re
from typing import Any

import pytest

from scaffolder.pipeline import EnvironmentPlatform, synthesize
from stacks.gcp.agents import ROLES
from stacks.gcp.ci_roles import BY_API, DEPLOY
from tests.external_tools import ROOT
from tests.unit.stacks_gcp.asked import arguments, asked, nodes, refused, skipped, written

CI = {"ci": {"system": "github", "repository": "growth/churn"}}
GITLAB = {"ci": {"system": "gitlab", "repository": "growth/churn", "branch": "main"}}
PEOPLE = {
    "groups": {
        "admins": ["group:ml-admins@example.com"],
        "scientists": ["group:science@example.com", "user:ada@example.com"],
    }
}
BASIC = {"roles/owner", "roles/editor", "roles/viewer"}
RAISING = {
    "iam.roles.create",
    "iam.roles.update",
    "iam.serviceAccounts.create",
    "iam.serviceAccounts.setIamPolicy",
    "iam.serviceAccountKeys.create",
}


@pytest.fixture(scope="module")
def full() -> EnvironmentPlatform:
    (found,) = synthesize(ROOT / "examples/07-full-gcp/platform.yaml").environments
    return found


def of_type(found: EnvironmentPlatform, type_: str) -> dict[str, Any]:
    """Arguments of every resource of a type, by name, references written out."""
    return {
        node.address.name: written(dict(node.arguments))
        for linked in found.stacks
        for node in linked.stack.nodes
        if node.address.type == type_
    }


def test_nobody_has_a_basic_role_and_no_account_a_key(full: EnvironmentPlatform) -> None:
    members = of_type(full, "google_project_iam_member")
    assert not {name for name, each in members.items() if each["role"] in BASIC}
    types = {node.address.type for linked in full.stacks for node in linked.stack.nodes}
    assert "google_service_account_key" not in types
    assert not [name for name in types if name.endswith(("_iam_policy", "_iam_binding"))]


def test_training_reads_data_and_writes_only_where_results_go() -> None:
    found = asked()
    read = arguments(found, "identity", "google_storage_bucket_iam_member.training-data-storage-objectViewer")
    assert "condition" not in read
    write = arguments(found, "identity", "google_storage_bucket_iam_member.training-data-storage-objectUser")
    assert '/objects/features/")' in write["condition"]["expression"]
    assert '/objects/processed/")' in write["condition"]["expression"]
    assert "raw" not in write["condition"]["expression"]


def test_pipelines_act_as_training_and_serving_and_nobody_acts_as_ci() -> None:
    found = asked(identity=CI)
    trust = of_type(found, "google_service_account_iam_member")
    assert trust["pipelines-as-training"]["service_account_id"] == "<google_service_account.training.name>"
    assert "pipelines-as-serving" in trust
    of_ci = {name for name, each in trust.items() if ".ci-" in each["service_account_id"]}
    assert of_ci == {"ci-plan-jobs", "ci-build-jobs", "ci-deploy-jobs"}


def test_scientists_run_jobs_and_deploy_nothing_and_each_has_a_grant() -> None:
    found = asked(identity=PEOPLE)
    role = arguments(found, "identity", "google_project_iam_custom_role.scientists")
    assert "aiplatform.customJobs.create" in role["permissions"]
    assert not [each for each in role["permissions"] if ".deploy" in each or "models.update" in each]
    members = {
        each["member"]
        for name, each in of_type(found, "google_project_iam_member").items()
        if "scientists-own" in name
    }
    assert members == {"group:science@example.com", "user:ada@example.com"}


def test_admins_deploy_and_approve() -> None:
    role = arguments(asked(identity=PEOPLE), "identity", "google_project_iam_custom_role.admins")
    assert {"aiplatform.endpoints.deploy", "aiplatform.models.update"} <= set(role["permissions"])


def test_a_principal_of_two_groups_is_granted_each_role_once() -> None:
    both = {"groups": {group: ["group:ml@example.com"] for group in ("admins", "viewers")}}
    looks = [
        name
        for name, each in of_type(asked(identity=both), "google_project_iam_member").items()
        if each["role"] == "roles/aiplatform.viewer"
    ]
    assert len(looks) == 1


def test_a_group_without_principals_is_said_to_be_left_out() -> None:
    (left,) = skipped(asked(identity=PEOPLE), "human role viewers")
    assert left.reason == "nobody could use it"


def test_each_job_of_ci_is_trusted_by_its_subject_of_one_repository() -> None:
    found = asked(identity=CI)
    provider = arguments(found, "identity", "google_iam_workload_identity_pool_provider.ci")
    assert provider["attribute_condition"] == 'assertion.repository == "growth/churn"'
    trust = of_type(found, "google_service_account_iam_member")
    pool = "principal://iam.googleapis.com/<google_iam_workload_identity_pool.ci.name>/subject"
    assert trust["ci-plan-jobs"]["member"] == f"{pool}/repo:growth/churn:pull_request"
    assert trust["ci-build-jobs"]["member"] == f"{pool}/repo:growth/churn:ref:refs/heads/main"
    assert trust["ci-deploy-jobs"]["member"] == f"{pool}/repo:growth/churn:environment:dev"


def test_gitlabs_plans_run_on_any_branch_and_deployments_on_one() -> None:
    trust = of_type(asked(identity=GITLAB), "google_service_account_iam_member")
    assert trust["ci-plan-jobs"]["member"].endswith("/attribute.ref_type/branch")
    assert trust["ci-plan-jobs"]["member"].startswith("principalSet://")
    assert trust["ci-deploy-jobs"]["member"].endswith(
        "/subject/project_path:growth/churn:ref_type:branch:ref:main"
    )


ORGANIZATION = "aaaaaaaa-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("ci", "issuer", "audience", "condition", "plan", "deploy"),
    [
        (
            {"system": "circleci", "repository": "growth/churn", "organization": ORGANIZATION},
            f"https://oidc.circleci.com/org/{ORGANIZATION}",
            ORGANIZATION,
            'assertion["oidc.circleci.com/vcs-origin"] == "github.com/growth/churn"',
            "/attribute.origin/github.com/growth/churn",
            "/subject/refs/heads/main",
        ),
        (
            {
                "system": "jenkins",
                "repository": "ml/churn",
                "host": "jenkins.acme.com",
                "branch": "release/1",
            },
            "https://jenkins.acme.com/oidc",
            "https://jenkins.acme.com/oidc",
            'assertion.sub.startsWith("https://jenkins.acme.com/job/ml/job/churn/job/")',
            "/attribute.change/yes",
            "/subject/https://jenkins.acme.com/job/ml/job/churn/job/release%252F1/",
        ),
        (
            {"system": "azure-devops", "repository": "growth/ml", "organization": ORGANIZATION},
            f"https://vstoken.dev.azure.com/{ORGANIZATION}",
            "api://AzureADTokenExchange",
            'assertion.sub.startsWith("sc://growth/ml/")',
            "/subject/sc://growth/ml/churn-dev-ci-plan",
            "/subject/sc://growth/ml/churn-dev-ci-deploy",
        ),
    ],
)
def test_every_other_systems_jobs_are_trusted_by_what_its_vendor_says(
    ci: dict[str, str], issuer: str, audience: str, condition: str, plan: str, deploy: str
) -> None:
    found = asked(identity={"ci": ci})
    provider = arguments(found, "identity", "google_iam_workload_identity_pool_provider.ci")
    assert provider["oidc"] == {"issuer_uri": issuer, "allowed_audiences": [audience]}
    assert provider["attribute_condition"] == condition
    trust = of_type(found, "google_service_account_iam_member")
    assert trust["ci-plan-jobs"]["member"].endswith(plan)
    assert trust["ci-deploy-jobs"]["member"].endswith(deploy)


def test_a_second_environment_of_the_project_uses_the_first_ones_pool() -> None:
    found = asked(identity={"ci": {**CI["ci"], "provider": "existing"}})
    assert not of_type(found, "google_iam_workload_identity_pool")
    member = of_type(found, "google_service_account_iam_member")["ci-plan-jobs"]["member"]
    assert "/locations/global/workloadIdentityPools/ci-churn/subject/" in member


def test_the_deploy_account_cannot_make_itself_an_owner(full: EnvironmentPlatform) -> None:
    roles = of_type(full, "google_project_iam_custom_role")
    deploy = {name: each["permissions"] for name, each in roles.items() if name.startswith("ci-deploy")}
    assert not RAISING & {permission for permissions in deploy.values() for permission in permissions}
    raising = [
        name for name, permissions in deploy.items() if "resourcemanager.projects.setIamPolicy" in permissions
    ]
    assert raising == ["ci-deploy-agents"]
    grant = of_type(full, "google_project_iam_member")["ci-deploy-own-agents"]
    listed = re.findall(r"'(roles/[^']+)'", grant["condition"]["expression"])
    assert set(listed) <= {role for role in ROLES.values() if role}
    assert 0 < len(listed) <= 10
    assert ".hasOnly([" in grant["condition"]["expression"]


def test_what_the_deploy_account_may_grant_is_all_that_other_stacks_grant_on_the_project(
    full: EnvironmentPlatform,
) -> None:
    grant = of_type(full, "google_project_iam_member")["ci-deploy-own-agents"]
    granted = {
        str(node.arguments["role"])
        for linked in full.stacks
        if linked.stack.concern != "identity"
        for node in linked.stack.nodes
        if node.address.type == "google_project_iam_member"
    }
    assert granted == set(re.findall(r"'(roles/[^']+)'", grant["condition"]["expression"]))


def test_no_predefined_role_of_ci_reads_objects_decrypts_or_makes_accounts() -> None:
    roles = {role for each in BY_API.values() for role in (*each.read, *each.change)}
    assert not {
        role for role in roles if re.search(r"storage|cloudkms\.(admin|crypto)|iam\..*(Admin|User)$", role)
    }
    assert not [each for each in DEPLOY if each.startswith("storage.objects") or "useToDecrypt" in each]


def test_a_plan_reads_states_and_writes_only_locks() -> None:
    found = asked(identity=CI)
    members = of_type(found, "google_storage_bucket_iam_member")
    assert members["ci-plan-state-read"]["role"] == "roles/storage.objectViewer"
    assert '.endsWith(".tflock")' in members["ci-plan-state-lock"]["condition"]["expression"]
    assert "tflock" not in members["ci-deploy-state-write"]["condition"]["expression"]


def test_a_subject_that_google_would_not_take_is_refused() -> None:
    long = {"ci": {"system": "github", "repository": "growth/churn", "branch": "b" * 100}}
    assert "Google Cloud takes 127" in refused(identity=long)


def test_a_ceiling_is_said_to_be_impossible(full: EnvironmentPlatform) -> None:
    assert nodes(full, "identity")
    assert not skipped(full, "permissions boundary")


APIS = {
    "google_artifact_registry": "artifactregistry",
    "google_bigquery": "bigquery",
    "google_cloud_run": "run",
    "google_cloud_scheduler": "cloudscheduler",
    "google_colab": "aiplatform",
    "google_compute": "compute",
    "google_data_loss_prevention": "dlp",
    "google_dns": "dns",
    "google_eventarc": "eventarc",
    "google_kms": "cloudkms",
    "google_logging": "logging",
    "google_model_armor": "modelarmor",
    "google_monitoring": "monitoring",
    "google_network_connectivity": "networkconnectivity",
    "google_project_service": "serviceusage",
    "google_pubsub": "pubsub",
    "google_service_networking": "servicenetworking",
    "google_sql": "sqladmin",
    "google_storage": "storage",
    "google_vertex_ai": "aiplatform",
    "google_workbench": "notebooks",
    "google_workflows": "workflows",
}
NOT_CIS = {
    "google_billing_budget": "belongs to the billing account",
    "google_project_iam_audit_config": "is a part of the project's policy, which it may set",
    "google_project_iam_member": "has a condition of its own",
}


def test_the_deploy_account_may_change_every_type_that_stacks_beside_identity_make(
    full: EnvironmentPlatform,
) -> None:
    types = {
        node.address.type
        for linked in full.stacks
        if linked.stack.concern not in ("identity", "state")
        for node in linked.stack.nodes
        if node.address.mode == "resource"
    }
    missing = []
    for type_ in sorted(types - NOT_CIS.keys()):
        api = next((api for start, api in APIS.items() if type_.startswith(start)), type_)
        by_role = api in BY_API and BY_API[api].change
        by_permission = any(permission.startswith(f"{api}.") for permission in DEPLOY)
        if not by_role and not by_permission:
            missing.append(type_)
    assert missing == []
    assert types >= NOT_CIS.keys()
