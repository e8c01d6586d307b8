"""The security stack: keys with a policy for each service, the audit trail, and the ceiling over roles.

May not know what is encrypted, audited or bounded beyond the names of the platform.
"""

from __future__ import annotations

from collections.abc import Sequence

from stacks.aws.buckets import Bucket, add_bucket
from stacks.aws.context import Context, Keys
from stacks.aws.invocations import bedrock_key_statement, is_logged
from stacks.aws.llm_roles import INVOKE, is_cross_region
from stacks.aws.logs import add_log_group
from stacks.aws.policy import Condition, Principal, Statement, document, service_trust
from stacks.aws.roles import Role, add_role
from stacks.graph import Lifecycle, StackBuilder, Value, text
from stacks.intents import AuditTrail, Encryption, FoundationModels, PermissionsBoundary, describe

__all__ = ["BOUNDARY_SERVICES", "lower"]

DELETION_WINDOW_DAYS = 30
KEY_POLICY_REASON = "a key policy's resource is the key itself"

BOUNDARY_SERVICES = (
    *(
        "aoss",
        "application-autoscaling",
        "athena",
        "bedrock",
        "budgets",
        "cloudtrail",
        "cloudwatch",
        "ec2",
        "ecr",
        "elasticfilesystem",
        "events",
    ),
    *("glue", "kms", "lambda", "logs", "s3", "sagemaker", "sagemaker-mlflow", "scheduler", "secretsmanager"),
    *("sns", "sqs", "ssm", "states", "tag", "xray"),
)
"""The services that a role under the ceiling may be allowed to use at all."""


def lower(context: Context) -> tuple[StackBuilder, Keys]:
    """Make keys, boundary and trail."""
    stack = StackBuilder("security")
    boundary = _boundary(stack, context)
    encryption = context.one_of(Encryption)
    if encryption is not None and encryption.customer_managed:
        keys = Keys(
            data=_key(
                stack, context, "data", "buckets, images, volumes and features", (), describe(encryption)
            ),
            logs=_key(
                stack,
                context,
                "logs",
                "logs, the audit trail and notifications",
                _log_services(context),
                describe(encryption),
            ),
            boundary=boundary,
        )
        stack.export("data_key_arn", keys.data)
        stack.export("logs_key_arn", keys.logs)
    else:
        keys = Keys(boundary=boundary)
    trail = context.one_of(AuditTrail)
    if trail is not None:
        _trail(stack, context, keys, trail)
    if boundary is not None:
        stack.export("permissions_boundary_arn", boundary)
    return stack, keys


def _key(
    stack: StackBuilder, context: Context, name: str, use: str, services: Sequence[Statement], origin: str
) -> Value:
    account = Statement(
        sid="Account",
        actions=("kms:*",),
        resources=("*",),
        principals=(Principal("AWS", (context.arn("iam", "root", regional=False),)),),
        everywhere=f"{KEY_POLICY_REASON}; IAM policies of this account decide who uses it",
    )
    node = stack.resource(
        "aws_kms_key",
        name,
        {
            "description": f"{context.prefix}: {use}",
            "enable_key_rotation": True,
            "deletion_window_in_days": DELETION_WINDOW_DAYS,
            "policy": document(stack, f"key-{name}", [account, *services], origin=origin),
        },
        origin=origin,
        lifecycle=Lifecycle(prevent_destroy=context.protected),
        holds="everything that the key encrypted",
    )
    stack.resource(
        "aws_kms_alias",
        name,
        {"name": context.alias(name), "target_key_id": node.ref("key_id")},
        origin=origin,
    )
    return node.ref("arn")


