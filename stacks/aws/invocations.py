"""The log of what models were asked and answered: Bedrock keeps one for an account in a region.

May not decide who reads it: the logs key and the bucket are not the workloads'.
"""

from __future__ import annotations

from stacks.aws.buckets import Bucket, add_bucket, log_prefix
from stacks.aws.context import Context, Keys, Stores
from stacks.aws.logs import add_log_group
from stacks.aws.policy import Condition, Principal, Statement, service_trust
from stacks.aws.roles import Role, add_role, policies_of
from stacks.graph import StackBuilder, Value, text
from stacks.intents import InvocationLogging, describe

__all__ = ["BUCKET", "ROLE", "add_invocation_log", "bedrock_key_statement", "is_logged"]

BEDROCK = "bedrock.amazonaws.com"
BUCKET = "invocations"
ROLE = "llm-logs"
LARGE = "large"
STREAM = "aws/bedrock/modelinvocations"
"""The log stream that Bedrock writes to (Bedrock User Guide, "Model invocation logging", November 2026)."""


def is_logged(context: Context) -> bool:
    """Whether this platform keeps the log, and not an earlier environment of the same account and region."""
    intent = context.one_of(InvocationLogging)
    return intent is not None and intent.retention_days is not None


def bedrock_key_statement(context: Context, reason: str) -> Statement:
    """Let Bedrock encrypt what it delivers to the bucket with the logs key, for this account only."""
    return Statement(
        sid="BedrockLogs",
        actions=("kms:GenerateDataKey",),
        resources=("*",),
        principals=(Principal("Service", (BEDROCK,)),),
        conditions=_own_bedrock(context),
        everywhere=reason,
    )


def add_invocation_log(
    stack: StackBuilder, context: Context, keys: Keys, stores: Stores, intent: InvocationLogging, days: int
) -> None:
    """Log to CloudWatch, and what is too large for it (100 KB, images, documents) to a bucket of its own."""
    origin = describe(intent)
    group = add_log_group(stack, context, keys, BUCKET, retention_days=days, origin=origin)
    store, _, policy = add_bucket(
        stack,
        context,
        Bucket(
            name=BUCKET,
            address=BUCKET,
            key=keys.logs,
            keep_versions_days=days,
            expire_after_days=days,
            grants=lambda arn: [_delivery(context, arn)],
        ),
        origin=origin,
    )
    stack.resource(
        "aws_s3_bucket_logging",
        BUCKET,
        {
            "bucket": store.id,
            "target_bucket": stores.by_name["logs"].id,
            "target_prefix": log_prefix(BUCKET),
        },
        origin=origin,
    )
    role = add_role(
        stack,
        context,
        keys,
        Role(
            name=ROLE,
            description="Bedrock writes the log of model invocations",
            trust=[service_trust(BEDROCK, context.account, source_arn=context.arn("bedrock", "*"))],
            allows=[
                Statement(
                    sid="WriteLog",
                    actions=("logs:CreateLogStream", "logs:PutLogEvents"),
                    resources=(text(group.ref("arn"), f":log-stream:{STREAM}"),),
                )
            ],
        ),
        origin=origin,
    )
    stack.resource(
        "aws_bedrock_model_invocation_logging_configuration",
        "main",
        {
            "logging_config": {
                "text_data_delivery_enabled": True,
                "image_data_delivery_enabled": True,
                "embedding_data_delivery_enabled": True,
                "video_data_delivery_enabled": True,
                "cloudwatch_config": {
                    "log_group_name": group.ref("name"),
                    "role_arn": role.ref("arn"),
                    "large_data_delivery_s3_config": {"bucket_name": store.id, "key_prefix": LARGE},
                },
            }
        },
        origin=origin,
        depends_on=[policy, *policies_of(stack, role)],
    )
    stack.export("invocation_log_group", group.ref("name"))
    stack.export("invocation_bucket", store.id)


def _delivery(context: Context, bucket_arn: Value) -> Statement:
    return Statement(
        sid="BedrockWrites",
        actions=("s3:PutObject",),
        resources=(text(bucket_arn, f"/{LARGE}/AWSLogs/{context.account}/BedrockModelInvocationLogs/*"),),
        principals=(Principal("Service", (BEDROCK,)),),
        conditions=_own_bedrock(context),
    )


def _own_bedrock(context: Context) -> tuple[Condition, ...]:
    return (
        Condition("StringEquals", "aws:SourceAccount", (context.account,)),
        Condition("ArnLike", "aws:SourceArn", (context.arn("bedrock", "*"),)),
    )
