"""What CI's plan and deploy roles may do with the monitoring stack, as far as the platform has what it holds.

May not trust anybody: that is ``ci``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stacks.aws.context import Context
from stacks.aws.monitors import in_parts
from stacks.aws.policy import Condition, Statement
from stacks.aws.triggers import EVENTS, queue_name, started_pipelines
from stacks.aws.workloads import Reach, pass_role
from stacks.graph import Value
from stacks.intents import (
    Budget,
    ModelMonitor,
    ModelRegistry,
    Notifications,
    OnlineEndpoint,
    TrainingPipeline,
)

__all__ = ["changes", "reads"]

COMPOSITE = "CloudWatch takes composite alarms from a permission on * only (API Reference, PutCompositeAlarm)"


def reads(reach: Reach) -> Iterator[Statement]:
    """What refreshing the monitoring stack reads."""
    context = reach.context
    if _alerts(context):
        yield Statement(
            sid="ReadTopics",
            actions=("sns:GetTopicAttributes", "sns:ListTagsForResource"),
            resources=(_topic(context),),
        )
        yield Statement(sid="ReadSubscriptions", actions=("sns:GetSubscriptionAttributes",), resources=("*",))
    if context.one_of(Budget):
        yield Statement(
            sid="ReadBudget",
            actions=("budgets:ListTagsForResource", "budgets:ViewBudget"),
            resources=(_budget(context),),
        )
    if _watched(context):
        yield Statement(
            sid="ReadAlarms",
            actions=("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"),
            resources=(_alarms(context),),
        )
        yield Statement(
            sid="ReadDashboard", actions=("cloudwatch:GetDashboard",), resources=(_dashboard(context),)
        )
    if _has_composites(context):
        yield Statement(
            sid="ReadCompositeAlarms",
            actions=("cloudwatch:DescribeAlarms",),
            resources=("*",),
            everywhere=COMPOSITE,
        )
    if _monitored(context):
        yield Statement(
            sid="ReadMonitors",
            actions=(
                "sagemaker:DescribeDataQualityJobDefinition",
                "sagemaker:DescribeMonitoringSchedule",
                "sagemaker:ListTags",
            ),
            resources=_monitors(context),
        )
    if _ruled(context):
        yield Statement(
            sid="ReadRules",
            actions=("events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule"),
            resources=(_rules(context),),
        )
        yield Statement(
            sid="ReadQueue",
            actions=("sqs:GetQueueAttributes", "sqs:ListQueueTags"),
            resources=(_queue(context),),
        )


def changes(reach: Reach, monitoring_role: Value, triggers_role: Value) -> Iterator[Statement]:
    """What applying the monitoring stack changes; the roles are handed to SageMaker and to EventBridge."""
    context = reach.context
    if _alerts(context):
        yield Statement(
            sid="ChangeTopics",
            actions=(
                *("sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe"),
                *("sns:TagResource", "sns:UntagResource"),
            ),
            resources=(_topic(context),),
        )
        yield Statement(sid="EndSubscriptions", actions=("sns:Unsubscribe",), resources=("*",))
    if context.one_of(Budget):
        yield Statement(
            sid="ChangeBudget",
            actions=("budgets:ModifyBudget", "budgets:TagResource", "budgets:UntagResource"),
            resources=(_budget(context),),
        )
    if _watched(context):
        yield Statement(
            sid="ChangeAlarms",
            actions=(
                *("cloudwatch:DeleteAlarms", "cloudwatch:PutMetricAlarm"),
                *("cloudwatch:TagResource", "cloudwatch:UntagResource"),
            ),
            resources=(_alarms(context),),
        )
        yield Statement(
            sid="ChangeDashboard",
            actions=("cloudwatch:DeleteDashboards", "cloudwatch:PutDashboard"),
            resources=(_dashboard(context),),
        )
    if _has_composites(context):
        yield Statement(
            sid="ChangeCompositeAlarms",
            actions=("cloudwatch:PutCompositeAlarm",),
            resources=("*",),
            everywhere=COMPOSITE,
        )
    if _monitored(context):
        yield Statement(
            sid="ChangeMonitors",
            actions=(
                *("sagemaker:CreateDataQualityJobDefinition", "sagemaker:DeleteDataQualityJobDefinition"),
                *("sagemaker:CreateMonitoringSchedule", "sagemaker:DeleteMonitoringSchedule"),
                *("sagemaker:UpdateMonitoringSchedule", "sagemaker:AddTags", "sagemaker:DeleteTags"),
            ),
            resources=_monitors(context),
        )
        yield pass_role(monitoring_role, sid="PassToMonitors")
    if _ruled(context):
        yield Statement(
            sid="ChangeRules",
            actions=(
                *("events:DeleteRule", "events:PutRule", "events:PutTargets", "events:RemoveTargets"),
                *("events:TagResource", "events:UntagResource"),
            ),
            resources=(_rules(context),),
        )
        yield Statement(
            sid="ChangeQueue",
            actions=(
                *("sqs:CreateQueue", "sqs:DeleteQueue", "sqs:SetQueueAttributes"),
                *("sqs:TagQueue", "sqs:UntagQueue"),
            ),
            resources=(_queue(context),),
        )
    if started_pipelines(context):
        yield Statement(
            sid="PassToEvents",
            actions=("iam:PassRole",),
            resources=(triggers_role,),
            conditions=(Condition("StringEquals", "iam:PassedToService", (EVENTS,)),),
        )


def _alerts(context: Context) -> bool:
    return bool(context.one_of(Notifications) or context.one_of(Budget))


def _watched(context: Context) -> bool:
    """Whether there is something that alarms and a dashboard show, or will be when what is planned is there."""
    return bool(context.one_of(OnlineEndpoint) or context.one_of(TrainingPipeline) or _ruled(context))


def _monitored(context: Context) -> bool:
    """Whether SageMaker's own monitors look at something."""
    return any(
        intent.data_drift_threshold is not None and intent.image is None
        for intent in context.all_of(ModelMonitor)
    )


def _has_composites(context: Context) -> bool:
    return any(len(in_parts(intent)) > 1 for intent in context.all_of(ModelMonitor) if intent.image is None)


def _ruled(context: Context) -> bool:
    """Whether some event starts a pipeline, or is told to people."""
    told = (OnlineEndpoint, TrainingPipeline, ModelRegistry)
    return bool(started_pipelines(context)) or (
        context.one_of(Notifications) is not None and any(context.one_of(kind) for kind in told)
    )


def _topic(context: Context) -> Value:
    return context.arn("sns", f"{context.prefix}-alerts")


def _budget(context: Context) -> Value:
    return context.arn("budgets", f"budget/{context.prefix}-*", regional=False)


def _alarms(context: Context) -> Value:
    return context.arn("cloudwatch", f"alarm:{context.prefix}-*")


def _dashboard(context: Context) -> Value:
    return context.arn("cloudwatch", f"dashboard/{context.name('dashboard')}", regional=False)


def _monitors(context: Context) -> tuple[Value, ...]:
    kinds = ("data-quality-job-definition", "monitoring-schedule")
    return tuple(context.arn("sagemaker", f"{kind}/{context.prefix}-*") for kind in kinds)


def _rules(context: Context) -> Value:
    return context.arn("events", f"rule/{context.prefix}-*")


def _queue(context: Context) -> Value:
    return context.arn("sqs", queue_name(context))
