"""Endpoints inside the network for AWS's own services, each with a policy that restricts it to this account.

May not know the VPC's shape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stacks.aws.context import Context
from stacks.aws.policy import Condition, Principal, Statement, document
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import ExperimentTracking, FoundationModels, Guardrail, KnowledgeBase

__all__ = ["INTERFACE_SERVICES", "add_gateway_endpoint", "add_interface_endpoints"]

ENDPOINT_REASON = (
    "an endpoint policy grants nothing; it only caps what may pass, and the action takes no resource"
)

UNSCOPED_SAGEMAKER = ("sagemaker:GetSearchSuggestions", "sagemaker:List*", "sagemaker:Search")


@dataclass(frozen=True, slots=True)
class _Service:
    """A service behind an interface endpoint. ``scoped`` maps actions to the resources that they reach."""

    endpoint: str
    name: str
    scoped: Mapping[tuple[str, ...], tuple[str, ...]]
    unscoped: tuple[str, ...] = ()
    owner: str = "com.amazonaws"


INTERFACE_SERVICES: tuple[_Service, ...] = (
    _Service("sagemaker.api", "sagemaker-api", {("sagemaker:*",): ("sagemaker:*",)}, UNSCOPED_SAGEMAKER),
    _Service(
        "sagemaker.runtime",
        "sagemaker-runtime",
        {("sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointAsync"): ("sagemaker:endpoint/*",)},
    ),
    _Service(
        "sagemaker.featurestore-runtime",
        "featurestore-runtime",
        {
            (
                "sagemaker:BatchGetRecord",
                "sagemaker:DeleteRecord",
                "sagemaker:GetRecord",
                "sagemaker:PutRecord",
            ): ("sagemaker:feature-group/*",)
        },
    ),
    _Service(
        "sts",
        "sts",
        {("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"): ("iam:role/*",)},
        ("sts:GetCallerIdentity",),
    ),
    _Service("ecr.api", "ecr-api", {("ecr:*",): ("ecr:repository/*",)}, ("ecr:GetAuthorizationToken",)),
    _Service(
        "ecr.dkr",
        "ecr-dkr",
        {("ecr:*",): ("ecr:repository/*",)},
        ("ecr:GetAuthorizationToken",),
    ),
    _Service("logs", "logs", {("logs:*",): ("logs:log-group:*",)}, ("logs:DescribeLogGroups",)),
    _Service(
        "monitoring",
        "monitoring",
        {("cloudwatch:DescribeAlarms",): ("cloudwatch:alarm:*",)},
        (
            "cloudwatch:GetMetricData",
            "cloudwatch:GetMetricStatistics",
            "cloudwatch:ListMetrics",
            "cloudwatch:PutMetricData",
        ),
    ),
    _Service("kms", "kms", {("kms:*",): ("kms:key/*", "kms:alias/*")}, ("kms:ListAliases",)),
    _Service("secretsmanager", "secretsmanager", {("secretsmanager:*",): ("secretsmanager:secret:*",)}),
)
"""The services that SageMaker in a VPC without internet needs (SageMaker Developer Guide, November 2026)."""


LLM_SERVICES: tuple[_Service, ...] = (
    _Service(
        "bedrock-runtime",
        "bedrock-runtime",
        {
            ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"): (
                "bedrock:foundation-model/*",
                "bedrock:inference-profile/*",
            ),
            ("bedrock:ApplyGuardrail",): ("bedrock:guardrail/*",),
        },
    ),
    _Service(
        "bedrock-agent-runtime",
        "bedrock-agent-runtime",
        {("bedrock:Retrieve",): ("bedrock:knowledge-base/*",)},
        ("bedrock:RetrieveAndGenerate",),
    ),
)
"""For models and guardrails, and for knowledge bases (Bedrock User Guide, interface VPC endpoints, November 2026)."""


MLFLOW = _Service(
    "experiments",
    "mlflow",
    {("sagemaker-mlflow:*",): ("sagemaker:mlflow-tracking-server/*",)},
    ("sagemaker-mlflow:AccessUI",),
    owner="aws.sagemaker",
)
"""For a tracking server, which the API's endpoint does not carry (SageMaker Developer Guide, MLflow, interface endpoint)."""


