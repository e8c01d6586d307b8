"""What workloads and people may do with models, guardrails and knowledge bases: policies that their roles share.

By name where AWS has names, by the platform's tags where it makes up ids. May not make a role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from stacks.aws.context import Context
from stacks.aws.policy import Condition, Statement, document
from stacks.aws.workloads import Reach
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import FoundationModels, Guardrail, KnowledgeBase, describe

__all__ = ["CROSS_REGION", "INVOKE", "grant_llm", "is_cross_region", "own", "vectors_statement"]

INVOKE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
"""Converse and ConverseStream ask for the same two (Service Authorization Reference, November 2026)."""

GEOGRAPHIES = ("apac", "au", "ca", "eu", "global", "jp", "us", "us-gov")
CROSS_REGION = re.compile(rf"({'|'.join(GEOGRAPHIES)})\.(?P<model>.+)")
"""An inference profile's id: where it may answer, and the model (Bedrock User Guide, inference profiles, November 2026)."""

USERS = ("scientists", "serving", "training", "workspace")
FEEDERS = ("admins", "scientists", "workspace")


def is_cross_region(model: str) -> bool:
    """Whether an id is an inference profile's, which other regions answer too."""
    return CROSS_REGION.fullmatch(model) is not None


def grant_llm(stack: StackBuilder, reach: Reach, roles: Mapping[str, Node]) -> None:
    """Attach to the roles, those that there are, what the platform's ``llm`` lets them do."""
    context = reach.context
    asked = context.one_of(FoundationModels) or context.one_of(Guardrail) or context.one_of(KnowledgeBase)
    if asked is None:
        return
    origin = describe(asked)
    policies: tuple[tuple[str, str, Sequence[Statement], Sequence[str]], ...] = (
        ("llm", "Use models, guardrails and knowledge bases", [*_uses(context)], USERS),
        ("knowledge", "Bring documents into knowledge bases", [*_feeds(context)], FEEDERS),
        ("vectors", "Make the indexes of knowledge bases", [*vectors_statement(context)], ("admins",)),
    )
    for name, use, statements, users in policies:
        present = [user for user in users if user in roles]
        if statements and present:
            _attach(stack, context, name, use, statements, [roles[user] for user in present], origin)


def _attach(
    stack: StackBuilder,
    context: Context,
    name: str,
    use: str,
    statements: Sequence[Statement],
    roles: Sequence[Node],
    origin: str,
) -> None:
    policy = stack.resource(
        "aws_iam_policy",
        name,
        {
            "name": context.name("policy", name),
            "description": use,
            "policy": document(stack, f"role-{name}", statements, origin=origin),
        },
        origin=origin,
    )
    for role in roles:
        stack.resource(
            "aws_iam_role_policy_attachment",
            f"{role.address.name}-{name}",
            {"role": role.ref("name"), "policy_arn": policy.ref("arn")},
            origin=origin,
        )


def own(context: Context) -> tuple[Condition, ...]:
    """Only what carries this platform's and environment's tags, as everything that it makes does."""
    return (
        Condition("StringEquals", "aws:ResourceTag/platform", (context.platform.name,)),
        Condition("StringEquals", "aws:ResourceTag/environment", (context.platform.environment,)),
    )


def _uses(context: Context) -> Iterator[Statement]:
    asked = context.one_of(FoundationModels)
    models = asked.models if asked else ()
    inside = tuple(_model(context, context.region, model) for model in models if not is_cross_region(model))
    if inside:
        yield Statement(sid="InvokeModels", actions=INVOKE, resources=inside)
    yield from _through_profiles(context, [model for model in models if is_cross_region(model)])
    if context.one_of(Guardrail):
        yield Statement(
            sid="ApplyGuardrails",
            actions=("bedrock:ApplyGuardrail",),
            resources=(context.arn("bedrock", "guardrail/*"),),
            conditions=own(context),
        )
    if context.one_of(KnowledgeBase):
        yield Statement(
            sid="SearchKnowledge",
            actions=("bedrock:Retrieve",),
            resources=(context.arn("bedrock", "knowledge-base/*"),),
            conditions=own(context),
        )


def _through_profiles(context: Context, models: Sequence[str]) -> Iterator[Statement]:
    """An inference profile here, and its model in every region, but only by that profile."""
    if not models:
        return
    profiles = tuple(context.arn("bedrock", f"inference-profile/{model}") for model in models)
    bare = dict.fromkeys(CROSS_REGION.sub(r"\g<model>", model) for model in models)
    yield Statement(sid="InvokeProfiles", actions=INVOKE, resources=profiles)
    yield Statement(
        sid="InvokeThroughProfiles",
        actions=INVOKE,
        resources=tuple(_model(context, "*", model) for model in bare),
        conditions=(Condition("StringEquals", "bedrock:InferenceProfileArn", profiles),),
    )


def _model(context: Context, region: str, model: str) -> Value:
    return f"arn:{context.partition}:bedrock:{region}::foundation-model/{model}"


def _feeds(context: Context) -> Iterator[Statement]:
    if context.one_of(KnowledgeBase):
        yield Statement(
            sid="FeedKnowledge",
            actions=("bedrock:GetIngestionJob", "bedrock:ListIngestionJobs", "bedrock:StartIngestionJob"),
            resources=(context.arn("bedrock", "knowledge-base/*"),),
            conditions=own(context),
        )


def vectors_statement(context: Context) -> Iterator[Statement]:
    """Reach the collections' own API; what may be done there, their data access policies say."""
    names = tuple(context.collection(intent.name) for intent in context.all_of(KnowledgeBase))
    if names:
        yield Statement(
            sid="ReachVectors",
            actions=("aoss:APIAccessAll",),
            resources=(context.arn("aoss", "collection/*"),),
            conditions=(Condition("StringEquals", "aoss:collection", names),),
        )
