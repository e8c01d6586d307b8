"""Roles for a CI system's jobs, by OIDC and without keys: plan reads, build pushes images, deploy changes the platform.

May not trust a job of another repository, branch or environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import assert_never

from stacks.aws import ci_llm, ci_ml, ci_monitoring, ci_serving, state
from stacks.aws.policy import Condition, Principal, Statement, document
from stacks.aws.roles import SESSION_S, Role, add_role
from stacks.aws.workloads import Reach, key_statements, pass_role
from stacks.graph import Node, StackBuilder, Value
from stacks.intents import CiIdentity, describe, job_url
from stacks.record import record

__all__ = ["add_ci_roles"]

READ_NETWORK = (
    *("ec2:DescribeAddresses", "ec2:DescribeAddressesAttribute", "ec2:DescribeAvailabilityZones"),
    *(
        "ec2:DescribeFlowLogs",
        "ec2:DescribeInternetGateways",
        "ec2:DescribeNatGateways",
        "ec2:DescribeNetworkAcls",
    ),
    *("ec2:DescribeNetworkInterfaces", "ec2:DescribePrefixLists", "ec2:DescribeRouteTables"),
    *("ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets"),
    *("ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs"),
)
READ_BUCKETS = (
    *("s3:GetAccelerateConfiguration", "s3:GetBucket*", "s3:GetEncryptionConfiguration"),
    *("s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", "s3:ListBucket"),
)
CHANGE_NETWORK = (
    *("ec2:AllocateAddress", "ec2:AssociateRouteTable", "ec2:AttachInternetGateway"),
    *("ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress", "ec2:CreateFlowLogs"),
    *(
        "ec2:CreateInternetGateway",
        "ec2:CreateNatGateway",
        "ec2:CreateNetworkAcl",
        "ec2:CreateNetworkAclEntry",
    ),
    *(
        "ec2:CreateRoute",
        "ec2:CreateRouteTable",
        "ec2:CreateSecurityGroup",
        "ec2:CreateSubnet",
        "ec2:CreateTags",
    ),
    *("ec2:CreateVpc", "ec2:CreateVpcEndpoint", "ec2:DeleteFlowLogs", "ec2:DeleteInternetGateway"),
    *("ec2:DeleteNatGateway", "ec2:DeleteNetworkAcl", "ec2:DeleteNetworkAclEntry", "ec2:DeleteRoute"),
    *(
        "ec2:DeleteRouteTable",
        "ec2:DeleteSecurityGroup",
        "ec2:DeleteSubnet",
        "ec2:DeleteTags",
        "ec2:DeleteVpc",
    ),
    *(
        "ec2:DeleteVpcEndpoints",
        "ec2:DescribeVpcAttribute",
        "ec2:DetachInternetGateway",
        "ec2:DisassociateAddress",
    ),
    *("ec2:DisassociateRouteTable", "ec2:ModifySecurityGroupRules", "ec2:ModifySubnetAttribute"),
    *(
        "ec2:ModifyVpcAttribute",
        "ec2:ModifyVpcEndpoint",
        "ec2:ReleaseAddress",
        "ec2:ReplaceNetworkAclAssociation",
    ),
    *("ec2:ReplaceNetworkAclEntry", "ec2:ReplaceRoute", "ec2:ReplaceRouteTableAssociation"),
    *("ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress"),
    *("ec2:UpdateSecurityGroupRuleDescriptionsEgress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress"),
)


@record
class _Issuer:
    """An OIDC issuer, the audience that its tokens carry, and the subjects of three kinds of job."""

    host: str
    audience: str
    plan: str
    build: str
    deploy: str


def _issuer(intent: CiIdentity, name: str, environment: str) -> _Issuer:
    """Subjects as the vendors document them (GitHub: OIDC reference; GitLab: ID token payload; CircleCI: OpenID Connect
    tokens, $CIRCLE_OIDC_TOKEN_V2; Jenkins: oidc-provider plugin; Azure DevOps: AWS Toolkit; November 2026).
    """
    repository = intent.repository
    match intent.system:
        case "github":
            return _Issuer(
                host="token.actions.githubusercontent.com",
                audience="sts.amazonaws.com",
                plan=f"repo:{repository}:pull_request",
                build=f"repo:{repository}:ref:refs/heads/{intent.branch}",
                deploy=f"repo:{repository}:environment:{environment}",
            )
        case "gitlab":
            return _Issuer(
                host=intent.host,
                audience=f"https://{intent.host}",
                plan=f"project_path:{repository}:ref_type:branch:ref:*",
                build=f"project_path:{repository}:ref_type:branch:ref:{intent.branch}",
                deploy=f"project_path:{repository}:ref_type:branch:ref:{intent.branch}",
            )
        case "circleci":
            # A UUID's length, not "*": that one would also take what a branch of any other repository can be called.
            some = "?" * 36
            start = f"org/{intent.organization}/project/{some}/user/{some}/vcs-origin/github.com/{repository}/vcs-ref"
            return _Issuer(
                host=f"oidc.circleci.com/org/{intent.organization}",
                audience=str(intent.organization),
                plan=f"{start}/refs/heads/*",
                build=f"{start}/refs/heads/{intent.branch}",
                deploy=f"{start}/refs/heads/{intent.branch}",
            )
        case "jenkins":
            return _Issuer(
                host=f"{intent.host}/oidc",
                audience="sts.amazonaws.com",
                plan=job_url(intent, "PR-*"),
                build=job_url(intent, intent.branch),
                deploy=job_url(intent, intent.branch),
            )
        case "azure-devops":
            connections = f"sc://{repository}/{name}-{environment}-ci"
            return _Issuer(
                host=f"vstoken.dev.azure.com/{intent.organization}",
                audience="api://AzureADTokenExchange",
                plan=f"{connections}-plan",
                build=f"{connections}-build",
                deploy=f"{connections}-deploy",
            )
        case _:
            assert_never(intent.system)


def add_ci_roles(
    stack: StackBuilder, reach: Reach, intent: CiIdentity, workloads: Mapping[str, Value]
) -> dict[str, Node]:
    """Add the identity provider, unless the account has it, and the three roles; return them by name."""
    context = reach.context
    issuer = _issuer(intent, context.platform.name, context.platform.environment)
    origin = describe(intent)
    provider: Value = context.arn("iam", f"oidc-provider/{issuer.host}", regional=False)
    if intent.create_provider:
        provider = stack.resource(
            "aws_iam_openid_connect_provider",
            "ci",
            {"url": f"https://{issuer.host}", "client_id_list": [issuer.audience]},
            origin=origin,
        ).ref("arn")
    jobs: tuple[tuple[str, str, str, Sequence[Statement]], ...] = (
        (
            "ci-plan",
            "CI plans a change: reads, and locks the state",
            issuer.plan,
            _state(reach, write=False),
        ),
        ("ci-build", "CI builds: pushes images, updates pipelines", issuer.build, _builds(reach, workloads)),
        (
            "ci-deploy",
            "CI deploys the platform's stacks",
            issuer.deploy,
            [*_changes(reach), *_state(reach, write=True)],
        ),
    )
    read = _policies(stack, reach, "read", "What refreshing reads", _areas_read(reach), origin)
    change = _policies(
        stack, reach, "change", "What applying changes", _areas_changed(reach, workloads), origin
    )
    policies = {"ci-plan": read, "ci-build": {}, "ci-deploy": {**read, **change}}
    return {
        name: add_role(
            stack,
            context,
            reach.keys,
            Role(
                name=name,
                description=use,
                trust=[_trust(provider, issuer, subject)],
                allows=allows,
                policies=policies[name],
                # The ceiling denies changes to roles, which are the deploy role's work; it may make roles under it only.
                bounded=name != "ci-deploy",
                session_s=DEPLOY_SESSION_S if name == "ci-deploy" else SESSION_S,
            ),
            origin=origin,
        )
        for name, use, subject, allows in jobs
    }


def _areas_read(reach: Reach) -> dict[str, Iterable[Statement]]:
    return {
        "": _reads(reach),
        "ml": ci_ml.reads(reach),
        "serving": ci_serving.reads(reach),
        "llm": ci_llm.reads(reach),
        "monitoring": ci_monitoring.reads(reach),
    }


def _areas_changed(reach: Reach, workloads: Mapping[str, Value]) -> dict[str, Iterable[Statement]]:
    return {
        "ml": ci_ml.changes(
            reach, [workloads[name] for name in ("training", "workspace") if name in workloads]
        ),
        "serving": ci_serving.changes(reach, workloads["serving"], workloads["pipelines"]),
        "llm": ci_llm.changes(reach),
        "monitoring": ci_monitoring.changes(reach, workloads["monitoring"], workloads.get("triggers")),
    }


def _policies(
    stack: StackBuilder,
    reach: Reach,
    verb: str,
    use: str,
    areas: Mapping[str, Iterable[Statement]],
    origin: str,
) -> dict[str, Value]:
    """A policy of its own for each area that has statements: inline in one role, they would not fit (10,240 characters)."""
    made: dict[str, Value] = {}
    for area, found in areas.items():
        statements = [*found]
        name = f"{verb}-{area}" if area else verb
        if statements:
            made[name] = stack.resource(
                "aws_iam_policy",
                f"ci-{name}",
                {
                    "name": reach.context.name("policy", f"ci-{name}"),
                    "description": f"{use} in the {area} part of the platform"
                    if area
                    else f"{use} of the platform",
                    "policy": document(stack, f"role-ci-{name}", statements, origin=origin),
                },
                origin=origin,
            ).ref("arn")
    return made


def _trust(provider: Value, issuer: _Issuer, subject: str) -> Statement:
    return Statement(
        sid="Jobs",
        actions=("sts:AssumeRoleWithWebIdentity",),
        principals=(Principal("Federated", (provider,)),),
        conditions=(
            Condition("StringEquals", f"{issuer.host}:aud", (issuer.audience,)),
            Condition(
                "StringLike" if {"*", "?"} & {*subject} else "StringEquals", f"{issuer.host}:sub", (subject,)
            ),
        ),
    )


def _state(reach: Reach, *, write: bool) -> tuple[Statement, ...]:
    """Where the states lie, when that is S3: a plan reads states and writes locks, a deploy writes both."""
    context = reach.context
    place = state.place_of(context)
    if place is None:
        return ()
    states = f"arn:{context.partition}:s3:::{place.bucket}/{place.start}*"
    statements = [
        Statement(
            sid="FindState",
            actions=("s3:ListBucket",),
            resources=(f"arn:{context.partition}:s3:::{place.bucket}",),
        ),
        Statement(sid="ReadState", actions=("s3:GetObject",), resources=(states,)),
        Statement(
            sid="WriteState" if write else "LockState",
            actions=("s3:DeleteObject", "s3:PutObject"),
            resources=(states if write else f"{states}.tflock",),
        ),
    ]
    if place.key_alias or place.key_arn:
        alias = Condition("ForAnyValue:StringEquals", "kms:ResourceAliases", (place.key_alias,))
        statements.append(
            Statement(
                sid="UseStateKey",
                actions=("kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),
                resources=(place.key_arn or context.arn("kms", "key/*"),),
                conditions=() if place.key_arn else (alias,),
            )
        )
    return tuple(statements)


def _reads(reach: Reach) -> tuple[Statement, ...]:
    """What refreshing the platform's own stacks reads; not one object's content."""
    context = reach.context
    own = context.prefix
    return (
        Statement(
            sid="ReadUnscoped",
            actions=(
                *READ_NETWORK,
                "cloudtrail:DescribeTrails",
                "kms:ListAliases",
                "logs:DescribeLogGroups",
                "sts:GetCallerIdentity",
            ),
            resources=("*",),
        ),
        Statement(
            sid="ReadVpc", actions=("ec2:DescribeVpcAttribute",), resources=(context.arn("ec2", "vpc/*"),)
        ),
        Statement(
            sid="ReadKeys",
            actions=(
                "kms:DescribeKey",
                "kms:GetKeyPolicy",
                "kms:GetKeyRotationStatus",
                "kms:ListResourceTags",
            ),
            resources=(context.arn("kms", "key/*"),),
        ),
        Statement(
            sid="ReadBuckets", actions=READ_BUCKETS, resources=(f"arn:{context.partition}:s3:::{own}-*",)
        ),
        Statement(
            sid="ReadTrail",
            actions=(
                "cloudtrail:GetEventSelectors",
                "cloudtrail:GetInsightSelectors",
                "cloudtrail:GetTrail",
                "cloudtrail:GetTrailStatus",
                "cloudtrail:ListTags",
            ),
            resources=(context.arn("cloudtrail", f"trail/{own}-*"),),
        ),
        Statement(
            sid="ReadLogGroups",
            actions=("logs:ListTagsForResource",),
            resources=(context.arn("logs", f"log-group:/{own}/*"),),
        ),
        Statement(
            sid="ReadRepositories",
            actions=(
                "ecr:DescribeRepositories",
                "ecr:GetLifecyclePolicy",
                "ecr:GetRepositoryPolicy",
                "ecr:ListTagsForResource",
            ),
            resources=(context.arn("ecr", f"repository/{own}/*"),),
        ),
        Statement(
            sid="ReadRoles",
            actions=(
                *("iam:GetOpenIDConnectProvider", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole"),
                *("iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole"),
                *("iam:ListPolicyTags", "iam:ListPolicyVersions", "iam:ListRolePolicies", "iam:ListRoleTags"),
            ),
            resources=_iam(reach),
        ),
    )


def _iam(reach: Reach) -> tuple[Value, ...]:
    context = reach.context
    return (
        context.arn("iam", f"role/{context.prefix}-*", regional=False),
        context.arn("iam", f"policy/{context.prefix}-*", regional=False),
        context.arn("iam", "oidc-provider/*", regional=False),
    )


def _builds(reach: Reach, workloads: Mapping[str, Value]) -> list[Statement]:
    context = reach.context
    statements = [
        Statement(
            sid="UpdatePipelines",
            actions=(
                "sagemaker:AddTags",
                "sagemaker:CreatePipeline",
                "sagemaker:DescribePipeline",
                "sagemaker:DescribePipelineExecution",
                "sagemaker:ListPipelineExecutionSteps",
                "sagemaker:StartPipelineExecution",
                "sagemaker:UpdatePipeline",
            ),
            resources=(context.arn("sagemaker", f"pipeline/{context.prefix}-*"),),
        ),
        Statement(
            sid="StoreCode",
            actions=("s3:GetObject", "s3:PutObject"),
            resources=reach.objects("artifacts", "code/", "pipelines/"),
        ),
        *key_statements(reach.keys),
        pass_role(workloads["pipelines"]),
    ]
    if reach.registry.arns:
        statements += [
            Statement(sid="ImageLogin", actions=("ecr:GetAuthorizationToken",), resources=("*",)),
            Statement(
                sid="PushImages",
                actions=(
                    "ecr:BatchCheckLayerAvailability",
                    "ecr:BatchGetImage",
                    "ecr:CompleteLayerUpload",
                    "ecr:DescribeImageScanFindings",
                    "ecr:DescribeImages",
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:InitiateLayerUpload",
                    "ecr:PutImage",
                    "ecr:UploadLayerPart",
                ),
                resources=tuple(reach.registry.arns.values()),
            ),
        ]
    return statements


def _changes(reach: Reach) -> tuple[Statement, ...]:
    """What applying the foundation's stacks changes: by name where AWS has names, by tag where it has ids."""
    context = reach.context
    own = context.prefix
    tagged = (
        Condition("StringEquals", "aws:ResourceTag/platform", (context.platform.name,)),
        Condition("StringEquals", "aws:ResourceTag/environment", (context.platform.environment,)),
    )
    return (
        Statement(
            sid="ChangeNetwork",
            actions=CHANGE_NETWORK,
            resources=(context.arn("ec2", "*"),),
        ),
        Statement(
            sid="MakeKeys",
            actions=("kms:CreateKey",),
            resources=("*",),
            conditions=(Condition("StringEquals", "aws:RequestTag/platform", (context.platform.name,)),),
        ),
        Statement(
            sid="TagNewKeys",
            actions=("kms:TagResource",),
            resources=(context.arn("kms", "key/*"),),
            conditions=(Condition("StringEquals", "aws:RequestTag/platform", (context.platform.name,)),),
        ),
        Statement(
            sid="ChangeKeys",
            actions=(
                *(
                    "kms:CreateAlias",
                    "kms:CreateGrant",
                    "kms:Decrypt",
                    "kms:DeleteAlias",
                    "kms:EnableKeyRotation",
                ),
                *("kms:GenerateDataKey", "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion"),
                *("kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription"),
            ),
            resources=(context.arn("kms", "key/*"),),
            conditions=tagged,
        ),
        Statement(
            sid="NameKeys",
            actions=("kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"),
            resources=(context.arn("kms", f"alias/{own}/*"),),
        ),
        Statement(
            sid="ChangeBuckets",
            actions=(
                *("s3:CreateBucket", "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:ListBucketVersions"),
                *("s3:PutBucket*", "s3:PutEncryptionConfiguration", "s3:PutLifecycleConfiguration"),
            ),
            resources=(f"arn:{context.partition}:s3:::{own}-*",),
        ),
        Statement(
            sid="ChangeTrail",
            actions=(
                *("cloudtrail:AddTags", "cloudtrail:CreateTrail", "cloudtrail:DeleteTrail"),
                *("cloudtrail:PutEventSelectors", "cloudtrail:RemoveTags", "cloudtrail:StartLogging"),
                "cloudtrail:UpdateTrail",
            ),
            resources=(context.arn("cloudtrail", f"trail/{own}-*"),),
        ),
        Statement(
            sid="ChangeLogGroups",
            actions=(
                *(
                    "logs:AssociateKmsKey",
                    "logs:CreateLogGroup",
                    "logs:DeleteLogGroup",
                    "logs:DisassociateKmsKey",
                ),
                *("logs:PutRetentionPolicy", "logs:TagResource", "logs:UntagResource"),
            ),
            resources=(context.arn("logs", f"log-group:/{own}/*"),),
        ),
        Statement(
            sid="ChangeRepositories",
            actions=(
                *("ecr:CreateRepository", "ecr:DeleteLifecyclePolicy", "ecr:DeleteRepository"),
                *("ecr:PutImageScanningConfiguration", "ecr:PutImageTagMutability", "ecr:PutLifecyclePolicy"),
                *("ecr:TagResource", "ecr:UntagResource"),
            ),
            resources=(context.arn("ecr", f"repository/{own}/*"),),
        ),
        *_role_changes(reach),
    )