def _interface_services(context: Context) -> Iterator[_Service]:
    """The services that this platform's workloads reach by private addresses."""
    yield from INTERFACE_SERVICES
    if context.one_of(ExperimentTracking):
        yield MLFLOW
    models, knowledge = LLM_SERVICES
    if context.one_of(FoundationModels) or context.one_of(Guardrail):
        yield models
    if context.one_of(KnowledgeBase):
        yield knowledge


def add_gateway_endpoint(
    stack: StackBuilder, context: Context, vpc: Node, tables: Sequence[Node], origin: str
) -> Node:
    """Reach S3 without leaving AWS: this account's buckets, and reading the buckets that AWS's images come from."""
    everyone = (Principal("AWS", ("*",)),)
    partition, region = context.partition, context.region
    policy = document(
        stack,
        "endpoint-s3",
        [
            Statement(
                sid="OwnBuckets",
                actions=("s3:*",),
                resources=(f"arn:{partition}:s3:::*",),
                principals=everyone,
                conditions=(
                    Condition("StringEquals", "aws:ResourceAccount", (context.account,)),
                    Condition("StringEquals", "aws:PrincipalAccount", (context.account,)),
                ),
            ),
            Statement(
                sid="ImageLayersAndModels",
                actions=("s3:GetObject",),
                resources=(
                    f"arn:{partition}:s3:::prod-{region}-starport-layer-bucket/*",
                    f"arn:{partition}:s3:::jumpstart-cache-prod-{region}/*",
                ),
                principals=everyone,
            ),
        ],
        origin=origin,
    )
    return stack.resource(
        "aws_vpc_endpoint",
        "s3",
        {
            "vpc_id": vpc.ref("id"),
            "service_name": f"com.amazonaws.{region}.s3",
            "vpc_endpoint_type": "Gateway",
            "route_table_ids": [table.ref("id") for table in tables],
            "policy": policy,
            "tags": {"Name": f"{context.prefix}-s3"},
        },
        origin=origin,
    )


def add_interface_endpoints(
    stack: StackBuilder, context: Context, vpc: Node, subnets: Sequence[Node], group: Node, origin: str
) -> None:
    """Reach the services' interfaces by private addresses, from workloads and for this account's principals only."""
    for service in _interface_services(context):
        policy = document(stack, f"endpoint-{service.name}", _statements(context, service), origin=origin)
        stack.resource(
            "aws_vpc_endpoint",
            service.name,
            {
                "vpc_id": vpc.ref("id"),
                "service_name": f"{service.owner}.{context.region}.{service.endpoint}",
                "vpc_endpoint_type": "Interface",
                "private_dns_enabled": True,
                "subnet_ids": [subnet.ref("id") for subnet in subnets],
                "security_group_ids": [group.ref("id")],
                "policy": policy,
                "tags": {"Name": f"{context.prefix}-{service.name}"},
            },
            origin=origin,
        )


def _statements(context: Context, service: _Service) -> list[Statement]:
    everyone = (Principal("AWS", ("*",)),)
    account = (Condition("StringEquals", "aws:PrincipalAccount", (context.account,)),)
    statements = [
        Statement(
            sid="OwnAccount" if number == 0 else f"OwnAccount{number}",
            actions=actions,
            resources=tuple(_scope(context, scope) for scope in scopes),
            principals=everyone,
            conditions=account,
        )
        for number, (actions, scopes) in enumerate(service.scoped.items())
    ]
    if service.unscoped:
        statements.append(
            Statement(
                sid="WithoutResource",
                actions=service.unscoped,
                resources=("*",),
                principals=everyone,
                conditions=account,
                everywhere=ENDPOINT_REASON,
            )
        )
    return statements


def _scope(context: Context, scope: str) -> Value:
    """An ARN pattern: in this account, but for images, which AWS publishes from accounts of its own."""
    service, _, resource = scope.partition(":")
    match service:
        case "iam":
            return context.arn("iam", resource, regional=False)
        case "bedrock" if resource.startswith("foundation-model/"):
            # Models are AWS's own, and behind a cross-region profile they are in other regions.
            return f"arn:{context.partition}:bedrock:*::{resource}"
        case "ecr":
            return f"arn:{context.partition}:ecr:{context.region}:*:{resource}"
        case _:
            return context.arn(service, resource)
