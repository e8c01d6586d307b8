"""What comes out of a valid spec keeps within AWS's limits, and what cannot is refused or warned of, by the data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from hypothesis import HealthCheck, given, settings

from scaffolder.errors import Finding, SpecError
from scaffolder.pipeline import Synthesis, synthesize, synthesize_loaded
from scaffolder.spec.load import parse_spec
from stacks.aws.limits import limits, policy_sizes
from stacks.emit.expressions import render
from stacks.graph import Address, JsonText, Node, Stack, text
from tests.strategies import Spec, spec_text, valid_specs

ROOT = Path(__file__).resolve().parents[3]
LEAST: Spec = {
    "version": 1,
    "name": "churn",
    "owner": "growth-ml",
    "target": {"provider": "aws", "region": "eu-west-1", "account": "123456789012"},
}
EXISTING = {
    "network_id": "vpc-0123456789abcdef0",
    "subnet_ids": ["subnet-0123456789abcdef0"],
    "security_group_ids": ["sg-0123456789abcdef0"],
}
IN_THE_SERVICE_MODEL = {
    "workload-security-groups": ("sagemaker", "VpcSecurityGroupIds"),
    "workload-subnets": ("sagemaker", "Subnets"),
    "features": ("sagemaker", "FeatureDefinitions"),
    "pipeline-definition": ("sagemaker", "PipelineDefinition"),
    "serverless-memory": ("sagemaker", "ServerlessMemorySizeInMB"),
    "serverless-concurrency": ("sagemaker", "ServerlessMaxConcurrency"),
    "alarm-actions": ("cloudwatch", "ResourceList"),
    "budget-notifications": ("budgets", "NotificationWithSubscribersList"),
    "image-clean-up": ("ecr", "LifecyclePolicyText"),
}


def used(stacks: Sequence[Stack]) -> Iterator[tuple[str, str, int]]:
    """What platforms have of that which is limited: whose, the limit's key, how much."""
    nodes = [node for stack in stacks for node in stack.nodes if node.address.mode == "resource"]
    yield from policy_sizes(stacks)
    for key, counts in _counted(nodes).items():
        for owner, count in counts.items():
            yield owner, key, count
    for node in nodes:
        yield from ((str(node.address), key, much) for key, much in _measured(node))


def _counted(nodes: Sequence[Node]) -> Mapping[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for node in nodes:
        arguments: Any = node.arguments
        of: Any = None
        match node.address.type:
            case "aws_iam_role_policy_attachment":
                key, of = "policies-of-a-role", arguments["role"]
            case "aws_vpc_endpoint" if arguments["vpc_endpoint_type"] == "Interface":
                key, of = "interface-endpoints", arguments["vpc_id"]
            case "aws_vpc_security_group_ingress_rule":
                key, of = "security-group-rules", ("in", arguments["security_group_id"])
            case "aws_vpc_security_group_egress_rule":
                key, of = "security-group-rules", ("out", arguments["security_group_id"])
            case "aws_cloudwatch_event_target":
                key, of = "rule-targets", arguments["rule"]
            case "aws_sagemaker_feature_group":
                key, of = "feature-groups", "account"
            case _:
                continue
        found.setdefault(key, Counter())[str(of)] += 1
    return found


def _measured(node: Node) -> Iterator[tuple[str, int]]:
    arguments: Any = node.arguments
    match node.address.type:
        case "aws_network_acl":
            yield "network-acl-rules", max(len(arguments.get(way, [])) for way in ("ingress", "egress"))
        case "aws_cloudwatch_metric_alarm":
            states = ("alarm_actions", "ok_actions", "insufficient_data_actions")
            yield "alarm-actions", max(len(arguments.get(state, [])) for state in states)
        case "aws_budgets_budget":
            yield "budget-notifications", len(arguments["notification"])
        case "aws_s3_bucket_lifecycle_configuration":
            yield "lifecycle-rules", len(arguments["rule"])
        case "aws_ecr_lifecycle_policy":
            yield "image-clean-up", len(str(render(arguments["policy"])))
        case "aws_sagemaker_pipeline" if isinstance(arguments["pipeline_definition"], JsonText):
            yield "pipeline-definition", len(str(render(arguments["pipeline_definition"])))
        case "aws_sagemaker_feature_group":
            yield "features", len(arguments["feature_definition"])
        case _:
            return


def beyond(stacks: Sequence[Stack]) -> list[tuple[str, str, int]]:
    return [(owner, key, much) for owner, key, much in used(stacks) if much > limits()[key].most]


def synthesized(changes: Mapping[str, Any]) -> Synthesis:
    return synthesize_loaded(parse_spec(spec_text({**LEAST, **changes})))


def refusals(changes: Mapping[str, Any]) -> list[Finding]:
    with pytest.raises(SpecError) as refused:
        synthesized(changes)
    return list(refused.value.findings)


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(valid_specs(provider="aws"))
def test_any_valid_spec_stays_within_the_limits(spec: Spec) -> None:
    for environment in synthesize_loaded(parse_spec(spec_text(spec))).environments:
        assert beyond([linked.stack for linked in environment.stacks]) == []


def test_the_full_example_uses_most_of_what_is_limited_and_stays_within() -> None:
    stacks = [linked.stack for linked in synthesize(ROOT / "examples/04-full-aws/platform.yaml").stacks]
    assert beyond(stacks) == []
    assert {key for _, key, _ in used(stacks)} >= {
        *("role-inline-policies", "managed-policy", "policies-of-a-role", "trust-policy", "endpoint-policy"),
        *("interface-endpoints", "network-acl-rules", "security-group-rules", "features", "alarm-actions"),
        *("budget-notifications", "lifecycle-rules", "image-clean-up", "pipeline-definition"),
    }


def test_a_policy_is_measured_as_terraform_writes_it() -> None:
    """The provider's own JSON of a document like ours, without its white space (Terraform 1.11, provider 5.100)."""
    written = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Read",
                "Effect": "Allow",
                "Action": ["s3:GetObject", "s3:ListBucket"],
                "Resource": ["arn:aws:s3:::churn-data", "arn:aws:s3:::churn-data/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "true"}},
            }
        ],
    }
    builder_stack = synthesized({}).stacks[0].stack
    bucket = _node("aws_s3_bucket", "data", {"bucket": "churn-data"})
    document = _node(
        "aws_iam_policy_document",
        "d",
        {
            "statement": [
                {
                    "sid": "Read",
                    "effect": "Allow",
                    "actions": ["s3:GetObject", "s3:ListBucket"],
                    "resources": [bucket.ref("arn"), text(bucket.ref("arn"), "/*")],
                    "condition": [{"test": "Bool", "variable": "aws:SecureTransport", "values": ["true"]}],
                }
            ]
        },
        mode="data",
    )
    policy = _node("aws_iam_policy", "p", {"policy": document.ref("json")})
    stack = _with(builder_stack, bucket, document, policy)
    assert [*policy_sizes([stack])] == [
        ("aws_iam_policy.p", "managed-policy", len(json.dumps(written, separators=(",", ":"))))
    ]


