"""Who may do what on Azure: narrow scopes, no administrators, and a CI that stays what it is."""

from __future__ import annotations

from typing import Any

import pytest

import stacks.azure
from stacks.azure.conditions import assigns_only, writes_below
from stacks.azure.roles import built_in, built_ins, guid_of
from stacks.graph import Ref
from tests.unit.stacks_azure.platforms import VNET, nodes_of, of_type, platform

GROUP = "aaaaaaaa-0000-4000-8000-000000000001"
CI: dict[str, Any] = {"ci": {"system": "github", "repository": "growth/churn"}}
ADMINISTRATORS = {"network-contributor", "rbac-administrator", "ai-administrator"}


def test_roles_are_assigned_by_id_and_never_by_the_name_that_azure_changes() -> None:
    nodes = nodes_of(identity={**CI, "groups": {"admins": [GROUP]}})
    for node in of_type(nodes, "azurerm_role_assignment").values():
        assert "role_definition_name" not in node.arguments
        definition = node.arguments["role_definition_id"]
        assert isinstance(definition, Ref) or guid_of(str(definition)) in {
            role.id for role in built_ins().values()
        }


def test_what_deploy_may_assign_makes_nobody_an_administrator() -> None:
    for name, role in built_ins().items():
        assert not (role.deploy and name in ADMINISTRATORS)
    assignments = of_type(nodes_of(identity=CI), "azurerm_role_assignment")
    deploy = assignments["ci-deploy-platform-rbac-administrator"].arguments
    assert deploy["condition_version"] == "2.0"
    for name, role in built_ins().items():
        assert (role.id in str(deploy["condition"])) == role.deploy, name


def test_deploy_makes_contributors_of_services_only() -> None:
    contributor = built_in("contributor").id
    deploy = of_type(nodes_of(identity=CI), "azurerm_role_assignment")[
        "ci-deploy-platform-rbac-administrator"
    ]
    for source in ("@Request", "@Resource"):
        roles = "Microsoft.Authorization/roleAssignments"
        assert (
            f"{source}[{roles}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{contributor}}} AND "
            f"{source}[{roles}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}"
        ) in str(deploy.arguments["condition"])


def test_in_an_existing_network_deploy_may_join_the_subnet_of_endpoints() -> None:
    existing = {"existing": {"network_id": VNET, "subnet_ids": [f"{VNET}/subnets/ml", f"{VNET}/subnets/b"]}}
    assignments = of_type(nodes_of(identity=CI, network=existing), "azurerm_role_assignment")
    assert assignments["ci-deploy-subnet-network-contributor"].arguments["scope"] == f"{VNET}/subnets/ml"


def test_a_plan_reads_flow_logs_and_search_services() -> None:
    plain = of_type(nodes_of(identity=CI), "azurerm_role_assignment")
    assert "networkWatchers" in str(plain["ci-plan-watcher-reader"].arguments["scope"])
    assert "ci-plan-search" not in plain
    searching = nodes_of(identity=CI, llm={"knowledge_bases": {"docs": {"prefix": "kb/x"}}})
    assert isinstance(searching["azurerm_role_assignment.ci-plan-search"].arguments["scope"], Ref)


def test_every_other_assignment_of_ci_is_in_the_resource_group_or_narrower() -> None:
    assignments = of_type(nodes_of(identity=CI), "azurerm_role_assignment")
    wide = [
        name
        for name, node in assignments.items()
        if isinstance(scope := node.arguments["scope"], str) and "/resourceGroups/" not in scope
    ]
    assert sorted(wide) == ["ci-deploy-subscription", "ci-plan-subscription"]


@pytest.mark.parametrize(
    ("job", "subject"),
    [
        ("plan", "repo:growth/churn:pull_request"),
        ("build", "repo:growth/churn:ref:refs/heads/main"),
        ("deploy", "repo:growth/churn:environment:dev"),
    ],
)
def test_each_job_is_trusted_by_its_own_subject(job: str, subject: str) -> None:
    credential = nodes_of(identity=CI)[f"azurerm_federated_identity_credential.ci-{job}"]
    assert credential.arguments["subject"] == subject


def test_credentials_are_made_one_after_another() -> None:
    credentials = list(of_type(nodes_of(identity=CI), "azurerm_federated_identity_credential").values())
    assert [node.depends_on for node in credentials] == [
        (),
        (credentials[0].address,),
        (credentials[1].address,),
    ]


