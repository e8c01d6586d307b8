"""Every policy that the AWS lowering makes, held to AWS's own IAM definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase

import pytest

from scaffolder.pipeline import synthesize
from scaffolder.resolve import resolve
from scaffolder.spec.load import parse_spec
from stacks.adapter import Lowered, lowering_of
from stacks.aws.policy import UNSCOPED, Statement
from stacks.graph import GraphError, Node, Ref
from tests.contract.aws.iam_definitions import Grant, faults, grants_of, takes_no_resource

SPEC = """
version: 1
name: churn
owner: growth-ml
target: {provider: aws, region: eu-west-1, account: "123456789012"}
deletion_protection: true
network: {egress: nat}
security: {encryption: %(encryption)s, permissions_boundary: true}
identity:
  ci: {%(ci)s, repository: growth/churn}
  groups:
    admins: ["arn:aws:iam::123456789012:role/a"]
    scientists: ["arn:aws:iam::123456789012:role/s", "arn:aws:iam::123456789012:user/s"]
    viewers: ["arn:aws:iam::123456789012:role/v"]
storage: {buckets: {exports: {}}}
workspace: {users: [ada]}
tracking: {backend: managed}
models: {churn: {image: "registry.example.com/serving:1", on_approval: train}}
pipelines: {train: {definition: pipelines/train.yaml, schedule: "0 3 * * *"}}
endpoints:
  churn: {model: churn}
  slow: {model: churn, mode: async}
  bulk: {model: churn, mode: batch, schedule: "0 4 * * *"}
monitors:
  churn:
    endpoint: churn
    baseline: churn
    data_drift: {columns: [a, b, c, d, e, f]}
    on_alert: [notify, retrain]
features: {customer: {key: id, event_time: at, columns: {plan: string}}}
llm:
  models: ["amazon.nova-lite-v1:0", "eu.amazon.nova-pro-v1:0"]
  guardrails: {default: {}}
  knowledge_bases: {docs: {index: docs}, manuals: {bucket: exports}}
