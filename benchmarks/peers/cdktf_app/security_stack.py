"""The security stack. Written by write_cdktf_app.py beside this folder."""

from __future__ import annotations

from cdktf import S3Backend, TerraformOutput, TerraformStack
from cdktf_cdktf_provider_aws.cloudtrail import (
    Cloudtrail,
    CloudtrailAdvancedEventSelector,
    CloudtrailAdvancedEventSelectorFieldSelector,
)
from cdktf_cdktf_provider_aws.cloudwatch_log_group import CloudwatchLogGroup
from cdktf_cdktf_provider_aws.data_aws_iam_policy_document import (
    DataAwsIamPolicyDocument,
    DataAwsIamPolicyDocumentStatement,
    DataAwsIamPolicyDocumentStatementCondition,
    DataAwsIamPolicyDocumentStatementPrincipals,
)
from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.kms_alias import KmsAlias
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from cdktf_cdktf_provider_aws.provider import AwsProvider, AwsProviderDefaultTags
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
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
from state_stack import StateStack


class SecurityStack(TerraformStack):
    def __init__(self, scope: Construct, environment: Environment, state: StateStack) -> None:
        super().__init__(scope, f"{environment.prefix}-security")
        self.add_dependency(state)
        S3Backend(
            self,
            bucket=f"{environment.prefix}-state-{environment.account}-eu-west-1",
            encrypt=True,
            key=f"{environment.name}/security.tfstate",
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

        policy_document_key_logs = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_key-logs",
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
                DataAwsIamPolicyDocumentStatement(
                    actions=[
                        "kms:Decrypt",
                        "kms:DescribeKey",
                        "kms:Encrypt",
                        "kms:GenerateDataKey*",
                        "kms:ReEncrypt*",
                    ],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[f"arn:aws:logs:eu-west-1:{environment.account}:log-group:*"],
                            variable="kms:EncryptionContext:aws:logs:arn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["logs.eu-west-1.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=["*"],
                    sid="CloudWatchLogs",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["kms:DescribeKey", "kms:GenerateDataKey*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[
                                f"arn:aws:cloudtrail:eu-west-1:{environment.account}:trail/{environment.prefix}-audit",
                            ],
                            variable="aws:SourceArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["cloudtrail.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=["*"],
                    sid="CloudTrail",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:SourceAccount",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["budgets.amazonaws.com", "cloudwatch.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=["*"],
                    sid="Notifications",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[f"arn:aws:sns:eu-west-1:{environment.account}:{environment.prefix}-*"],
                            variable="kms:EncryptionContext:aws:sns:topicArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["events.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=["*"],
                    sid="RulesToTopics",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["kms:Decrypt", "kms:GenerateDataKey*"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[f"arn:aws:sqs:eu-west-1:{environment.account}:{environment.prefix}-*"],
                            variable="kms:EncryptionContext:aws:sqs:arn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["events.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=["*"],
                    sid="RulesToQueues",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["kms:GenerateDataKey"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:SourceAccount",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[f"arn:aws:bedrock:eu-west-1:{environment.account}:*"],
                            variable="aws:SourceArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["bedrock.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=["*"],
                    sid="BedrockLogs",
                ),
            ],
        )
        self.kms_key_logs = KmsKey(
            self,
            "aws_kms_key_logs",
            deletion_window_in_days=30,
            description=f"{environment.prefix}: logs, the audit trail and notifications",
            enable_key_rotation=True,
            policy=policy_document_key_logs.json,
        )
        cloudwatch_log_group_audit = CloudwatchLogGroup(
            self,
            "aws_cloudwatch_log_group_audit",
            kms_key_id=self.kms_key_logs.arn,
            name=f"/{environment.prefix}/audit",
            retention_in_days=365,
        )
        policy_document_trust_audit = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_trust-audit",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["sts:AssumeRole"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[environment.account],
                            variable="aws:SourceAccount",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[
                                f"arn:aws:cloudtrail:eu-west-1:{environment.account}:trail/{environment.prefix}-audit",
                            ],
                            variable="aws:SourceArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["cloudtrail.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    sid="Service",
                ),
            ],
        )
        policy_document_boundary = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_boundary",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=[
                        "aoss:*",
                        "application-autoscaling:*",
                        "athena:*",
                        "bedrock:*",
                        "budgets:*",
                        "cloudtrail:*",
                        "cloudwatch:*",
                        "ec2:*",
                        "ecr:*",
                        "elasticfilesystem:*",
                        "events:*",
                        "glue:*",
                        "iam:Get*",
                        "iam:List*",
                        "iam:PassRole",
                        "kms:*",
                        "lambda:*",
                        "logs:*",
                        "s3:*",
                        "sagemaker-mlflow:*",
                        "sagemaker:*",
                        "scheduler:*",
                        "secretsmanager:*",
                        "sns:*",
                        "sqs:*",
                        "ssm:*",
                        "states:*",
                        "tag:*",
                        "xray:*",
                    ],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEqualsIfExists",
                            values=["eu-west-1", "us-east-1"],
                            variable="aws:RequestedRegion",
                        ),
                    ],
                    effect="Allow",
                    resources=["*"],
                    sid="Ceiling",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="ArnLike",
                            values=[f"arn:aws:bedrock:eu-west-1:{environment.account}:inference-profile/*"],
                            variable="bedrock:InferenceProfileArn",
                        ),
                    ],
                    effect="Allow",
                    resources=["*"],
                    sid="CrossRegionModels",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=[
                        "sts:AssumeRole",
                        "sts:GetCallerIdentity",
                        "sts:SetSourceIdentity",
                        "sts:TagSession",
                    ],
                    effect="Allow",
                    resources=["*"],
                    sid="Session",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=[
                        "cloudtrail:DeleteTrail",
                        "cloudtrail:PutEventSelectors",
                        "cloudtrail:StopLogging",
                        "cloudtrail:UpdateTrail",
                        "ec2:DeleteFlowLogs",
                        "kms:DisableKey",
                        "kms:PutKeyPolicy",
                        "kms:ScheduleKeyDeletion",
                        "logs:DeleteLogGroup",
                        "logs:DeleteRetentionPolicy",
                        "s3:DeleteBucketPolicy",
                        "s3:PutAccountPublicAccessBlock",
                        "s3:PutBucketPolicy",
                        "s3:PutBucketPublicAccessBlock",
                    ],
                    effect="Deny",
                    resources=["*"],
                    sid="NoAuditTampering",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=[
                        "iam:AddUserToGroup",
                        "iam:Attach*",
                        "iam:Create*",
                        "iam:Delete*",
                        "iam:Detach*",
                        "iam:Put*",
                        "iam:Update*",
                    ],
                    effect="Deny",
                    resources=["*"],
                    sid="NoPrivilegeEscalation",
                ),
            ],
        )
        self.iam_policy_boundary = IamPolicy(
            self,
            "aws_iam_policy_boundary",
            description="Ceiling over every role of the platform; grants nothing by itself",
            name=f"{environment.prefix}-boundary",
            policy=policy_document_boundary.json,
        )
        iam_role_audit = IamRole(
            self,
            "aws_iam_role_audit",
            assume_role_policy=policy_document_trust_audit.json,
            description="CloudTrail writes the audit trail to CloudWatch Logs",
            max_session_duration=3600,
            name=f"{environment.prefix}-audit",
            permissions_boundary=self.iam_policy_boundary.arn,
        )
        s3_bucket_audit = S3Bucket(
            self,
            "aws_s3_bucket_audit",
            bucket=f"{environment.prefix}-audit-{environment.account}-eu-west-1",
            force_destroy=True,
        )
        policy_document_bucket_audit = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_bucket-audit",
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
                    resources=[s3_bucket_audit.arn, f"{s3_bucket_audit.arn}/*"],
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
                    resources=[s3_bucket_audit.arn, f"{s3_bucket_audit.arn}/*"],
                    sid="DenyOldTls",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:GetBucketAcl"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[
                                f"arn:aws:cloudtrail:eu-west-1:{environment.account}:trail/{environment.prefix}-audit",
                            ],
                            variable="aws:SourceArn",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["cloudtrail.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=[s3_bucket_audit.arn],
                    sid="TrailReadsAcl",
                ),
                DataAwsIamPolicyDocumentStatement(
                    actions=["s3:PutObject"],
                    condition=[
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=[
                                f"arn:aws:cloudtrail:eu-west-1:{environment.account}:trail/{environment.prefix}-audit",
                            ],
                            variable="aws:SourceArn",
                        ),
                        DataAwsIamPolicyDocumentStatementCondition(
                            test="StringEquals",
                            values=["bucket-owner-full-control"],
                            variable="s3:x-amz-acl",
                        ),
                    ],
                    effect="Allow",
                    principals=[
                        DataAwsIamPolicyDocumentStatementPrincipals(
                            identifiers=["cloudtrail.amazonaws.com"],
                            type="Service",
                        ),
                    ],
                    resources=[f"{s3_bucket_audit.arn}/AWSLogs/{environment.account}/*"],
                    sid="TrailWrites",
                ),
            ],
        )
        s3_bucket_public_access_block_audit = S3BucketPublicAccessBlock(
            self,
            "aws_s3_bucket_public_access_block_audit",
            block_public_acls=True,
            block_public_policy=True,
            bucket=s3_bucket_audit.id,
            ignore_public_acls=True,
            restrict_public_buckets=True,
        )
        s3_bucket_policy_audit = S3BucketPolicy(
            self,
            "aws_s3_bucket_policy_audit",
            bucket=s3_bucket_audit.id,
            depends_on=[s3_bucket_public_access_block_audit],
            policy=policy_document_bucket_audit.json,
        )
        cloudtrail_audit = Cloudtrail(
            self,
            "aws_cloudtrail_audit",
            advanced_event_selector=[
                CloudtrailAdvancedEventSelector(
                    field_selector=[
                        CloudtrailAdvancedEventSelectorFieldSelector(
                            equal_to=["Management"],
                            field="eventCategory",
                        ),
                    ],
                    name="management",
                ),
                CloudtrailAdvancedEventSelector(
                    field_selector=[
                        CloudtrailAdvancedEventSelectorFieldSelector(
                            equal_to=["Data"],
                            field="eventCategory",
                        ),
                        CloudtrailAdvancedEventSelectorFieldSelector(
                            equal_to=["AWS::S3::Object"],
                            field="resources.type",
                        ),
                        CloudtrailAdvancedEventSelectorFieldSelector(
                            field="resources.ARN",
                            starts_with=[
                                f"arn:aws:s3:::{environment.prefix}-artifacts-{environment.account}-eu-west-1/",
                            ],
                        ),
                    ],
                    name="artifacts",
                ),
            ],
            cloud_watch_logs_group_arn=f"{cloudwatch_log_group_audit.arn}:*",
            cloud_watch_logs_role_arn=iam_role_audit.arn,
            depends_on=[s3_bucket_policy_audit],
            enable_log_file_validation=True,
            enable_logging=True,
            include_global_service_events=True,
            is_multi_region_trail=True,
            kms_key_id=self.kms_key_logs.arn,
            name=f"{environment.prefix}-audit",
            s3_bucket_name=s3_bucket_audit.id,
        )
        policy_document_role_audit = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_role-audit",
            statement=[
                DataAwsIamPolicyDocumentStatement(
                    actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                    effect="Allow",
                    resources=[f"{cloudwatch_log_group_audit.arn}:log-stream:*"],
                    sid="WriteLog",
                ),
            ],
        )
        IamRolePolicy(
            self,
            "aws_iam_role_policy_audit",
            name="audit",
            policy=policy_document_role_audit.json,
            role=iam_role_audit.id,
        )
        policy_document_key_data = DataAwsIamPolicyDocument(
            self,
            "data_aws_iam_policy_document_key-data",
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
        self.kms_key_data = KmsKey(
            self,
            "aws_kms_key_data",
            deletion_window_in_days=30,
            description=f"{environment.prefix}: buckets, images, volumes and features",
            enable_key_rotation=True,
            policy=policy_document_key_data.json,
        )
        KmsAlias(
            self,
            "aws_kms_alias_data",
            name=f"alias/{environment.prefix}/data",
            target_key_id=self.kms_key_data.key_id,
        )
        KmsAlias(
            self,
            "aws_kms_alias_logs",
            name=f"alias/{environment.prefix}/logs",
            target_key_id=self.kms_key_logs.key_id,
        )
        s3_bucket_versioning_audit = S3BucketVersioningA(
            self,
            "aws_s3_bucket_versioning_audit",
            bucket=s3_bucket_audit.id,
            versioning_configuration=S3BucketVersioningVersioningConfiguration(status="Enabled"),
        )
        S3BucketLifecycleConfiguration(
            self,
            "aws_s3_bucket_lifecycle_configuration_audit",
            bucket=s3_bucket_audit.id,
            depends_on=[s3_bucket_versioning_audit],
            rule=[
                S3BucketLifecycleConfigurationRule(
                    abort_incomplete_multipart_upload=[
                        S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(
                            days_after_initiation=7,
                        ),
                    ],
                    expiration=[S3BucketLifecycleConfigurationRuleExpiration(days=730)],
                    filter=[S3BucketLifecycleConfigurationRuleFilter()],
                    id="housekeeping",
                    noncurrent_version_expiration=[
                        S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(noncurrent_days=730),
                    ],
                    status="Enabled",
                ),
            ],
        )
        S3BucketNotification(
            self,
            "aws_s3_bucket_notification_audit",
            bucket=s3_bucket_audit.id,
            eventbridge=True,
        )
        S3BucketOwnershipControls(
            self,
            "aws_s3_bucket_ownership_controls_audit",
            bucket=s3_bucket_audit.id,
            rule=S3BucketOwnershipControlsRule(object_ownership="BucketOwnerEnforced"),
        )
        S3BucketServerSideEncryptionConfigurationA(
            self,
            "aws_s3_bucket_server_side_encryption_configuration_audit",
            bucket=s3_bucket_audit.id,
            rule=[
                S3BucketServerSideEncryptionConfigurationRuleA(
                    apply_server_side_encryption_by_default=S3BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultA(
                        kms_master_key_id=self.kms_key_logs.arn,
                        sse_algorithm="aws:kms",
                    ),
                    bucket_key_enabled=True,
                ),
            ],
        )

        TerraformOutput(self, "audit_bucket", value=s3_bucket_audit.id)
        TerraformOutput(self, "audit_trail_arn", value=cloudtrail_audit.arn)
        TerraformOutput(self, "data_key_arn", value=self.kms_key_data.arn)
        TerraformOutput(self, "logs_key_arn", value=self.kms_key_logs.arn)
        TerraformOutput(self, "permissions_boundary_arn", value=self.iam_policy_boundary.arn)