def test_gitlabs_issuer_is_its_host_and_its_branch_the_only_one() -> None:
    ci = {"ci": {"system": "gitlab", "host": "git.acme.com", "repository": "growth/churn", "branch": "trunk"}}
    credentials = of_type(nodes_of(identity=ci), "azurerm_federated_identity_credential").values()
    assert {node.arguments["issuer"] for node in credentials} == {"https://git.acme.com"}
    assert {node.arguments["subject"] for node in credentials} == {
        "project_path:growth/churn:ref_type:branch:ref:trunk"
    }


def test_jenkins_is_trusted_by_the_url_of_its_branchs_job() -> None:
    ci = {"system": "jenkins", "host": "jenkins.acme.com", "repository": "ml/churn", "branch": "release/1"}
    credentials = of_type(nodes_of(identity={"ci": ci}), "azurerm_federated_identity_credential").values()
    assert {node.arguments["issuer"] for node in credentials} == {"https://jenkins.acme.com/oidc"}
    assert {node.arguments["subject"] for node in credentials} == {
        "https://jenkins.acme.com/job/ml/job/churn/job/release%252F1/"
    }


def test_azure_devops_is_trusted_by_a_service_connection_for_each_job() -> None:
    ci = {"system": "azure-devops", "repository": "growth/ml", "organization": GROUP}
    credentials = of_type(nodes_of(identity={"ci": ci}), "azurerm_federated_identity_credential")
    assert {node.arguments["issuer"] for node in credentials.values()} == {
        f"https://vstoken.dev.azure.com/{GROUP}"
    }
    assert {name: node.arguments["subject"] for name, node in credentials.items()} == {
        f"ci-{job}": f"sc://growth/ml/churn-dev-ci-{job}" for job in ("plan", "build", "deploy")
    }


def test_a_role_without_principals_is_left_out_by_name() -> None:
    lowered = stacks.azure.lower(platform(identity={"groups": {"admins": [GROUP]}}))
    assert {each.intent for each in lowered.skipped} >= {"human role scientists", "human role viewers"}
    assert "human role admins" not in {each.intent for each in lowered.skipped}


def test_whoever_makes_the_states_container_may_write_into_it_and_stays_the_one() -> None:
    made = platform()
    lowered = stacks.azure.lower(made).stacks
    (deployer,) = [role for role in stacks.azure.access(lowered, made).roles if role.key == "deployer"]
    assert [(grant.policy, grant.resources[0].full) for grant in deployer.grants] == [
        ("Storage Blob Data Contributor", "<bucket state>")
    ]
    node = nodes_of()["azurerm_role_assignment.deployer-state-blob-contributor"]
    assert node.lifecycle.ignore_changes == ("principal_id",)


def test_conditions_say_what_azures_own_examples_say() -> None:
    write = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
    assert writes_below("a/", "b/") == (
        f"((!(ActionMatches{{'{write}/write'}}) AND !(ActionMatches{{'{write}/add/action'}}) AND "
        f"!(ActionMatches{{'{write}/delete'}})) OR "
        f"(@Resource[{write}:path] StringStartsWith 'a/' OR @Resource[{write}:path] StringStartsWith 'b/'))"
    )
    assert assigns_only(["2", "1"]) == (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR "
        "(@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {1, 2})) AND "
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})) OR "
        "(@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {1, 2}))"
    )


def test_who_may_do_what_is_read_from_the_graph() -> None:
    made = platform(identity={**CI, "groups": {"scientists": [GROUP]}})
    access = stacks.azure.access(stacks.azure.lower(made).stacks, made)
    roles = {role.key: role for role in access.roles}
    training = {grant.policy: grant for grant in roles["training"].grants}
    assert training["AcrPull"].resources[0].full == "<registry platform>"
    assert roles["ci-deploy"].trust[0].conditions[0].values[0].full == "repo:growth/churn:environment:dev"
    assert roles["scientists"].trust[0].principals[0].full == GROUP
    custom = next(
        grant for grant in roles["ci-plan"].grants if grant.policy.startswith("churn-dev-subscription-")
    )
    assert "Microsoft.Resources/subscriptions/read" in custom.actions
    assert all(grant.effect == "Allow" for role in access.roles for grant in role.grants)