DEPLOY_SESSION_S = 7200
"""A first deployment waits for a tracking server and for endpoints, and takes more than an hour."""
WRITE_POLICIES = (
    *("iam:CreatePolicy", "iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion"),
    "iam:SetDefaultPolicyVersion",
)


def _role_changes(reach: Reach) -> tuple[Statement, ...]:
    """Roles are made and changed under the ceiling only, and the ceiling itself is out of reach."""
    context = reach.context
    roles = context.arn("iam", f"role/{context.prefix}-*", regional=False)
    ceiling = reach.keys.boundary
    statements = [
        Statement(
            sid="ChangeRolesUnderCeiling",
            actions=(
                *("iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy"),
                *("iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"),
            ),
            resources=(roles,),
            conditions=(Condition("StringEquals", "iam:PermissionsBoundary", (ceiling,)),),
        ),
        Statement(
            sid="KeepRoles",
            actions=(
                *("iam:DeleteRole", "iam:TagRole", "iam:UntagRole", "iam:UpdateAssumeRolePolicy"),
                *("iam:UpdateRole", "iam:UpdateRoleDescription"),
            ),
            resources=(roles,),
        ),
        Statement(
            sid="PassServiceRoles",
            actions=("iam:PassRole",),
            resources=(roles,),
            conditions=(
                Condition(
                    "StringEquals",
                    "iam:PassedToService",
                    ("cloudtrail.amazonaws.com", "sagemaker.amazonaws.com", "vpc-flow-logs.amazonaws.com"),
                ),
            ),
        ),
        # What is not CI's own: a policy does nothing by itself, and is attached to roles under the ceiling only.
        Statement(
            sid="ChangePolicies",
            actions=(*WRITE_POLICIES, "iam:TagPolicy", "iam:UntagPolicy"),
            resources=(context.arn("iam", f"policy/{context.prefix}-*", regional=False),),
        ),
        Statement(
            sid="NotThePoliciesOfCi",
            effect="Deny",
            actions=WRITE_POLICIES,
            resources=(context.arn("iam", f"policy/{context.prefix}-ci-*", regional=False),),
        ),
        Statement(
            sid="NotTheDeployRoleItself",
            effect="Deny",
            actions=("iam:DeleteRolePermissionsBoundary", "iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy"),
            resources=(context.arn("iam", f"role/{context.name('role', 'ci-deploy')}", regional=False),),
        ),
        Statement(
            sid="NotTheCeiling",
            effect="Deny",
            actions=WRITE_POLICIES,
            resources=(ceiling,),
        ),
        Statement(
            sid="NoRoleLeavesTheCeiling",
            effect="Deny",
            actions=("iam:DeleteRolePermissionsBoundary",),
            resources=(roles,),
        ),
    ]
    return tuple(statements)
