"""What CI's plan and deploy roles may do with the workspace, the registry, tracking and features, when the platform has them.

May not trust anybody: that is ``ci``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stacks.aws.context import Context
from stacks.aws.policy import Condition, Statement
from stacks.aws.workloads import SAGEMAKER, Reach, pass_role
from stacks.graph import Value
from stacks.intents import ExperimentTracking, FeatureStore, ModelRegistry, Workspace

__all__ = ["changes", "reads"]

NOTEBOOKS_ROLE = "AWSServiceRoleForAmazonSageMakerNotebooks"
"""What SageMaker makes for itself with an account's first domain."""
NEVER_UPDATED = ("ModelPackageGroup",)


def reads(reach: Reach) -> Iterator[Statement]:
    """What refreshing those stacks reads."""
    context = reach.context
    described = _described(context)
    if described:
        yield Statement(
            sid="ReadMachineLearning",
            actions=(*(f"sagemaker:Describe{kind}" for kind in described), "sagemaker:ListTags"),
            resources=_resources(context),
        )
    if context.one_of(FeatureStore):
        yield Statement(
            sid="ReadCatalog",
            actions=("glue:GetDatabase", "glue:GetTags"),
            resources=_catalog(context),
        )


def changes(reach: Reach, roles: Sequence[Value]) -> Iterator[Statement]:
    """What applying those stacks changes; ``roles`` are handed to SageMaker with a domain, a server or a group."""
    context = reach.context
    described = _described(context)
    if described:
        yield Statement(
            sid="ChangeMachineLearning",
            actions=(
                *(f"sagemaker:{verb}{kind}" for kind in described for verb in ("Create", "Delete")),
                *(f"sagemaker:Update{kind}" for kind in described if kind not in NEVER_UPDATED),
                "sagemaker:AddTags",
                "sagemaker:DeleteTags",
            ),
            resources=_resources(context),
        )
        yield pass_role(*roles, sid="PassToMachineLearning")
    if context.one_of(Workspace):
        yield Statement(
            sid="FirstDomain",
            actions=("iam:CreateServiceLinkedRole",),
            resources=(
                context.arn("iam", f"role/aws-service-role/{SAGEMAKER}/{NOTEBOOKS_ROLE}", regional=False),
            ),
            conditions=(Condition("StringEquals", "iam:AWSServiceName", (SAGEMAKER,)),),
        )
    if context.one_of(FeatureStore):
        yield Statement(
            sid="ChangeCatalog",
            actions=("glue:CreateDatabase", "glue:DeleteDatabase", "glue:TagResource", "glue:UpdateDatabase"),
            resources=_catalog(context),
        )


def _described(context: Context) -> tuple[str, ...]:
    """The kinds of SageMaker resources that the platform has."""
    kinds: list[str] = []
    if context.one_of(Workspace):
        kinds += ["Domain", "Space", "UserProfile"]
    if context.one_of(ExperimentTracking):
        kinds.append("MlflowTrackingServer")
    if context.one_of(ModelRegistry):
        kinds.append("ModelPackageGroup")
    if context.one_of(FeatureStore):
        kinds.append("FeatureGroup")
    return tuple(kinds)


def _resources(context: Context) -> tuple[Value, ...]:
    """By name where the platform gives the name; SageMaker makes up a domain's id, which profiles and spaces carry."""
    own = f"{context.prefix}-*"
    found: list[Value] = []
    if context.one_of(Workspace):
        found += [context.arn("sagemaker", f"{kind}/*") for kind in ("domain", "space", "user-profile")]
    if context.one_of(ExperimentTracking):
        found.append(context.arn("sagemaker", f"mlflow-tracking-server/{context.prefix}"))
    if context.one_of(ModelRegistry):
        found.append(context.arn("sagemaker", f"model-package-group/{own}"))
    if context.one_of(FeatureStore):
        found.append(context.arn("sagemaker", f"feature-group/{own}"))
    return tuple(found)


def _catalog(context: Context) -> tuple[Value, ...]:
    database = f"{context.prefix}_features".replace("-", "_")
    return (context.arn("glue", "catalog"), context.arn("glue", f"database/{database}"))
