"""The storage stack. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

from cdktf import S3Backend, TerraformOutput, TerraformStack
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
    S3BucketLifecycleConfigurationRuleTransition,
)
from cdktf_cdktf_provider_aws.s3_bucket_logging import S3BucketLoggingA
from cdktf_cdktf_provider_aws.s3_bucket_notification import S3BucketNotification
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import (
    S3BucketOwnershipControls,
    S3BucketOwnershipControlsRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA,
    S3BucketServerSideEncryptionConfigurationRuleA,
    S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import (
    S3BucketVersioningA,
    S3BucketVersioningVersioningConfiguration,
)
from constructs import Construct
from environment import Environment
from security_stack import SecurityStack
from state_stack import StateStack


class StorageStack(TerraformStack):
    def __init__(
        self,
        scope: Construct,
        environment: Environment,
        security: SecurityStack,
        state: StateStack,
    ) -> None:
        super().__init__(scope, f"{environment.prefix}-storage")
        self.add_dependency(security)
        self.add_dependency(state)
        S3Backend(
            self,
            bucket=f"{environment.prefix}-state-{environment.account}-eu-west-1",
            encrypt=True,
            key=f"{environment.name}/storage.tfstate",
            kms_key_id=f"arn:aws:kms:eu-west-1:{environment.account}:alias/{environment.prefix}/state",
            region="eu-west-1",
        )
        self.add_override("terraform.backend.s3.use_lockfile", True)
        AwsProvider(
            self,
            "aws",
            allowed_account_ids=[environment.account],
            default_tags=[
                AwsProviderDefaultTags(
                    tags={
                        "cost-center": "1234",
                        "environment": environment.name,
                        "managed-by": "scaffolder",
                        "owner": "growth-ml",
                        "platform": "churn",
                    },
                ),
            ],
            region="eu-west-1",
        )

        self.s3_bucket_artifacts = S3Bucket(
            self,
            "aws_s3_bucket_artifacts",
            bucket=f"{environment.prefix}-artifacts-{environment.account}-eu-west-1",
            force_destroy=True,
        )
        self.s3_bucket_data = S3Bucket(
            self,
            "aws_s3_bucket_data",
            bucket=f"{environment.prefix}-data-{environment.account}-eu-west-1",
            force_destroy=True,
        )
        self.s3_bucket_logs = S3Bucket(
            self,
            "aws_s3_bucket_logs",
            bucket=f"{environment.prefix}-logs-{environment.account}-eu-west-1",
            force_destroy=True,
        )
        s3_bucket_versioning_artifacts = S3BucketVersioningA(
            self,
            "aws_s3_bucket_versioning_artifacts",
            bucket=self.s3_bucket_artifacts.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        S3BucketLifecycleConfiguration(
            self,
            "aws_s3_bucket_lifecycle_configuration_artifacts",
            bucket=self.s3_bucket_artifacts.id,
            depends_on=[s3_bucket_versioning_artifacts],
            rule=[
                S3BucketLifecycleConfigurationRule(
                    abort_incomplete_multipart_upload=[
                        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                            days_after_initiation=7,
                        ),
                    ],
                    filter=[S3BucketLifecycleConfigurationRuleFilter()],
                    id="housekeeping",
                    noncurrent_version_expiration=[
                        S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(noncurrent_days=365),
                    ],
                    status="Enabled",
                ),
            ],
        )
        s3_bucket_versioning_data = S3BucketVersioningA(
            self,
            "aws_s3_bucket_versioning_data",
            bucket=self.s3_bucket_data.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        S3BucketLifecycleConfiguration(
            self,
            "aws_s3_bucket_lifecycle_configuration_data",
            bucket=self.s3_bucket_data.id,
            depends_on=[s3_bucket_versioning_data],
            rule=[
                S3BucketLifecycleConfigurationRule(
                    abort_incomplete_multipart_upload=[
                        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                            days_after_initiation=7,
                        ),
                    ],
                    filter=[S3BucketLifecycleConfigurationRuleFilter()],
                    id="housekeeping",
                    noncurrent_version_expiration=[
                        S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(noncurrent_days=90),
                    ],
                    status="Enabled",
                    transition=[
                        S3BucketLifecycleConfigurationRuleTransition(days=60, storage_class="STANDARD_IA"),
                    ],
                ),
            ],
        )
        s3_bucket_versioning_logs = S3BucketVersioningA(
            self,
            "aws_s3_bucket_versioning_logs",
            bucket=self.s3_bucket_logs.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        S3BucketLifecycleConfiguration(
            self,
            "aws_s3_bucket_lifecycle_configuration_logs",
            bucket=self.s3_bucket_logs.id,
            depends_on=[s3_bucket_versioning_logs],
            rule=[
                S3BucketLifecycleConfigurationRule(
                    abort_incomplete_multipart_upload=[
                        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                            days_after_initiation=7,
                        ),
                    ],
                    expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=365)],
                    filter=[S3BucketLifecycleConfigurationRuleFilter()],
                    id="housekeeping",
                    noncurrent_version_expiration=[
                        S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(noncurrent_days=90),
                    ],
                    status="Enabled",
                ),
            ],
        )
        policy_document_bucket_logs = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_bucket-logs",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Bool",
                            values=["false"],
                            variable="aws:SecureTransport",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[self.s3_bucket_logs.arn, f"{self.s3_bucket_logs.arn}/*"],
                    sid="DenyInsecureTransport",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="NumericLessThan",
                            values=["1.2"],
                            variable="s3:TlsVersion",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[self.s3_bucket_logs.arn, f"{self.s3_bucket_logs.arn}/*"],
                    sid="DenyOldTls",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:PutObject"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:SourceAccount",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[
                                f"arn:aws:s3:::{environment.prefix}-data-{environment.account}-eu-west-1",
                                f"arn:aws:s3:::{environment.prefix}-artifacts-{environment.account}-eu-west-1",
                                f"arn:aws:s3:::{environment.prefix}-invocations-{environment.account}-eu-west-1",
                            ],
                            variable="aws:SourceArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["logging.s3.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=[
                        f"{self.s3_bucket_logs.arn}/s3-access/data/*",
                        f"{self.s3_bucket_logs.arn}/s3-access/artifacts/*",
                        f"{self.s3_bucket_logs.arn}/s3-access/invocations/*",
                    ],
                    sid="AccessLogs",
                ),
            ],
        )
        s3_bucket_public_access_block_logs = S3BucketPublicAccessBlock(
            self,
            "aws_s3_bucket_public_access_block_logs",
            block_public_acls=True,
            block_public_policy=True,
            bucket=self.s3_bucket_logs.id,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        s3_bucket_policy_logs = S3BucketPolicy(
            self,
            "aws_s3_bucket_policy_logs",
            bucket=self.s3_bucket_logs.id,
            depends_on=[s3_bucket_public_access_block_logs],
            policy=policy_document_bucket_logs.json,
        )
        S3BucketLoggingA(
            self,
            "aws_s3_bucket_logging_artifacts",
            bucket=self.s3_bucket_artifacts.id,
            depends_on=[s3_bucket_policy_logs],
            target_bucket=self.s3_bucket_logs.id,
            target_prefix="s3-access/artifacts/",
        )
        S3BucketLoggingA(
            self,
            "aws_s3_bucket_logging_data",
            bucket=self.s3_bucket_data.id,
            depends_on=[s3_bucket_policy_logs],
            target_bucket=self.s3_bucket_logs.id,
            target_prefix="s3-access/data/",
        )
        S3BucketNotification(
            self,
            "aws_s3_bucket_notification_artifacts",
            bucket=self.s3_bucket_artifacts.id,
            eventbridge=True,
        )
        S3BucketNotification(
            self,
            "aws_s3_bucket_notification_data",
            bucket=self.s3_bucket_data.id,
            eventbridge=True,
        )
        S3BucketNotification(
            self,
            "aws_s3_bucket_notification_logs",
            bucket=self.s3_bucket_logs.id,
            eventbridge=True,
        )
        S3BucketOwnershipControls(
            self,
            "aws_s3_bucket_ownership_controls_artifacts",
            bucket=self.s3_bucket_artifacts.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        S3BucketOwnershipControls(
            self,
            "aws_s3_bucket_ownership_controls_data",
            bucket=self.s3_bucket_data.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        S3BucketOwnershipControls(
            self,
            "aws_s3_bucket_ownership_controls_logs",
            bucket=self.s3_bucket_logs.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        policy_document_bucket_artifacts = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_bucket-artifacts",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Bool",
                            values=["false"],
                            variable="aws:SecureTransport",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[self.s3_bucket_artifacts.arn, f"{self.s3_bucket_artifacts.arn}/*"],
                    sid="DenyInsecureTransport",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="NumericLessThan",
                            values=["1.2"],
                            variable="s3:TlsVersion",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[self.s3_bucket_artifacts.arn, f"{self.s3_bucket_artifacts.arn}/*"],
                    sid="DenyOldTls",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:PutObject"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Null",
                            values=["false"],
                            variable="s3:x-amz-server-side-encryption-aws-kms-key-id",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringNotEquals",
                            values=[security.kms_key_data.arn],
                            variable="s3:x-amz-server-side-encryption-aws-kms-key-id",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"{self.s3_bucket_artifacts.arn}/*"],
                    sid="DenyOtherKeys",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:PutObject"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Null",
                            values=["false"],
                            variable="s3:x-amz-server-side-encryption",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringNotEquals",
                            values=["aws:kms"],
                            variable="s3:x-amz-server-side-encryption",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"{self.s3_bucket_artifacts.arn}/*"],
                    sid="DenyOtherEncryption",
                ),
            ],
        )
        s3_bucket_public_access_block_artifacts = S3BucketPublicAccessBlock(
            self,
            "aws_s3_bucket_public_access_block_artifacts",
            block_public_acls=True,
            block_public_policy=True,
            bucket=self.s3_bucket_artifacts.id,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        S3BucketPolicy(
            self,
            "aws_s3_bucket_policy_artifacts",
            bucket=self.s3_bucket_artifacts.id,
            depends_on=[s3_bucket_public_access_block_artifacts],
            policy=policy_document_bucket_artifacts.json,
        )
        policy_document_bucket_data = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_bucket-data",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Bool",
                            values=["false"],
                            variable="aws:SecureTransport",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[self.s3_bucket_data.arn, f"{self.s3_bucket_data.arn}/*"],
                    sid="DenyInsecureTransport",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="NumericLessThan",
                            values=["1.2"],
                            variable="s3:TlsVersion",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[self.s3_bucket_data.arn, f"{self.s3_bucket_data.arn}/*"],
                    sid="DenyOldTls",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:PutObject"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Null",
                            values=["false"],
                            variable="s3:x-amz-server-side-encryption-aws-kms-key-id",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringNotEquals",
                            values=[security.kms_key_data.arn],
                            variable="s3:x-amz-server-side-encryption-aws-kms-key-id",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"{self.s3_bucket_data.arn}/*"],
                    sid="DenyOtherKeys",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:PutObject"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="Null",
                            values=["false"],
                            variable="s3:x-amz-server-side-encryption",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringNotEquals",
                            values=["aws:kms"],
                            variable="s3:x-amz-server-side-encryption",
                        ),
                    ],
                    effect="Deny",
                    principals=[DataAwsIamPolicyDocumentStatementPrincipals(identifiers=["*"], type="AWS")],
                    resources=[f"{self.s3_bucket_data.arn}/*"],
                    sid="DenyOtherEncryption",
                ),
            ],
        )
        s3_bucket_public_access_block_data = S3BucketPublicAccessBlock(
            self,
            "aws_s3_bucket_public_access_block_data",
            block_public_acls=True,
            block_public_policy=True,
            bucket=self.s3_bucket_data.id,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        S3BucketPolicy(
            self,
            "aws_s3_bucket_policy_data",
            bucket=self.s3_bucket_data.id,
            depends_on=[s3_bucket_public_access_block_data],
            policy=policy_document_bucket_data.json,
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "aws_s3_bucket_server_side_encryption_configuration_artifacts",
            bucket=self.s3_bucket_artifacts.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                        kms_master_key_id=security.kms_key_data.arn,
                        sse_algorithm="aws:kms",
                    ),
                    bucket_key_enabled=True,
                ),
            ],
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "aws_s3_bucket_server_side_encryption_configuration_data",
            bucket=self.s3_bucket_data.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                        kms_master_key_id=security.kms_key_data.arn,
                        sse_algorithm="aws:kms",
                    ),
                    bucket_key_enabled=True,
                ),
            ],
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "aws_s3_bucket_server_side_encryption_configuration_logs",
            bucket=self.s3_bucket_logs.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                        sse_algorithm="AES256",
                    ),
                ),
            ],
        )

        TerraformOutput(
            self,
            "bucket_arns",
            value={
                "artifacts": self.s3_bucket_artifacts.arn,
                "data": self.s3_bucket_data.arn,
                "logs": self.s3_bucket_logs.arn,
            },
        )
        TerraformOutput(
            self,
            "bucket_names",
            value={
                "artifacts": self.s3_bucket_artifacts.id,
                "data": self.s3_bucket_data.id,
                "logs": self.s3_bucket_logs.id,
            },
        )