def _log_services(context: Context) -> tuple[Statement, ...]:
    """Who may use the logs key: CloudWatch Logs for this account's groups, CloudTrail for this platform's trail."""
    use = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
    return (
        Statement(
            sid="CloudWatchLogs",
            actions=use,
            resources=("*",),
            principals=(Principal("Service", (f"logs.{context.region}.amazonaws.com",)),),
            conditions=(
                Condition(
                    "ArnLike", "kms:EncryptionContext:aws:logs:arn", (context.arn("logs", "log-group:*"),)
                ),
            ),
            everywhere=KEY_POLICY_REASON,
        ),
        Statement(
            sid="CloudTrail",
            actions=("kms:DescribeKey", "kms:GenerateDataKey*"),
            resources=("*",),
            principals=(Principal("Service", ("cloudtrail.amazonaws.com",)),),
            conditions=(Condition("StringEquals", "aws:SourceArn", (_trail_arn(context),)),),
            everywhere=KEY_POLICY_REASON,
        ),
        Statement(
            sid="Notifications",
            actions=("kms:Decrypt", "kms:GenerateDataKey*"),
            resources=("*",),
            principals=(Principal("Service", ("budgets.amazonaws.com", "cloudwatch.amazonaws.com")),),
            conditions=(Condition("StringEquals", "aws:SourceAccount", (context.account,)),),
            everywhere=KEY_POLICY_REASON,
        ),
        # Where EventBridge publishes to an encrypted topic, conditions on the source are not supported, and nothing
        # would arrive (SNS Developer Guide, key management, November 2026): the topic's own name bounds it.
        Statement(
            sid="RulesToTopics",
            actions=("kms:Decrypt", "kms:GenerateDataKey*"),
            resources=("*",),
            principals=(Principal("Service", ("events.amazonaws.com",)),),
            conditions=(
                Condition(
                    "ArnLike",
                    "kms:EncryptionContext:aws:sns:topicArn",
                    (context.arn("sns", f"{context.prefix}-*"),),
                ),
            ),
            everywhere=KEY_POLICY_REASON,
        ),
        Statement(
            sid="RulesToQueues",
            actions=("kms:Decrypt", "kms:GenerateDataKey*"),
            resources=("*",),
            principals=(Principal("Service", ("events.amazonaws.com",)),),
            conditions=(
                Condition(
                    "ArnLike",
                    "kms:EncryptionContext:aws:sqs:arn",
                    (context.arn("sqs", f"{context.prefix}-*"),),
                ),
            ),
            everywhere=KEY_POLICY_REASON,
        ),
        *([bedrock_key_statement(context, KEY_POLICY_REASON)] if is_logged(context) else []),
    )


def _trail_name(context: Context) -> str:
    return context.name("trail", "audit")


def _trail_arn(context: Context) -> str:
    return context.arn("cloudtrail", f"trail/{_trail_name(context)}")


