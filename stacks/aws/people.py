"""Roles that people assume: admins approve and serve, scientists run jobs inside the network, viewers look.

May not let anybody change the platform's own resources: that is CI's deploy role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import assert_never

from stacks.aws.policy import Condition, Principal, Statement
from stacks.aws.roles import Role, add_role
from stacks.aws.workloads import STUDIO_LISTS, Reach, key_statements, own_runs, pass_role, reach_tracking
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import HumanRole, Workspace, describe

__all__ = ["add_human_role"]

LISTS = (
    *("sagemaker:ListEndpointConfigs", "sagemaker:ListEndpoints", "sagemaker:ListFeatureGroups"),
    *("sagemaker:ListHyperParameterTuningJobs", "sagemaker:ListModelPackageGroups", "sagemaker:ListModels"),
    *("sagemaker:ListMonitoringSchedules", "sagemaker:ListPipelines", "sagemaker:ListProcessingJobs"),
    *("sagemaker:ListTrainingJobs", "sagemaker:ListTransformJobs", "sagemaker:Search"),
    *("cloudwatch:GetMetricData", "cloudwatch:GetMetricStatistics", "cloudwatch:ListMetrics"),
    "logs:DescribeLogGroups",
)
WORKING_DAY_S = 8 * 3600
USER = ":user/"


def add_human_role(
    stack: StackBuilder, reach: Reach, role: HumanRole, workloads: Mapping[str, Value]
) -> Node:
    """Add a role for one group of people; ``workloads`` are the ARNs of the roles that they may hand to jobs."""
    match role.purpose:
        case "admins":
            use, allows, session_s = "Approve models, change endpoints", _admins(reach, workloads), 3600
        case "scientists":
            use, allows, session_s = (
                "Run jobs and pipelines in the network",
                _scientists(reach, workloads),
                WORKING_DAY_S,
            )
        case "viewers":
            use, allows, session_s = "Look at the platform's work", _viewers(reach), WORKING_DAY_S
        case _:
            assert_never(role.purpose)
    return add_role(
        stack,
        reach.context,
        reach.keys,
        Role(
            name=role.purpose,
            description=use,
            trust=_trust(role.principals),
            allows=allows,
            session_s=session_s,
        ),
        origin=describe(role),
    )


def _trust(principals: Sequence[str]) -> list[Statement]:
    """Roles come from a sign-in that asked for a second factor already; users must bring one along."""
    users = tuple(principal for principal in principals if USER in principal)
    roles = tuple(principal for principal in principals if USER not in principal)
    statements = []
    if roles:
        statements.append(
            Statement(
                sid="Roles",
                actions=("sts:AssumeRole", "sts:TagSession"),
                principals=(Principal("AWS", roles),),
            )
        )
    if users:
        statements.append(
            Statement(
                sid="Users",
                actions=("sts:AssumeRole",),
                principals=(Principal("AWS", users),),
                conditions=(Condition("Bool", "aws:MultiFactorAuthPresent", ("true",)),),
            )
        )
    return statements


def _viewers(reach: Reach) -> list[Statement]:
    context = reach.context
    groups = (
        context.arn("logs", "log-group:/aws/sagemaker/*"),
        context.arn("logs", f"log-group:/{context.prefix}/*"),
    )
    return [
        Statement(sid="List", actions=LISTS, resources=("*",)),
        Statement(
            sid="Describe",
            actions=(
                "sagemaker:Describe*",
                "sagemaker:ListModelPackages",
                "sagemaker:ListPipelineExecutions",
                "sagemaker:ListPipelineExecutionSteps",
                "sagemaker:ListTags",
            ),
            resources=reach.sagemaker(
                *("endpoint", "endpoint-config", "feature-group", "hyper-parameter-tuning-job", "model"),
                *(
                    "model-package",
                    "model-package-group",
                    "monitoring-schedule",
                    "pipeline",
                    "processing-job",
                ),
                *("training-job", "transform-job"),
            ),
        ),
        Statement(
            sid="ReadLogs",
            actions=("logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"),
            resources=(*groups, *(f"{group}:log-stream:*" for group in groups)),
        ),
    ]


def _scientists(reach: Reach, workloads: Mapping[str, Value]) -> list[Statement]:
    own = ("data", "artifacts", *reach.user_buckets)
    return [
        *_viewers(reach),
        Statement(
            sid="ListBuckets",
            actions=("s3:GetBucketLocation", "s3:ListBucket"),
            resources=tuple(reach.stores.arn(bucket) for bucket in own),
        ),
        Statement(
            sid="ReadObjects",
            actions=("s3:GetObject",),
            resources=tuple(arn for bucket in own for arn in reach.objects(bucket)),
        ),
        Statement(
            sid="WriteExperiments",
            actions=("s3:AbortMultipartUpload", "s3:PutObject"),
            resources=(
                *reach.objects("data", "processed/"),
                *reach.objects("artifacts", "code/", "experiments/"),
            ),
        ),
        *key_statements(reach.keys),
        *own_runs(reach, workloads["training"]),
        *reach_tracking(reach),
        *_own_workspace(reach),
        Statement(
            sid="NoApproval",
            effect="Deny",
            actions=(
                "sagemaker:CreateEndpoint",
                "sagemaker:DeleteEndpoint",
                "sagemaker:UpdateEndpoint",
                "sagemaker:UpdateModelPackage",
            ),
            resources=("*",),
        ),
    ]


def _own_workspace(reach: Reach) -> Iterator[Statement]:
    """Open one's own profile and spaces: the session's tag ``studiouser`` must be the profile's name."""
    context = reach.context
    if context.one_of(Workspace) is None:
        return
    own = "&{aws:PrincipalTag/studiouser}"
    yield Statement(sid="ListStudio", actions=STUDIO_LISTS, resources=("*",))
    yield Statement(
        sid="SeeDomain",
        actions=("sagemaker:DescribeDomain",),
        resources=(context.arn("sagemaker", "domain/*"),),
    )
    yield Statement(
        sid="TagOwnApps",
        actions=("sagemaker:AddTags",),
        resources=(
            context.arn("sagemaker", f"app/*/{own}/*"),
            context.arn("sagemaker", f"app/*/{own}-lab/*"),
        ),
        conditions=(Condition("Null", "sagemaker:TaggingAction", ("false",)),),
    )
    yield Statement(
        sid="OpenOwnWorkspace",
        actions=("sagemaker:CreatePresignedDomainUrl", "sagemaker:DescribeUserProfile"),
        resources=(context.arn("sagemaker", f"user-profile/*/{own}"),),
    )
    yield Statement(
        sid="RunOwnApps",
        actions=("sagemaker:CreateApp", "sagemaker:DeleteApp", "sagemaker:DescribeApp"),
        resources=(
            context.arn("sagemaker", f"app/*/{own}/*"),
            context.arn("sagemaker", f"app/*/{own}-lab/*"),
        ),
    )
    yield Statement(
        sid="SeeOwnSpace",
        actions=("sagemaker:DescribeSpace", "sagemaker:UpdateSpace"),
        resources=(context.arn("sagemaker", f"space/*/{own}-lab"),),
    )


