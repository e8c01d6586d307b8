"""What CI's plan and deploy roles may do with the llm stack, when the platform has one.

May not trust anybody: that is ``ci``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stacks.aws.context import Context
from stacks.aws.invocations import ROLE as LOG_ROLE
from stacks.aws.invocations import is_logged
from stacks.aws.knowledge import knowledge_role
from stacks.aws.llm_roles import own, vectors_statement
from stacks.aws.policy import Condition, Statement
from stacks.aws.workloads import Reach
from stacks.graph import Value
from stacks.intents import Guardrail, KnowledgeBase

__all__ = ["changes", "reads"]

BEDROCK = "bedrock.amazonaws.com"
VECTOR_SERVICE = "observability.aoss.amazonaws.com"
VECTOR_SERVICE_ROLE = "AWSServiceRoleForAmazonOpenSearchServerless"
"""OpenSearch Serverless makes it for the account's first collection (OpenSearch Service Developer Guide, November 2026)."""

POLICY_KINDS = ("AccessPolicy", "SecurityPolicy")


def reads(reach: Reach) -> Iterator[Statement]:
    """What refreshing the stack reads."""
    context = reach.context
    if is_logged(context):
        yield Statement(
            sid="ReadInvocationLogging",
            actions=("bedrock:GetModelInvocationLoggingConfiguration",),
            resources=("*",),
        )
    if context.one_of(Guardrail):
        yield Statement(
            sid="ReadGuardrails",
            actions=("bedrock:GetGuardrail", "bedrock:ListTagsForResource"),
            resources=(_guardrails(context),),
        )
    if context.one_of(KnowledgeBase):
        yield Statement(
            sid="ReadKnowledge",
            actions=("bedrock:GetDataSource", "bedrock:GetKnowledgeBase", "bedrock:ListTagsForResource"),
            resources=(_bases(context),),
        )
        yield Statement(
            sid="ReadVectors",
            actions=("aoss:BatchGetCollection", *(f"aoss:Get{kind}" for kind in POLICY_KINDS)),
            resources=("*",),
            conditions=_named(context),
        )
        yield Statement(
            sid="ReadVectorsUnscoped",
            actions=("aoss:BatchGetVpcEndpoint", "aoss:ListTagsForResource"),
            resources=("*",),
        )


def changes(reach: Reach) -> Iterator[Statement]:
    """What applying the stack changes. AWS makes up the ids, so tags tell what is the platform's own."""
    context = reach.context
    if is_logged(context):
        yield Statement(
            sid="ChangeInvocationLogging",
            actions=(
                "bedrock:DeleteModelInvocationLoggingConfiguration",
                "bedrock:PutModelInvocationLoggingConfiguration",
            ),
            resources=("*",),
        )
    if context.one_of(Guardrail):
        yield from _guardrail_changes(context)
    if context.one_of(KnowledgeBase):
        yield from _knowledge_changes(context)
        yield from _vector_changes(context)
    yield from _keys_and_roles(reach)


def _guardrail_changes(context: Context) -> Iterator[Statement]:
    yield Statement(
        sid="MakeGuardrails",
        actions=("bedrock:CreateGuardrail",),
        resources=("*",),
        conditions=_tagging(context),
    )
    yield Statement(
        sid="TagGuardrails",
        actions=("bedrock:TagResource", "bedrock:UntagResource"),
        resources=(_guardrails(context),),
    )
    yield Statement(
        sid="ChangeGuardrails",
        actions=("bedrock:CreateGuardrailVersion", "bedrock:DeleteGuardrail", "bedrock:UpdateGuardrail"),
        resources=(_guardrails(context),),
        conditions=own(context),
    )


def _knowledge_changes(context: Context) -> Iterator[Statement]:
    yield Statement(
        sid="MakeKnowledge",
        actions=("bedrock:CreateKnowledgeBase",),
        resources=("*",),
        conditions=_tagging(context),
    )
    yield Statement(
        sid="TagKnowledge",
        actions=("bedrock:TagResource", "bedrock:UntagResource"),
        resources=(_bases(context),),
    )
    yield Statement(
        sid="ChangeKnowledge",
        actions=(
            *(f"bedrock:{verb}DataSource" for verb in ("Create", "Delete", "Update")),
            *(f"bedrock:{verb}KnowledgeBase" for verb in ("Delete", "Update")),
        ),
        resources=(_bases(context),),
        conditions=own(context),
    )


def _vector_changes(context: Context) -> Iterator[Statement]:
    yield Statement(
        sid="ChangeVectorPolicies",
        actions=tuple(
            f"aoss:{verb}{kind}" for kind in POLICY_KINDS for verb in ("Create", "Delete", "Update")
        ),
        resources=("*",),
        conditions=_named(context),
    )
    yield Statement(
        sid="MakeVectors",
        actions=("aoss:CreateCollection",),
        resources=("*",),
        conditions=_tagging(context),
    )
    yield Statement(
        sid="ChangeVectors",
        actions=("aoss:DeleteCollection", "aoss:UpdateCollection"),
        resources=(context.arn("aoss", "collection/*"),),
        conditions=own(context),
    )
    yield Statement(
        sid="ChangeVectorsUnscoped",
        actions=(
            *("aoss:CreateVpcEndpoint", "aoss:DeleteVpcEndpoint", "aoss:UpdateVpcEndpoint"),
            *("aoss:TagResource", "aoss:UntagResource"),
        ),
        resources=("*",),
    )
    yield Statement(
        sid="NameVectorEndpoint",
        actions=("route53:AssociateVPCWithHostedZone",),
        resources=(f"arn:{context.partition}:route53:::hostedzone/*",),
    )
    yield Statement(
        sid="FirstVectors",
        actions=("iam:CreateServiceLinkedRole",),
        resources=(
            context.arn(
                "iam", f"role/aws-service-role/{VECTOR_SERVICE}/{VECTOR_SERVICE_ROLE}", regional=False
            ),
        ),
        conditions=(Condition("StringEquals", "iam:AWSServiceName", (VECTOR_SERVICE,)),),
    )
    yield from vectors_statement(context)


def _keys_and_roles(reach: Reach) -> Iterator[Statement]:
    """Whoever makes a guardrail or a collection with a key lets the service use it; roles are handed to Bedrock."""
    context = reach.context
    bases = [intent.name for intent in context.all_of(KnowledgeBase)]
    if reach.keys.data is not None and (bases or context.one_of(Guardrail)):
        yield Statement(
            sid="LendKey",
            actions=("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),
            resources=(reach.keys.data,),
        )
    roles = [*map(knowledge_role, bases), *([LOG_ROLE] if is_logged(context) else [])]
    if roles:
        yield Statement(
            sid="PassToBedrock",
            actions=("iam:PassRole",),
            resources=tuple(
                context.arn("iam", f"role/{context.name('role', role)}", regional=False) for role in roles
            ),
            conditions=(Condition("StringEquals", "iam:PassedToService", (BEDROCK,)),),
        )


def _guardrails(context: Context) -> Value:
    return context.arn("bedrock", "guardrail/*")


def _bases(context: Context) -> Value:
    return context.arn("bedrock", "knowledge-base/*")


def _tagging(context: Context) -> tuple[Condition, ...]:
    return (Condition("StringEquals", "aws:RequestTag/platform", (context.platform.name,)),)


def _named(context: Context) -> tuple[Condition, ...]:
    names = tuple(context.collection(intent.name) for intent in context.all_of(KnowledgeBase))
    return (Condition("StringEquals", "aoss:collection", names),)