def _trail(stack: StackBuilder, context: Context, keys: Keys, intent: AuditTrail) -> None:
    origin = describe(intent)
    store, _, policy = add_bucket(
        stack,
        context,
        Bucket(
            name="audit",
            address="audit",
            key=keys.logs,
            keep_versions_days=intent.retention_days,
            expire_after_days=intent.retention_days,
            grants=lambda arn: _trail_grants(context, arn),
            only_key=False,
        ),
        origin=origin,
    )
    group = add_log_group(
        stack, context, keys, "audit", retention_days=intent.log_retention_days, origin=origin
    )
    role = add_role(
        stack,
        context,
        keys,
        Role(
            name="audit",
            description="CloudTrail writes the audit trail to CloudWatch Logs",
            trust=[
                service_trust("cloudtrail.amazonaws.com", context.account, source_arn=_trail_arn(context))
            ],
            allows=[
                Statement(
                    sid="WriteLog",
                    actions=("logs:CreateLogStream", "logs:PutLogEvents"),
                    resources=(text(group.ref("arn"), ":log-stream:*"),),
                )
            ],
        ),
        origin=origin,
    )
    trail = stack.resource(
        "aws_cloudtrail",
        "audit",
        {
            "name": _trail_name(context),
            "s3_bucket_name": store.id,
            "kms_key_id": keys.logs,
            "is_multi_region_trail": True,
            "include_global_service_events": True,
            "enable_logging": True,
            "enable_log_file_validation": True,
            "cloud_watch_logs_group_arn": text(group.ref("arn"), ":*"),
            "cloud_watch_logs_role_arn": role.ref("arn"),
            "advanced_event_selector": [
                {
                    "name": "management",
                    "field_selector": [{"field": "eventCategory", "equals": ["Management"]}],
                },
                {
                    "name": "artifacts",
                    "field_selector": [
                        {"field": "eventCategory", "equals": ["Data"]},
                        {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                        {
                            "field": "resources.ARN",
                            "starts_with": [f"arn:{context.partition}:s3:::{context.bucket('artifacts')}/"],
                        },
                    ],
                },
            ],
        },
        origin=origin,
        depends_on=[policy],
    )
    stack.export("audit_trail_arn", trail.ref("arn"))
    stack.export("audit_bucket", store.id)


def _trail_grants(context: Context, bucket_arn: Value) -> tuple[Statement, ...]:
    trail = (Condition("StringEquals", "aws:SourceArn", (_trail_arn(context),)),)
    service = (Principal("Service", ("cloudtrail.amazonaws.com",)),)
    return (
        Statement(
            sid="TrailReadsAcl",
            actions=("s3:GetBucketAcl",),
            resources=(bucket_arn,),
            principals=service,
            conditions=trail,
        ),
        Statement(
            sid="TrailWrites",
            actions=("s3:PutObject",),
            resources=(text(bucket_arn, f"/AWSLogs/{context.account}/*"),),
            principals=service,
            conditions=(*trail, Condition("StringEquals", "s3:x-amz-acl", ("bucket-owner-full-control",))),
        ),
    )


def _boundary(stack: StackBuilder, context: Context) -> Value:
    intent = context.one_of(PermissionsBoundary)
    if intent is None:
        return None
    if intent.existing is not None:
        return intent.existing
    origin = describe(intent)
    policy = stack.resource(
        "aws_iam_policy",
        "boundary",
        {
            "name": context.name("policy", "boundary"),
            "description": "Ceiling over every role of the platform; grants nothing by itself",
            "policy": document(stack, "boundary", _ceiling(context), origin=origin),
        },
        origin=origin,
    )
    return policy.ref("arn")


def _ceiling(context: Context) -> tuple[Statement, ...]:
    return (
        Statement(
            sid="Ceiling",
            actions=(
                *(f"{service}:*" for service in BOUNDARY_SERVICES),
                "iam:Get*",
                "iam:List*",
                "iam:PassRole",
            ),
            resources=("*",),
            conditions=(
                Condition("StringEqualsIfExists", "aws:RequestedRegion", (context.region, "us-east-1")),
            ),
            everywhere="a permissions boundary grants nothing; it only caps what role policies grant",
        ),
        *_other_regions(context),
        Statement(
            sid="Session",
            actions=("sts:AssumeRole", "sts:GetCallerIdentity", "sts:SetSourceIdentity", "sts:TagSession"),
            resources=("*",),
            everywhere="a permissions boundary grants nothing; it only caps what role policies grant",
        ),
        Statement(
            sid="NoAuditTampering",
            effect="Deny",
            actions=(
                *("cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StopLogging"),
                *("cloudtrail:UpdateTrail", "ec2:DeleteFlowLogs", "kms:DisableKey", "kms:PutKeyPolicy"),
                *("kms:ScheduleKeyDeletion", "logs:DeleteLogGroup", "logs:DeleteRetentionPolicy"),
                *("s3:DeleteBucketPolicy", "s3:PutBucketPolicy", "s3:PutBucketPublicAccessBlock"),
                "s3:PutAccountPublicAccessBlock",
            ),
            resources=("*",),
        ),
        Statement(
            sid="NoPrivilegeEscalation",
            effect="Deny",
            actions=(
                *(
                    "iam:AddUserToGroup",
                    "iam:Attach*",
                    "iam:Create*",
                    "iam:Delete*",
                    "iam:Detach*",
                    "iam:Put*",
                ),
                "iam:Update*",
            ),
            resources=("*",),
        ),
    )


def _other_regions(context: Context) -> tuple[Statement, ...]:
    """A model behind a cross-region inference profile answers from regions that the ceiling shuts out otherwise."""
    asked = context.one_of(FoundationModels)
    if asked is None or not any(map(is_cross_region, asked.models)):
        return ()
    return (
        Statement(
            sid="CrossRegionModels",
            actions=INVOKE,
            resources=("*",),
            conditions=(
                Condition(
                    "ArnLike",
                    "bedrock:InferenceProfileArn",
                    (context.arn("bedrock", "inference-profile/*"),),
                ),
            ),
            everywhere="a permissions boundary grants nothing; it only caps what role policies grant",
        ),
    )
