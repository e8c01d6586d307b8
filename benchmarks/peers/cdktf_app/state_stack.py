"""The state stack. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

from cdktf import TerraformOutput, TerraformStack
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.kms_alias import KmsAlias
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
)
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


class StateStack(TerraformStack):
    def __init__(self, scope: Construct, environment: Environment) -> None:
        super().__init__(scope, f"{environment.prefix}-state")
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

        policy_document_key_state = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_key-state",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["kms:*"],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=[f"arn:aws:iam::{environment.account}:root"],
                            type="AWS",
                        ),
                    ],
                    resources=["*"],
                    sid="Account",
                ),
            ],
        )
        kms_key_state = KmsKey(
            self,
            "aws_kms_key_state",
            deletion_window_in_days=30,
            description=f"{environment.prefix}: Terraform state",
            enable_key_rotation=True,
            policy=policy_document_key_state.json,
        )
        KmsAlias(
            self,
            "aws_kms_alias_state",
            name=f"alias/{environment.prefix}/state",
            target_key_id=kms_key_state.key_id,
        )
        s3_bucket_state = S3Bucket(
            self,
            "aws_s3_bucket_state",
            bucket=f"{environment.prefix}-state-{environment.account}-eu-west-1",
            force_destroy=True,
        )
        s3_bucket_versioning_state = S3BucketVersioningA(
            self,
            "aws_s3_bucket_versioning_state",
            bucket=s3_bucket_state.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        S3BucketLifecycleConfiguration(
            self,
            "aws_s3_bucket_lifecycle_configuration_state",
            bucket=s3_bucket_state.id,
            depends_on=[s3_bucket_versioning_state],
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
        S3BucketNotification(
            self,
            "aws_s3_bucket_notification_state",
            bucket=s3_bucket_state.id,
            eventbridge=True,
        )
        S3BucketOwnershipControls(
            self,
            "aws_s3_bucket_ownership_controls_state",
            bucket=s3_bucket_state.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        policy_document_bucket_state = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_bucket-state",
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
                    resources=[s3_bucket_state.arn, f"{s3_bucket_state.arn}/*"],
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
                    resources=[s3_bucket_state.arn, f"{s3_bucket_state.arn}/*"],
                    sid="DenyOldTls",
                ),
            ],
        )
        s3_bucket_public_access_block_state = S3BucketPublicAccessBlock(
            self,
            "aws_s3_bucket_public_access_block_state",
            block_public_acls=True,
            block_public_policy=True,
            bucket=s3_bucket_state.id,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        S3BucketPolicy(
            self,
            "aws_s3_bucket_policy_state",
            bucket=s3_bucket_state.id,
            depends_on=[s3_bucket_public_access_block_state],
            policy=policy_document_bucket_state.json,
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "aws_s3_bucket_server_side_encryption_configuration_state",
            bucket=s3_bucket_state.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                        kms_master_key_id=kms_key_state.arn,
                        sse_algorithm="aws:kms",
                    ),
                    bucket_key_enabled=True,
                ),
            ],
        )

        TerraformOutput(self, "bucket", value=s3_bucket_state.id)
