"""AWS's naming rules, and the names that follow them.

May not know a resource or an intent. Each limit carries its source; all were read in November 2026.
"""

from __future__ import annotations

from stacks import names
from stacks.names import NameRule

__all__ = ["NAMED", "RULES", "fitted"]

RULES = {
    "bucket": NameRule(
        longest=63,
        pattern=r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
        source="S3 User Guide, bucket naming rules (dots left out: they break TLS for virtual-hosted names)",
    ),
    "role": NameRule(
        longest=64, pattern=r"[\w+=,.@-]{1,64}", source="IAM User Guide, IAM and STS character limits"
    ),
    "policy": NameRule(
        longest=128, pattern=r"[\w+=,.@-]{1,128}", source="IAM User Guide, IAM and STS character limits"
    ),
    "alias": NameRule(
        longest=256,
        pattern=r"alias/(?!aws/)[a-zA-Z0-9/_-]+",
        source="KMS API Reference, CreateAlias.AliasName",
    ),
    "repository": NameRule(
        longest=256,
        pattern=r"[a-z0-9]+(?:[._-][a-z0-9]+)*(?:/[a-z0-9]+(?:[._-][a-z0-9]+)*)*",
        source="ECR API Reference, CreateRepository.repositoryName",
    ),
    "log-group": NameRule(
        longest=512,
        pattern=r"[.\-_/#A-Za-z0-9]+",
        source="CloudWatch Logs API Reference, CreateLogGroup.logGroupName",
    ),
    "trail": NameRule(
        longest=128,
        pattern=r"[a-zA-Z0-9](?:[._-]?[a-zA-Z0-9])*",
        source="CloudTrail API Reference, CreateTrail.Name (3-128)",
    ),
    "sagemaker": NameRule(
        longest=63,
        pattern=r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        source="SageMaker API Reference, names of domains, profiles, groups, pipelines, models and endpoints",
    ),
    "topic": NameRule(
        longest=256, pattern=r"[a-zA-Z0-9_-]{1,256}", source="SNS API Reference, CreateTopic.Name"
    ),
    "budget": NameRule(
        longest=100, pattern=r"[^:\\\\]{1,100}", source="Budgets API Reference, Budget.BudgetName"
    ),
    "alarm": NameRule(
        longest=255,
        pattern=r"[a-zA-Z0-9_-]{1,255}",
        source="CloudWatch API Reference, PutMetricAlarm.AlarmName",
    ),
    "dashboard": NameRule(
        longest=255,
        pattern=r"[a-zA-Z0-9_-]{1,255}",
        source="CloudWatch API Reference, PutDashboard.DashboardName",
    ),
    "event-rule": NameRule(
        longest=64, pattern=r"[.\-_A-Za-z0-9]{1,64}", source="EventBridge API Reference, PutRule.Name"
    ),
    "queue": NameRule(
        longest=80, pattern=r"[a-zA-Z0-9_-]{1,80}", source="SQS API Reference, CreateQueue.QueueName"
    ),
    "collection": NameRule(
        longest=32,
        pattern=r"[a-z][a-z0-9-]{2,31}",
        source="OpenSearch Serverless API Reference, names of collections, policies and VPC endpoints (3-32)",
    ),
    "guardrail": NameRule(
        longest=50, pattern=r"[0-9a-zA-Z_-]+", source="Bedrock API Reference, CreateGuardrail.name"
    ),
    "knowledge-base": NameRule(
        longest=100,
        pattern=r"([0-9a-zA-Z][_-]?){1,100}",
        source="Bedrock API Reference, names of knowledge bases and data sources",
    ),
    "security-group": NameRule(
        longest=255,
        pattern=r"(?!sg-)[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+",
        source="EC2 API, CreateSecurityGroup.GroupName",
    ),
}

NAMED = {
    ("aws_s3_bucket", "bucket"): "bucket",
    ("aws_iam_role", "name"): "role",
    ("aws_iam_policy", "name"): "policy",
    ("aws_kms_alias", "name"): "alias",
    ("aws_ecr_repository", "name"): "repository",
    ("aws_cloudwatch_log_group", "name"): "log-group",
    ("aws_cloudtrail", "name"): "trail",
    ("aws_security_group", "name"): "security-group",
    ("aws_sagemaker_domain", "domain_name"): "sagemaker",
    ("aws_sagemaker_user_profile", "user_profile_name"): "sagemaker",
    ("aws_sagemaker_space", "space_name"): "sagemaker",
    ("aws_sagemaker_mlflow_tracking_server", "tracking_server_name"): "sagemaker",
    ("aws_sagemaker_model_package_group", "model_package_group_name"): "sagemaker",
    ("aws_sagemaker_feature_group", "feature_group_name"): "sagemaker",
    ("aws_sagemaker_model", "name"): "sagemaker",
    ("aws_sagemaker_endpoint", "name"): "sagemaker",
    ("aws_sagemaker_pipeline", "pipeline_name"): "sagemaker",
    ("aws_sagemaker_data_quality_job_definition", "name"): "sagemaker",
    ("aws_sagemaker_monitoring_schedule", "name"): "sagemaker",
    ("aws_cloudwatch_metric_alarm", "alarm_name"): "alarm",
    ("aws_cloudwatch_composite_alarm", "alarm_name"): "alarm",
    ("aws_cloudwatch_dashboard", "dashboard_name"): "dashboard",
    ("aws_cloudwatch_event_rule", "name"): "event-rule",
    ("aws_sqs_queue", "name"): "queue",
    ("aws_sns_topic", "name"): "topic",
    ("aws_budgets_budget", "name"): "budget",
    ("aws_opensearchserverless_access_policy", "name"): "collection",
    ("aws_opensearchserverless_collection", "name"): "collection",
    ("aws_opensearchserverless_security_policy", "name"): "collection",
    ("aws_opensearchserverless_vpc_endpoint", "name"): "collection",
    ("aws_bedrock_guardrail", "name"): "guardrail",
    ("aws_bedrockagent_data_source", "name"): "knowledge-base",
    ("aws_bedrockagent_knowledge_base", "name"): "knowledge-base",
}
"""The arguments that are names in AWS, by type and argument: the kind of name that each is."""


def fitted(kind: str, name: str) -> str:
    """Return ``name`` as a legal name of a kind."""
    return names.fitted(kind, RULES[kind], name)