alerts: {emails: ["a@example.com"], budget: {monthly: 100}}
"""
ORGANIZATION = "00000000-0000-4000-8000-000000000000"
SYSTEMS = (
    "system: github",
    "system: gitlab",
    f"system: circleci, organization: {ORGANIZATION}",
    "system: jenkins, host: jenkins.acme.com",
    f"system: azure-devops, organization: {ORGANIZATION}",
)
TRUSTED_BY_SERVICES = (
    "audit",
    "flow-logs",
    "knowledge-docs",
    "llm-logs",
    "monitoring",
    "pipelines",
    "serving",
    "training",
    "triggers",
)


def lowered(encryption: str = "customer", ci: str = SYSTEMS[0]) -> Lowered:
    """The AWS stacks of a spec with every role there is."""
    (environment,) = parse_spec(SPEC % {"encryption": encryption, "ci": ci}).environments
    lowering = lowering_of("aws")
    assert lowering is not None
    return lowering.lower(resolve(environment.spec, environment.name))


def documents(found: Lowered) -> Iterator[Node]:
    """The policy documents of all stacks."""
    return (
        node
        for stack in found.stacks
        for node in stack.nodes
        if node.address.type == "aws_iam_policy_document"
    )


def grants(found: Lowered) -> list[Grant]:
    """The statements of all policy documents."""
    return [grant for node in documents(found) for grant in grants_of(node)]


@pytest.mark.parametrize("encryption", ["customer", "provider"])
@pytest.mark.parametrize("ci", SYSTEMS)
def test_every_action_exists_and_takes_a_resource_of_its_statement(encryption: str, ci: str) -> None:
    found = [
        f"{grant.document} {grant.sid}: {fault}"
        for grant in grants(lowered(encryption, ci))
        for fault in faults(grant)
    ]
    assert found == []


def test_the_check_finds_what_aws_would_not_understand() -> None:
    wrong = Grant(
        document="d",
        sid="s",
        effect="Allow",
        actions=("s3:GetObjekt", "sagemaker:ListModels", "kms:Decrypt"),
        resources=("arn:aws:s3:::bucket/*",),
        condition_keys=("kms:NoSuchKey",),
    )
    assert [fault.split(",")[0] for fault in faults(wrong)] == [
        "s3:GetObjekt does not exist",
        "sagemaker:ListModels takes ('*'",
        "kms:Decrypt takes ('arn:${Partition}:kms:${Region}:${Account}:key/${KeyId}'",
        "condition key kms:NoSuchKey is none of kms",
    ]


def test_actions_that_may_stand_beside_a_star_take_no_resource() -> None:
    assert [action for action in UNSCOPED if not takes_no_resource(action)] == ["bedrock:CreateGuardrail"]
    assert "has no ARN yet" in UNSCOPED["bedrock:CreateGuardrail"]


def test_no_statement_allows_every_action() -> None:
    assert [grant for grant in grants(lowered()) if "*" in grant.actions] == []


def test_a_star_for_a_resource_needs_a_reason() -> None:
    with pytest.raises(GraphError, match='allows s3:GetObject on "\\*" without a reason'):
        Statement(sid="S", actions=("s3:GetObject",), resources=("*",))


def test_roles_grant_on_a_star_only_what_takes_no_resource() -> None:
    roles = [
        grant for grant in grants(lowered()) if grant.document.startswith("role-") and grant.effect == "Allow"
    ]
    broad = {action for grant in roles if "*" in grant.resources for action in grant.actions}
    assert broad - set(UNSCOPED) == {"cloudwatch:DescribeAlarms", "cloudwatch:PutCompositeAlarm"}
    composite = {
        grant.sid for grant in roles if "*" in grant.resources and set(grant.actions) - set(UNSCOPED)
    }
    assert composite == {"ReadCompositeAlarms", "ChangeCompositeAlarms"}, "which CloudWatch takes on * only"


def test_no_policy_that_aws_manages_is_attached() -> None:
    nodes = [node for stack in lowered().stacks for node in stack.nodes]
    attached = [
        node.arguments["policy_arn"]
        for node in nodes
        if node.address.type == "aws_iam_role_policy_attachment"
    ]
    assert attached
    assert all(isinstance(arn, Ref) and arn.address.type == "aws_iam_policy" for arn in attached)


@pytest.mark.parametrize("role", TRUSTED_BY_SERVICES)
def test_a_service_assumes_a_role_for_this_account_only(role: str) -> None:
    (grant,) = (grant for grant in grants(lowered()) if grant.document == f"trust-{role}")
    assert "aws:SourceAccount" in grant.condition_keys


def test_users_bring_a_second_factor_and_roles_have_had_one() -> None:
    found = {
        grant.sid: grant.condition_keys for grant in grants(lowered()) if grant.document == "trust-scientists"
    }
    assert found == {"Roles": (), "Users": ("aws:MultiFactorAuthPresent",)}


def test_every_role_but_the_deploy_role_is_under_the_ceiling() -> None:
    free = {
        node.address.name
        for stack in lowered().stacks
        for node in stack.nodes
        if node.address.type == "aws_iam_role" and "permissions_boundary" not in node.arguments
    }
    assert free == {"ci-deploy"}


def test_the_ceiling_lets_through_what_the_roles_under_it_are_granted() -> None:
    found = grants(lowered())
    ceiling = [
        action
        for grant in found
        if grant.document == "boundary" and grant.effect == "Allow"
        for action in grant.actions
    ]
    denied = [
        action
        for grant in found
        if grant.document == "boundary" and grant.effect == "Deny"
        for action in grant.actions
    ]
    granted = {
        action
        for grant in found
        if grant.document.startswith("role-")
        and not grant.document.startswith(("role-ci-change", "role-ci-deploy"))
        and grant.effect == "Allow"
        for action in grant.actions
    }
    assert {action for action in granted if not any(fnmatchcase(action, item) for item in ceiling)} == set()
    assert {action for action in granted if any(fnmatchcase(action, item) for item in denied)} == set()


def test_a_policy_fits_its_role() -> None:
    """IAM counts no white space; a role's inline policies may have 10,240 characters (IAM quotas, November 2026)."""
    sizes = {}
    for grant_node in documents(lowered()):
        if grant_node.address.name.startswith("role-"):
            statements = [
                {
                    "Sid": grant.sid,
                    "Effect": grant.effect,
                    "Action": grant.actions,
                    "Resource": grant.resources,
                    "Condition": {"StringEqualsIfExists": dict.fromkeys(grant.condition_keys, "x" * 80)},
                }
                for grant in grants_of(grant_node)
            ]
            sizes[grant_node.address.name] = len(json.dumps(statements, separators=(",", ":")))
    shared = [name for name in sizes if name.startswith(("role-ci-read", "role-ci-change"))]
    assert max(sizes.pop(name) for name in shared) < 6_000  # a managed policy may have 6,144
    assert max(sizes.values()) < 10_000, sizes


def test_examples_have_no_faults(pytestconfig: pytest.Config) -> None:
    for spec in sorted(pytestconfig.rootpath.glob("examples/*-aws/platform.yaml")):
        for stack in synthesize(spec).stacks:
            for node in stack.stack.nodes:
                if node.address.type == "aws_iam_policy_document":
                    assert [fault for grant in grants_of(node) for fault in faults(grant)] == []