def test_more_features_than_a_group_takes_are_refused() -> None:
    columns = {f"c{number}": "int" for number in range(2_500)}
    (finding,) = refusals({"features": {"big": {"key": "id", "event_time": "at", "columns": columns}}})
    assert (finding.code, finding.path) == ("limit", "features.big.columns")
    assert finding.message.startswith(
        "features.big.columns makes 2,502 features: SageMaker takes 2,500 features"
    )


def test_more_subnets_and_groups_than_a_workload_takes_are_refused() -> None:
    many = {
        **EXISTING,
        "subnet_ids": [f"subnet-{number:017x}" for number in range(17)],
        "security_group_ids": [f"sg-{number:017x}" for number in range(6)],
    }
    found = refusals({"network": {"existing": many}})
    assert {(each.path, each.severity) for each in found} == {
        ("network.existing.security_group_ids", "error"),
        ("network.existing.subnet_ids", "error"),
    }


def test_a_quota_that_can_be_raised_is_warned_of() -> None:
    people = [f"arn:aws:iam::123456789012:role/team-of-people-number-{number}" for number in range(50)]
    found = synthesized({"identity": {"groups": {"viewers": people}}}).warnings
    assert [(each.code, each.path, each.severity) for each in found] == [
        ("limit", "identity.groups.viewers", "warning")
    ]
    assert "IAM takes 2,048 characters of a role's trust policy" in found[0].message
    assert "or 8,192 when the quota is raised" in found[0].message
    deep = "departments/" * 10
    more = [f"arn:aws:iam::123456789012:role/{deep}team-of-people-{number}" for number in range(50)]
    assert [each.severity for each in refusals({"identity": {"groups": {"viewers": more}}})] == ["error"]


def test_so_many_buckets_that_a_role_outgrows_iam_are_refused() -> None:
    def buckets(count: int) -> dict[str, Any]:
        return {"storage": {"buckets": {f"department-number-{number:02}": {} for number in range(count)}}}

    assert beyond([linked.stack for linked in synthesized(buckets(12)).stacks]) == []
    found = refusals(buckets(50))
    assert {(each.code, each.path) for each in found} == {("limit", "storage.buckets")}
    assert "aws_iam_role.training has" in found[0].message


@pytest.mark.parametrize("key", sorted(IN_THE_SERVICE_MODEL))
def test_a_limit_is_what_the_service_model_says(key: str) -> None:
    service, shape = IN_THE_SERVICE_MODEL[key]
    assert get_session().get_service_model(service).shape_for(shape).metadata["max"] == limits()[key].most


def test_every_limit_has_a_source() -> None:
    assert [limit.key for limit in limits().values() if not limit.source or limit.most < 1] == []
    in_model = {limit.key for limit in limits().values() if "(service model)" in limit.source}
    assert in_model == {*IN_THE_SERVICE_MODEL}


def _node(type_: str, name: str, arguments: Mapping[str, Any], mode: Any = "resource") -> Node:
    return Node(address=Address(mode, type_, name), arguments=arguments, origin="test")


def _with(stack: Stack, *nodes: Node) -> Stack:
    return replace(stack, nodes=nodes, exports={})