def _admins(reach: Reach, workloads: Mapping[str, Value]) -> list[Statement]:
    context = reach.context
    return [
        *_viewers(reach),
        Statement(
            sid="ApproveModels",
            actions=("sagemaker:UpdateModelPackage",),
            resources=reach.sagemaker("model-package"),
        ),
        Statement(
            sid="ChangeEndpoints",
            actions=(
                "sagemaker:AddTags",
                "sagemaker:CreateEndpoint",
                "sagemaker:CreateEndpointConfig",
                "sagemaker:CreateModel",
                "sagemaker:DeleteEndpoint",
                "sagemaker:DeleteEndpointConfig",
                "sagemaker:DeleteModel",
                "sagemaker:InvokeEndpoint",
                "sagemaker:UpdateEndpoint",
                "sagemaker:UpdateEndpointWeightsAndCapacities",
            ),
            resources=tuple(
                context.arn("sagemaker", f"{kind}/{context.prefix}-*")
                for kind in ("endpoint", "endpoint-config", "model")
            ),
        ),
        Statement(
            sid="RunPipelines",
            actions=("sagemaker:StartPipelineExecution", "sagemaker:StopPipelineExecution"),
            resources=(context.arn("sagemaker", f"pipeline/{context.prefix}-*"),),
        ),
        pass_role(workloads["serving"]),
    ]
