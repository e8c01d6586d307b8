"""IAM policy documents: statements as data, and the rule that an unscoped one needs a known reason.

May not know which role or resource a policy is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stacks.graph import GraphError, Ref, StackBuilder, Value
from stacks.record import record

__all__ = [
    "UNSCOPED",
    "Condition",
    "Principal",
    "Statement",
    "deny_insecure_transport",
    "document",
    "service_trust",
]

_NO_RESOURCE = "the action takes no resource (Service Authorization Reference, November 2026)"

_NOT_MADE_YET = (
    "what it makes has no ARN yet; the resources that it may take are others' (Service Authorization Reference, "
    "November 2026)"
)

_TAKE_NONE: Mapping[str, str] = dict.fromkeys(
    (
        "aoss:BatchGetCollection",
        "aoss:BatchGetVpcEndpoint",
        "aoss:CreateAccessPolicy",
        "aoss:CreateCollection",
        "aoss:CreateSecurityPolicy",
        "aoss:CreateVpcEndpoint",
        "aoss:DeleteAccessPolicy",
        "aoss:DeleteSecurityPolicy",
        "aoss:DeleteVpcEndpoint",
        "aoss:GetAccessPolicy",
        "aoss:GetSecurityPolicy",
        "aoss:ListTagsForResource",
        "aoss:TagResource",
        "aoss:UntagResource",
        "aoss:UpdateAccessPolicy",
        "aoss:UpdateSecurityPolicy",
        "aoss:UpdateVpcEndpoint",
        "application-autoscaling:DescribeScalableTargets",
        "application-autoscaling:DescribeScalingPolicies",
        "bedrock:CreateKnowledgeBase",
        "bedrock:DeleteModelInvocationLoggingConfiguration",
        "bedrock:GetModelInvocationLoggingConfiguration",
        "bedrock:PutModelInvocationLoggingConfiguration",
        "cloudtrail:DescribeTrails",
        "cloudwatch:GetMetricData",
        "cloudwatch:GetMetricStatistics",
        "cloudwatch:ListMetrics",
        "cloudwatch:PutMetricData",
        "ec2:DescribeAddresses",
        "ec2:DescribeAddressesAttribute",
        "ec2:DescribeAvailabilityZones",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeFlowLogs",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeNatGateways",
        "ec2:DescribeNetworkAcls",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribePrefixLists",
        "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeVpcs",
        "ecr:GetAuthorizationToken",
        "kms:CreateKey",
        "kms:ListAliases",
        "logs:DescribeLogGroups",
        "sagemaker:ListApps",
        "sagemaker:ListDomains",
        "sagemaker:ListEndpoints",
        "sagemaker:ListEndpointConfigs",
        "sagemaker:ListFeatureGroups",
        "sagemaker:ListModelPackageGroups",
        "sagemaker:ListModels",
        "sagemaker:ListMonitoringSchedules",
        "sagemaker:ListPipelines",
        "sagemaker:ListProcessingJobs",
        "sagemaker:ListSpaces",
        "sagemaker:ListTrainingJobs",
        "sagemaker:ListTransformJobs",
        "sagemaker:ListUserProfiles",
        "sagemaker:ListHyperParameterTuningJobs",
        "sagemaker-mlflow:AccessUI",
        "sagemaker:Search",
        "sns:GetSubscriptionAttributes",
        "sns:Unsubscribe",
        "sts:GetCallerIdentity",
    ),
    _NO_RESOURCE,
)

UNSCOPED: Mapping[str, str] = {**_TAKE_NONE, "bedrock:CreateGuardrail": _NOT_MADE_YET}
"""Actions that may stand beside ``Resource: "*"``, each with its reason."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who: ``kind`` is Service, AWS or Federated."""

    kind: Literal["Service", "AWS", "Federated"]
    identifiers: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """An IAM condition: ``test`` is an operator such as StringEquals."""

    test: str
    variable: str
    values: tuple[Value, ...]


@record
class Statement:
    """One statement of a policy.

    ``everywhere`` is the reason why an Allow may say ``Resource: "*"`` though its actions take a resource, as in
    a key's own policy, where "*" is that key. Actions in ``UNSCOPED`` need none.
    """

    sid: str
    actions: tuple[str, ...]
    resources: tuple[Value, ...] = ()
    effect: Literal["Allow", "Deny"] = "Allow"
    principals: tuple[Principal, ...] = ()
    conditions: tuple[Condition, ...] = ()
    everywhere: str = ""

    def __post_init__(self) -> None:
        if self.effect == "Deny" or self.everywhere or "*" not in self.resources:
            return
        unknown = [action for action in self.actions if action not in UNSCOPED]
        if unknown:
            raise GraphError(f'statement {self.sid} allows {", ".join(unknown)} on "*" without a reason')


def document(stack: StackBuilder, name: str, statements: Sequence[Statement], *, origin: str) -> Ref:
    """Add a policy document and return its JSON text. IAM refuses one without a statement, and so does this."""
    if not statements:
        raise GraphError(f"policy document {name} has no statement")
    node = stack.data(
        "aws_iam_policy_document",
        name,
        {"statement": [_block(statement) for statement in statements]},
        origin=origin,
    )
    return node.ref("json")


def _block(statement: Statement) -> Value:
    block: dict[str, Value] = {
        "sid": statement.sid,
        "effect": statement.effect,
        "actions": sorted(statement.actions),
    }
    if statement.resources:
        block["resources"] = list(statement.resources)
    if statement.principals:
        block["principals"] = [
            {"type": principal.kind, "identifiers": list(principal.identifiers)}
            for principal in statement.principals
        ]
    if statement.conditions:
        block["condition"] = [
            {"test": condition.test, "variable": condition.variable, "values": list(condition.values)}
            for condition in statement.conditions
        ]
    return block


def service_trust(service: str, account: str, *, source_arn: Value = None, sid: str = "Service") -> Statement:
    """Let a service assume a role, on behalf of this account only (the confused-deputy conditions)."""
    conditions = [Condition("StringEquals", "aws:SourceAccount", (account,))]
    if source_arn is not None:
        conditions.append(Condition("ArnLike", "aws:SourceArn", (source_arn,)))
    return Statement(
        sid=sid,
        actions=("sts:AssumeRole",),
        principals=(Principal("Service", (service,)),),
        conditions=tuple(conditions),
    )


def deny_insecure_transport(*resources: Value) -> tuple[Statement, ...]:
    """Refuse S3 requests without TLS, or with a TLS older than 1.2."""
    everyone = (Principal("AWS", ("*",)),)
    return (
        Statement(
            sid="DenyInsecureTransport",
            effect="Deny",
            actions=("s3:*",),
            resources=resources,
            principals=everyone,
            conditions=(Condition("Bool", "aws:SecureTransport", ("false",)),),
        ),
        Statement(
            sid="DenyOldTls",
            effect="Deny",
            actions=("s3:*",),
            resources=resources,
            principals=everyone,
            conditions=(Condition("NumericLessThan", "s3:TlsVersion", ("1.2",)),),
        ),
    )
