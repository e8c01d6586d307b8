"""Says which IAM action allows an AWS operation. May not know a policy."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from tests.emulator.fixture import Emulator

__all__ = ["action_of", "is_allowed", "role_statements"]

SERVICES = {
    "bedrock-agent": "bedrock",
    "cloudwatch-logs": "logs",
    "opensearchserverless": "aoss",
    "s3control": "s3",
}

S3_ACTIONS = {
    "CreateMultipartUpload": "PutObject",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
"""S3's operations whose action has another name (S3 User Guide, "Required permissions for S3 API operations")."""


def action_of(service: str, operation: str) -> str:
    """The action, such as ``s3:GetEncryptionConfiguration``."""
    service = SERVICES.get(service, service)
    if service == "budgets" and operation not in {"ListTagsForResource", "TagResource", "UntagResource"}:
        # Budgets has one action for all that reads and one for all that changes (Service Authorization Reference).
        operation = "ViewBudget" if operation.startswith("Describe") else "ModifyBudget"
    if service == "s3":
        operation = S3_ACTIONS.get(operation, operation)
    return f"{service}:{operation}"


def role_statements(emulator: Emulator, prefix: str, role: str) -> frozenset[str]:
    """The actions of a role's Allow statements, in its inline policy and in those attached to it."""
    iam = emulator.client("iam")
    name = f"{prefix}-{role}"
    documents = [iam.get_role_policy(RoleName=name, PolicyName=role)["PolicyDocument"]]
    for attached in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(
            iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        )
    found: set[str] = set()
    for document in documents:
        for statement in document["Statement"]:
            if statement["Effect"] == "Allow":
                actions = statement["Action"]
                found |= {actions} if isinstance(actions, str) else set(actions)
    return frozenset(found)


def is_allowed(action: str, patterns: Iterable[str]) -> bool:
    """Whether one of a policy's action patterns names the action; IAM ignores case."""
    return any(fnmatchcase(action.lower(), pattern.lower()) for pattern in patterns)
