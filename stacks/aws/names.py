"""AWS's naming rules, and the names that follow them: readable, distinct, and cut with a hash where a limit cuts.

May not know a resource or an intent. Each limit carries its source; all were read in November 2026.
"""

from __future__ import annotations

import re
from hashlib import sha256

from stacks.record import record

__all__ = ["RULES", "NameRule", "fitted"]

_HASH_CHARACTERS = 8


@record
class NameRule:
    """How a kind of name must look: at most ``longest`` characters, all of it matching ``pattern``."""

    longest: int
    pattern: str
    source: str

    def allows(self, name: str) -> bool:
        """Whether a name keeps the rule."""
        return len(name) <= self.longest and re.fullmatch(self.pattern, name) is not None


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


def fitted(kind: str, name: str) -> str:
    """Return ``name``, cut to the kind's limit with a hash of the whole so that distinct names stay distinct."""
    rule = RULES[kind]
    if len(name) > rule.longest:
        digest = sha256(name.encode()).hexdigest()[:_HASH_CHARACTERS]
        name = f"{name[: rule.longest - _HASH_CHARACTERS - 1].rstrip('-./_')}-{digest}"
    if not rule.allows(name):
        raise ValueError(f"{name!r} is not a legal {kind} name: {rule.pattern} ({rule.source})")
    return name
