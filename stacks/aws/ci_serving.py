"""What CI's plan and deploy roles may do with pipelines, their code, and endpoints, when the platform has them.

May not trust anybody: that is ``ci``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stacks.aws.context import Context
from stacks.aws.policy import Condition, Statement
from stacks.aws.workloads import Reach, pass_role
from stacks.graph import Value
from stacks.intents import OnlineEndpoint, TrainingPipeline

__all__ = ["changes", "reads"]

SCALING = "sagemaker.application-autoscaling.amazonaws.com"
SCALING_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


def reads(reach: Reach) -> Iterator[Statement]:
    """What refreshing pipelines and endpoints reads."""
    context = reach.context
    kinds = _kinds(context)
    if kinds:
        yield Statement(
            sid="ReadServing",
            actions=(*(f"sagemaker:Describe{kind}" for kind in kinds), "sagemaker:ListTags"),
            resources=_resources(context, kinds),
        )
    if _has_code(context):
        yield Statement(
            sid="ReadCode",
            actions=("s3:GetObject", "s3:GetObjectTagging"),
            resources=reach.objects("artifacts", "code/"),
        )
        yield from _key(reach, "kms:Decrypt")
    if _endpoints(context):
        yield Statement(
            sid="ReadScalingTags",
            actions=("application-autoscaling:ListTagsForResource",),
            resources=(context.arn("application-autoscaling", "scalable-target/*"),),
        )
        yield Statement(
            sid="ReadScaling",
            actions=(
                "application-autoscaling:DescribeScalableTargets",
                "application-autoscaling:DescribeScalingPolicies",
            ),
            resources=("*",),
        )
        yield Statement(
            sid="ReadRollbackAlarms",
            actions=("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"),
            resources=(_alarms(context),),
        )
    if _asynchronous(context):
        yield Statement(
            sid="ReadAsyncTopic",
            actions=("sns:GetTopicAttributes", "sns:ListTagsForResource"),
            resources=(context.arn("sns", context.async_topic()),),
        )


def changes(reach: Reach, serving_role: Value, pipelines_role: Value) -> Iterator[Statement]:
    """What applying pipelines and endpoints changes; the roles are handed to SageMaker with models and pipelines."""
    context = reach.context
    kinds = _kinds(context)
    if not kinds:
        return
    yield Statement(
        sid="ChangeServing",
        actions=(
            *(f"sagemaker:{verb}{kind}" for kind in kinds for verb in ("Create", "Delete")),
            *(f"sagemaker:Update{kind}" for kind in kinds if kind in ("Endpoint", "Pipeline")),
            "sagemaker:AddTags",
            "sagemaker:DeleteTags",
        ),
        resources=_resources(context, kinds),
    )
    yield pass_role(serving_role, pipelines_role, sid="PassToServing")
    if _has_code(context):
        yield Statement(
            sid="ChangeCode",
            actions=("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject", "s3:PutObjectTagging"),
            resources=reach.objects("artifacts", "code/"),
        )
        yield from _key(reach, "kms:Decrypt", "kms:GenerateDataKey")
    yield from _scaling(context)
    if _asynchronous(context):
        yield Statement(
            sid="ChangeAsyncTopic",
            actions=(
                "sns:CreateTopic",
                "sns:DeleteTopic",
                "sns:SetTopicAttributes",
                "sns:TagResource",
                "sns:UntagResource",
            ),
            resources=(context.arn("sns", context.async_topic()),),
        )


def _key(reach: Reach, *actions: str) -> Iterator[Statement]:
    if reach.keys.data is not None:
        yield Statement(sid="UseKeyOfCode", actions=actions, resources=(reach.keys.data,))


def _scaling(context: Context) -> Iterator[Statement]:
    if not _endpoints(context):
        return
    yield Statement(
        sid="ChangeScaling",
        actions=(
            "application-autoscaling:DeleteScalingPolicy",
            "application-autoscaling:DeregisterScalableTarget",
            "application-autoscaling:PutScalingPolicy",
            "application-autoscaling:RegisterScalableTarget",
            "application-autoscaling:TagResource",
            "application-autoscaling:UntagResource",
        ),
        resources=(context.arn("application-autoscaling", "scalable-target/*"),),
    )
    # Autoscaling asks whether its caller could do what it is going to do (its User Guide, permissions validation).
    yield Statement(
        sid="ScaleEndpoints",
        actions=("sagemaker:UpdateEndpointWeightsAndCapacities",),
        resources=(context.arn("sagemaker", f"endpoint/{context.prefix}-*"),),
    )
    yield Statement(
        sid="ChangeScalingAlarms",
        actions=("cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"),
        resources=(context.arn("cloudwatch", "alarm:TargetTracking-endpoint/*"),),
    )
    yield Statement(
        sid="FirstScaling",
        actions=("iam:CreateServiceLinkedRole",),
        resources=(context.arn("iam", f"role/aws-service-role/{SCALING}/{SCALING_ROLE}", regional=False),),
        conditions=(Condition("StringEquals", "iam:AWSServiceName", (SCALING,)),),
    )
    yield Statement(
        sid="ChangeRollbackAlarms",
        actions=(
            "cloudwatch:DeleteAlarms",
            "cloudwatch:PutMetricAlarm",
            "cloudwatch:TagResource",
            "cloudwatch:UntagResource",
        ),
        resources=(_alarms(context),),
    )


def _endpoints(context: Context) -> bool:
    return any(intent.mode != "batch" for intent in context.all_of(OnlineEndpoint))


def _asynchronous(context: Context) -> bool:
    return any(intent.mode == "async" for intent in context.all_of(OnlineEndpoint))


def _has_code(context: Context) -> bool:
    return any(intent.steps is not None and intent.steps.code for intent in context.all_of(TrainingPipeline))


def _kinds(context: Context) -> Sequence[str]:
    """The kinds of SageMaker resources that the platform has, or will have when what is planned is there."""
    kinds = []
    if context.one_of(OnlineEndpoint):
        kinds.append("Model")
    if _endpoints(context):
        kinds += ["Endpoint", "EndpointConfig"]
    if context.one_of(TrainingPipeline) or any(it.mode == "batch" for it in context.all_of(OnlineEndpoint)):
        kinds.append("Pipeline")
    return kinds


def _resources(context: Context, kinds: Sequence[str]) -> tuple[Value, ...]:
    words = {
        "Model": "model",
        "Endpoint": "endpoint",
        "EndpointConfig": "endpoint-config",
        "Pipeline": "pipeline",
    }
    return tuple(context.arn("sagemaker", f"{words[kind]}/{context.prefix}-*") for kind in kinds)


def _alarms(context: Context) -> Value:
    return context.arn("cloudwatch", f"alarm:{context.prefix}-*")
